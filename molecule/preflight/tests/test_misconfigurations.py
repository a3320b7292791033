"""Each thing that goes wrong in practice is one clear finding before the first change, and nothing is changed."""

from __future__ import annotations

import copy
import socket
import subprocess
from pathlib import Path

import pytest
from lab_facts import run

NEW = {
    "tick-aggregator": {
        "image": "whatever:latest",
        "environment": {
            "TIMESCALEDB_HOST": "postgresql",
            "TIMESCALEDB_DB": "${TIMESCALEDB_DB}",
            "TIMESCALEDB_USER": "${TIMESCALEDB_USER}",
            "TIMESCALEDB_PASSWORD": "${TIMESCALEDB_PASSWORD}",
            "NATS_URL": "nats://nats:4222",
        },
        "networks": ["suho-trading-network"],
    }
}


def new_service(**changes) -> dict:
    """The service to add, with other environment values or other keys (those in small letters)."""
    service = copy.deepcopy(NEW["tick-aggregator"])
    for name, value in changes.items():
        (service["environment"] if name.isupper() else service)[name] = value
    return {"tick-aggregator": service}


@pytest.fixture
def edited(lab):
    """Edit files of the backend and commit them; afterwards everything is as before."""
    kept: dict[Path, bytes] = {}
    head = run("git", "rev-parse", "HEAD", cwd=lab.backend).strip()

    def edit(name: str, old: str, new: str) -> None:
        path = lab.backend / name
        kept.setdefault(path, path.read_bytes())
        text = path.read_text()
        assert old in text, f"{name} has no {old!r}"
        path.write_text(text.replace(old, new, 1))
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qam", "an edit"],
            cwd=lab.backend,
            check=False,
        )

    yield edit
    run("git", "reset", "-q", "--soft", head, cwd=lab.backend)
    for path, content in kept.items():
        path.write_bytes(content)
    run("git", "reset", "-q", head, cwd=lab.backend)


def containers_of_nobody_else(lab) -> list[str]:
    """All containers but for those of other labs and suites, which may come and go: probes that are left would be seen."""
    owners = ("com.docker.compose.project", "com.suho.lab.conformance", "com.suho.lab.browser")
    owner = "".join(f'{{{{.Label "{label}"}}}}' for label in owners)
    line = f'{{{{.ID}}}}|{owner}|{{{{.Label "com.suho.preflight"}}}}|{{{{.Networks}}}}'
    found = [one.split("|") for one in run("docker", "ps", "--all", "--format", line).splitlines()]
    return [
        name
        for name, owner, probe, networks in found
        # A probe on another lab's network is at work for a deploy there.
        if owner in ("", lab.name) and not (probe and networks and not networks.startswith(f"{lab.name}-"))
    ]


@pytest.fixture
def refused(lab, role):
    """Run the checks; they end with exactly these findings, say these words, and leave everything as it was."""

    def check(findings: int, *words: str, hidden: str = "", new: dict | None = None, **variables):
        before = lab.fingerprint()
        others = containers_of_nobody_else(lab)
        done = role("preflight", preflight_new_services=NEW if new is None else new, **variables)
        done.assert_refused(f"{findings} finding(s) before the first change", *words)
        assert done.changed == 0
        assert not hidden or hidden not in done.said
        assert lab.fingerprint() == before
        assert containers_of_nobody_else(lab) == others
        return done

    return check


def test_a_password_that_clickhouse_refuses(edited, refused):
    """data-bridge would come up and restart in a loop: .env and the server disagree."""
    edited(".env", "CLICKHOUSE_PASSWORD=", "CLICKHOUSE_PASSWORD=wr0ng-value\nNOT_USED=")
    refused(
        1,
        "[logins] data-bridge at clickhouse:9000 as suho_analytics",
        "code 516",
        "CLICKHOUSE_HOST, CLICKHOUSE_PASSWORD",
        hidden="wr0ng-value",
    )


def test_a_database_host_that_is_no_service(refused):
    """The mistake of the plan's own snippet."""
    refused(
        1,
        "[hosts] tick-aggregator: found TIMESCALEDB_HOST (environment of tick-aggregator) names timescaledb",
        "Postgresql may be meant, its image is timescaledb",
        new=new_service(TIMESCALEDB_HOST="timescaledb"),
    )


def test_a_mounted_file_that_beats_the_environment(lab, edited, refused):
    name = "02-data-processing/data-bridge/config/config.yaml"
    edited(name, "batch:", "clickhouse:\n  host: suho-clickhouse\nbatch:")
    refused(
        1,
        "[mounted files] data-bridge: found CLICKHOUSE_HOST='clickhouse' in the environment and "
        f"clickhouse.host: 'suho-clickhouse' in {lab.backend}/{name}:3",
    )


