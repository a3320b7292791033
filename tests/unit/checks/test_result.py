# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing but proof is a pass, and a result survives its way through JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.result import (
    CheckResult,
    failure_message,
    overall,
    worst,
)


def made(verdict: str, name: str = "n", reason: str = "why") -> CheckResult:
    return CheckResult(name, "k", verdict, 1, 2, reason)


def test_shape_of_a_result() -> None:
    result = CheckResult("n", "k", "pass", 1, 2, seconds=0.00126, facts={"query": "SELECT 1"})
    assert result.to_dict() == {
        "name": "n",
        "kind": "k",
        "observed": 1,
        "expected": 2,
        "verdict": "pass",
        "reason": "",
        "seconds": 0.0013,
        "milliseconds": 1.3,
        "query": "SELECT 1",
        "details": {},
    }


def test_a_result_comes_back_from_its_dict() -> None:
    full = CheckResult(
        "n", "k", "fail", {"a": 1}, "b", "why", 1.5, {"x": 2}, {"container": "c"}, "logs", 3, True, True
    )
    assert CheckResult.from_dict(json.loads(json.dumps(full.to_dict()))) == full
    plain = made("pass", reason="")
    assert CheckResult.from_dict(plain.to_dict()) == plain
    assert "round" not in plain.to_dict()


def test_results_of_version_0_1_0_are_read() -> None:
    old = {
        "name": "bars arrive",
        "kind": "fresh",
        "query": "SELECT 1",
        "observed": 5,
        "expected": "<= 3",
        "verdict": "fail",
        "reason": "",
        "milliseconds": 20.0,
        "rows_read": 7,
        "probe": "ClickHouse",
    }
    found = CheckResult.from_dict(old)
    assert (found.group, found.seconds, found.facts) == (
        "ClickHouse",
        0.02,
        {"query": "SELECT 1", "rows_read": 7},
    )
    assert found.reason == "observed 5, expected <= 3"
    assert CheckResult.from_dict({**old, "verdict": "maybe"}).verdict == "error"


def test_a_bad_verdict_needs_a_reason_and_a_known_word() -> None:
    with pytest.raises(ValueError, match="without a reason"):
        made("fail", reason="")
    with pytest.raises(ValueError, match="expected one of"):
        made("maybe")


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ([], "error"),
        (["pass"], "pass"),
        (["pass", "inconclusive"], "inconclusive"),
        (["inconclusive", "error"], "error"),
        (["error", "fail", "pass"], "fail"),
    ],
)
def test_worst_verdict_counts_and_no_verdict_is_an_error(verdicts: list[str], expected: str) -> None:
    assert worst(verdicts) == expected
    assert overall([made(item) for item in verdicts]) == expected


@pytest.mark.parametrize("word", ["whatever", "None"])
def test_an_unknown_verdict_counts_as_an_error(word: str) -> None:
    assert worst(["pass", word]) == "error"


def test_message_names_every_check_that_did_not_pass() -> None:
    message = failure_message("logs", [made("pass", "a"), made("fail", "b"), made("error", "c")])
    assert message.splitlines() == [
        "logs: 2 of 3 checks did not pass",
        "- b [fail]: observed 1, expected 2. why",
        "- c [error]: observed 1, expected 2. why",
    ]
    assert failure_message("logs", [made("pass")]) == ""
    assert "no check was made" in failure_message("logs", [])


def test_checks_that_cannot_be_made_for_one_reason_share_a_line() -> None:
    many: list[Any] = [made("error", f"c{number}") for number in range(7)]
    message = failure_message("platform", [made("fail", "a"), *many])
    assert message.splitlines()[1:] == [
        "- a [fail]: observed 1, expected 2. why",
        "- c0, c1, c2, c3, c4 and 2 more [error]: why",
    ]


def test_what_was_observed_is_cut_where_it_is_long() -> None:
    long = CheckResult("n", "k", "fail", "x" * 1000, 2, "why").complaint()
    assert len(long) < 400
    assert long.endswith("x…, expected 2. why")
