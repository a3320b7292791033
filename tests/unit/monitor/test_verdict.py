"""What a number of rounds come to."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.result import CheckResult, overall
from ansible_collections.suho.platform.plugins.module_utils.monitor.verdict import (
    Limits,
    Standing,
    hard_failures,
    reasons,
    standing,
)

LETTERS = {"p": "pass", "f": "fail", "e": "error", "i": "inconclusive", "h": "fail"}


def rounds(text: str) -> list[dict[str, Any]]:
    return [
        {"number": number, "verdict": LETTERS[letter], "hard": ["data-bridge"] if letter == "h" else []}
        for number, letter in enumerate(text, start=1)
    ]


@pytest.mark.parametrize(
    ("text", "limits", "expected"),
    [
        ("", Limits(), Standing("inconclusive", False, "no round has ended yet")),
        ("p", Limits(), Standing("pass", False)),
        ("pppp", Limits(), Standing("pass", True)),
        ("pf", Limits(), Standing("fail", True, "round 2 failed, none may")),
        ("pf", Limits(failures=1), Standing("pass", False, "round 2 did not pass, within the limits")),
        ("pffp", Limits(failures=1), Standing("fail", True, "rounds 2, 3 failed, 1 may")),
        ("pfpf", Limits(failures=2), Standing("pass", True, "rounds 2, 4 did not pass, within the limits")),
        ("ph", Limits(failures=9), Standing("fail", True, "round 2 of 4: data-bridge")),
        ("pe", Limits(), Standing("pass", False, "round 2 did not pass, within the limits")),
        ("pee", Limits(), Standing("error", True, "rounds 2, 3 could not be measured, 1 in a row may")),
        (
            "e",
            Limits(errors_in_a_row=0),
            Standing("error", True, "round 1 could not be measured, none in a row may"),
        ),
        ("epep", Limits(), Standing("pass", True, "rounds 1, 3 did not pass, within the limits")),
        ("pi", Limits(), Standing("inconclusive", False, "round 2 proved nothing, none may")),
        ("pipp", Limits(), Standing("inconclusive", True, "round 2 proved nothing, none may")),
        ("pipp", Limits(inconclusive=1), Standing("pass", True, "round 2 did not pass, within the limits")),
        # Whatever is borne: rounds none of which has passed prove nothing.
        ("iiii", Limits(inconclusive=9), Standing("inconclusive", True, "no round has passed")),
        ("eeee", Limits(errors_in_a_row=9), Standing("inconclusive", True, "no round has passed")),
        ("ffff", Limits(failures=9), Standing("inconclusive", True, "no round has passed")),
    ],
)
def test_standing(text: str, limits: Limits, expected: Standing) -> None:
    assert standing(rounds(text), 4, limits) == expected


@pytest.mark.parametrize("name", ["failures", "errors_in_a_row", "inconclusive"])
def test_a_limit_below_zero_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=f"limit {name} is -1, expected 0 or more rounds"):
        Limits(**{name: -1}).check()


def one(name: str, verdict: str, **more: Any) -> CheckResult:
    return CheckResult(name, "kind", verdict, 1, 2, "" if verdict == "pass" else "why", **more)


def test_no_assertion_is_no_pass() -> None:
    assert overall([]) == "error"
    assert overall([one("a", "pass")]) == "pass"
    assert overall([one("a", "pass"), one("b", "inconclusive")]) == "inconclusive"
    assert overall([one("a", "error"), one("b", "inconclusive")]) == "error"
    assert overall([one("a", "error"), one("b", "fail")]) == "fail"


def test_reasons_are_few() -> None:
    found = [one(str(number), "fail") for number in range(8)]
    assert reasons([one("a", "pass")]) == []
    assert reasons(found[:5]) == [f"{number}: why" for number in range(5)]
    assert reasons(found, most=2) == ["0: why", "1: why", "and 6 more"]


def test_many_reasons_of_one_group_hide_none_of_another() -> None:
    rows = [one(f"rows {number}", "fail", group="ClickHouse") for number in range(6)]
    broker = [one(f"consumer {number}", "fail", group="broker") for number in range(2)]
    assert reasons([*rows, one("line", "fail", group="logs"), *broker]) == [
        "rows 0: why",
        "rows 1: why",
        "line: why",
        "consumer 0: why",
        "consumer 1: why",
        "and 4 more",
    ]


def test_only_what_failed_is_hard() -> None:
    found = [
        one("a", "fail", hard=True),
        one("b", "error", hard=True),
        one("c", "fail", hard=False),
        one("d", "fail"),
    ]
    assert hard_failures(found) == ["a"]
