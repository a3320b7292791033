# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Planning and rehearsal on the embedded engine: what is done, what is refused, what is an error."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal import process as schema_process
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess

SCHEMAS = Path(__file__).resolve().parents[4] / "files" / "schemas" / "clickhouse"
BASE = """CREATE TABLE t (
    k String, d DateTime64(3, 'UTC'), n UInt8 DEFAULT 1, s String CODEC(ZSTD(1)) COMMENT 'c',
    INDEX i n TYPE minmax GRANULARITY 1, CONSTRAINT p CHECK n < 200, PROJECTION q (SELECT k, count() GROUP BY k)
) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY (k, d) TTL toDateTime(d) + INTERVAL 90 DAY COMMENT 'x'"""


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


class Case:
    """Ask for a plan from SQL texts; the live side is printed by the engine as a server would."""

    def __init__(self, planner: PlannerProcess) -> None:
        self.planner = planner

    def printed(self, *sql: str) -> list[dict[str, str]]:
        """DDL as a server prints it: plan the files against an empty database, and take the statements."""
        answer = self.plan([], *sql)
        views = {"CREATE MATERIALIZED": "MaterializedView", "CREATE VIEW": "View"}
        live = []
        for step in answer["steps"]:
            text = step["statement"]
            kind = next((engine for start, engine in views.items() if text.startswith(start)), None)
            live.append({"name": step["object"].split(".")[1], "engine": kind or "MergeTree", "ddl": text})
        return live

    def plan(self, live: list[dict[str, str]], *sql: str, **more: Any) -> dict[str, Any]:
        files = [{"path": f"{number:02}.sql", "text": text} for number, text in enumerate(sql, start=1)]
        return self.planner.ask({"database": "db", "live": live, "files": files, **more})


@pytest.fixture
def case(planner: PlannerProcess) -> Case:
    return Case(planner)


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


# The platform's own schema ---------------------------------------------------------------------------------


def platform_files() -> list[str]:
    return [path.read_text(encoding="utf-8") for path in sorted(SCHEMAS.glob("*.sql"))]


def platform(planner: PlannerProcess, live: list[dict[str, str]], **more: Any) -> dict[str, Any]:
    files = [{"path": path.name, "text": path.read_text()} for path in sorted(SCHEMAS.glob("*.sql"))]
    return planner.ask({"database": "suho_analytics", "live": live, "files": files, **more})


def test_the_audit_state_needs_one_alter_and_six_creates(planner: PlannerProcess) -> None:
    fresh = platform(planner, [], database_exists=False)
    assert names(fresh["steps"])[0] == "database.suho_analytics"
    assert len(fresh["steps"]) == 8
    ddl = fresh["steps"][1]["statement"]
    old = [
        {
            "name": "aggregates",
            "engine": "MergeTree",
            "ddl": ddl.replace(" `indicators` String DEFAULT '',", ""),
        },
        {
            "name": "kafka",
            "engine": "Kafka",
            "ddl": "CREATE TABLE suho_analytics.kafka (`a` UInt8) ENGINE = Kafka()",
        },
    ]
    answer = platform(planner, old, server_version="24.8.1.1")
    assert answer["steps"][0]["statement"] == (
        "ALTER TABLE `suho_analytics`.`aggregates` ADD COLUMN `indicators` String DEFAULT '' AFTER `event_type`"
    )
    assert answer["steps"][0]["operation"]["parts"] == [
        {"kind": "add_column", "table": "aggregates", "column": "indicators"}
    ]
    assert len(answer["steps"]) == 7
    assert answer["refused"] == []
    assert {step["class"] for step in answer["steps"]} == {"additive"}
    assert any("24.8" in text for text in answer["rehearsal"]["warnings"])
    assert any("kafka" in text for text in answer["rehearsal"]["not_covered"])
    assert "`indicators` String DEFAULT ''" in answer["diff"]["after"]
    assert "`indicators`" not in answer["diff"]["before"]


def test_the_platform_schema_on_itself_is_in_sync(planner: PlannerProcess) -> None:
    fresh = platform(planner, [])
    live = [
        {"name": step["object"].split(".")[1], "engine": "MergeTree", "ddl": step["statement"]}
        for step in fresh["steps"]
    ]
    answer = platform(planner, live)
    assert (answer["steps"], answer["refused"]) == ([], [])
    assert answer["diff"]["before"] == answer["diff"]["after"]


# No drift --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("INTERVAL 90 DAY", "toIntervalDay(90)"),
        ("toDateTime(d) + INTERVAL 90 DAY", "(toDateTime(d) + INTERVAL 90 DAY)"),
        ("toDateTime(d) + INTERVAL", "d + INTERVAL"),
        ("DEFAULT 1", "DEFAULT (1)"),
        ("n < 200", "(n < 200)"),
        ("ENGINE = MergeTree", "ENGINE = MergeTree()"),
        ("COMMENT 'x'", "SETTINGS index_granularity = 8192 COMMENT 'x'"),
        ("ORDER BY (k, d)", "PRIMARY KEY (k, d) ORDER BY (k, d)"),
        ("CREATE TABLE t", "CREATE DATABASE IF NOT EXISTS db; USE db; CREATE TABLE IF NOT EXISTS db.t"),
        ("UInt8 DEFAULT", "TINYINT UNSIGNED DEFAULT"),
        ("INDEX i n", "INDEX another_name n"),
    ],
)
def test_what_means_the_same_is_no_drift(case: Case, old: str, new: str) -> None:
    assert old in BASE
    other = BASE.replace(old, new)
    for live, desired in ((BASE, other), (other, BASE)):
        answer = case.plan(case.printed(live), desired)
        assert (answer["steps"], answer["refused"]) == ([], [])


