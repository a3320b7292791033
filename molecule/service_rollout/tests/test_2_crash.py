"""An image that crashes ends the replacement within seconds and says why; then the previous images come back."""

from __future__ import annotations

import asyncio
import json

import nats
import pytest
from lab_facts import run

# In the audit's state the data-bridge reads bars only.
STREAMS = [{"stream": "BARS", "consumer": "data-bridge-bars"}]
CRASH = """
FROM {image}
CMD ["python", "-c", "print('molecule: no such host as clickhuose', flush=True); raise SystemExit(3)"]
"""


def swap(lab, role, *services, **variables):
    """Recreate services to the images that their tags name, without an audit before it."""
    tags = {service: f"{lab.name}-{service}:latest" for service in services}
    wanted = {
        "service_rollout_services": services,
        "service_rollout_tags": tags,
        "service_rollout_recreate": [],
    }
    return role("service_rollout", **wanted, **variables)


def publish_a_bar_again(lab):
    """Publish the last bar once more; the data-bridge takes it as any other."""

    async def publish():
        connection = await nats.connect(f"nats://127.0.0.1:{lab.settings['NATS_HOST_PORT']}")
        try:
            broker = connection.jetstream()
            bar = await broker.get_last_msg("BARS", "bars.>")
            await broker.publish(bar.subject, bar.data)
        finally:
            await connection.close()

    asyncio.run(publish())


@pytest.fixture(scope="module")
def before(lab):
    return json.loads(lab.remembered.read_text())["containers"]


@pytest.fixture(scope="module")
def crashed(lab, role):
    """The replacement to an image that crashes, and the containers around it."""
    image = f"{lab.name}-data-bridge:latest"
    around = lab.fingerprint()["containers"]
    run("docker", "build", "--quiet", "--tag", image, "-", input=CRASH.format(image=image))
    return swap(lab, role, "data-bridge", "external-data-collector"), around


def test_it_fails_within_seconds_with_the_containers_last_lines(lab, crashed):
    done, _around = crashed
    done.assert_refused(lab.container("data-bridge"), "no such host as clickhuose", "exit code 3")
    assert done.seconds < 20, done.said


def test_the_containers_around_it_were_left_alone(lab, crashed):
    """Also the service that was next in order: the first failure ends the rollout."""
    _done, around = crashed
    now = lab.fingerprint()["containers"]
    bridge = lab.container("data-bridge")
    assert {**now, bridge: None} == {**around, bridge: None}


def test_the_drain_says_what_a_broken_consumer_leaves(lab, role, crashed):
    """Nobody takes in what is published now. It says so, and does not stop the way back."""
    publish_a_bar_again(lab)
    done = role("service_rollout", "drain", service_rollout_drain=1, platform_streams=STREAMS)
    done.assert_passed(changed=0)
    assert "Not taken in within 1" in done.said


def test_where_the_old_consumer_runs_nobody_waits_for_it(lab, role, crashed):
    options = {"service_rollout_drain": 60, "platform_streams": STREAMS}
    running = lab.inspect("data-bridge")["Image"]
    done = role(
        "service_rollout",
        "drain",
        service_rollout_consumers={"data-bridge": {"image_before": running}},
        **options,
    )
    done.assert_passed(changed=0)
    assert "Not taken in" not in done.said
    assert done.seconds < 60, done.said
    other = {"data-bridge": {"image_before": "sha256:other"}}
    options["service_rollout_drain"] = 1
    done = role("service_rollout", "drain", service_rollout_consumers=other, **options)
    assert "Not taken in within 1" in done.said


def test_a_rollback_brings_the_old_image_back(lab, role, before):
    old_image = before[lab.container("data-bridge")][1]
    tag = f"{lab.name}-data-bridge:latest"
    recorded = {
        "data-bridge": {"tag": tag, "image_before": old_image, "existed": True, "order": 0},
        # As a service that the release brought: it goes again.
        "polygon-historical-downloader": {
            "tag": f"{lab.name}-polygon-historical-downloader:latest",
            "image_before": "",
            "existed": False,
            "order": 1,
        },
    }
    role("service_rollout", "rollback", service_rollout_recorded=recorded).assert_passed(changed=1)
    now = lab.inspect("data-bridge")
    assert now["Image"] == old_image
    assert now["State"]["Health"]["Status"] == "healthy"
    assert json.loads(run("docker", "image", "inspect", tag))[0]["Id"] == old_image
    assert lab.container("historical-downloader") not in lab.containers()
    role("service_rollout", "rollback", service_rollout_recorded=recorded).assert_passed(changed=0)


def test_the_drain_is_quiet_where_everything_is_taken_in(role):
    done = role("service_rollout", "drain", platform_streams=STREAMS)
    done.assert_passed(changed=0)
    assert "Not taken in" not in done.said


def test_a_swap_that_takes_too_long_is_a_failure(lab, role):
    """The limit is on what the engine measured, so a limit below any real replacement must fail."""
    run("docker", "build", "--quiet", "--tag", f"{lab.name}-external-data-collector:latest", "-",
        input=f"FROM {lab.name}-external-data-collector:latest\nLABEL molecule=another\n")  # fmt: skip
    limits = {"service_rollout_settle": 1, "service_rollout_max_downtime": 0.01}
    done = swap(lab, role, "external-data-collector", **limits)
    done.assert_refused("external-data-collector", "allowed are 0.01 s", "max_downtime")
