"""The modules monitoring_run and monitoring_run_info as Ansible runs them, with a docker program that answers from files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.module_utils.checks import platform
from ansible_collections.suho.platform.plugins.module_utils.checks.platform import Part
from ansible_collections.suho.platform.plugins.module_utils.checks.result import CheckResult
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import Look
from ansible_collections.suho.platform.plugins.module_utils.monitor.store import MonitoringStore
from ansible_collections.suho.platform.plugins.modules import monitoring_run, monitoring_run_info
from docker_of_files import Docker

LOGS = [{"container": "bridge", "since": "2026-06-15T10:00:00Z"}]
QUICK = {"rounds": 2, "interval": 0.05, "grace": 0, "memory_max_percent": 0}


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    folder = tmp_path / "bin"
    folder.mkdir()
    return Docker(folder)


class Host:
    """One target with its state directory."""

    def __init__(self, docker: Docker, state_dir: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.docker = docker
        self.state_dir = state_dir
        self.capsys = capsys

    def run(self, module: Any, check: bool = False, **options: Any) -> dict[str, Any]:
        arguments = {"state_dir": str(self.state_dir), "_ansible_check_mode": check, **options}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return dict(json.loads(self.capsys.readouterr().out))

    def monitor(self, **options: Any) -> dict[str, Any]:
        return self.run(
            monitoring_run, **{"run": "b1", "docker_cli": str(self.docker.path), **QUICK, **options}
        )

    def info(self, **options: Any) -> dict[str, Any]:
        return self.run(monitoring_run_info, **options)


@pytest.fixture
def host(docker: Docker, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Host:
    return Host(docker, tmp_path / "state", capsys)


def test_a_monitoring_run_from_beginning_to_end(host: Host) -> None:
    assert host.info() == {**host.info(), "exists": False, "run": {}, "rounds": []}
    done = host.monitor(
        logs=[{**LOGS[0], "min_lines": 0}], containers=[{"container": "bridge"}], release="r1"
    )
    assert (done["changed"], done["run"]["verdict"], done["run"]["rounds_done"]) == (True, "pass", 2)
    found = host.info()
    assert (found["exists"], found["run"]["id"], found["run"]["status"]) == (True, "b1", "done")
    assert (found["run"]["plan"]["release"], found["run"]["at_work"]) == ("r1", False)
    assert [(one["number"], one["verdict"]) for one in found["rounds"]] == [(1, "pass"), (2, "pass")]
    assert "assertions" not in found["rounds"][0]
    assert host.info(full=True)["rounds"][0]["assertions"][0]["group"] == "containers"
    # The first round read from where it was told, the second one from where the first had ended.
    reads = [call.split()[3] for call in host.docker.calls if call.startswith("logs")]
    assert reads == ["2026-06-15T10:00:00Z", "2026-06-15T10:00:03.000000001Z"]
    # Once its result was seen, it is not the one that is meant any more.
    assert host.monitor(state="collected")["changed"] is True
    assert host.monitor(state="collected")["changed"] is False
    assert host.info()["exists"] is False
    assert host.info(run="b1")["run"]["collected"] is True


def test_an_error_line_ends_it(host: Host) -> None:
    host.docker.set(err="2026-06-15T10:00:02.000000000Z ERROR bridge nats://u:hunter2@n refused\n")
    done = host.monitor(logs=LOGS, rounds=5)
    assert (done["run"]["verdict"], done["run"]["rounds_done"]) == ("fail", 1)
    found = host.info(full=True)
    assert "ERROR bridge nats://u:********@n refused" in found["rounds"][0]["reasons"][0]
    assert "hunter2" not in json.dumps(found)
    assert "hunter2" not in (host.state_dir / "bakes/b1/rounds.jsonl").read_text()


def test_check_mode_does_a_round_and_writes_nothing(host: Host) -> None:
    done = host.monitor(check=True, logs=LOGS)
    assert (done["changed"], done["run"], done["round"]["verdict"]) == (False, {}, "pass")
    assert not host.state_dir.exists()


class Files:
    """Checks of another part of a platform, as PARTS may get it."""

    looks_on = looks_last = False

    def __init__(self, params: Mapping[str, Any]) -> None:
        self.paths = [one["path"] for one in params["files"]]

    def look(self) -> Look:
        return Look([CheckResult(path, "file", "fail", "", "a file", "no file") for path in self.paths])

    def extra(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is held open."""