# Additions -------------------------------------------------------------------------------------------------


def test_columns_and_indexes_go_into_one_alter_at_their_places(case: Case) -> None:
    wanted = BASE.replace("k String,", "first UInt8, k String, second UInt8 DEFAULT n + 1,").replace(
        "INDEX i n TYPE minmax GRANULARITY 1",
        "INDEX i n TYPE minmax GRANULARITY 1, INDEX j second TYPE set(0)",
    )
    answer = case.plan(case.printed(BASE), wanted)
    assert names(answer["steps"]) == ["alter.t"]
    assert answer["steps"][0]["statement"] == (
        "ALTER TABLE `db`.`t` ADD COLUMN `first` UInt8 FIRST, ADD COLUMN `second` UInt8 DEFAULT n + 1 AFTER `k`, "
        "ADD INDEX `j` second TYPE set(0) GRANULARITY 1"
    )
    assert [item["kind"] for item in answer["steps"][0]["operation"]["parts"]] == [
        "add_column",
        "add_column",
        "add_index",
    ]


def test_views_are_created_after_their_tables(case: Case) -> None:
    answer = case.plan(
        [],
        "CREATE MATERIALIZED VIEW a_mv TO z AS SELECT k FROM t; CREATE VIEW b AS SELECT k FROM a_mv",
        BASE + "; CREATE TABLE z (k String) ENGINE = MergeTree ORDER BY k",
    )
    assert names(answer["steps"]) == ["create.t", "create.z", "create.a_mv", "create.b"]
    assert [step["operation"]["kind"] for step in answer["steps"]] == [
        "create_table",
        "create_table",
        "create_view",
        "create_view",
    ]


def test_what_an_interrupted_reverse_has_locked_is_opened_before_anything_else(case: Case) -> None:
    locked = BASE.replace("CONSTRAINT p", "CONSTRAINT __quarantine__n CHECK n = 1, CONSTRAINT p")
    answer = case.plan(case.printed(locked), BASE)
    assert names(answer["steps"]) == ["t.column.n.unlock"]
    assert answer["steps"][0]["statement"] == "ALTER TABLE `db`.`t` DROP CONSTRAINT `__quarantine__n`"
    assert answer["refused"] == []


def test_objects_that_no_file_names_are_not_looked_at(case: Case) -> None:
    live = case.printed(BASE, "CREATE TABLE other (x UInt8) ENGINE = MergeTree ORDER BY x")
    live.append(
        {
            "name": "broken",
            "engine": "MergeTree",
            "ddl": "CREATE TABLE db.broken (`x` NoSuchType) ENGINE = Log",
        }
    )
    live.append(
        {
            "name": "far",
            "engine": "View",
            "ddl": "CREATE VIEW db.far (`a` UInt8) AS SELECT a FROM url('http://[::1]:1/')",
        }
    )
    answer = case.plan(live, BASE)
    assert (answer["steps"], answer["refused"], answer["managed"]) == ([], [], ["t"])
    uncovered = " ".join(answer["rehearsal"]["not_covered"])
    assert "db.broken" in uncovered
    assert "reads from url()" in uncovered


# Refusals --------------------------------------------------------------------------------------------------

DIFFERENCES = [
    ("n UInt8", "n UInt16", "t.column.n", "rewrite"),
    ("n UInt8", "n Int8", "t.column.n", "destructive"),
    ("DEFAULT 1", "DEFAULT 2", "t.column.n", "rewrite"),
    ("DEFAULT 1", "MATERIALIZED 1", "t.column.n", "rewrite"),
    ("ZSTD(1)", "ZSTD(3)", "t.column.s", "rewrite"),
    ("s String", "s String TTL toDateTime(d) + INTERVAL 1 DAY", "t.column.s", "destructive"),
    ("n UInt8 DEFAULT 1, ", "", "t.column.n", "destructive"),
    ("k String, d DateTime64(3, 'UTC'),", "d DateTime64(3, 'UTC'), k String,", "t.column_order", "rewrite"),
    ("INDEX i n TYPE minmax", "INDEX i n TYPE set(0)", "t.index.i", "rewrite"),
    ("INDEX i n TYPE minmax GRANULARITY 1,", "", "t.index.i", "rewrite"),
    ("n < 200", "n < 100", "t.constraint.p", "rewrite"),
    ("CONSTRAINT p CHECK n < 200,", "", "t.constraint.p", "rewrite"),
    ("count()", "sum(n)", "t.projection.q", "rewrite"),
    ("ENGINE = MergeTree", "ENGINE = ReplacingMergeTree", "t.engine", "destructive"),
    ("toYYYYMM(d)", "toYear(d)", "t.partition_by", "destructive"),
    ("ORDER BY (k, d)", "ORDER BY (d, k)", "t.order_by", "destructive"),
    ("ORDER BY (k, d)", "PRIMARY KEY k ORDER BY (k, d)", "t.primary_key", "destructive"),
    (
        "ORDER BY (k, d)",
        "ORDER BY (k, d, cityHash64(s)) SAMPLE BY cityHash64(s)",
        "t.sample_by",
        "destructive",
    ),
    ("90 DAY", "30 DAY", "t.ttl", "destructive"),
    ("90 DAY", "91 DAY", "t.ttl", "rewrite"),
    ("TTL toDateTime(d) + INTERVAL 90 DAY", "", "t.ttl", "rewrite"),
    (
        "COMMENT 'x'",
        "SETTINGS merge_with_ttl_timeout = 60 COMMENT 'x'",
        "t.setting.merge_with_ttl_timeout",
        "rewrite",
    ),
]


