# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assertions: each kind passes, fails and errs on a real engine; nothing that returned nothing passes."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils import clickhouse_assert_run as assert_run
from ansible_collections.suho.platform.plugins.module_utils.clickhouse_assertions import (
    KINDS,
    AssertionNotValid,
    build,
)
from ansible_collections.suho.platform.plugins.module_utils.clickhouse_client import (
    READONLY,
    Answer,
    ClickhouseError,
    Login,
)
from ansible_collections.suho.platform.plugins.module_utils.clickhouse_compare import (
    OPS,
    compare_rows,
    describe,
    plain,
)
from clickhouse_engine import EngineConnection
from hypothesis import given
from hypothesis import strategies as st

NAN = float("nan")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    connection.run("CREATE DATABASE db")
    connection.run(
        "CREATE TABLE db.bars (k String, t DateTime64(3, 'UTC'), v Decimal(18,5) DEFAULT 0, j String DEFAULT '') "
        "ENGINE = MergeTree ORDER BY k"
    )
    connection.run("CREATE TABLE db.void (k String, t DateTime) ENGINE = MergeTree ORDER BY k")
    connection.run(
        "INSERT INTO db.bars SELECT toString(number), now64(3) - toIntervalSecond(number * 60), number, "
        """concat('{"a":', toString(number), ',"b":-1.5e3}') FROM numbers(10)"""
    )
    for text in (
        "{}",
        '{"a":1}',
        '{"a":1,"b":2,"c":3}',
        '{"a":1,"b":"2"}',
        '{"a":1,"b":null}',
        '{"a":1,"b":true}',
    ):
        connection.run(f"INSERT INTO db.bars (k, t, j) VALUES ('bad', '2001-01-01 00:00:00', '{text}')")
    yield connection
    connection.close()


class EngineSession(assert_run.Session):
    """A session whose connection is the embedded engine."""

    def __init__(self, engine: Any) -> None:
        super().__init__(Login())
        self._connection = engine

    def close(self) -> None:
        """The engine serves all tests."""


def evaluate(engine: EngineConnection, spec: dict[str, Any]) -> dict[str, Any]:
    results, _waited = assert_run.run(EngineSession(engine), build([{"name": "it", **spec}], "db"))
    return results[0].to_dict()


JSON = {"kind": "json_keys", "table": "bars", "column": "j", "keys": ["a", "b"], "order_by": "t"}

PASSING: list[dict[str, Any]] = [
    {"kind": "query", "sql": "SELECT 7", "value": 7},
    {"kind": "query", "sql": "SELECT 7", "value": "7"},
    {"kind": "query", "sql": "SELECT 7", "op": "between", "value": [7, "8"]},
    {"kind": "query", "sql": "SELECT 'abc'", "op": "matches", "value": "^a.c$"},
    {
        "kind": "query",
        "sql": "SELECT 'x' WHERE %(a)s = 'it''s' AND 5 IN %(b)s",
        "params": {"a": "it's", "b": [5, 6]},
        "value": "x",
    },
    {"kind": "query", "sql": "SELECT 1, 'a'", "value": [1, "a"]},
    {"kind": "query", "sql": "SELECT number, 'a' FROM numbers(2)", "value": [[0, "a"], [1, "a"]]},
    {"kind": "query", "sql": "SELECT k, v + 1 FROM db.bars", "op": "each_gt", "value": 0},
    {"kind": "table_exists", "table": "bars"},
    {"kind": "table_exists", "table": "db.bars", "engine": "MergeTree"},
    {"kind": "column", "table": "bars", "column": "v", "type": "Decimal(18,5)", "default": "0"},
    {"kind": "column", "table": "bars", "column": "t", "type": "DateTime64( 3,'UTC' )"},
    {"kind": "column", "table": "bars", "column": "j", "default": "''"},
    {"kind": "row_count", "table": "bars"},
    {"kind": "row_count", "table": "bars", "where": "k = '1' OR k = '2'", "min": 2, "max": 2},
    {"kind": "row_count", "table": "bars", "where": "k LIKE '1%' -- that's it", "min": 1},
    {"kind": "row_count", "table": "void", "max": 0},
    {"kind": "fresh", "table": "bars", "time_column": "t", "max_age": "120"},
    {"kind": "fresh", "table": "bars", "time_column": "t", "max_age": 600, "where": "k LIKE '9%'"},
    {**JSON, "limit": 10, "min_rows": 10},
    {**JSON, "max_age": 3600, "where": "k LIKE '%'"},
]

