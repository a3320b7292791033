"""The configuration of the services is judged before they start: each fault is one finding that names both ends."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.compose.config import ComposeConfig
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Container
from ansible_collections.suho.platform.plugins.module_utils.preflight.connectivity import (
    ConnectivityError,
    ConnectivityResult,
    Target,
)
from ansible_collections.suho.platform.plugins.module_utils.preflight.finding import ERROR, WARNING, Finding
from ansible_collections.suho.platform.plugins.module_utils.preflight.project import (
    listening,
    listening_ports,
    same_names,
    taken,
    unset_variables,
)
from ansible_collections.suho.platform.plugins.module_utils.preflight.services import ServiceChecks

ENVIRONMENT = {
    "CLICKHOUSE_HOST": "clickhouse",
    "CLICKHOUSE_USER": "suho_analytics",
    "CLICKHOUSE_PASSWORD": "s3cret-value",
    "NATS_URL": "nats://nats:4222",
}


class Probe:
    """Knows some names and one password, and notes what it was asked."""

    def __init__(self, names: Sequence[str] = (), password: str = "s3cret-value", broken: str = "") -> None:
        self.names, self.password, self.broken = names, password, broken
        self.asked: list[tuple[tuple[str, ...], list[Target]]] = []

    def attempt(self, networks: Sequence[str], targets: Sequence[Target]) -> list[ConnectivityResult]:
        if self.broken:
            raise ConnectivityError(self.broken)
        self.asked.append((tuple(networks), list(targets)))
        return [self.outcome(target) for target in targets]

    def outcome(self, target: Target) -> ConnectivityResult:
        if target.way == "resolve":
            found = target.host in self.names
            return ConnectivityResult(
                found, stage="resolve", error="" if found else "the name does not resolve"
            )
        if target.way == "clickhouse" and target.password != self.password:
            return ConnectivityResult(
                False, stage="login", error=f"code 516: wrong password={target.password}"
            )
        return ConnectivityResult(True, stage="login", said="x")


def checks(strict: bool = False, mounted: Path | None = None, **environment: Any) -> ServiceChecks:
    service: dict[str, Any] = {
        "networks": {"net": None},
        "environment": {**ENVIRONMENT, **environment},
        "volumes": [{"type": "bind", "source": str(mounted)}] if mounted else [],
    }
    services = {
        "bridge": service,
        "clickhouse": {"networks": {"net": None}},
        "nats": {"networks": {"net": None}, "hostname": "suho-nats"},
        "postgresql": {"networks": {"net": None}, "image": "timescale/timescaledb:2"},
    }
    model = {"name": "p", "services": services, "networks": {"net": {"name": "real-net"}}}
    return ServiceChecks(ComposeConfig(model), ["bridge", "not-there-yet"], strict)


def every(judge: ServiceChecks, probe: Probe) -> list[Finding]:
    return [
        *judge.placeholders_left(),
        *judge.files_contradict(),
        *judge.hosts_resolve(probe),
        *judge.logins_work(probe),
    ]


def test_sound_settings_have_no_findings(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("clickhouse: {host: clickhouse}\nbatch: {rows: 5}\n")
    probe = Probe()
    assert every(checks(mounted=tmp_path), probe) == []
    # The logins of both servers were tried, from the engine's own name of the network.
    assert [(networks, [one.way for one in targets]) for networks, targets in probe.asked] == [
        (("real-net",), ["clickhouse", "nats"])
    ]


def test_a_host_that_is_no_service_is_found_with_advice() -> None:
    (found,) = checks(TIMESCALEDB_HOST="timescaledb").hosts_resolve(Probe())
    assert found.severity == ERROR
    assert (
        "TIMESCALEDB_HOST (environment of bridge) names timescaledb: the name does not resolve"
        in found.text()
    )
    assert "clickhouse, nats, postgresql" in found.expected
    assert "Postgresql may be meant, its image is timescaledb:2" in found.remedy


def test_a_host_in_a_mounted_file_is_found_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# head\ndatabase:\n  host: timescaledb\n")
    (found,) = checks(mounted=tmp_path).hosts_resolve(Probe())
    assert f"database.host ({tmp_path}/config.yaml:3) names timescaledb" in found.found


def test_a_host_outside_that_resolves_is_fine() -> None:
    assert list(checks(API_URL="https://api.example.com").hosts_resolve(Probe(["api.example.com"]))) == []


def test_without_a_probe_an_unknown_host_is_still_found() -> None:
    (found,) = checks(REDIS_HOST="redis").hosts_resolve(None)
    assert "names redis: no such name" in found.found


def test_if_the_probe_cannot_run_an_unknown_host_is_still_found() -> None:
    (found,) = checks(REDIS_HOST="redis").hosts_resolve(Probe(broken="no image"))
    assert "no image" in found.found


def test_the_container_itself_is_worth_a_look() -> None:
    (found,) = checks(CLICKHOUSE_HOST="localhost").hosts_resolve(Probe())
    assert (found.severity, "which is the container itself" in found.found) == (WARNING, True)


def test_a_login_that_is_refused_is_found_without_the_password() -> None:
    (found,) = checks(CLICKHOUSE_PASSWORD="wr0ng-one").logins_work(Probe())
    assert found.object == "bridge at clickhouse:9000 as suho_analytics"
    assert "code 516" in found.found
    assert "CLICKHOUSE_PASSWORD" in found.expected
    assert "wr0ng-one" not in found.text()


def test_a_login_is_tried_with_what_a_mounted_file_says(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("clickhouse:\n  password: from-the-file\n")
    (found,) = checks(mounted=tmp_path).logins_work(Probe())
    assert f"CLICKHOUSE_PASSWORD ({tmp_path}/config.yaml:2)" in found.expected
    assert "from-the-file" not in found.text()


def test_logins_that_could_not_be_tried_are_no_pass() -> None:
    (found,) = checks().logins_work(Probe(broken="no image of the project has a python3"))
    assert found.severity == ERROR
    assert "could not be tried: no image of the project has a python3" in found.found
    assert "preflight_connectivity_image" in found.remedy


def test_a_file_that_beats_the_environment_is_found_with_both_places(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "clickhouse:\n  host: other\n  password: hidden-too\nlog: {level: DEBUG}\n"
    )
    found = {one.found: one.severity for one in checks(mounted=tmp_path, LOG_LEVEL="INFO").files_contradict()}
    place = f"{tmp_path}/config.yaml"
    assert found == {
        f"CLICKHOUSE_HOST='clickhouse' in the environment and clickhouse.host: 'other' in {place}:2": ERROR,
        f"CLICKHOUSE_PASSWORD=(a secret) in the environment and clickhouse.password: (a secret) in {place}:3": ERROR,
        f"LOG_LEVEL='INFO' in the environment and log.level: 'DEBUG' in {place}:4": WARNING,
    }


def test_a_mounted_file_that_cannot_be_read_is_worth_a_look(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("a: [\n")
    (found,) = checks(mounted=tmp_path).files_contradict()
    assert (found.severity, found.object) == (WARNING, str(tmp_path / "config.yaml"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLICKHOUSE_PASSWORD", "your_secure_password"),
        ("API_KEY", "YOUR_API_KEY"),
        ("SECRET_KEY", "change-me"),
        ("JWT_SECRET", "changeme123"),
        ("DB_PASSWORD", "password"),
        ("API_TOKEN", "<token>"),
        ("API_TOKEN", "xxxx"),
        ("API_TOKEN", "insert_token_here"),
        ("DATABASE_URL", "postgresql://u:change-in-production@clickhouse/d"),
    ],
)
@pytest.mark.parametrize(("strict", "severity"), [(True, ERROR), (False, WARNING)])
def test_an_example_value_is_found_and_not_shown(name: str, value: str, strict: bool, severity: str) -> None:
    (found,) = checks(strict, **{name: value}).placeholders_left()
    assert (found.severity, name in found.found, value in found.text()) == (severity, True, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "K7-hP2.x"),
        ("LOG_LEVEL", "none"),
        ("MODE", "example"),
        ("DB_PASSWORD", ""),
        ("TITLE", "password"),
    ],
)
def test_a_real_value_is_no_example(name: str, value: str) -> None:
    assert list(checks(True, **{name: value}).placeholders_left()) == []


# The project ---------------------------------------------------------------------------------------------------


def container(
    name: str, service: str = "", project: str = "p", state: str = "running", ports: Any = ()
) -> Container:
    names = ("project", project), ("service", service), ("oneoff", "False")
    labels = {f"com.docker.compose.{name}": value for name, value in names} if project else {}
    return Container("id", name, "", "", state, 0, "", "", 0, labels, (), "", tuple(ports))


def project(**service: Any) -> ComposeConfig:
    return ComposeConfig({"name": "p", "services": {"bridge": service}})


def test_a_name_that_another_container_has_is_found() -> None:
    others = [container("x-bridge", "bridge", "other"), container("stray", "", "")]
    (found,) = taken(project(container_name="x-bridge"), ["bridge"], others, "p")
    assert "taken by service bridge of project other" in found.found
    (found,) = taken(project(container_name="stray"), ["bridge"], others, "p")
    assert "taken by a container of no compose project" in found.found


def test_the_services_own_container_has_its_name_and_ports() -> None:
    own = [container("x-bridge", "bridge", ports=[("127.0.0.1", 80, "tcp")])]
    config = project(container_name="x-bridge", ports=[{"published": "80", "protocol": "tcp"}])
    assert list(taken(config, ["bridge"], own, "p")) == []


@pytest.mark.parametrize(
    ("published", "held", "taken_too"),
    [
        ({"published": "80"}, ("0.0.0.0", 80, "tcp"), True),
        ({"published": "80", "host_ip": "127.0.0.1"}, ("127.0.0.1", 80, "tcp"), True),
        ({"published": "79-81"}, ("", 80, "tcp"), True),
        ({"published": "80", "host_ip": "10.0.0.1"}, ("127.0.0.1", 80, "tcp"), False),
        ({"published": "80", "protocol": "udp"}, ("0.0.0.0", 80, "tcp"), False),
        ({"published": "81"}, ("0.0.0.0", 80, "tcp"), False),
        ({}, ("0.0.0.0", 80, "tcp"), False),
    ],
)
def test_a_port_that_another_container_holds_is_found(published: Any, held: Any, taken_too: bool) -> None:
    found = list(taken(project(ports=[published]), ["bridge"], [container("web", "web", ports=[held])], "p"))
    assert [one.check for one in found] == (["ports"] if taken_too else [])


def test_a_container_that_is_stopped_holds_its_name_but_no_port() -> None:
    stopped = [container("x", "web", state="exited", ports=[("", 80, "tcp")])]
    config = project(container_name="x", ports=[{"published": "80"}])
    assert [one.check for one in taken(config, ["bridge"], stopped, "p")] == ["names"]


def test_two_services_with_one_name_are_found() -> None:
    config = ComposeConfig(
        {"services": {"a": {"container_name": "x"}, "b": {"container_name": "x"}, "c": {}}}
    )
    (found,) = same_names(config)
    assert (found.object, "that a has, too" in found.found) == ("b", True)


def test_a_process_of_the_host_is_told_from_a_container(monkeypatch: pytest.MonkeyPatch) -> None:
    where = "ansible_collections.suho.platform.plugins.module_utils.preflight.project.listening_ports"
    monkeypatch.setattr(where, lambda: iter([(80, "tcp"), (81, "tcp")]))
    config = project(ports=[{"published": "80"}, {"published": "81"}])
    (found,) = listening(config, ["bridge"], [container("x", "bridge", ports=[("", 81, "tcp")])])
    assert "port 80/tcp taken by a process of this host" in found.found


def test_listening_ports_are_read_from_the_kernels_table(tmp_path: Path) -> None:
    table = tmp_path / "tcp"
    table.write_text(
        "  sl  local_address rem_address   st\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n"
        "   1: 0100007F:1F91 0100007F:9999 01 00000000:00000000\n"
    )
    assert list(listening_ports({str(table): "tcp", str(tmp_path / "none"): "tcp"})) == [(8080, "tcp")]


def test_a_variable_without_a_value_is_found_where_it_is_used() -> None:
    warning = 'The "MISSING" variable is not set. Defaulting to a blank string.'
    config = ComposeConfig({"services": {}}, (warning,))
    text = "a: ${MISSING}\nb: $MISSING\nc: $$MISSING\n# d: ${MISSING}\nf: ${MISSING_TOO}\ne: x # ${MISSING}\n"
    (found,) = unset_variables(config, {"c.yml": text}, WARNING)
    assert (found.severity, found.object) == (WARNING, "MISSING")
    assert "(c.yml:1, c.yml:2)" in found.found