@pytest.mark.parametrize(
    ("old", "new", "name", "risk"), DIFFERENCES, ids=[f"{d[2]}-{n}" for n, d in enumerate(DIFFERENCES)]
)
def test_every_other_difference_is_refused_by_name(
    case: Case, old: str, new: str, name: str, risk: str
) -> None:
    assert old in BASE
    base = BASE
    if name == "t.engine":  # a projection needs a plain MergeTree
        base = BASE.replace(", PROJECTION q (SELECT k, count() GROUP BY k)", "")
    wanted = base.replace(old, new)
    if name == "t.column.n" and not new:
        wanted = wanted.replace("INDEX i n TYPE minmax GRANULARITY 1, CONSTRAINT p CHECK n < 200,", "")
    answer = case.plan(
        case.printed(base), wanted + "; CREATE TABLE safe (x UInt8) ENGINE = MergeTree ORDER BY x"
    )
    found = {item["name"]: item for item in answer["refused"]}
    assert name in found
    assert found[name]["class"] == risk
    assert found[name]["found"] != found[name]["expected"]
    assert names(answer["steps"]) == ["create.safe"], "safe steps are still planned"


def test_another_kind_of_object_is_refused(case: Case) -> None:
    answer = case.plan(case.printed(BASE), "CREATE VIEW t AS SELECT 1 AS x")
    assert names(answer["refused"]) == ["t.kind"]


def test_another_query_of_a_view_needs_permission(case: Case) -> None:
    live = case.printed("CREATE VIEW v AS SELECT 1 AS x")
    assert names(case.plan(live, "CREATE VIEW v AS SELECT 2 AS x")["refused"]) == ["v.definition"]


# What allowing helps against, and what no ALTER can do.
REBUILDS = ("t.engine", "t.partition_by", "t.order_by", "t.primary_key", "t.sample_by")
ALTERED = [item for item in DIFFERENCES if item[2] not in REBUILDS and item[1]] + [
    ("n < 200", "n < 100", "t.constraint.p", "rewrite"),
    ("TTL toDateTime(d) + INTERVAL 90 DAY", "", "t.ttl", "rewrite"),
    ("INDEX i n TYPE minmax GRANULARITY 1,", "", "t.index.i", "rewrite"),
    ("CONSTRAINT p CHECK n < 200,", "", "t.constraint.p", "rewrite"),
    ("UInt8 DEFAULT 1", "UInt8", "t.column.n", "rewrite"),
    (" CODEC(ZSTD(1)) COMMENT 'c'", "", "t.column.s", "rewrite"),
]


@pytest.mark.parametrize("by", ["name", "class"])
@pytest.mark.parametrize(("old", "new", "name", "risk"), ALTERED)
def test_what_is_allowed_becomes_one_rehearsed_alter(
    case: Case, old: str, new: str, name: str, risk: str, by: str
) -> None:
    answer = case.plan(case.printed(BASE), BASE.replace(old, new), allow=[name if by == "name" else risk])
    assert (names(answer["steps"]), answer["refused"]) == (["alter.t"], [])
    step = answer["steps"][0]
    assert step["class"] == risk
    assert [change["name"] for change in step["changes"]] == [name]
    assert step["rollback_sql"].startswith("ALTER TABLE `db`.`t` ")


@pytest.mark.parametrize("name", REBUILDS)
def test_no_class_allows_what_no_alter_can_do(case: Case, name: str) -> None:
    old, new = next((old, new) for old, new, key, _risk in DIFFERENCES if key == name)
    base = BASE.replace(", PROJECTION q (SELECT k, count() GROUP BY k)", "")
    answer = case.plan(case.printed(base), base.replace(old, new), allow=["rewrite", "destructive"])
    assert name in names(answer["refused"])
    assert answer["steps"] == []


def test_one_class_does_not_allow_the_other(case: Case) -> None:
    answer = case.plan(case.printed(BASE), BASE.replace("90 DAY", "30 DAY"), allow=["rewrite"])
    assert (answer["steps"], names(answer["refused"])) == ([], ["t.ttl"])


