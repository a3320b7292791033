# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules log_assert and container_assert as Ansible runs them, with a docker program that answers from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.modules import container_assert, log_assert
from docker_of_files import CONTAINER, Docker


@pytest.fixture
def docker(tmp_path: Path) -> Docker:
    return Docker(tmp_path)


def run(module: Any, docker: Docker, capsys: pytest.CaptureFixture[str], **options: Any) -> dict[str, Any]:
    arguments = {"docker_cli": str(docker.path), "timeout": 0, "_ansible_check_mode": True, **options}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    return dict(json.loads(capsys.readouterr().out))


EXPECT = [{"name": "writes", "pattern": r"Writing \d+ rows"}]


def test_logs_of_both_streams_are_read_in_order(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(log_assert, docker, capsys, containers=[{"container": "bridge", "expect": EXPECT}])
    assert result.get("failed") is None
    assert (result["verdict"], result["changed"], result["attempts"]) == ("pass", False, 1)
    assert result["assertions"][1]["line"] == "INFO bridge Writing 3 rows"
    window = result["windows"][0]
    assert (window["lines"], window["next_since"]) == (3, "2026-06-15T10:00:03.000000001Z")
    assert docker.calls[-1] == "logs --timestamps --since 2026-06-15T10:00:00Z --tail 50001 bridge"


def test_error_line_fails_with_one_message(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.set(err="2026-06-15T10:00:02.000000000Z ERROR bridge nats://u:hunter2@n refused\n")
    result = run(log_assert, docker, capsys, containers=[{"container": "bridge"}, {"container": "gone"}])
    assert result["failed"]
    assert result["msg"].splitlines()[0] == "container logs: 2 of 2 checks did not pass"
    assert "1x ERROR bridge nats://u:********@n refused" in result["msg"]
    assert "container gone does not exist" in result["msg"]
    assert result["findings"][0]["count"] == 1
    assert "hunter2" not in json.dumps({key: value for key, value in result.items() if key != "invocation"})


def test_log_that_docker_cannot_read_is_an_error(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.set(
        out="", err="Error response from daemon: configured logging driver does not support reading\n", code=1
    )
    result = run(log_assert, docker, capsys, containers=[{"container": "bridge"}])
    assert (result["failed"], result["verdict"]) == (True, "error")
    assert "does not support reading" in result["msg"]


def test_more_lines_than_allowed_are_an_error(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(log_assert, docker, capsys, containers=[{"container": "bridge"}], max_lines=2)
    assert result["verdict"] == "error"
    assert "more than 2 lines" in result["msg"]
    assert result["windows"][0]["cut"] is True


def test_no_container_at_all_is_no_pass(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    for module in (log_assert, container_assert):
        result = run(module, docker, capsys, containers=[])
        assert (result["failed"], result["verdict"]) == (True, "error")
        assert "no check was made" in result["msg"]


def test_wrong_options_fail_before_anything_runs(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    expect = [{"name": "x", "pattern": "("}]
    result = run(log_assert, docker, capsys, containers=[{"container": "bridge", "expect": expect}])
    assert "no regular expression" in result["msg"]
    assert not (docker.folder / "calls").exists()


def test_container_passes_and_its_environment_stays_out(
    docker: Docker, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run(container_assert, docker, capsys, containers=[{"container": "bridge"}])
    assert result.get("failed") is None
    assert (result["verdict"], result["changed"]) == ("pass", False)
    assert result["assertions"][0]["details"]["image_id"] == "sha256:aaaaaaaaaaaa"
    assert "hunter2" not in json.dumps(result)


def test_container_that_restarts_fails(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    docker.set(inspect={**CONTAINER, "RestartCount": 2})
    result = run(container_assert, docker, capsys, containers=[{"container": "bridge"}], timeout=30)
    assert result["failed"]
    assert result["attempts"] == 1
    assert "it restarted 2 times, at most 0 expected" in result["msg"]


def test_missing_docker_is_named(docker: Docker, capsys: pytest.CaptureFixture[str]) -> None:
    for module in (log_assert, container_assert):
        result = run(
            module, docker, capsys, containers=[{"container": "bridge"}], docker_cli="/nowhere/docker"
        )
        assert result["verdict"] == "error"
        assert "not found: /nowhere/docker" in result["msg"]
