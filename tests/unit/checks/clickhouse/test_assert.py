# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Assertions: each kind passes, fails and errs on a real engine; nothing that returned nothing passes."""

from __future__ import annotations

import datetime
import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.clickhouse import run as assert_run
from ansible_collections.suho.platform.plugins.module_utils.checks.clickhouse.compare import (
    OPS,
    compare_rows,
    describe,
    plain,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.clickhouse.kinds import KINDS, build
from ansible_collections.suho.platform.plugins.module_utils.checks.result import (
    CheckNotValid,
    failure_message,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import wait_for_pass
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import (
    READONLY,
    Answer,
    ClickhouseError,
    Login,
)
from clickhouse_engine import EngineConnection
from hypothesis import given
from hypothesis import strategies as st

NAN = float("nan")
STEADY = {"kind": "steady", "table": "bars", "time_column": "t"}


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
    for statement in TABLES:
        connection.run(statement)
    yield connection
    connection.close()


TABLES = [
    "CREATE TABLE db.holes (k UInt8, t DateTime, maybe Nullable(String), text String, number Float64) "
    "ENGINE = MergeTree ORDER BY k TTL t + INTERVAL 90 DAY",
    "INSERT INTO db.holes VALUES (0, now(), 'a', 'a', 0), (1, now(), 'b', 'b', 0), (2, now(), NULL, '', nan)",
    "INSERT INTO db.holes VALUES (2, now() - 60, NULL, 'd', 1)",
    "CREATE TABLE db.replaced (k UInt8) ENGINE = ReplacingMergeTree ORDER BY k",
    "SYSTEM STOP MERGES db.replaced",
    "INSERT INTO db.replaced VALUES (1)",
    "INSERT INTO db.replaced VALUES (1)",
    "CREATE TABLE db.stuck (k UInt8, v UInt8) ENGINE = MergeTree ORDER BY k",
    "INSERT INTO db.stuck VALUES (1, 1)",
    "SYSTEM STOP MERGES db.stuck",
    "ALTER TABLE db.stuck UPDATE v = 2 WHERE 1 SETTINGS mutations_sync = 0, alter_sync = 0",
    # Views that work, and some whose target or source was changed behind their back.
    "CREATE TABLE db.fed (k UInt8, v UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE TABLE db.target (k UInt8, more UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE MATERIALIZED VIEW db.into TO db.target AS SELECT k FROM db.fed",
    "CREATE MATERIALIZED VIEW db.own ENGINE = MergeTree ORDER BY k AS SELECT k, v FROM db.fed",
    "CREATE TABLE db.cut (k UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE TABLE db.gone (k UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE MATERIALIZED VIEW db.lost TO db.gone AS SELECT k FROM db.cut",
    "DROP TABLE db.gone",
    "CREATE TABLE db.short (k UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE TABLE db.slim (k UInt8, other UInt8) ENGINE = MergeTree ORDER BY other",
    "CREATE MATERIALIZED VIEW db.narrow TO db.slim AS SELECT k FROM db.short",
    "ALTER TABLE db.slim DROP COLUMN k",
    "CREATE TABLE db.bent (k UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE TABLE db.more (k UInt8, v UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE TABLE db.less (k UInt8) ENGINE = MergeTree ORDER BY k",
    "CREATE MATERIALIZED VIEW db.crooked TO db.less AS SELECT k FROM db.bent WHERE k IN (SELECT v FROM db.more)",
    "ALTER TABLE db.more DROP COLUMN v",
    "CREATE TABLE db.ahead (k UInt8, t DateTime, j String) ENGINE = MergeTree ORDER BY k",
    """INSERT INTO db.ahead VALUES (1, '2100-01-01 00:00:00', '{"a":1,"b":2}')""",
]


class EngineSession(assert_run.Session):
    """A session whose connection is the embedded engine."""

    def __init__(self, engine: Any) -> None:
        super().__init__(Login())
        self._connection = engine

    def close(self) -> None:
        """The engine serves all tests."""


def evaluate(engine: EngineConnection, spec: dict[str, Any]) -> dict[str, Any]:
    results, _seconds = waited(engine, [{"name": "it", **spec}], 0)
    return results[0].result().to_dict()


JSON = {"kind": "json_keys", "table": "bars", "column": "j", "keys": ["a", "b"], "order_by": "t"}

BARS = {"k": "String", "t": "DateTime64(3,'UTC')", "v": "Decimal(18, 5)", "j": "String"}
SCHEMA = {"kind": "schema_equals", "table": "bars", "columns": BARS}
NULLS = {"kind": "no_nulls", "table": "holes"}
UNIQUE = {"kind": "unique", "table": "holes"}
RECENT = {"time_column": "t", "max_age": 60}

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
    {**STEADY, "max_age": 600},
    {
        **STEADY,
        "max_age": 3600,
        "known_within": "7200",
        "group_by": "k",
        "min_groups": 10,
        "where": "k LIKE '%'",
    },
    {**JSON, "limit": 10, "min_rows": 10},
    {**JSON, "max_age": 3600, "where": "k LIKE '%'"},
    SCHEMA,
    {**SCHEMA, "engine": "MergeTree", "order_by": "(k)", "ordered": True},
    {**NULLS, "columns": ["k", "t"]},
    {**NULLS, "columns": ["text", "maybe"], "where": "k = 1", "time_column": "t", "max_age": 600},
    {**NULLS, "columns": ["text", "number"], "empty": False, "partition": "all"},
    {**UNIQUE, "columns": ["k", "t"]},
    {**UNIQUE, "columns": "k", "where": "k != 2"},
    {**UNIQUE, "columns": ["k", "maybe"], "where": "text != 'd'"},
    {**UNIQUE, "columns": ["k"], "final": True, "table": "replaced"},
    {"kind": "mutations_done", "table": "bars"},
    {"kind": "parts_healthy", "table": "holes"},
    {"kind": "ttl_present", "table": "holes"},
    {"kind": "ttl_present", "table": "holes", "ttl": "t + interval 90 days"},
    {"kind": "ttl_present", "table": "holes", "ttl": "t+toIntervalDay(90)"},
    {"kind": "view_writes", "table": "fed"},
    {"kind": "view_writes", "table": "fed", "views": ["into", "own"]},
]

FAILING: list[tuple[dict[str, Any], str, str]] = [
    ({"kind": "query", "sql": "SELECT 7", "value": 8}, "fail", ""),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "value": 7}, "inconclusive", "no rows"),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "op": "ne", "value": 7}, "inconclusive", "no rows"),
    ({"kind": "query", "sql": "SELECT 7 WHERE 0", "op": "each_gt", "value": 0}, "inconclusive", "no rows"),
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
    ({**JSON, "min_rows": 11, "limit": 20, "where": "k != 'bad'"}, "inconclusive", "10 rows to look at"),
    ({**JSON, "where": "j = '{}'"}, "fail", "missing: a, b"),
    ({**JSON, "where": "j LIKE '%\"c\"%'"}, "fail", "unexpected: c"),
    ({**JSON, "where": "j LIKE '%\"2\"%'"}, "fail", "no finite number: b"),
    ({**JSON, "where": "j LIKE '%null%'"}, "fail", "no finite number: b"),
    ({**JSON, "where": "j LIKE '%true%'"}, "fail", "no finite number: b"),
    ({**JSON, "column": "k"}, "fail", "not a JSON object"),
    ({**JSON, "max_age": 5, "where": "k > '1'"}, "inconclusive", "0 rows"),
    ({**SCHEMA, "table": "nope"}, "fail", "no table db.nope"),
    ({**SCHEMA, "columns": {"k": "String"}}, "fail", "column t is not expected; column v is not expected"),
    ({**SCHEMA, "columns": {**BARS, "x": "String"}}, "fail", "column x is missing"),
    ({**SCHEMA, "columns": {**BARS, "k": "UInt8"}}, "fail", "column k has type String, expected UInt8"),
    (
        {**SCHEMA, "columns": dict(reversed(BARS.items())), "ordered": True},
        "fail",
        "another order: k, t, v, j",
    ),
    ({**SCHEMA, "order_by": "t"}, "fail", "order_by is k, expected t"),
    ({**SCHEMA, "partition_by": "toYYYYMM(t)"}, "fail", "partition_by is none"),
    ({**NULLS, "columns": ["k", "maybe"]}, "fail", "no value of maybe in 2 of 4 rows"),
    ({**NULLS, "columns": ["t", "text"]}, "fail", "no value of text in 1 of 4 rows"),
    ({**NULLS, "columns": ["number"]}, "fail", "no value of number in 1 of 4 rows"),
    ({**NULLS, "columns": ["k"], "where": "k = 99"}, "inconclusive", "0 rows to look at"),
    ({**NULLS, "columns": ["k"], "partition": "nope"}, "inconclusive", "0 rows to look at"),
    ({**NULLS, "columns": ["k"], "min_rows": 5}, "inconclusive", "4 rows to look at, expected at least 5"),
    ({**NULLS, "columns": ["nope"]}, "error", "nope"),
    ({**UNIQUE, "columns": ["k"]}, "fail", "1 of 4 rows are repetitions; most often [2], 2 times"),
    ({**UNIQUE, "columns": ["k"], "where": "k % 100 = 99"}, "inconclusive", "0 rows to look at"),
    ({"kind": "growing", "table": "bars"}, "fail", "0 rows more in"),
    (
        {"kind": "growing", "table": "bars", "time_column": "t", "where": "k LIKE '%'"},
        "fail",
        "0 rows more in",
    ),
    ({"kind": "growing", "table": "nope"}, "error", "nope"),
    # A row from the year 2100 is no row of the last minute, and none that has just come.
    ({"kind": "growing", "table": "ahead", "time_column": "t"}, "fail", "0 rows more in"),
    ({**JSON, "table": "ahead", "max_age": 60}, "inconclusive", "0 rows"),
    ({**NULLS, "table": "ahead", "columns": ["k"], **RECENT}, "inconclusive", "0 rows"),
    ({**UNIQUE, "table": "ahead", "columns": ["k"], **RECENT}, "inconclusive", "0 rows"),
    ({**STEADY, "table": "ahead", "max_age": 60}, "fail", "no row of the last 600 s"),
    ({"kind": "fresh", "table": "ahead", **RECENT}, "fail", "no row within 60 s"),
    (
        {**UNIQUE, "columns": ["k", "maybe"]},
        "fail",
        "1 of 4 rows are repetitions; most often [2, None], 2 times",
    ),
    ({"kind": "mutations_done", "table": "into"}, "inconclusive", "MaterializedView keeps no mutations"),
    ({**STEADY, "table": "void", "max_age": 60}, "fail", "no row of the last 600 s"),
    ({**STEADY, "max_age": 60, "where": "k = '5'"}, "fail", "all: no row of the last 60 s"),
    (
        {**STEADY, "max_age": 200, "known_within": 400, "group_by": "k"},
        "fail",
        "4, 5, 6",
    ),
    (
        {**STEADY, "max_age": 2000, "group_by": "k", "min_groups": 11},
        "fail",
        "10 groups, expected at least 11",
    ),
    ({**STEADY, "table": "nope", "max_age": 60}, "error", "nope"),
    ({"kind": "mutations_done", "table": "nope"}, "fail", "no table db.nope"),
    ({"kind": "mutations_done", "table": "stuck"}, "fail", "1 parts to do since"),
    ({"kind": "parts_healthy", "table": "holes", "max_parts": 1}, "fail", "has 2 active parts"),
    ({"kind": "parts_healthy", "table": "void"}, "inconclusive", "no parts"),
    ({"kind": "parts_healthy", "table": "nope"}, "fail", "no table db.nope"),
    ({"kind": "ttl_present", "table": "bars"}, "fail", "table db.bars has no TTL"),
    ({"kind": "ttl_present", "table": "holes", "ttl": "t + INTERVAL 9 DAY"}, "fail", "toIntervalDay(90)"),
    ({"kind": "ttl_present", "table": "nope"}, "fail", "no table db.nope"),
    ({"kind": "view_writes", "table": "void"}, "inconclusive", "no materialized view reads db.void"),
    ({"kind": "view_writes", "table": "fed", "views": ["nope"]}, "fail", "no materialized view nope reads"),
    ({"kind": "view_writes", "table": "cut"}, "fail", "db.lost: its target db.gone does not exist"),
    ({"kind": "view_writes", "table": "short"}, "fail", "db.narrow: its target db.slim has no column k"),
    ({"kind": "view_writes", "table": "bent"}, "fail", "UNKNOWN_IDENTIFIER"),
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