def test_everything_of_a_table_goes_into_one_alter(case: Case) -> None:
    wanted = (
        BASE.replace(
            "n UInt8 DEFAULT 1, s String CODEC(ZSTD(1)) COMMENT 'c'", "s String, z UInt8, n UInt16 DEFAULT 2"
        )
        .replace("minmax", "set(0)")
        .replace("n < 200", "n < 300")
        .replace("count()", "max(n)")
        .replace("90 DAY COMMENT 'x'", "91 DAY COMMENT 'y'")
    )
    answer = case.plan(case.printed(BASE), wanted, allow=["rewrite"])
    assert (names(answer["steps"]), answer["refused"]) == (["alter.t"], [])
    assert {item["name"] for item in answer["steps"][0]["changes"]} == {
        *("t.column.z", "t.column.n", "t.column.s", "t.column_order", "t.index.i", "t.constraint.p"),
        *("t.projection.q", "t.ttl", "t.comment"),
    }


def test_a_statement_that_ends_in_a_list_takes_a_second_alter(case: Case) -> None:
    old = BASE.replace("COMMENT 'x'", "SETTINGS min_bytes_for_wide_part = 1")
    wanted = BASE.replace("90 DAY COMMENT 'x'", "30 DAY SETTINGS merge_with_ttl_timeout = 60")
    answer = case.plan(case.printed(old), wanted, allow=["rewrite", "destructive"])
    assert names(answer["steps"]) == ["alter.t", "alter.t.2", "alter.t.3"]
    assert [step["statement"].split(" ", 3)[3].split(" ")[0] for step in answer["steps"]] == [
        "MODIFY",
        "RESET",
        "MODIFY",
    ]
    assert [bool(step["operation"]["parts"]) for step in answer["steps"]] == [True, False, False]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("COMMENT 'x'", "COMMENT 'y'"),
        (" COMMENT 'x'", ""),
        ("COMMENT 'c'", "COMMENT 'd'"),
        (" COMMENT 'c'", ""),
    ],
)
def test_a_comment_needs_no_permission(case: Case, old: str, new: str) -> None:
    answer = case.plan(case.printed(BASE), BASE.replace(old, new))
    assert (names(answer["steps"]), answer["refused"]) == (["alter.t"], [])


@pytest.mark.parametrize(
    ("old", "new"), [("= 1", "= true"), ("= 1", "= '1'"), ("= 1", "= 1, merge_with_ttl_timeout = 14400")]
)
def test_a_setting_is_compared_by_its_value(case: Case, old: str, new: str) -> None:
    base = BASE.replace("COMMENT 'x'", "SETTINGS ttl_only_drop_parts = 1")
    answer = case.plan(case.printed(base), base.replace(old, new))
    assert (answer["steps"], answer["refused"]) == ([], [])


def test_the_fewest_columns_are_moved(case: Case) -> None:
    first = "CREATE TABLE t (a UInt8, b UInt8, c UInt8, d UInt8) ENGINE = MergeTree ORDER BY a"
    wanted = first.replace("a UInt8, b UInt8, c UInt8, d UInt8", "b UInt8, c UInt8, d UInt8, a UInt8")
    answer = case.plan(case.printed(first), wanted, allow=["t.column_order"])
    assert answer["steps"][0]["statement"] == "ALTER TABLE `db`.`t` MODIFY COLUMN `a` UInt8 AFTER `d`"
    assert answer["steps"][0]["rollback_sql"] == "ALTER TABLE `db`.`t` MODIFY COLUMN `a` UInt8 FIRST"


def test_what_the_engine_does_not_do_is_refused_and_the_rest_is_planned(case: Case) -> None:
    """A column of the sorting key keeps its type; the new column comes all the same."""
    wanted = BASE.replace("k String,", "k FixedString(3), z UInt8,")
    answer = case.plan(case.printed(BASE), wanted, allow=["destructive"])
    assert names(answer["refused"]) == ["t.column.k"]
    assert "not possible: the rehearsal of alter.t failed with code" in answer["refused"][0]["reason"]
    assert answer["steps"][0]["statement"] == "ALTER TABLE `db`.`t` ADD COLUMN `z` UInt8 AFTER `k`"


def test_only_the_change_that_fails_is_refused_of_several(case: Case) -> None:
    wanted = BASE.replace("k String,", "k FixedString(3),").replace("n UInt8 DEFAULT 1", "n UInt16 DEFAULT 2")
    wanted = wanted.replace("minmax", "set(0)")
    answer = case.plan(case.printed(BASE), wanted, allow=["rewrite", "destructive"])
    assert names(answer["refused"]) == ["t.column.k"]
    assert [change["name"] for change in answer["steps"][0]["changes"]] == ["t.column.n", "t.index.i"]


def test_new_columns_behind_a_moved_one_go_with_it(case: Case) -> None:
    live = "CREATE TABLE t (k String, c1 UInt8, c5 DateTime, c2 String) ENGINE = MergeTree ORDER BY k"
    wanted = "CREATE TABLE t (k String, c2 String, c5 DateTime, c4 UInt8, c3 UInt8 DEFAULT c4) ENGINE = MergeTree ORDER BY k"
    answer = case.plan(case.printed(live), wanted, allow=["rewrite"])
    assert (names(answer["steps"]), names(answer["refused"])) == (["alter.t"], ["t.column.c1"])
    assert [name for name in answer["columns"]["t"] if name != "c1"] == ["k", "c2", "c5", "c4", "c3"]


