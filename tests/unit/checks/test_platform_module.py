# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module platform_assert as Ansible runs it: all kinds of checks, one wait."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.modules import platform_assert
from docker_of_files import CONTAINER, Docker

LOG = {"container": "bridge", "expect": [{"name": "writes", "pattern": r"Writing \d+ rows"}]}
# Nothing listens there.
ROWS = {
    "login_port": 1,
    "assertions": [{"name": name, "kind": "query", "sql": "SELECT 1", "value": 1} for name in ("one", "two")],
}
BROKER = {"monitor_url": "http://127.0.0.1:1", "streams": [{"stream": "BARS"}]}
EXITED = {**CONTAINER, "State": {**CONTAINER["State"], "Status": "exited", "ExitCode": 3}}


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def run(docker: Docker, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    arguments = {"docker_cli": str(docker.path), "timeout": 0, "_ansible_check_mode": True, **options}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        platform_assert.main()
    return dict(json.loads(capsys.readouterr().out))


def test_all_kinds_in_one_call(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(docker, capsys, containers=[{"container": "bridge"}], logs=[LOG], **ROWS, **BROKER)
    assert [(one["group"], one["name"], one["verdict"]) for one in result["assertions"]] == [
        ("containers", "bridge", "pass"),
        ("ClickHouse", "one", "error"),
        ("ClickHouse", "two", "error"),
        ("logs", "bridge: no error lines", "pass"),
        ("logs", "bridge: writes", "pass"),
        ("broker", "BARS", "error"),
    ]
    assert (result["verdict"], result["passed"], result["failures"]) == ("error", 0, 2)
    assert (result["findings"], result["server"], result["windows"][0]["lines"]) == ([], {}, 3)
    first, *rest = result["msg"].splitlines()
    assert first == "platform: 3 of 6 checks did not pass"
    assert rest[0].startswith("- one, two [error]: 127.0.0.1:1 refused the connection")
    assert rest[1].startswith("- BARS [error]: observed not readable")


def test_what_is_not_asked_for_is_not_looked_at(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(docker, capsys, containers=[{"container": "bridge"}])
    assert (result["verdict"], result["changed"], len(result["assertions"])) == ("pass", False, 1)
    assert not [call for call in docker.calls if call.startswith("logs")]
    assert "windows" not in result


def test_they_wait_side_by_side(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    missing = {"container": "bridge", "expect": [{"name": "never", "pattern": "never"}]}
    result = run(
        docker, capsys, logs=[missing], containers=[{"container": "none"}], timeout=1, interval=0.2, **BROKER
    )
    assert (result["verdict"], len(result["assertions"])) == ("fail", 4)
    assert result["waited_seconds"] >= 1
    # Nobody waits for the end of the others' wait: the log was read while the container was still looked for, and the other way round.
    calls = docker.calls
    logs = [place for place, call in enumerate(calls) if call.startswith("logs")]
    containers = [place for place, call in enumerate(calls) if call == "container inspect none"]
    assert result["attempts"] == len(logs) == len(containers)
    assert logs[0] < containers[-1]
    assert containers[0] < logs[-1]


def test_an_exited_container_ends_the_wait(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.set(inspect=EXITED)
    result = run(docker, capsys, containers=[{"container": "bridge"}], timeout=600, interval=0.1, **BROKER)
    assert (result["attempts"], result["verdict"]) == (2, "fail")
    assert "container bridge: it is exited with code 3, expected running" in result["msg"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "to look at nothing would prove nothing"),
        ({"logs": [{"container": "a b"}]}, "container 'a b': expected a name of letters"),
        ({"logs": [{"container": "a", "sinse": "x"}]}, "logs: "),
        ({"containers": [{"container": "a", "state": "up"}]}, "containers: "),
        ({"streams": [{"stream": "BARS"}]}, "monitor_url is '', expected a URL"),
        ({"assertions": [{"name": "x", "kind": "nope"}]}, "expected a kind of"),
        ({"logs": [LOG], "error_levels": ["LOUD"]}, "error_levels is LOUD"),
        ({"logs": [LOG], "max_lines": 0}, "max_lines is 0, expected 1 or more"),
    ],
)
def test_bad_input_is_named_before_anything_is_asked(
    docker: Docker, capsys: pytest.CaptureFixture[str], options: dict[str, Any], words: str
) -> None:
    result = run(docker, capsys, **options)
    assert (result["failed"], result["assertions"]) == (True, [])
    assert result["msg"].startswith("platform: ")
    assert words in result["msg"]
    assert not (docker.folder / "calls").exists()
