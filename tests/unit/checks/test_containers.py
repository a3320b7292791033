# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A container passes only when it is in every point as wished."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.containers import (
    ContainerChecks,
    container_spec,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.result import CheckNotValid, overall
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import wait_for_pass
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandError
from ansible_collections.suho.platform.plugins.module_utils.common.times import seconds_since
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Container, ImageInfo

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z
GOOD = Container(
    id="c1",
    name="bridge",
    image_id="sha256:aaaaaaaaaaaaaaaa",
    image_ref="backend-data-bridge",
    state="running",
    exit_code=0,
    started_at="2027-01-15T07:59:30.123456789Z",
    health="healthy",
    restart_count=0,
)


class Engine:
    def __init__(self, *rounds: list[Container], broken: bool = False) -> None:
        self.rounds = list(rounds)
        self.calls: list[list[str]] = []
        self.broken = broken

    def inspect_containers(self, names: Sequence[str]) -> list[Container]:
        self.calls.append(list(names))
        if self.broken:
            raise CommandError(["docker", "container", "inspect"], 1, "Cannot connect to the Docker daemon")
        return self.rounds.pop(0) if len(self.rounds) > 1 else self.rounds[0]

    def images(self, references: Sequence[str]) -> dict[str, ImageInfo | None]:
        known = {"new": "sha256:aaaaaaaaaaaaaaaa", "old": "sha256:bbbbbbbbbbbbbbbb"}
        return {ref: ImageInfo(known[ref], "") if ref in known else None for ref in references}


def look(changes: dict[str, Any], **spec: Any) -> dict[str, Any]:
    container = dataclasses.replace(GOOD, **changes)
    engine = Engine([container])
    return (
        ContainerChecks(engine, [container_spec({"container": "bridge", **spec})], lambda: NOW)
        .look()
        .results[0]
        .to_dict()
    )


@pytest.mark.parametrize(
    ("changes", "spec"),
    [
        ({}, {}),
        ({"health": ""}, {}),
        ({}, {"health": "healthy"}),
        ({"health": "unhealthy"}, {"health": "any"}),
        ({}, {"min_uptime": 29}),
        ({}, {"image": "new"}),
        ({"image_ref": "new"}, {"current_image": True}),
        ({"image_ref": "old"}, {}),
        ({"restart_count": 2}, {"max_restarts": 2}),
        ({"state": "exited"}, {"exited_ok": True}),
        ({"state": "exited"}, {"state": "exited"}),
    ],
)
def test_passes(changes: dict[str, Any], spec: dict[str, Any]) -> None:
    result = look(changes, **spec)
    assert (result["verdict"], result["reason"]) == ("pass", "")


@pytest.mark.parametrize(
    ("changes", "spec", "words"),
    [
        ({"state": "restarting"}, {}, "it is restarting, expected running"),
        ({"state": "exited", "exit_code": 1}, {}, "it is exited with code 1, expected running"),
        ({"state": "exited", "exit_code": 1}, {"exited_ok": True}, "exited with code 1"),
        ({"state": "exited"}, {}, "exited with code 0, expected running"),
        ({"state": "created", "error": "no such file"}, {}, "it is created (no such file)"),
        ({"health": "starting"}, {}, "its health is starting"),
        ({"health": "unhealthy"}, {}, "its health is unhealthy"),
        ({"health": ""}, {"health": "healthy"}, "it has no healthcheck"),
        ({"restart_count": 3}, {}, "it restarted 3 times, at most 0"),
        ({}, {"min_uptime": 31}, "it has been up for 30 s, expected at least 31 s"),
        ({"started_at": ""}, {"min_uptime": 1}, "up for 0 s"),
        ({}, {"image": "old"}, "it runs image aaaaaaaaaaaa, expected old which is bbbbbbbbbbbb"),
        ({}, {"image": "none"}, "image none does not exist"),
        (
            {"image_ref": "old"},
            {"current_image": True},
            "runs image aaaaaaaaaaaa, expected old which is bbbbbbbbbbbb",
        ),
        ({"image_ref": "none"}, {"current_image": True}, "image none does not exist"),
        ({"image_ref": "old"}, {"current_image": True, "image": "new"}, "expected old"),
    ],
)
def test_each_difference_fails(changes: dict[str, Any], spec: dict[str, Any], words: str) -> None:
    result = look(changes, **spec)
    assert result["verdict"] == "fail"
    assert words in result["reason"]