def test_a_table_is_changed_and_then_rebuilt_and_both_are_taken_back(case: Case) -> None:
    wanted = BASE.replace("n UInt8 DEFAULT 1", "n UInt16 DEFAULT 2").replace(
        "ORDER BY (k, d)", "ORDER BY (d, k)"
    )
    wanted = wanted.replace("COMMENT 'x'", "SETTINGS index_granularity = 1024")
    answer = case.plan(case.printed(BASE), wanted, allow=["rewrite", "t.rebuild"])
    assert (names(answer["steps"]), answer["refused"]) == (["alter.t", "rebuild.t"], [])
    assert "another setting index_granularity: found 8192, expected 1024" in answer["steps"][1]["reason"]


def test_a_change_that_was_found_impossible_elsewhere_is_refused_with_the_reason(case: Case) -> None:
    wanted = BASE.replace("n UInt8", "n Int8").replace("'x'", "'y'")
    answer = case.plan(
        case.printed(BASE), wanted, allow=["destructive"], deny={"t.column.n": "3 values do not fit"}
    )
    assert names(answer["refused"]) == ["t.column.n"]
    assert "3 values do not fit" in answer["refused"][0]["reason"]
    assert [change["name"] for change in answer["steps"][0]["changes"]] == ["t.comment"]


# Views and dictionaries ------------------------------------------------------------------------------------

MV = (
    BASE
    + "; CREATE TABLE z (k String, c UInt64) ENGINE = MergeTree ORDER BY k; CREATE MATERIALIZED VIEW mv TO z AS SELECT k, 1 AS c FROM t"
)
DICTIONARY = (
    BASE
    + "; CREATE DICTIONARY w (k String, n UInt8 DEFAULT 0) PRIMARY KEY k SOURCE(CLICKHOUSE(TABLE 't')) LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(60)"
)


def test_a_view_is_replaced_at_once(case: Case) -> None:
    live = case.printed("CREATE VIEW v AS SELECT 1 AS x")
    answer = case.plan(live, "CREATE VIEW v AS SELECT 2 AS x", allow=["v.definition"])
    assert names(answer["steps"]) == ["replace.v"]
    assert answer["steps"][0]["statement"] == "CREATE OR REPLACE VIEW db.v (`x` UInt8) AS SELECT 2 AS x"
    assert (
        answer["steps"][0]["operation"]["previous"]
        == "CREATE OR REPLACE VIEW db.v (`x` UInt8) AS SELECT 1 AS x"
    )


@pytest.mark.parametrize(
    "query", ["SELECT k, 2 AS c FROM t", "SELECT k, toUInt32(3) AS c FROM t WHERE n > 0"]
)
def test_a_materialized_view_gets_another_query(case: Case, query: str) -> None:
    wanted = MV.replace("SELECT k, 1 AS c FROM t", query)
    assert names(case.plan(case.printed(MV), wanted)["refused"]) == ["mv.query"]
    answer = case.plan(case.printed(MV), wanted, allow=["mv.query"])
    assert (names(answer["steps"]), answer["refused"]) == (["query.mv"], [])
    assert answer["steps"][0]["statement"].startswith("ALTER TABLE `db`.`mv` MODIFY QUERY SELECT k, ")


def test_a_materialized_view_with_another_target_is_made_anew(case: Case) -> None:
    tables = "; CREATE TABLE y (k String, c UInt64) ENGINE = MergeTree ORDER BY k"
    answer = case.plan(
        case.printed(MV, tables[2:]), MV.replace("TO z", "TO y") + tables, allow=["destructive"]
    )
    assert (names(answer["steps"]), answer["refused"]) == (["drop.mv", "create.mv"], [])
    assert [step["operation"]["kind"] for step in answer["steps"]] == ["remake_view", "remake_view"]


def test_a_materialized_view_that_holds_rows_is_never_made_anew(case: Case) -> None:
    view = BASE + "; CREATE MATERIALIZED VIEW mv ENGINE = MergeTree ORDER BY k AS SELECT k FROM t"
    answer = case.plan(
        case.printed(view),
        view.replace("ORDER BY k AS", "ORDER BY tuple() AS"),
        allow=["destructive", "rewrite"],
    )
    assert (answer["steps"], names(answer["refused"])) == ([], ["mv.definition"])


def test_a_dictionary_is_created_compared_and_replaced(case: Case) -> None:
    answer = case.plan([], DICTIONARY)
    assert names(answer["steps"]) == ["create.t", "create.w"]
    assert answer["steps"][1]["operation"] == {"kind": "create_dictionary", "table": "w"}
    live = [
        {
            "name": step["object"][3:],
            "engine": "Dictionary" if "w" in step["name"] else "MergeTree",
            "ddl": step["statement"],
        }
        for step in answer["steps"]
    ]
    same = case.plan(live, DICTIONARY)
    assert (same["steps"], same["refused"]) == ([], [])
    other = case.plan(live, DICTIONARY.replace("LIFETIME(60)", "LIFETIME(90)"), allow=["rewrite"])
    assert (names(other["steps"]), other["refused"]) == (["replace.w"], [])