FAILING: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "query", "sql": "SELECT 7", "value": 8}, "fail", ""),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "value": 7}, "fail", "no rows"),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "op": "ne", "value": 7}, "fail", "no rows"),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "op": "each_gt", "value": 0}, "fail", "no rows"),
    ({"kind": "query", "sql": "SELECT NULL", "op": "ne", "value": 7}, "fail", "NULL"),
    ({"kind": "query", "sql": "SELECT 'a'", "op": "gt", "value": 7}, "error", "no number"),
    ({"kind": "query", "sql": "SELECT 1, 2", "op": "gt", "value": 0}, "error", "use each_gt"),
    ({"kind": "query", "sql": "SELECT number FROM numbers(3)", "op": "each_lt", "value": 2}, "fail", "has 2"),
    ({"kind": "query", "sql": "SELECT nonsense", "value": 1}, "error", "nonsense"),
    ({"kind": "table_exists", "table": "nope"}, "fail", "no table db.nope"),
    ({"kind": "table_exists", "table": "bars", "engine": "Log"}, "fail", "MergeTree"),
    ({"kind": "column", "table": "bars", "column": "nope"}, "fail", "no column nope"),
    ({"kind": "column", "table": "bars", "column": "k", "type": "UInt8"}, "fail", "type is String"),
    ({"kind": "column", "table": "bars", "column": "v", "default": "1"}, "fail", "default is 0"),
    ({"kind": "column", "table": "bars", "column": "k", "default": "''"}, "fail", "default is none"),
    ({"kind": "row_count", "table": "void"}, "fail", ""),
    ({"kind": "row_count", "table": "bars", "max": 3}, "fail", ""),
    ({"kind": "row_count", "table": "nope"}, "error", "nope"),
    ({"kind": "fresh", "table": "void", "time_column": "t", "max_age": 60}, "fail", "no row within"),
    (
        {"kind": "fresh", "table": "bars", "time_column": "t", "max_age": 60, "where": "k = '5'"},
        "fail",
        "no row within",
    ),
    ({**JSON, "limit": 11}, "fail", "1 of 11 rows"),
    ({**JSON, "min_rows": 11, "limit": 20, "where": "k != 'bad'"}, "fail", "10 rows to look at"),
    ({**JSON, "where": "j = '{}'"}, "fail", "missing: a, b"),
    ({**JSON, "where": "j LIKE '%\"c\"%'"}, "fail", "unexpected: c"),
    ({**JSON, "where": "j LIKE '%\"2\"%'"}, "fail", "no finite number: b"),
    ({**JSON, "where": "j LIKE '%null%'"}, "fail", "no finite number: b"),
    ({**JSON, "where": "j LIKE '%true%'"}, "fail", "no finite number: b"),
    ({**JSON, "column": "k"}, "fail", "not a JSON object"),
    ({**JSON, "max_age": 5, "where": "k > '1'"}, "fail", "0 rows"),
]


@pytest.mark.parametrize("spec", PASSING, ids=lambda spec: json.dumps(spec)[:60])
def test_what_holds_passes(engine: EngineConnection, spec: dict[str, Any]) -> None:
    result = evaluate(engine, spec)
    assert (result["verdict"], result["reason"]) == ("pass", "")
    assert result["observed"] is not None
    assert result["expected"]
    assert result["attempts"] == 1


@pytest.mark.parametrize(("spec", "verdict", "reason"), FAILING, ids=lambda item: json.dumps(item)[:60])
def test_what_does_not_hold_never_passes(
    engine: EngineConnection, spec: dict[str, Any], verdict: str, reason: str
) -> None:
    result = evaluate(engine, spec)
    assert result["verdict"] == verdict
    assert reason in result["reason"]


def test_every_kind_is_seen_passing_and_failing() -> None:
    assert {spec["kind"] for spec in PASSING} == set(KINDS)
    assert {spec["kind"] for spec, _verdict, _reason in FAILING} == set(KINDS)


@pytest.mark.parametrize(
    "text", ['{"a":NaN,"b":1}', '{"a":Infinity,"b":1}', '{"a":1,"a":1,"b":1}', "[1,2]", "", "{"]
)
def test_json_that_is_not_exactly_right_is_told(text: str) -> None:
    assertion = build([{"name": "it", **JSON}], "db")[0]
    assert assertion.judge(Answer(rows=[(text,)], columns=[])).finding.verdict == "fail"
    assert assertion.judge(Answer(rows=[('{"b":0,"a":-1}',)], columns=[])).finding.verdict == "pass"