@pytest.mark.parametrize(
    ("spec", "table", "rate"),
    [
        ({"kind": "fresh", "table": "bars", "time_column": "t", "max_age": 2000}, "bars", 10 / 2000),
        ({"kind": "fresh", "table": "void", "time_column": "t", "max_age": 60}, "void", 0),
        ({**STEADY, "max_age": 2000}, "bars", 10 / 2000),
        ({**STEADY, "table": "void", "max_age": 60}, "void", 0),
        ({"kind": "row_count", "table": "bars"}, "bars", None),
        ({"kind": "query", "sql": "SELECT 1", "value": 1}, "", None),
        ({"kind": "fresh", "table": "nope", "time_column": "t", "max_age": 60}, "nope", None),
    ],
    ids=lambda item: json.dumps(item)[:60],
)
def test_kinds_that_count_new_rows_say_how_many_came_in_a_second(
    engine: EngineConnection, spec: dict[str, Any], table: str, rate: float | None
) -> None:
    result = evaluate(engine, spec)
    assert result["table"] == table
    assert result["rows_per_second"] == (None if rate is None else pytest.approx(rate, abs=0.001))


def test_a_part_that_the_server_found_broken_is_told(engine: EngineConnection) -> None:
    engine.run("CREATE TABLE db.hurt (k UInt8) ENGINE = MergeTree ORDER BY k")
    engine.run("INSERT INTO db.hurt VALUES (1)")
    engine.run("INSERT INTO db.hurt VALUES (2)")
    engine.run("ALTER TABLE db.hurt DETACH PART 'all_1_1_0'")
    spec = {"kind": "parts_healthy", "table": "hurt"}
    assert evaluate(engine, spec)["verdict"] == "pass"  # somebody has detached it
    place = Path(engine.scalar("SELECT data_paths[1] FROM system.tables WHERE name = 'hurt'")) / "detached"
    (place / "all_1_1_0").rename(place / "broken-on-start_all_1_1_0")
    result = evaluate(engine, spec)
    assert (result["verdict"], result["reason"]) == (
        "fail",
        "1 broken parts, one of them broken-on-start_all_1_1_0",
    )
    assert evaluate(engine, {**spec, "max_broken": 1})["verdict"] == "pass"