def test_a_container_that_is_up_and_works_with_nothing(lab, edited, refused):
    """Nobody noticed, since the container was "Up": the values say it before there is a container."""
    name = "02-data-processing/data-bridge/config/config.yaml"
    edited(name, "batch:", "nats:\n  url: nats://queue:4222\nbatch:")
    done = refused(
        2, "[hosts] data-bridge", f"nats.url ({lab.backend}/{name}:3) names queue", "[mounted files]"
    )
    assert "NATS_URL='nats://nats:4222'" in " ".join(done.said.split())


def test_a_password_that_postgresql_refuses(refused):
    refused(
        1,
        "[logins] tick-aggregator at postgresql:5432 as suho_user",
        "code 28P01: password authentication failed",
        hidden="wr0ng-value",
        new=new_service(TIMESCALEDB_PASSWORD="wr0ng-value"),
    )


def test_a_database_that_does_not_exist(refused):
    refused(1, 'code 3D000: database "nothing" does not exist', new=new_service(TIMESCALEDB_DB="nothing"))


def test_a_port_on_which_nobody_listens(refused):
    refused(
        1,
        "[logins] tick-aggregator at nats:4223",
        "Connection refused",
        new=new_service(NATS_URL="nats://nats:4223"),
    )


def test_a_port_that_speaks_another_protocol(refused):
    refused(
        1,
        "[logins] tick-aggregator at nats:4222",
        "no ClickHouse server",
        new=new_service(CLICKHOUSE_HOST="nats", CLICKHOUSE_PORT="4222", CLICKHOUSE_USER="suho_analytics"),
    )


def test_one_wrong_host_in_a_list_and_one_in_a_url(refused):
    done = refused(
        2,
        "KAFKA_BROKERS (environment of tick-aggregator) names kafka",
        "ARCHIVE_URL (environment of tick-aggregator) names archive",
        hidden="pass-w0rd",
        new=new_service(
            KAFKA_BROKERS="nats:9092,kafka:9092", ARCHIVE_URL="postgresql://me:pass-w0rd@archive/x"
        ),
    )
    assert "names nats" not in done.said


def test_a_service_on_another_network(refused):
    networks = {"networks": ["default"]}
    done = refused(
        3,
        "[hosts] tick-aggregator",
        "other networks",
        new=new_service(**networks, CLICKHOUSE_HOST="clickhouse"),
    )
    assert "tick-aggregator is on default, clickhouse on suho-trading-network" in " ".join(done.said.split())


@pytest.mark.parametrize("strict", [True, False])
def test_a_variable_that_nothing_sets_and_an_example_password(role, refused, strict):
    new = new_service(LABEL="${NOBODY_SETS_THIS}", API_KEY="change-in-production")
    words = [
        "no value for ${NOBODY_SETS_THIS}",
        "an example value in API_KEY (environment of tick-aggregator)",
    ]
    if strict:
        refused(2, *words, hidden="change-in-production", new=new, preflight_strict=True)
        return
    role("preflight", preflight_new_services=new).assert_passed(changed=0)


def test_a_container_name_and_a_port_that_others_have(lab, refused):
    image = lab.inspect("nats-server")["Image"]
    name = lab.container("somebody-else")
    run("docker", "create", "--name", name, image)
    try:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
            new = new_service(
                container_name=name,
                ports=[f"{lab.settings['NATS_HOST_PORT']}:4222", f"{port}:80"],
            )
            refused(
                3,
                f"[names] tick-aggregator: found the container name {name} taken by a container of no compose project",
                f"port {lab.settings['NATS_HOST_PORT']}/tcp taken by {lab.container('nats-server')}",
                f"port {port}/tcp taken by a process of this host",
                new=new,
            )
    finally:
        run("docker", "rm", name)


def test_a_state_directory_that_cannot_be_made(lab, refused):
    refused(
        1,
        "[state directory]",
        "no folder that this user can write to",
        platform_state_dir=f"{lab.compose_file}/state",
    )


def test_another_project_name(refused):
    refused(1, "containers of this folder in project", "new, empty volumes", platform_project_name="backend")


def test_a_compose_file_that_is_no_yaml(lab, edited, refused):
    edited("docker-compose.yml", "services:\n", "services:\n  broken: [\n")
    refused(1, f"[compose file] {lab.compose_file}")


def test_code_that_is_not_there(refused):
    build = {"build": {"context": ".", "dockerfile": "02-data-processing/nowhere/Dockerfile"}}
    refused(
        1, "[service code] tick-aggregator", "02-data-processing/nowhere/Dockerfile", new=new_service(**build)
    )


def test_logins_that_cannot_be_tried_are_no_pass(refused):
    refused(
        1,
        "the logins could not be tried",
        "preflight_connectivity_image",
        preflight_connectivity_image="no-such-image:none",
    )


def test_a_mounted_file_that_cannot_be_read_stops_nothing_and_is_shown(edited, play):
    edited("02-data-processing/data-bridge/config/config.yaml", "batch:", "batch: [")
    done = play("playbooks/audit.yml")
    done.assert_passed(changed=0)
    one_line = " ".join(done.said.split())
    assert "Worth a look: ? [mounted files]" in one_line
    assert "data-bridge/config/config.yaml: found not YAML: line" in one_line