WRONG: list[tuple[Any, str]] = [
    ([], "at least one"),
    (["text"], "assertion 1: expected a dictionary"),
    ([{"kind": "query", "sql": "SELECT 1", "value": 1}], "with a name"),
    ([{"name": "a", "kind": "nope"}], "expected a kind of query"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1"}], "needs value"),
    ([{"name": "a", "kind": "query", "sql": " ", "value": 1}], "expected a query"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1", "value": 1, "tabel": "x"}], "no field tabel"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1", "value": 1, "op": "=="}], "expected one of eq"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1", "value": 1, "op": "between"}], "two bounds"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1", "value": [], "op": "in"}], "not empty"),
    (
        [{"name": "a", "kind": "query", "sql": "SELECT 1", "value": "(", "op": "matches"}],
        "no.* regular expression",
    ),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1", "value": [1], "op": "gt"}], "expects one value"),
    (
        [{"name": "a", "kind": "query", "sql": "SELECT %(b)s", "params": {"a": 1}, "value": 1}],
        "do not fit params",
    ),
    (
        [{"name": "a", "kind": "query", "sql": "SELECT 100%", "params": {"a": 1}, "value": 1}],
        "do not fit params",
    ),
    (
        [{"name": "a", "kind": "query", "sql": "SELECT 1", "params": {"a": {}}, "value": 1}],
        "a value or a list",
    ),
    ([{"name": "a", "kind": "row_count", "table": "a`; DROP TABLE b"}], "letters, digits"),
    ([{"name": "a", "kind": "row_count", "table": "a.b.c"}], "'database.table'"),
    ([{"name": "a", "kind": "row_count", "table": "t", "where": ""}], "expected a condition"),
    ([{"name": "a", "kind": "row_count", "table": "t", "min": "many"}], "expected a number"),
    ([{"name": "a", "kind": "row_count", "table": "t", "min": 5, "max": 4}], "at least min"),
    ([{"name": "a", "kind": "row_count", "table": "t", "min": -1}], "at least 0"),
    ([{"name": "a", "kind": "fresh", "table": "t", "time_column": "t)", "max_age": 1}], "letters, digits"),
    ([{"name": "a", "kind": "fresh", "table": "t", "time_column": "t", "max_age": 0}], "at least 1"),
    (
        [{"name": "a", "kind": "fresh", "table": "t", "time_column": "t", "max_age": True}],
        "expected a number",
    ),
    ([{"name": "a", **JSON, "keys": []}], "not empty"),
    ([{"name": "a", **JSON, "keys": ["a", "a"]}], "twice"),
    ([{"name": "a", **JSON, "min_rows": 5, "limit": 4}], "at least min_rows"),
    ([{"name": "a", "kind": "table_exists", "table": "t"}] * 2, "stands there twice"),
]


@pytest.mark.parametrize(("specs", "message"), WRONG)
def test_a_wrong_assertion_is_told_before_anything_connects(specs: Any, message: str) -> None:
    with pytest.raises(AssertionNotValid, match=message):
        build(specs, "db")


def test_a_table_without_any_database_is_told() -> None:
    with pytest.raises(AssertionNotValid, match="no database given"):
        build([{"name": "a", "kind": "row_count", "table": "t"}], "")


# Comparing -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("op", OPS)
def test_nothing_never_passes_with_any_operator(op: str) -> None:
    value: Any = [1, 2] if op.endswith(("between", "in")) else "x" if op.endswith("matches") else 1
    for rows in ([], [()], [(None,)], [(NAN,)], [(1, None)]):
        assert compare_rows(op, rows, value).verdict != "pass", rows


@pytest.mark.parametrize(
    ("op", "observed", "value", "verdict"),
    [
        ("eq", Decimal("1.10"), "1.1", "pass"),
        ("eq", 2**63, str(2**63), "pass"),
        ("ne", 2**63, str(2**63 + 1), "pass"),
        ("eq", "1", 1, "pass"),
        ("gt", "12.5", 12, "pass"),
        ("eq", True, "1", "pass"),
        ("eq", "abc", "ABC", "fail"),
        ("in", 3, ["1", "3"], "pass"),
        ("not_in", 3, ["1", "3"], "fail"),
        ("not_matches", "ERROR x", "ERROR", "fail"),
        ("ge", datetime.datetime(2025, 10, 6, 12), "2025-10-06T14:00:00+02:00", "pass"),
        ("lt", datetime.date(2025, 10, 6), "2025-10-07", "pass"),
        ("gt", datetime.datetime(2025, 10, 6), "yesterday", "error"),
        ("lt", 1, "nan", "error"),
    ],
)
def test_values_are_compared_by_what_they_mean(op: str, observed: Any, value: Any, verdict: str) -> None:
    assert compare_rows(op, [(observed,)], value).verdict == verdict


