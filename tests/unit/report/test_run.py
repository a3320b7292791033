"""What tasks and rounds have found, as one list for the report."""

from __future__ import annotations

from typing import Any

from ansible_collections.suho.platform.plugins.module_utils.report.run import (
    check_results,
    in_round,
    round_results,
    shown_name,
)

PASSED = {"name": "a", "kind": "k", "verdict": "pass", "reason": ""}
FAILED = {"name": "b", "kind": "k", "verdict": "fail", "reason": "why"}


def some(result: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: result.get(key) for key in keys}


def test_results_have_the_group_of_their_task_unless_they_say_it_themselves() -> None:
    own = {**PASSED, "group": "broker"}
    found = check_results({"assertions": [PASSED, own]}, "logs")
    assert [some(one, "name", "verdict", "group") for one in found] == [
        {"name": "a", "verdict": "pass", "group": "logs"},
        {"name": "a", "verdict": "pass", "group": "broker"},
    ]


def test_a_task_that_brought_nothing_is_an_error_and_never_a_pass() -> None:
    for registered in ({"msg": "cannot connect"}, {"assertions": []}, {}):
        (result,) = check_results(registered, "ClickHouse")
        assert (result["verdict"], result["group"]) == ("error", "ClickHouse")
        assert result["reason"]


def test_a_skipped_task_says_nothing() -> None:
    assert check_results({"skipped": True}, "logs") == []


def test_the_round_is_a_field_and_no_part_of_the_name() -> None:
    (found,) = in_round([{**PASSED, "name": "bars arrive"}], 3)
    assert (found["name"], found["round"]) == ("bars arrive", 3)
    assert shown_name(found) == "bars arrive (round 3)"
    assert shown_name(PASSED) == "a"


def test_rounds_become_one_list_and_an_empty_round_is_a_result() -> None:
    rounds = [
        {"number": 1, "assertions": [PASSED, FAILED], "reasons": ["b: why"]},
        {"number": 2, "assertions": [], "reasons": ["the round could not be done: x"]},
    ]
    found = round_results(rounds, "fail")
    assert [(one["name"], one["round"], one["verdict"]) for one in found] == [
        ("a", 1, "pass"),
        ("b", 1, "fail"),
        ("the round", 2, "error"),
    ]
    assert found[2]["reason"] == "the round could not be done: x"
    assert not any("borne" in one for one in found)
    # What did not pass in a run that has passed was within its limits.
    assert [one.get("borne") for one in round_results(rounds, "pass")] == [None, True, True]


def test_rounds_that_version_0_1_0_wrote_are_read() -> None:
    old = {
        **FAILED,
        "probe": "ClickHouse",
        "milliseconds": 12.0,
        "reason": "",
        "observed": 1,
        "expected": "= 2",
    }
    (found,) = round_results([{"number": 1, "assertions": [old], "reasons": []}], "fail")
    assert some(found, "group", "seconds", "reason") == {
        "group": "ClickHouse",
        "seconds": 0.012,
        "reason": "observed 1, expected = 2",
    }
