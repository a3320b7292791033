# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Durations, tables, JUnit and the terminal summary."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.suho.platform.plugins.filter.report import FilterModule
from ansible_collections.suho.platform.plugins.module_utils.common import text as report_text
from ansible_collections.suho.platform.plugins.module_utils.common.text import human_duration
from hypothesis import given, settings
from hypothesis import strategies as st
from report_sample import ERROR, HOSTILE, hostile, sample

FILTERS = FilterModule().filters()


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (184, "3 min 04 s"),
        (3599.6, "1 h 00 min"),
        (3720, "1 h 02 min"),
        ("12", "12 s"),
        (-5, "-5.0 s"),
        (None, "-"),
        (True, "-"),
        ("soon", "-"),
        (float("nan"), "-"),
        (float("inf"), "-"),
    ],
)
def test_duration_as_people_say_it(seconds: Any, text: str) -> None:
    assert human_duration(seconds) == text


def test_table_is_aligned_and_shows_values_as_they_are() -> None:
    rows = [{"id": "12e34567", "ok": True, "list": ["a", "b"]}, {"id": "00042", "ok": None}]
    lines = FILTERS["table"](rows, ["id", {"key": "ok", "title": "Fine?"}, "list"]).splitlines()
    assert lines[0].split() == ["id", "Fine?", "list"]
    assert lines[2].split() == ["12e34567", "yes", "a,", "b"]
    assert lines[3].split() == ["00042", "-", "-"]


def test_table_takes_all_keys_and_says_when_there_is_nothing() -> None:
    assert FILTERS["table"]([{"a": 1}, {"b": 2}]).splitlines()[0].split() == ["a", "b"]
    assert FILTERS["table"]([]) == "(nothing)"


def test_table_cannot_move_the_cursor() -> None:
    text = FILTERS["table"]([{"a": "x\x1b[2J\x07\ny" + HOSTILE}])
    assert all(character.isprintable() or character == "\n" for character in text)


def test_table_without_its_library_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_text, "_tabulate", None)
    with pytest.raises(AnsibleFilterError, match="'tabulate' is not installed"):
        FILTERS["table"]([{"a": 1}])


@pytest.mark.parametrize("name", ["table", "junit"])
def test_wrong_input_is_named(name: str) -> None:
    with pytest.raises(AnsibleFilterError, match="expected a list of dicts"):
        FILTERS[name]("text")


def made(verdict: str | None, **more: Any) -> dict[str, Any]:
    return {
        "name": "n",
        "kind": "k",
        "observed": 1,
        "expected": 2,
        "verdict": verdict,
        "reason": "why",
        **more,
    }


def test_junit_counts_and_times() -> None:
    items = [
        made("pass", milliseconds=1500),
        made("fail"),
        made("error"),
        made("inconclusive"),
        made(None, milliseconds="bad"),
    ]
    root = ElementTree.fromstring(FILTERS["junit"](items, "verify lab", properties={"host": "h1"}))
    suite = root[0]
    assert {key: suite.get(key) for key in ("tests", "failures", "errors", "time")} == {
        "tests": "5",
        "failures": "1",
        "errors": "3",
        "time": "1.500",
    }
    assert [[child.tag for child in case] for case in suite.iter("testcase")] == [
        [],
        ["failure"],
        ["error"],
        ["error"],
        ["error"],
    ]
    assert suite.find("properties/property").attrib == {"name": "host", "value": "h1"}


def test_junit_without_a_check_is_red() -> None:
    suite = ElementTree.fromstring(FILTERS["junit"]([]))[0]
    assert (suite.get("tests"), suite.get("errors")) == ("1", "1")
    suite = ElementTree.fromstring(FILTERS["junit"]([], proof=False))[0]
    assert (suite.get("tests"), suite.get("errors")) == ("0", "0")


def test_junit_shows_the_error_of_the_run() -> None:
    suite = ElementTree.fromstring(FILTERS["junit"]([made("pass")], error=ERROR))[0]
    assert suite.get("errors") == "1"
    assert suite.find("testcase/error").get("message") == "it restarted 3 times"


@settings(max_examples=150, deadline=None)
@given(text=st.text(alphabet=st.characters(), max_size=40))
def test_junit_is_well_formed_whatever_it_holds(text: str) -> None:
    items = [made("fail", name=text, kind=text, observed=text, reason=text, query=text), made(text)]
    document = FILTERS["junit"](items, text, properties={text: text}, error={"phase": text, "message": text})
    root = ElementTree.fromstring(document.encode("utf-8"))
    assert len(list(root.iter("testcase"))) == 3


def test_summary_tells_all_that_matters() -> None:
    text = FILTERS["summary"](sample(), "reports/lab/latest/report.html")
    assert text.startswith("DEPLOY lab on h1: PASSED\nrelease 20260615T100000Z-ab12, 3 min 07 s")
    for words in (
        "schema",
        "30 s",
        "1 checks: 1 passed",
        "26 keys in 120 rows",
        "over budget",
        "not measured",
    ):
        assert words in text
    assert text.endswith("Report: reports/lab/latest/report.html")


def test_summary_of_a_failure_names_reason_and_rollback() -> None:
    text = FILTERS["summary"](sample(error=ERROR, assertions=[made("fail"), made("pass")]))
    assert text.startswith("DEPLOY lab on h1: FAILED")
    assert "fail: n: why" in text
    assert "Failed in phase Verification, object suho-data-bridge" in text
    assert ERROR["rollback_command"] in text


def test_summary_cannot_move_the_cursor() -> None:
    text = FILTERS["summary"](hostile(sample(error=ERROR)))
    assert all(character.isprintable() or character == "\n" for character in text)