@pytest.mark.parametrize(
    ("counts", "verdict", "reason"),
    [
        ([("parts", "all", 2), ("broken", "", 0), ("read_only", "", 0)], "pass", ""),
        ([("parts", "all", 2), ("broken", "", 0), ("read_only", "", 1)], "fail", "the replica is read-only"),
        ([("parts", "all", 2), ("broken", "", 0)], "error", "found counts of parts, broken, expected"),
        ([], "error", "found counts of nothing"),
    ],
)
def test_what_the_server_does_not_say_of_parts_is_no_pass(
    counts: list[tuple[Any, ...]], verdict: str, reason: str
) -> None:
    answers = Scripted([("ReplicatedMergeTree", "", "k", "")], counts)
    results, _seconds = waited(answers, [{"name": "it", "kind": "parts_healthy", "table": "t"}], 0)
    assert results[0].judgement.verdict == verdict
    assert reason in results[0].judgement.reason


def test_every_kind_is_seen_passing_and_failing() -> None:
    assert {spec["kind"] for spec in PASSING} | {"growing"} == set(KINDS)  # which has a test of its own
    assert {spec["kind"] for spec, _verdict, _reason in FAILING} == set(KINDS)


@pytest.mark.parametrize(
    "text", ['{"a":NaN,"b":1}', '{"a":Infinity,"b":1}', '{"a":1,"a":1,"b":1}', "[1,2]", "", "{"]
)
def test_json_that_is_not_exactly_right_is_told(text: str) -> None:
    assertion = build([{"name": "it", **JSON}], "db")[0]
    assert assertion.judge(Answer(rows=[(text,)], columns=[])).judgement.verdict == "fail"
    assert assertion.judge(Answer(rows=[('{"b":0,"a":-1}',)], columns=[])).judgement.verdict == "pass"


