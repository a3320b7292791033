# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role verify as ansible-playbook runs it, on a host where nothing of the platform is: every check is asked, and named."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).resolve().parents[3]
# Nothing listens on port 1, and no docker program answers.
NOWHERE = {
    "platform_clickhouse_host": "127.0.0.7",
    "platform_clickhouse_port": 1,
    "platform_clickhouse_password": "hunter2-is-long",
    "platform_nats_monitor_url": "http://127.0.0.1:1",
    "ansible_python_interpreter": sys.executable,
    "verify_timeout": 0,
}
PLAY = [
    {
        "hosts": "h1",
        "gather_facts": False,
        "tasks": [
            {
                "block": [{"ansible.builtin.include_role": {"name": "suho.platform.verify"}}],
                "rescue": [
                    {
                        "ansible.builtin.copy": {
                            "content": "{{ {'results': verify_results, 'msg': ansible_failed_result.msg} | to_json }}",
                            "dest": "found.json",
                        }
                    }
                ],
            }
        ],
    }
]


def verify(folder: Path, **variables: Any) -> dict[str, Any]:
    """What a verification that failed has found, and said."""
    play = json.loads(json.dumps(PLAY))
    play[0]["tasks"][0]["rescue"][0]["ansible.builtin.copy"]["dest"] = str(folder / "found.json")
    (folder / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    known = {**NOWHERE, "platform_state_dir": str(folder / "state"), **variables}
    (folder / "vars.json").write_text(json.dumps(known), encoding="utf-8")
    tools = folder / "bin"
    tools.mkdir()
    docker = tools / "docker"
    docker.write_text('#!/bin/sh\necho "Cannot connect to the Docker daemon" >&2\nexit 1\n', encoding="utf-8")
    docker.chmod(0o755)
    command = [sys.executable, "-m", "ansible", "playbook", "-i", "h1,h2,", "-c", "local", "play.yml", "-vv"]
    done = subprocess.run(
        [*command, "-e", "@vars.json"],
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
            "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "PATH": f"{tools}:{os.environ['PATH']}",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    return dict(json.loads((folder / "found.json").read_text(encoding="utf-8")))


def test_everything_that_the_defaults_ask_is_asked_and_named(tmp_path: Path) -> None:
    found = verify(tmp_path)
    groups = [one["group"] for one in found["results"]]
    assert {name: groups.count(name) for name in groups} == {
        "containers": 3,
        "ClickHouse": 10,
        "logs": 6,
        "broker": 2,
    }
    assert {one["verdict"] for one in found["results"]} == {"error"}
    assert "21 of 21 checks did not pass" in found["msg"]
    # The options that all modules of a group have in common reach the module.
    assert "127.0.0.7:1 refused the connection" in found["msg"]


@pytest.mark.parametrize(("other", "groups"), [("h2", {"ClickHouse"}), ("h1", {"ClickHouse"})])
def test_a_server_that_another_host_reaches_is_asked_from_there(
    tmp_path: Path, other: str, groups: set[str]
) -> None:
    nothing = {f"verify_{kind}": [] for kind in ("containers", "logs", "streams")}
    found = verify(tmp_path, platform_clickhouse_delegate_to=other, **nothing)
    assert {one["group"] for one in found["results"]} == groups
    assert len(found["results"]) == 10


def test_a_verification_of_nothing_proves_nothing(tmp_path: Path) -> None:
    nothing = {f"verify_{kind}": [] for kind in ("containers", "logs", "streams", "assertions")}
    found = verify(tmp_path, **nothing)
    assert found["results"] == []
    assert "No check was asked for" in found["msg"]


def test_what_cannot_be_asked_at_all_is_an_error(tmp_path: Path) -> None:
    found = verify(tmp_path, verify_logs=[{"container": "no name"}])
    (one,) = found["results"]
    assert (one["group"], one["verdict"]) == ("platform", "error")
    assert "container 'no name': expected a name of letters" in one["reason"]