def test_all_differences_are_named_at_once() -> None:
    reason = look({"health": "unhealthy", "restart_count": 4}, image="old")["reason"]
    assert all(words in reason for words in ("unhealthy", "restarted 4 times", "expected old"))


@pytest.mark.parametrize(
    ("recorded", "reason", "expected"),
    [
        ({"data-bridge": "sha256:aaaaaaaaaaaaaaaa"}, "", "image aaaaaaaaaaaa of the journal"),
        (
            {"data-bridge": "sha256:cccccccccccccccc"},
            "expected cccccccccccc, with which",
            "cccccccccccc of the",
        ),
        ({"another": "sha256:cccccccccccccccc"}, "", "running"),
        ({}, "", "running"),
    ],
)
def test_the_image_is_the_one_that_the_journal_names(
    recorded: dict[str, str], reason: str, expected: str
) -> None:
    container = dataclasses.replace(GOOD, labels={"com.docker.compose.service": "data-bridge"})
    specs = [container_spec({"container": "bridge"})]
    found = ContainerChecks(Engine([container]), specs, lambda: NOW, recorded).look().results[0].to_dict()
    assert found["verdict"] == ("fail" if reason else "pass")
    assert reason in found["reason"]
    assert expected in found["expected"]


def test_missing_container_fails() -> None:
    result = ContainerChecks(Engine([]), [container_spec({"container": "bridge"})]).look()
    assert result.results[0].to_dict()["verdict"] == "fail"
    assert "does not exist" in result.results[0].to_dict()["reason"]
    assert not result.settled


def test_engine_that_does_not_answer_is_an_error() -> None:
    result = ContainerChecks(Engine([], broken=True), [container_spec({"container": "bridge"})]).look()
    assert result.results[0].to_dict()["verdict"] == "error"
    assert "Cannot connect" in result.results[0].to_dict()["reason"]


def test_all_containers_are_asked_for_at_once() -> None:
    engine = Engine([GOOD])
    specs = [container_spec({"container": name}) for name in ("bridge", "other", "bridge")]
    assert len(ContainerChecks(engine, specs).look().results) == 3
    assert engine.calls == [["bridge", "other"]]


def waited(*looks: list[Container], **spec: Any) -> tuple[str, int]:
    checks = ContainerChecks(Engine(*looks), [container_spec({"container": "bridge", **spec})])
    found = wait_for_pass({"containers": checks}, timeout=60, interval=1, sleep=lambda _seconds: None)
    return overall(found.results), found.attempts


def test_waits_for_health_but_not_for_restarts_to_go_away() -> None:
    starting = dataclasses.replace(GOOD, health="starting")
    assert waited([starting], [starting], [GOOD]) == ("pass", 3)
    assert waited([dataclasses.replace(GOOD, restart_count=1)]) == ("fail", 1)


@pytest.mark.parametrize("state", ["exited", "dead"])
def test_a_container_that_has_exited_for_good_is_not_waited_for(state: str) -> None:
    assert waited([dataclasses.replace(GOOD, state=state, exit_code=1)]) == ("fail", 2)
    assert waited([dataclasses.replace(GOOD, state=state, exit_code=1)], exited_ok=True) == ("fail", 2)


def test_a_container_that_is_being_restarted_by_hand_is_waited_for() -> None:
    gone, created = dataclasses.replace(GOOD, state="exited"), dataclasses.replace(GOOD, state="created")
    assert waited([gone], [created], [gone], [GOOD]) == ("pass", 4)
    restarting = dataclasses.replace(GOOD, state="restarting")
    assert waited([restarting], [restarting], [restarting], [GOOD]) == ("pass", 4)
    assert waited([gone], exited_ok=True) == ("pass", 1)


def test_name_cannot_be_an_option() -> None:
    with pytest.raises(CheckNotValid, match="--type"):
        container_spec({"container": "--type"})


@pytest.mark.parametrize(
    ("moment", "seconds"),
    [
        ("2027-01-15T07:59:30.5Z", 29.5),
        ("2027-01-15T08:59:30+01:00", 30.0),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        ("soon", None),
    ],
)
def test_engine_times(moment: str, seconds: float | None) -> None:
    assert seconds_since(moment, NOW) == seconds
