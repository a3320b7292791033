"""Each way in which a new image can fail ends the replacement in bounded time, with the reason and the container's last words."""

from __future__ import annotations

import json

import pytest
from lab_facts import run

# Service, what the new image does, the words that the error has to have, and the seconds that it may take.
FAILURES = {
    "it ends by itself with exit code 0": (
        "external-data-collector",
        'CMD ["python", "-c", "print(\'nothing to do here\', flush=True)"]',
        ["did not stay up", "nothing to do here"],
        25,
    ),
    "it falls over after two seconds": (
        "external-data-collector",
        'CMD ["python", "-c", "import time; time.sleep(2); print(\'password=s3cret-value\', flush=True); raise SystemExit(9)"]',
        ["did not stay up", "1 restarts", "password=********"],
        25,
    ),
    "it cannot even be started": (
        "external-data-collector",
        'ENTRYPOINT ["/no/such/program"]',
        ["docker compose", "/no/such/program"],
        25,
    ),
    "it runs and never gets healthy": (
        "data-bridge",
        'CMD ["python", "-c", "import time; print(\'asleep\', flush=True); time.sleep(3600)"]',
        ["was not healthy within 6 s", "asleep"],
        40,
    ),
}


def make_image(lab, tag, old, line):
    """Another image under a tag: the old one, whose id the builder does not take, with one line more."""
    base = f"{lab.name}-molecule-base:latest"
    run("docker", "tag", old, base)
    run("docker", "build", "--quiet", "--tag", tag, "-", input=f"FROM {base}\n{line}\n")
    return base


@pytest.mark.parametrize("name", FAILURES)
def test_it_ends_with_the_reason_and_the_old_image_comes_back(lab, role, name):
    service, line, words, seconds = FAILURES[name]
    short = {"external-data-collector": "external-collector"}.get(service, service)
    tag = f"{lab.name}-{service}:latest"
    old = lab.inspect(short)["Image"]
    around = {
        key: value for key, value in lab.fingerprint()["containers"].items() if key != lab.container(short)
    }
    base = make_image(lab, tag, old, line)
    done = role(
        "service_rollout",
        service_rollout_services=[service],
        service_rollout_tags={service: tag},
        service_rollout_recreate=[],
        service_rollout_timeout=6,
    )
    done.assert_refused(service if "docker compose" in words else lab.container(short), *words)
    assert "s3cret-value" not in done.said
    assert done.seconds < seconds, done.said
    recorded = {service: {"tag": tag, "image_before": old, "existed": True, "order": 0}}
    role("service_rollout", "rollback", service_rollout_recorded=recorded).assert_passed(changed=1)
    assert lab.inspect(short)["Image"] == old
    assert json.loads(run("docker", "image", "inspect", tag))[0]["Id"] == old
    # Not before: the only tag of an image that a container uses cannot be removed.
    run("docker", "image", "rm", base)
    now = lab.fingerprint()["containers"]
    assert {key: value for key, value in now.items() if key != lab.container(short)} == around


def downloader(role, lab, code: int):
    service = "polygon-historical-downloader"
    tag = f"{lab.name}-{service}:latest"
    old = json.loads(run("docker", "image", "inspect", tag))[0]["Id"]
    line = f'CMD ["python", "-c", "print(\'once\', flush=True); raise SystemExit({code})"]'
    base = make_image(lab, tag, old, line)
    try:
        return role(
            "service_rollout",
            service_rollout_services=[service],
            service_rollout_tags={service: tag},
            service_rollout_recreate=[],
        )
    finally:
        run("docker", "tag", old, tag)
        run("docker", "image", "rm", base)


def test_a_service_that_runs_once_may_end_well_and_not_badly(lab, role):
    downloader(role, lab, 0).assert_passed(changed=1)
    downloader(role, lab, 4).assert_refused("historical-downloader", "exit code 4", "once")


def test_a_service_that_is_scaled_is_refused_and_left_alone(lab, role):
    """A second container of the service, as compose would label it."""
    labels = lab.inspect("external-collector")["Config"]["Labels"]
    options = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    image = lab.inspect("external-collector")["Image"]
    name = lab.container("second-collector")
    run(
        "docker",
        "create",
        "--name",
        name,
        *options,
        "--label",
        "com.docker.compose.container-number=2",
        image,
    )
    try:
        done = role(
            "service_rollout",
            service_rollout_services=["external-data-collector"],
            service_rollout_tags={"external-data-collector": f"{lab.name}-external-data-collector:latest"},
            service_rollout_recreate=["external-data-collector"],
        )
        done.assert_refused("found 2 containers", name, "Nothing was changed")
    finally:
        run("docker", "rm", name)


def test_what_did_not_work_before_comes_back_as_it_was(lab, role):
    """A rollback to an image that crashes: the release had mended it, and the way back must not stop there."""
    service, short = "external-data-collector", "external-collector"
    tag = f"{lab.name}-{service}:latest"
    old = lab.inspect(short)["Image"]
    base = make_image(lab, tag, old, FAILURES["it falls over after two seconds"][1])
    broken = json.loads(run("docker", "image", "inspect", tag))[0]["Id"]
    recorded = {"tag": tag, "image_before": broken, "existed": True, "order": 0}
    refused = role("service_rollout", "rollback", service_rollout_recorded={service: recorded})
    refused.assert_refused("did not stay up")
    back = {"tag": tag, "image_before": old, "existed": True, "order": 0}
    role("service_rollout", "rollback", service_rollout_recorded={service: back}).assert_passed(changed=1)
    recorded["up_before"] = False
    role("service_rollout", "rollback", service_rollout_recorded={service: recorded}).assert_passed(changed=1)
    assert lab.inspect(short)["Image"] == broken
    role("service_rollout", "rollback", service_rollout_recorded={service: back}).assert_passed(changed=1)
    assert lab.inspect(short)["Image"] == old
    run("docker", "image", "rm", base)


def test_what_a_swap_that_was_cut_off_has_left_is_removed(lab, role):
    """Compose makes the new container under another name, and was killed before it took the old one away."""
    service, short = "external-data-collector", "external-collector"
    found = lab.inspect(short)
    labels = {**found["Config"]["Labels"], "com.docker.compose.replace": found["Id"]}
    left = f"{found['Id'][:12]}_{lab.container(short)}"
    words = [word for name, value in labels.items() for word in ("--label", f"{name}={value}")]
    run("docker", "create", "--name", left, *words, found["Image"])
    done = role(
        "service_rollout",
        service_rollout_services=[service],
        service_rollout_tags={service: f"{lab.name}-{service}:latest"},
        service_rollout_recreate=[],
    )
    done.assert_passed(changed=0)
    assert left not in lab.containers()
    assert lab.inspect(short)["Id"] == found["Id"]
