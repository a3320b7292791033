# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers of other versions print the same table differently; none of that is drift.

The DDL in fixtures/ddl was recorded from real engines by fixtures/record_ddl.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures"
PLATFORM = Path(__file__).resolve().parents[3] / "files" / "schemas" / "clickhouse"
SOURCES = {"suho_analytics": sorted(PLATFORM.glob("*.sql")), "rich": [FIXTURES / "rich.sql"]}
RECORDED = {path.stem: json.loads(path.read_text("utf-8")) for path in (FIXTURES / "ddl").glob("*.json")}
CASES = [(version, database) for version in sorted(RECORDED) for database in SOURCES]


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


def ask(planner: PlannerProcess, version: str, database: str, live: list[dict[str, str]]) -> dict[str, Any]:
    files = [{"path": path.name, "text": path.read_text("utf-8")} for path in SOURCES[database]]
    return planner.ask({"database": database, "live": live, "files": files, "server_version": version})


def test_the_versions_that_matter_are_recorded() -> None:
    lines = {version.rsplit(".", 2)[0] for version in RECORDED}
    assert lines >= {"23.10", "24.8", "25.8", "26.9"}
    for version, recorded in RECORDED.items():
        assert recorded["version"] == version


@pytest.mark.parametrize(("version", "database"), CASES)
def test_what_an_engine_prints_for_the_files_is_no_drift(
    planner: PlannerProcess, version: str, database: str
) -> None:
    live = RECORDED[version]["databases"][database]
    answer = ask(planner, version, database, live)
    assert answer["steps"] == []
    assert answer["refused"] == []
    assert answer["managed"] == sorted(item["name"] for item in live)
    assert len(answer["managed"]) == {"suho_analytics": 7, "rich": 25}[database]


DIFFERENCES = [
    ("events", "(90)", "(91)", "events.ttl"),
    ("events", "index_granularity = 4096", "index_granularity = 2048", "events.setting.index_granularity"),
    ("events", "GRANULARITY 4", "GRANULARITY 5", "events.index.by_price"),
    ("events", "length(status)", "lengthUTF8(status)", "events.constraint.sane"),
    ("defaults", "arrayMap(x -> (x + 1)", "arrayMap(x -> (x + 2)", "defaults.column.p"),
    ("codecs", "Delta", "DoubleDelta", "codecs.column.a"),
    ("projected", "sum(v)", "max(v)", "projected.projection.totals"),
    ("sums", "(n, amount)", "(amount, n)", "sums.engine"),
    ("joined", "'up'", "'UP'", "joined.definition"),
    ("own_table", "avgState(v)", "avgState(v + 1)", "own_table.query"),
]


@pytest.mark.parametrize("version", sorted(RECORDED))
def test_a_true_difference_shows_in_the_ddl_of_every_version(planner: PlannerProcess, version: str) -> None:
    live = {item["name"]: dict(item) for item in RECORDED[version]["databases"]["rich"]}
    for name, old, new, _refused in DIFFERENCES:
        assert old in live[name]["ddl"]
        live[name]["ddl"] = live[name]["ddl"].replace(old, new, 1)
    answer = ask(planner, version, "rich", list(live.values()))
    assert sorted(item["name"] for item in answer["refused"]) == sorted(item[3] for item in DIFFERENCES)


def plan(planner: PlannerProcess, live: str, desired: str) -> dict[str, Any]:
    """Plan from what the engine of the collection prints for *live*."""

    def request(objects: list[dict[str, str]], text: str) -> dict[str, Any]:
        return planner.ask({"database": "db", "live": objects, "files": [{"path": "a.sql", "text": text}]})

    engines = {"TABLE": "MergeTree", "VIEW": "View", "MATERIALIZED": "MaterializedView"}
    objects = [
        {
            "name": step["object"].split(".")[1],
            "engine": engines[step["statement"].split()[1]],
            "ddl": step["statement"],
        }
        for step in request([], live)["steps"]
    ]
    return request(objects, desired)