# Renames ---------------------------------------------------------------------------------------------------


def test_a_column_is_renamed_by_a_hint_and_changed_after_it(case: Case) -> None:
    wanted = BASE.replace("n UInt8 DEFAULT 1, s", "m UInt8 DEFAULT 1 COMMENT 'was n', -- renamed-from: n\n s")
    wanted = wanted.replace("INDEX i n", "INDEX i m").replace("CHECK n", "CHECK m")
    answer = case.plan(case.printed(BASE), wanted)
    assert (names(answer["steps"]), answer["refused"]) == (["rename.t.m", "alter.t"], [])
    assert answer["steps"][0]["statement"] == "ALTER TABLE `db`.`t` RENAME COLUMN `n` TO `m`"
    assert answer["steps"][0]["operation"] == {
        "kind": "rename_column",
        "table": "t",
        "column": "m",
        "previous": "n",
    }


def test_a_hint_without_its_old_name_has_no_effect(case: Case) -> None:
    hinted = BASE.replace("n UInt8 DEFAULT 1,", "n UInt8 DEFAULT 1, /* renamed-from: older */\n")
    answer = case.plan(case.printed(BASE), "-- renamed-from: older\n" + hinted)
    assert (answer["steps"], answer["refused"]) == ([], [])
    assert names(case.plan([], hinted)["steps"]) == ["create.t"]


def test_a_table_is_renamed_by_a_hint(case: Case) -> None:
    wanted = "-- renamed-from: t\n" + BASE.replace("TABLE t", "TABLE u").replace(
        "n < 200", "n < 200 AND k != ''"
    )
    answer = case.plan(case.printed(BASE), wanted, allow=["rewrite"])
    assert names(answer["steps"]) == ["rename.u", "alter.u"]
    assert answer["steps"][0]["statement"] == "RENAME TABLE `db`.`t` TO `db`.`u`"


def test_without_a_hint_nothing_is_renamed(case: Case) -> None:
    answer = case.plan(case.printed(BASE), BASE.replace("s String", "r String"))
    assert (names(answer["steps"]), names(answer["refused"])) == (["alter.t"], ["t.column.s"])


def test_two_names_at_once_are_refused_and_nothing_new_appears(case: Case) -> None:
    wanted = BASE.replace("n UInt8 DEFAULT 1,", "n UInt8 DEFAULT 1, -- renamed-from: s\n")
    refused = case.plan(case.printed(BASE), wanted)["refused"]
    assert names(refused) == ["rename.t.n"]
    assert "both names exist" in refused[0]["reason"]