def test_a_round_looks_at_every_part_of_a_platform(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    part = Part({"path": {"type": "str", "required": True}}, lambda params: {"files": Files(params)})
    monkeypatch.setitem(platform.PARTS, "files", part)  # type: ignore[arg-type]
    done = host.monitor(check=True, files=[{"path": "/a"}])
    assert [(one["group"], one["name"]) for one in done["round"]["assertions"]] == [("files", "/a")]
    assert (done["round"]["verdict"], done["round"]["reasons"]) == ("fail", ["/a: no file"])
    assert "files: " in host.monitor(files=[{}])["msg"]


def test_a_monitoring_run_is_stopped(host: Host) -> None:
    kept = MonitoringStore(str(host.state_dir)).run("b1")
    limits = {"failures": 0, "errors_in_a_row": 1, "inconclusive": 0}
    kept.begin({"rounds": 3, "interval": 60, "limits": limits})
    assert host.monitor(check=True, state="stopped")["changed"] is True
    assert kept.head()["status"] == "open"
    stopped = host.monitor(state="stopped")
    assert (stopped["changed"], stopped["run"]["status"]) == (True, "stopped")
    assert host.monitor(state="stopped")["changed"] is False


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "to look at nothing would prove nothing"),
        ({"logs": LOGS, "run": "../x"}, "expected a name of letters"),
        ({"logs": LOGS, "rounds": 0}, "rounds is 0, expected 1 or more"),
        ({"logs": LOGS, "interval": 0}, "interval is 0, expected more than 0 seconds"),
        ({"logs": LOGS, "grace": -1}, "grace is -1, expected 0 or more seconds"),
        ({"logs": LOGS, "failure_limit": -1}, "limit failures is -1"),
        ({"logs": [{"container": "a b"}]}, "container 'a b': expected a name of letters"),
        ({"logs": [{"container": "a", "sinse": "x"}]}, "logs: "),
        ({"containers": [{"container": "a", "state": "up"}]}, "containers: "),
        ({"containers": [{}]}, "containers: "),
        ({"streams": [{"stream": "BARS"}]}, "monitor_url is '', expected a URL"),
        ({"assertions": [{"name": "x", "kind": "nope"}]}, "expected a kind of"),
        ({"logs": LOGS, "error_levels": ["LOUD"]}, "error_levels is LOUD"),
        ({"state": "stopped"}, "is not on this host"),
    ],
)
def test_bad_input_is_named_and_begins_nothing(host: Host, options: dict[str, Any], words: str) -> None:
    failed = host.monitor(**options)
    assert failed["failed"] is True
    assert words in failed["msg"]
    assert not host.state_dir.exists()


def test_damage_is_named(host: Host) -> None:
    host.monitor(logs=LOGS)
    (host.state_dir / "bakes/b1/bake.json").write_text("{")
    failed = host.info()
    assert failed["failed"] is True
    assert "bake.json cannot be read" in failed["msg"]


def test_nobody_at_work_is_not_waited_for_long(host: Host) -> None:
    kept = MonitoringStore(str(host.state_dir)).run("b1")
    kept.begin(
        {"rounds": 3, "interval": 60, "limits": {"failures": 0, "errors_in_a_row": 1, "inconclusive": 0}}
    )
    found = host.info(wait_for_round=1, timeout=60, patience=0.3)
    assert (found["run"]["status"], found["run"]["at_work"], found["rounds"]) == ("open", False, [])
    assert host.info(run="b2", wait_for_work=True, patience=0.3)["exists"] is False