WRONG: list[tuple[Any, str]] = [
    ([], "at least one"),
    (["text"], "check 1: expected a dictionary"),
    ([{"kind": "query", "sql": "SELECT 1", "value": 1}], "with a name"),
    ([{"name": "a", "kind": "nope"}], "expected a kind of query"),
    ([{"name": "a", "kind": "query", "sql": "SELECT 1"}], "needs value"),
    ([{"name": "a", "kind": "query", "sql": " ", "value": 1}], "expected a query"),
    (
        [{"name": "a", "kind": "query", "sql": "SELECT 1", "value": 1, "tabel": "x"}],
        r"has no field tabel \(its fields: sql, value, op, params\)",
    ),
    ([{"name": "a", "kind": "row_count", "tabel": "x"}], "needs table and has no field tabel"),
    (
        [
            {"name": "a", "kind": "nope"},
            {"name": "b", "kind": "row_count", "table": "t"},
            {"name": "c", "kind": "query", "sql": "SELECT 1"},
        ],
        "check 'a': expected a kind.*; check 'c': kind query needs value; none of the 3 was asked",
    ),
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
    ([{"name": "a", "kind": "unique", "table": "t", "columns": []}], "not empty"),
    ([{"name": "a", "kind": "unique", "table": "t", "columns": ["k", "k"]}], "twice"),
    ([{"name": "a", "kind": "unique", "table": "t", "columns": ["k)"]}], "letters, digits"),
    ([{"name": "a", "kind": "unique", "table": "t", "columns": ["k"], "max_age": 5}], "both or none"),
    ([{"name": "a", "kind": "unique", "table": "t", "columns": ["k"], "final": "yes"}], "true or false"),
    ([{"name": "a", "kind": "no_nulls", "table": "t", "columns": ["k"], "empty": 1}], "true or false"),
    ([{"name": "a", "kind": "growing", "table": "t", "over": 0}], "at least 0.1"),
    ([{"name": "a", **STEADY, "max_age": 9, "known_within": 9}], "expected more than max_age 9, found 9"),
    ([{"name": "a", "kind": "schema_equals", "table": "t", "columns": ["k"]}], "a dictionary of names"),
    ([{"name": "a", "kind": "schema_equals", "table": "t", "columns": {}}], "not empty"),
    ([{"name": "a", "kind": "view_writes", "table": "t", "views": "v"}], "a list of names"),
    ([{"name": "a", "kind": "parts_healthy", "table": "t", "max_parts": 0}], "at least 1"),
]