def test_a_rename_that_the_engine_does_not_do_leaves_no_empty_column_behind(case: Case) -> None:
    wanted = (
        BASE.replace("k String,", "kk String, -- renamed-from: k\n")
        .replace("(k, d)", "(kk, d)")
        .replace("SELECT k,", "SELECT kk,")
    )
    answer = case.plan(case.printed(BASE), wanted.replace("BY k)", "BY kk)"))
    assert answer["steps"] == []
    assert {"rename.t.kk", "t.column.kk"} <= set(names(answer["refused"]))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("CREATE TABLE a (x UInt8 -- renamed-from: b c\n) ENGINE = Log", "expected one name"),
        ("CREATE TABLE a (x UInt8 -- renamed-from:\n) ENGINE = Log", "expected one name"),
        ("CREATE TABLE a (x UInt8)\n-- renamed-from: b\nENGINE = Log", "no line on which a column begins"),
        (
            "-- renamed-from: b\n-- renamed-from: c\nCREATE TABLE a (x UInt8) ENGINE = Log",
            "expected one hint",
        ),
    ],
)
def test_a_hint_that_cannot_be_read_is_an_error(case: Case, sql: str, words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        case.plan([], sql)


# Broken and hostile files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "place", "words"),
    [
        ("CREATE TABLE a (\n  x UInt8,\n  INDEX i x\n) ENGINE = Log", "01.sql:4:1", "Syntax error"),
        ("CREATE TABLE a (x UInt8) ENGINE = Log;\n\nCREATE TABEL b", "01.sql:3", "Syntax error"),
        ("CREATE TABLE a (x NoType) ENGINE = MergeTree ORDER BY x", "01.sql:1", "NoType"),
        ("CREATE TABLE a (x UInt8) ENGINE = MergeTree ORDER BY y", "01.sql:1", "y"),
        ("", "01.sql:1", "found none"),
        ("-- nothing", "01.sql:1", "found none"),
        ("USE db", "", "create nothing"),
        ("DROP TABLE t", "01.sql:1", "found 'DROP TABLE"),
        ("INSERT INTO t VALUES (1)", "01.sql:1", "found 'INSERT"),
        ("SELECT * FROM file('/etc/passwd')", "01.sql:1", "found 'SELECT"),
        ("ALTER TABLE t ADD COLUMN x UInt8", "01.sql:1", "found 'ALTER"),
        ("SYSTEM SHUTDOWN", "01.sql:1", "found 'SYSTEM"),
        ("SET max_threads = 1", "01.sql:1", "found 'SET"),
        ("GRANT ALL ON *.* TO x", "01.sql:1", "found 'GRANT"),
        ("CREATE USER x", "01.sql:1", "found 'CREATE USER"),
        ("CREATE FUNCTION f AS x -> x", "01.sql:1", "found 'CREATE FUNCTION"),
        ("CREATE TEMPORARY TABLE t (x UInt8) ENGINE = Memory", "01.sql:1", "found 'CREATE TEMPORARY"),
        ("CREATE OR REPLACE TABLE t (x UInt8) ENGINE = Memory", "01.sql:1", "found 'CREATE OR"),
        ("ATTACH TABLE t (x UInt8) ENGINE = Memory", "01.sql:1", "found 'ATTACH"),
        ("CREATE TABLE system.x (x UInt8) ENGINE = Memory", "01.sql:1", "system.x"),
        ("CREATE DATABASE elsewhere", "01.sql:1", "elsewhere"),
        ("USE elsewhere", "01.sql:1", "elsewhere"),
        ("CREATE DATABASE db ENGINE = MySQL('h', 'd', 'u', 'p')", "01.sql:1", "plain database"),
        ("CREATE TABLE t ENGINE = MergeTree ORDER BY x AS SELECT 1 AS x", "01.sql:1", "CREATE TABLE ... AS"),
        ("CREATE TABLE t AS file('/etc/passwd', 'CSV')", "01.sql:1", "CREATE TABLE ... AS"),
        ("CREATE TABLE t (x UInt8) ENGINE = File(CSV, '/etc/passwd')", "01.sql:1", "engine File"),
        ("CREATE TABLE t (x UInt8) ENGINE = URL('http://localhost:1', CSV)", "01.sql:1", "engine URL"),
        (
            "CREATE TABLE t (x UInt8) ENGINE = ReplicatedLog('/a', 'b')",
            "01.sql:1",
            "ReplicatedLog",
        ),
        ("CREATE TABLE t ON CLUSTER c (x UInt8) ENGINE = MergeTree ORDER BY x", "01.sql:1", "ON CLUSTER"),
        ("CREATE VIEW v AS SELECT * FROM url('http://localhost:1', CSV, 'x UInt8')", "01.sql:1", "url()"),
        ("CREATE VIEW v AS SELECT * FROM (SELECT * FROM remote('h', a.b))", "01.sql:1", "remote()"),
        (
            "CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(HTTP(URL 'http://[::1]:1')) LAYOUT(FLAT()) LIFETIME(1)",
            "01.sql:1",
            "http()",
        ),
        (
            "CREATE DICTIONARY d (k UInt64) PRIMARY KEY k SOURCE(CLICKHOUSE(PASSWORD 'x' TABLE 't')) LAYOUT(FLAT()) LIFETIME(1)",
            "01.sql:1",
            "a PASSWORD has no place",
        ),
        ("CREATE VIEW v AS SELECT * FROM nowhere", "01.sql:1", "nowhere"),
        ("CREATE MATERIALIZED VIEW v ENGINE = Log POPULATE AS SELECT 1", "01.sql:1", "POPULATE"),
        (
            "CREATE TABLE t (x UInt8) ENGINE = Log; CREATE TABLE t (y UInt8) ENGINE = Log",
            "01.sql:1",
            "already",
        ),
        ("CREATE TABLE t (x String DEFAULT 'never closed) ENGINE = Log", "01.sql:1", "Syntax error"),
        ("CREATE TABLE t (x UInt8) ENGINE = Log /* never closed", "01.sql:1", ""),
        ("CREATE TABLE t (x UInt8\0) ENGINE = Log", "01.sql:1", "NUL"),
        ("CREATE TABLE t (x " + "Array(" * 3000 + "UInt8" + ")" * 3000 + ") ENGINE = Log", "01.sql:1", ""),
        ("\ufeff" + "🦆" * 50, "01.sql:1", ""),
        ("x" * (1024 * 1024 + 1), "01.sql:1", "at most"),
    ],
)
def test_a_bad_file_is_one_clear_error_and_leaves_nothing_behind(
    case: Case, sql: str, place: str, words: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        case.plan([], sql)
    message = str(caught.value)
    assert message.startswith(place)
    assert words in message
    assert "Traceback" not in message
    assert len(message) < 900
    # The same engine goes on as if nothing had been: no scratch object is in the way.
    assert names(case.plan([], BASE)["steps"]) == ["create.t"]


def test_a_second_bad_file_prevents_the_first_one_too(case: Case) -> None:
    with pytest.raises(SchemaError, match=r"^02\.sql:1"):
        case.plan([], BASE, "CREATE TABLE u (x UInt8, INDEX foo) ENGINE = MergeTree ORDER BY x")


def test_a_managed_table_that_cannot_be_loaded_is_an_error(case: Case) -> None:
    live = [
        {"name": "t", "engine": "ReplicatedMergeTree", "ddl": "CREATE TABLE db.t (`x` UInt8) ENGINE = Log"}
    ]
    with pytest.raises(SchemaError, match="ReplicatedMergeTree is not rehearsed"):
        case.plan(live, BASE)


def test_live_ddl_that_makes_something_else_is_not_run(case: Case) -> None:
    live = [
        {
            "name": "t",
            "engine": "MergeTree",
            "ddl": "CREATE TABLE db.u (`x` UInt8) ENGINE = Log; DROP DATABASE db",
        }
    ]
    with pytest.raises(SchemaError, match="cannot be loaded"):
        case.plan(live, BASE)


@pytest.mark.parametrize("database", ["system", "INFORMATION_SCHEMA"])
def test_a_system_database_is_not_managed(planner: PlannerProcess, database: str) -> None:
    with pytest.raises(SchemaError, match="cannot be managed"):
        planner.ask({"database": database, "live": [], "files": [{"path": "a", "text": BASE}]})


def test_default_can_be_managed(planner: PlannerProcess) -> None:
    answer = planner.ask({"database": "default", "live": [], "files": [{"path": "a", "text": BASE}]})
    assert names(answer["steps"]) == ["create.t"]


# The process -----------------------------------------------------------------------------------------------


def test_a_missing_engine_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = "import sys; sys.modules['chdb'] = None; " + schema_process._START
    monkeypatch.setattr(schema_process, "_START", hidden)
    with PlannerProcess(timeout=30) as process, pytest.raises(SchemaError, match=r"chdb-core.*is missing"):
        process.ask({"database": "db", "live": [], "files": []})


def test_no_answer_in_time_is_an_error_and_nothing_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_process, "_START", "import time; time.sleep(60)")
    with PlannerProcess(timeout=0.2) as process:
        with pytest.raises(SchemaError, match="no answer within"):
            process.ask({"database": "db"})
        number, directory = process._process.pid, process._directory
    assert not os.path.exists(directory)
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_a_process_whose_asker_is_gone_cleans_up_and_ends(planner: PlannerProcess) -> None:
    with PlannerProcess(timeout=30) as process:
        process.ask({"database": "db", "live": [], "files": [{"path": "a", "text": BASE}]})
        process._requests.close()
        assert process._process.wait(timeout=30) == 0
        assert not os.path.exists(process._directory)


