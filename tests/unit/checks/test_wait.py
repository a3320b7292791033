# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting is bounded, all sets wait side by side, and nobody waits for what cannot come."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.result import CheckResult, overall
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import Look, Waited, wait_for_pass


def made(verdict: str, name: str = "n") -> list[CheckResult]:
    return [CheckResult(name, "k", verdict, 1, 2, "" if verdict == "pass" else "why")]


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


class Set:
    """A set of checks with scripted looks, the last of which repeats."""

    def __init__(self, *looks: Look, looks_on: bool = False, looks_last: bool = False) -> None:
        self.queue = list(looks)
        self.looks_on, self.looks_last = looks_on, looks_last
        self.looks = self.closed = 0
        self.before: Callable[[], Any] = lambda: None

    def look(self) -> Look:
        self.looks += 1
        self.before()
        return self.queue.pop(0) if len(self.queue) > 1 else self.queue[0]

    def extra(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        self.closed += 1


BAD, GOOD = Look(made("fail")), Look(made("pass"))


def wait(timeout: float, interval: float = 2, **sets: Set) -> tuple[Waited, Clock]:
    clock = Clock()
    return wait_for_pass(sets, timeout=timeout, interval=interval, clock=clock, sleep=clock.sleep), clock


def outcome(*looks: Look, timeout: float = 60) -> tuple[str, int, list[float]]:
    found, clock = wait(timeout, logs=Set(*looks))
    return overall(found.results), found.attempts, clock.naps


def test_waiting_ends_at_the_first_pass() -> None:
    assert outcome(BAD, BAD, GOOD)[:2] == ("pass", 3)


def test_waiting_ends_at_the_bound_with_a_last_look() -> None:
    assert outcome(BAD, timeout=5) == ("fail", 4, [2, 2, 1])


def test_what_is_settled_is_not_waited_for() -> None:
    assert outcome(Look(made("fail"), settled=True))[:2] == ("fail", 1)


def test_no_timeout_is_one_look() -> None:
    assert outcome(BAD, GOOD, timeout=0)[:2] == ("fail", 1)


def test_no_result_is_waited_for_and_never_passes() -> None:
    assert outcome(Look([]), timeout=4)[0] == "error"


def test_a_check_that_compares_two_moments_gets_the_time_that_it_needs() -> None:
    early = Look(made("inconclusive"), patience=3)
    assert outcome(early, early, GOOD, timeout=0) == ("pass", 3, [2, 1])


def test_all_wait_together_and_each_is_asked_until_it_has_passed() -> None:
    quick, slow, never = Set(BAD, GOOD), Set(BAD, BAD, BAD, GOOD), Set(BAD)
    found, clock = wait(10, quick=quick, slow=slow, never=never)
    assert (quick.looks, slow.looks, never.looks) == (2, 4, 6)
    assert (clock.now, found.seconds, found.attempts) == (10, 10, 6)  # not the sum of three waits
    assert [(one.group, one.verdict) for one in found.results] == [
        ("quick", "pass"),
        ("slow", "pass"),
        ("never", "fail"),
    ]
    assert (quick.closed, slow.closed, never.closed) == (1, 1, 1)


def test_they_look_at_the_same_time() -> None:
    meeting = threading.Barrier(3, timeout=10)
    sets = {name: Set(GOOD) for name in "abc"}
    for one in sets.values():
        one.before = meeting.wait  # passes only if all three look at once
    found, _clock = wait(0, **sets)
    assert overall(found.results) == "pass"


def test_who_needs_more_time_than_the_bound_does_not_make_the_others_wait() -> None:
    late, slow = Set(Look(made("inconclusive"), patience=20)), Set(BAD)
    found, _clock = wait(4, late=late, slow=slow)
    assert (slow.looks, found.seconds) == (3, 20)


def test_a_container_that_has_exited_for_good_ends_the_wait_of_all() -> None:
    containers = Set(BAD, Look(made("fail"), ended=True), looks_on=True)
    rows = Set(BAD, looks_last=True)
    found, clock = wait(600, containers=containers, rows=rows)
    assert (clock.now, found.attempts, rows.looks) == (2, 2, 2)
    assert [one.verdict for one in found.results] == ["fail", "fail"]


def test_containers_are_looked_at_while_others_wait() -> None:
    containers = Set(GOOD, GOOD, Look(made("fail")), Look(made("fail"), ended=True), looks_on=True)
    found, clock = wait(600, containers=containers, rows=Set(BAD))
    assert (clock.now, containers.looks, found.results[0].verdict) == (6, 4, "fail")


def test_a_log_that_has_passed_is_read_once_more_when_all_are_done() -> None:
    logs = Set(GOOD, BAD, looks_last=True)
    found, _clock = wait(600, logs=logs, rows=Set(BAD, BAD, GOOD))
    assert (logs.looks, found.results[0].verdict) == (2, "fail")


def test_a_log_that_was_just_read_is_not_read_again() -> None:
    logs = Set(GOOD, looks_last=True)
    wait(600, logs=logs, rows=Set(GOOD))
    assert logs.looks == 1


def test_everything_is_closed_when_a_look_breaks() -> None:
    def fault() -> None:
        raise RuntimeError("a fault of the program")

    broken, other = Set(GOOD), Set(GOOD)
    broken.before = fault
    with pytest.raises(RuntimeError):
        wait(0, broken=broken, other=other)
    assert (broken.closed, other.closed) == (1, 1)