@pytest.mark.parametrize(("specs", "message"), WRONG)
def test_a_wrong_check_is_reported_before_anything_connects(specs: Any, message: str) -> None:
    with pytest.raises(CheckNotValid, match=message):
        build(specs, "db")


def test_a_table_without_any_database_is_told() -> None:
    with pytest.raises(CheckNotValid, match="no database given"):
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


def ask(
    sessions: list[Any],
    specs: list[dict[str, Any]],
    timeout: float = 0,
    clock: Clock | None = None,
    sleep: Any = None,
    interval: float = 1,
) -> tuple[list[assert_run.Evaluation], float]:
    """What a set of checks comes to, and the seconds that were waited."""
    clock = clock or Clock()
    checks = assert_run.ServerChecks(sessions, build(specs, "db"), clock)
    found = wait_for_pass(
        {"ClickHouse": checks}, timeout=timeout, interval=interval, clock=clock, sleep=sleep or clock.sleep
    )
    return checks.found, found.seconds


def waited(
    connection: Any, specs: list[dict[str, Any]], timeout: float
) -> tuple[list[assert_run.Evaluation], float]:
    return ask([EngineSession(connection)], specs, timeout, interval=2)


def complaint(results: list[assert_run.Evaluation]) -> str:
    return failure_message("ClickHouse", [one.result() for one in results])