@given(st.integers(), st.integers())
def test_orders_agree_with_integers(first: int, second: int) -> None:
    for op, held in (
        ("gt", first > second),
        ("le", first <= second),
        ("eq", first == second),
        ("ne", first != second),
    ):
        assert (compare_rows(op, [(first,)], str(second)).verdict == "pass") is held
        assert (compare_rows(f"each_{op}", [("a", first)], second).verdict == "pass") is held


def test_everything_observed_can_be_json() -> None:
    values = [
        NAN,
        Decimal("1.5"),
        Decimal(3),
        datetime.datetime(2025, 1, 1),
        datetime.date(2025, 1, 1),
        b"\xff",
        (1,),
        {1: 2},
    ]
    assert json.loads(json.dumps(plain(values), allow_nan=False))[:3] == ["nan", 1.5, 3]


def test_expectations_are_readable() -> None:
    assert describe("each_gt", 0) == "every row > 0"
    assert describe("not_in", [1]) == "not in [1]"


# Waiting -------------------------------------------------------------------------------------------------------


class Scripted:
    """A connection that gives its answers in turn, and repeats the last one."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.closed = False

    def query(self, sql: str, params: Any = None) -> Answer:
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return Answer(rows=answer, columns=[])

    def close(self) -> None:
        self.closed = True


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


ONE = {"name": "one", "kind": "query", "sql": "SELECT 1", "value": 1}
TWO = {"name": "two", "kind": "query", "sql": "SELECT 2", "value": 1}


def waited(
    connection: Any, specs: list[dict[str, Any]], timeout: float
) -> tuple[list[assert_run.Result], float]:
    clock = Clock()
    return assert_run.run(EngineSession(connection), build(specs, "db"), timeout, 2, clock, clock.sleep)


def test_only_what_has_not_passed_is_asked_again() -> None:
    connection = Scripted([(1,)], [(0,)], [(0,)], [(1,)])
    results, seconds = waited(connection, [ONE, TWO], 60)
    assert [result.attempts for result in results] == [1, 3]
    assert (connection.asked, seconds) == (4, 4)
    assert assert_run.complaint(results, seconds) == ""


def test_the_wait_has_an_end_for_the_whole_set() -> None:
    results, seconds = waited(Scripted([(0,)]), [ONE, TWO], 5)
    assert seconds == 5
    assert [result.attempts for result in results] == [4, 4]
    message = assert_run.complaint(results, seconds)
    assert message.startswith("2 of 2 assertions did not hold after 5 s: one: observed 0, expected = 1; two:")
    assert assert_run.summary(results)["failures"] == 2


def test_without_a_timeout_everything_is_asked_once() -> None:
    results, seconds = waited(Scripted([(0,)]), [ONE, TWO], 0)
    assert [result.attempts for result in results] == [1, 1]
    assert seconds == 0


def test_an_error_of_one_query_does_not_hide_the_other() -> None:
    connection = Scripted(ClickhouseError("code 47: no such column", "server", 47), [(1,)])
    results, _seconds = waited(connection, [ONE, TWO], 0)
    assert [result.finding.verdict for result in results] == ["error", "pass"]
    assert "one: error: code 47" in assert_run.complaint(results, 0)


def test_an_answer_of_another_form_is_an_error_of_that_assertion() -> None:
    results, _seconds = waited(Scripted([("many",)]), [{"name": "a", "kind": "row_count", "table": "t"}], 0)
    assert results[0].finding.verdict == "error"


def test_a_lost_connection_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Scripted(ClickhouseError("gone", "unreachable")), Scripted([(1,)])
    connections = [first, second]
    monkeypatch.setattr(assert_run, "open_connection", lambda *args: connections.pop(0))
    clock = Clock()
    results, _seconds = assert_run.run(
        assert_run.Session(Login()), build([ONE], "db"), 10, 1, clock, clock.sleep
    )
    assert results[0].passed
    assert first.closed


def test_the_session_is_read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def opened(login: Login, settings: Any = None) -> Any:
        seen.append(settings)
        if settings:
            raise ClickhouseError("cannot modify setting in readonly mode", "server", READONLY)
        return Scripted([(1,)])

    monkeypatch.setattr(assert_run, "open_connection", opened)
    session = assert_run.Session(Login(receive_timeout=7), max_rows_to_read=10)
    session.open()
    assert seen == [{"max_execution_time": 7, "max_rows_to_read": 10, "readonly": 1}, None]
