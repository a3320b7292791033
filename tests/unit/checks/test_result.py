# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing but proof is a pass, and waiting is bounded."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.result import (
    Round,
    assertion,
    failure_message,
    overall,
    wait_for_pass,
    worst,
)


def made(verdict: str, name: str = "n") -> dict[str, object]:
    return assertion(name, "k", observed=1, expected=2, verdict=verdict, reason="why")


def test_shape_of_an_assertion() -> None:
    result = assertion("n", "k", observed=1, expected=2, verdict="pass", milliseconds=1.26, query="SELECT 1")
    assert result == {
        "name": "n",
        "kind": "k",
        "observed": 1,
        "expected": 2,
        "verdict": "pass",
        "reason": "",
        "milliseconds": 1.3,
        "query": "SELECT 1",
    }


def test_a_bad_verdict_needs_a_reason_and_a_known_word() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        assertion("n", "k", observed=1, expected=2, verdict="fail")
    with pytest.raises(ValueError, match="expected one of"):
        assertion("n", "k", observed=1, expected=2, verdict="maybe", reason="x")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "error"),
        (["pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "error"], "error"),
        (["error", "fail", "pass"], "fail"),
        (["pass", "whatever"], "error"),
        (["pass", "None"], "error"),
    ],
)
def test_worst_verdict_counts_and_no_verdict_is_an_error(verdicts: list[str], expected: str) -> None:
    assert worst(verdicts) == expected
    assert overall([{"verdict": item} for item in verdicts]) == expected


def test_message_names_every_check_that_did_not_pass() -> None:
    message = failure_message("logs", [made("pass", "a"), made("fail", "b"), made("error", "c")])
    assert message.splitlines() == ["logs: 2 of 3 checks did not pass", "- b: fail: why", "- c: error: why"]
    assert failure_message("logs", [made("pass")]) == ""
    assert "no check was made" in failure_message("logs", [])


class Clock:
    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


def wait(rounds: list[Round], timeout: float, interval: float = 2) -> tuple[str, int, Clock]:
    clock = Clock()
    queue = list(rounds)
    last, attempts, _waited = wait_for_pass(
        lambda: queue.pop(0) if len(queue) > 1 else queue[0],
        timeout=timeout,
        interval=interval,
        clock=clock,
        sleep=clock.sleep,
    )
    return overall(last.assertions), attempts, clock


def test_waiting_ends_at_the_first_pass() -> None:
    bad, good = Round([made("fail")]), Round([made("pass")])
    assert wait([bad, bad, good], 60)[:2] == ("pass", 3)


def test_waiting_ends_at_the_bound_with_a_last_look() -> None:
    verdict, attempts, clock = wait([Round([made("fail")])], 5)
    assert (verdict, attempts, clock.naps) == ("fail", 4, [2, 2, 1])


def test_what_is_settled_is_not_waited_for() -> None:
    assert wait([Round([made("fail")], settled=True)], 60)[:2] == ("fail", 1)


def test_no_timeout_is_one_look() -> None:
    assert wait([Round([made("fail")]), Round([made("pass")])], 0)[:2] == ("fail", 1)


def test_no_assertion_is_waited_for_and_never_passes() -> None:
    assert wait([Round([])], 4)[0] == "error"