def test_a_process_that_dies_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema_process, "_START", "import sys; sys.exit('the engine is ill')")
    with PlannerProcess(timeout=10) as process, pytest.raises(SchemaError, match=r"ended: exit code 1.*ill"):
        process.ask({"database": "db"})


def test_everything_in_an_answer_is_json(case: Case) -> None:
    answer = case.plan(case.printed(BASE), BASE.replace("UInt8", "UInt16"))
    assert json.loads(json.dumps(answer)) == answer


def shown(planner: PlannerProcess, *statements: str) -> dict[str, Any]:
    live = [
        {
            "name": "t",
            "engine": "MergeTree",
            "ddl": "CREATE TABLE db.t (x UInt8, y UInt8) ENGINE = MergeTree ORDER BY x",
        },
        {"name": "queue", "engine": "Kafka", "ddl": "CREATE TABLE db.queue (x UInt8) ENGINE = Kafka"},
    ]
    old = "CREATE TABLE db_old.`t.r1` (x UInt16) ENGINE = MergeTree ORDER BY x"
    return planner.ask(
        {
            "database": "db",
            "live": live,
            "quarantine": "db_old",
            "quarantined": [{"name": "t.r1", "engine": "MergeTree", "ddl": old}],
            "statements": list(statements),
        }
    )


def test_statements_of_a_reverse_are_shown_without_a_server(planner: PlannerProcess) -> None:
    found = shown(planner, "ALTER TABLE db.t DROP COLUMN y", "EXCHANGE TABLES db.t AND db_old.`t.r1`")
    assert "`y` UInt8" in found["diff"]["before"]
    assert "`x` UInt16" in found["diff"]["after"]
    assert "`y`" not in found["diff"]["after"]
    assert [line for line in found["warnings"] if "db.queue: engine Kafka is not rehearsed" in line]
    # Nothing is left that the next request would stumble over.
    assert shown(planner)["diff"]["before"] == shown(planner)["diff"]["after"] == found["diff"]["before"]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("INSERT INTO FUNCTION file('x.csv') SELECT 1", "expected a statement that changes a schema"),
        ("CREATE TABLE db.u (x UInt8) ENGINE = URL('http://127.0.0.1/')", "engine URL cannot be rehearsed"),
        ("CREATE VIEW db.v AS SELECT * FROM url('http://127.0.0.1/')", "outside of the database"),
        ("ALTER TABLE db.none DROP COLUMN x", "UNKNOWN_TABLE"),
        ("DROP TABLE db.t )", "Syntax error"),
    ],
)
def test_what_cannot_be_shown_is_said(planner: PlannerProcess, statement: str, reason: str) -> None:
    found = shown(planner, statement)
    assert [line for line in found["warnings"] if statement in line and reason in line], found["warnings"]
    assert found["diff"]["before"] == found["diff"]["after"]