SAME = "concat(toString({0}), toString(k))"
EVERYWHERE = (
    f"CREATE TABLE t (k Int64, f Array(Int64), s String DEFAULT {SAME}, CONSTRAINT c CHECK {SAME} != '', "
    f"INDEX i {SAME} TYPE minmax) ENGINE = MergeTree ORDER BY (k, {SAME}); "
    f"CREATE VIEW v AS SELECT {SAME} AS x FROM t; "
    f"CREATE MATERIALIZED VIEW m TO t AS SELECT k, f, {SAME} AS s FROM t"
)


# The left side is what servers before 26 print for either.
@pytest.mark.parametrize(
    ("operator", "function"),
    [
        ("-k", "negate(k)"),
        ("k + 1", "plus(k, 1)"),
        ("(k - 1) * 2", "multiply(minus(k, 1), 2)"),
        ("(k = 1) OR (k < 5)", "or(equals(k, 1), less(k, 5))"),
        ("NOT (k != 1)", "not(notEquals(k, 1))"),
        ("f[1]", "arrayElement(f, 1)"),
        ("(1, 'a')", "tuple(1, 'a')"),
        ("(k, f)", "tuple(k, f)"),
        ("[1, 2]", "array(1, 2)"),
        ("k IN (1, 2)", "in(k, tuple(1, 2))"),
        ("k IS NULL", "isNull(k)"),
        ("arrayMap(x -> (x + k), f)", "arrayMap(lambda(tuple(x), plus(x, k)), f)"),
        ("toString(k) LIKE 'a%'", "like(toString(k), 'a%')"),
    ],
)
def test_an_operator_and_its_function_are_no_drift(
    planner: PlannerProcess, operator: str, function: str
) -> None:
    for live, desired in ((operator, function), (function, operator)):
        answer = plan(planner, EVERYWHERE.format(live), EVERYWHERE.format(desired))
        assert (answer["steps"], answer["refused"]) == ([], [])


@pytest.mark.parametrize(
    ("live", "desired"),
    [
        ("k - f[1]", "minus(f[1], k)"),
        ("k - 1", "plus(k, 1)"),
        ("-1 + k", "plus(1, k)"),
        ("k IN (1, 2)", "notIn(k, tuple(1, 2))"),
        ("(1, 2)", "array(1, 2)"),
        ("(k + 1) * 2", "plus(k, multiply(1, 2))"),
        ("tuple(k + 1)", "k + 1"),
        ("f[1]", "tupleElement((f, 1), 1)"),
        ("k IS NULL", "isNotNull(k)"),
    ],
)
def test_another_operator_is_drift_everywhere(planner: PlannerProcess, live: str, desired: str) -> None:
    answer = plan(planner, EVERYWHERE.format(live), EVERYWHERE.format(desired))
    names = {item["name"] for item in answer["refused"]}
    assert names >= {
        "t.column.s",
        "t.constraint.c",
        "t.index.i",
        "t.order_by",
        "v.definition",
        "m.query",
    }


def test_what_a_syntax_tree_does_not_show_is_compared_too(planner: PlannerProcess) -> None:
    tables = "CREATE TABLE t (k UInt8) ENGINE = Log; CREATE TABLE u (k UInt8) ENGINE = Log; "
    for name, live, desired in (
        (
            "v.target",
            "MATERIALIZED VIEW v TO t AS SELECT k FROM t",
            "MATERIALIZED VIEW v TO u AS SELECT k FROM t",
        ),
        ("v.definition", "VIEW v AS SELECT k FROM t", "VIEW v AS SELECT k FROM t SETTINGS max_threads = 1"),
    ):
        answer = plan(planner, f"{tables}CREATE {live}", f"{tables}CREATE {desired}")
        assert [item["name"] for item in answer["refused"]] == [name]