def test_only_what_has_not_passed_is_asked_again() -> None:
    connection = Scripted([(1,)], [(0,)], [(0,)], [(1,)])
    results, seconds = waited(connection, [ONE, TWO], 60)
    assert [result.attempts for result in results] == [1, 3]
    assert (connection.asked, seconds) == (4, 4)
    assert complaint(results) == ""


def test_the_wait_has_an_end_for_the_whole_set() -> None:
    results, seconds = waited(Scripted([(0,)]), [ONE, TWO], 5)
    assert seconds == 5
    assert [result.attempts for result in results] == [4, 4]
    message = complaint(results)
    assert message.splitlines() == [
        "ClickHouse: 2 of 2 checks did not pass",
        "- one [fail]: observed 0, expected = 1",
        "- two [fail]: observed 0, expected = 1",
    ]


@pytest.mark.parametrize("column", [None, "at"])
def test_growth_is_what_comes_between_two_samples(engine: EngineConnection, column: str | None) -> None:
    engine.run("CREATE OR REPLACE TABLE db.flow (k UInt8, at DateTime64(3)) ENGINE = MergeTree ORDER BY k")
    engine.run("INSERT INTO db.flow VALUES (1, now64(3))")
    clock = Clock()
    spec = {"name": "it", "kind": "growing", "table": "flow", "over": 3, "min": 2, "where": "k % 2 = 1"}
    specs = [{**spec, "time_column": column} if column else spec]

    def run(insert: int) -> tuple[assert_run.Evaluation, float]:
        def sleep(seconds: float) -> None:
            clock.sleep(seconds)
            engine.run(f"INSERT INTO db.flow SELECT 1, now64(3) + 1 FROM numbers({insert})")

        results, seconds = ask([EngineSession(engine)], specs, 0, clock, sleep)
        return results[0], seconds

    result, seconds = run(1)
    assert (result.judgement.verdict, result.observed["more_rows"], seconds) == ("pass", 2, 2)
    engine.run("TRUNCATE TABLE db.flow")
    result, seconds = run(0)
    assert (result.judgement.verdict, result.observed["more_rows"]) == ("fail", 0)
    assert seconds >= 3


def test_sessions_share_the_assertions() -> None:
    started = threading.Barrier(2, timeout=10)

    class Slow(Scripted):
        def query(self, sql: str, params: Any = None) -> Answer:
            started.wait()  # passes only if two are asked at the same time
            return super().query(sql, params)

    sessions = [EngineSession(Slow([(1,)])), EngineSession(Slow([(1,)]))]
    results, _seconds = ask(sessions, [ONE, {**TWO, "value": 1}])
    assert [result.passed for result in results] == [True, True]


OF_ONE_TABLE = [
    {"name": "there", "kind": "table_exists", "table": "bars"},
    {"name": "k", "kind": "column", "table": "bars", "column": "k", "type": "String"},
    {"name": "v", "kind": "column", "table": "bars", "column": "v", "type": "Decimal(18, 5)"},
    {"name": "mutations", "kind": "mutations_done", "table": "bars"},
    {"name": "other", "kind": "column", "table": "void", "column": "k"},
]


def test_what_a_table_is_like_is_asked_once_a_round(engine: EngineConnection) -> None:
    asked: list[tuple[str, str]] = []

    class Counted(Scripted):
        def query(self, sql: str, params: Any = None) -> Answer:
            asked.append((sql.split()[sql.split().index("FROM") + 1], params["table"]))
            return engine.query(sql, params)

    wrong = {"name": "wrong", "kind": "column", "table": "bars", "column": "gone"}
    results, _seconds = waited(Counted([]), [*OF_ONE_TABLE, wrong], 3)
    once = [("system.tables", "bars"), ("system.columns", "bars")]
    rest = [("system.mutations", "bars"), ("system.columns", "void")]
    # What does not hold is looked at anew in the next rounds, never judged by the answer of an old one.
    assert asked == [*once, *rest, ("system.columns", "bars"), ("system.columns", "bars")]
    assert [result.judgement.verdict for result in results] == ["pass"] * 5 + ["fail"]
    assert results[5].judgement.reason == "table db.bars has no column gone"
    # The rows are those of who asked.
    assert [bool(result.rows_read) for result in results[:5]] == [True, True, False, False, True]


def test_a_question_that_failed_is_asked_again_by_each_who_needs_its_answer(engine: EngineConnection) -> None:
    class Once(Scripted):
        def query(self, sql: str, params: Any = None) -> Answer:
            self.asked += 1
            if self.asked == 1:
                raise ClickhouseError("too many queries at once", "server", 202)
            return engine.query(sql, params)

    results, _seconds = waited(Once([]), OF_ONE_TABLE[:2] + OF_ONE_TABLE[3:4], 0)
    assert [result.judgement.verdict for result in results] == ["error", "pass", "pass"]


def test_a_server_that_does_not_answer_is_asked_once() -> None:
    shared = assert_run.Shared()

    def hang() -> Answer:
        raise ClickhouseError("did not answer in time", "timeout")

    for ask in (hang, lambda: pytest.fail("asked twice")):
        with pytest.raises(ClickhouseError, match="in time"):
            shared.answer(("key",), ask)


def test_what_no_server_has_counted_is_not_zero() -> None:
    table = [("MergeTree", "", "k", "")]
    there = {"kind": "table_exists", "table": "t"}
    results, _seconds = waited(Scripted(table), [{"name": name, **there} for name in "ab"], 0)
    assert [(result.passed, result.rows_read) for result in results] == [(True, None)] * 2


def test_one_waits_for_the_answer_that_another_has_asked_for() -> None:
    asks = threading.Event()
    others = threading.Event()
    shared = assert_run.Shared()
    seen: list[tuple[str, bool]] = []

    def slow() -> Any:
        asks.set()
        assert others.wait(10)
        return "answer"

    def first() -> None:
        seen.append(shared.answer(("key",), slow))

    def second() -> None:
        seen.append(shared.answer(("key",), lambda: pytest.fail("asked twice")))

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert asks.wait(10)
    threads[1].start()
    threads[1].join(0.2)
    assert threads[1].is_alive()
    others.set()
    for thread in threads:
        thread.join(10)
    assert sorted(seen) == [("answer", False), ("answer", True)]


def test_without_a_timeout_everything_is_asked_once() -> None:
    results, seconds = waited(Scripted([(0,)]), [ONE, TWO], 0)
    assert [result.attempts for result in results] == [1, 1]
    assert seconds == 0


def test_an_error_of_one_query_does_not_hide_the_other() -> None:
    connection = Scripted(ClickhouseError("code 47: no such column", "server", 47), [(1,)])
    results, _seconds = waited(connection, [ONE, TWO], 0)
    assert [result.judgement.verdict for result in results] == ["error", "pass"]
    assert "- one [error]: observed nothing, expected = 1. code 47" in complaint(results)


def test_an_answer_of_another_form_is_an_error_of_that_assertion() -> None:
    results, _seconds = waited(Scripted([("many",)]), [{"name": "a", "kind": "row_count", "table": "t"}], 0)
    assert results[0].judgement.verdict == "error"


def test_a_lost_connection_is_opened_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = Scripted(ClickhouseError("gone", "unreachable")), Scripted([(1,)])
    connections = [first, second]
    monkeypatch.setattr(assert_run, "open_connection", lambda *args: connections.pop(0))
    results, _seconds = ask([assert_run.Session(Login())], [ONE], 10)
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


def test_a_server_that_is_not_there_is_an_error_of_every_check_and_not_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_args: Any) -> Any:
        raise ClickhouseError("127.0.0.1:9000 is not reachable", "unreachable")

    monkeypatch.setattr(assert_run, "open_connection", refuse)
    results, seconds = ask([assert_run.Session(Login())], [ONE, TWO], 60)
    assert ([one.judgement.verdict for one in results], seconds) == (["error", "error"], 0)
    assert complaint(results).splitlines()[1:] == ["- one, two [error]: 127.0.0.1:9000 is not reachable"]
