# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What steps would do to data that is there, on a real engine, and compared with what the engine then does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import (
    Answer,
    ClickhouseError,
)
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.names import literal, quote
from ansible_collections.suho.platform.plugins.module_utils.schema.assess.assess import assess, is_blocking
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.server.rollback import roll_back
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.ttl import read_ttl
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step
from clickhouse_engine import EngineConnection

# A percent sign, both kinds of quotes and a backslash, in every name.
DB = "d%s`b'\\"
TABLE = "ta%(x)s`\"'\\n"
COLUMN = "c%d`ol'\\"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    yield connection
    connection.close()


class Lab:
    """Makes tables and asks for findings."""

    def __init__(self, engine: EngineConnection) -> None:
        self.engine = engine
        for name in ("other", "db", DB):
            engine.run(f"DROP DATABASE IF EXISTS {quote(name)} SYNC")
            engine.run(f"CREATE DATABASE {quote(name)}")

    def table(self, columns: str, rows: str, name: str = "t", tail: str = "ORDER BY tuple()") -> None:
        self.engine.run(f"DROP TABLE IF EXISTS db.{name} SYNC")
        self.engine.run(f"CREATE TABLE db.{name} ({columns}) ENGINE = MergeTree {tail}")
        self.engine.run(f"INSERT INTO db.{name} {rows}")

    def ask(self, *checks: Mapping[str, Any], seconds: float = 30, db: str = "db") -> list[dict[str, Any]]:
        self.engine.statements.clear()
        server = Server(self.engine, db, "q")  # type: ignore[arg-type]
        found = assess(server, [{"name": "step", "checks": list(checks)}], seconds)
        assert all(sql.startswith("SELECT ") for sql in self.engine.statements)
        assert server.executed == server.pending == []
        return found

    def one(self, check: str, table: str = "t", seconds: float = 30, **more: Any) -> dict[str, Any]:
        (finding,) = self.ask({"check": check, "table": table, **more}, seconds=seconds)
        assert finding["check"] == check
        assert finding["step"] == "step"
        return finding

    def scalar(self, sql: str) -> Any:
        return self.engine.scalar(sql)


@pytest.fixture
def lab(engine: EngineConnection) -> Lab:
    return Lab(engine)


def verdict(finding: Mapping[str, Any]) -> tuple[str, Any]:
    return finding["verdict"], finding["observed"]


# TTL -------------------------------------------------------------------------------------------------------

TIMES = "k UInt32, dt DateTime, d64 DateTime64(3), d Date, d32 Date32, never DateTime DEFAULT 0, g String"
TIME_ROWS = (
    "SELECT number, now() - number * 86400 - 9, now64(3) - number * 86400 - 9, today() - number, today() - number, 0, "
    "if(number % 2, 'a', 'b') FROM numbers(200)"
)


@pytest.mark.parametrize(
    "ttl",
    [
        "dt + toIntervalDay(90)",
        "toDateTime(d64) + toIntervalDay(90)",
        "d64 + toIntervalDay(90)",
        "d + toIntervalMonth(1)",
        "d32 + toIntervalDay(199)",
        "d",
        "dt + toIntervalDay(30) WHERE g = 'a'",
        "dt + toIntervalDay(30) DELETE WHERE g IN ('a', 'x') OR (k = 100), d + toIntervalDay(150)",
        "dt + toIntervalDay(30) RECOMPRESS CODEC(ZSTD(1)), d + toIntervalDay(190) DELETE",
        "dt + toIntervalYear(20)",
        "never",
        "never + toIntervalSecond(1)",
        "dt + toIntervalDay(1) TO DISK 'default'",
    ],
)
def test_a_ttl_deletes_as_many_rows_as_foretold(lab: Lab, ttl: str) -> None:
    lab.table(TIMES, TIME_ROWS)
    finding = lab.one("ttl", ttl=ttl)
    lab.engine.run(f"ALTER TABLE db.t MODIFY TTL {ttl}")
    lab.engine.run("OPTIMIZE TABLE db.t FINAL")
    deleted = 200 - lab.scalar("SELECT count() FROM db.t")
    assert verdict(finding) == ("risk" if deleted else "ok", deleted)
    assert not is_blocking(finding)
    if deleted:
        assert f"{deleted} of 200 rows of db.t" in finding["text"]


def test_the_epoch_is_no_time_at_all(lab: Lab) -> None:
    lab.table(TIMES, TIME_ROWS)
    assert verdict(lab.one("ttl", ttl="never")) == ("ok", 0)
    assert verdict(lab.one("ttl", ttl="never + toIntervalSecond(1)")) == ("risk", 200)


def test_a_ttl_reads_only_the_parts_that_hold_old_rows(lab: Lab) -> None:
    rows = "SELECT now() - number * 60 FROM numbers(200000)"
    lab.table("t DateTime", rows, tail="ORDER BY t")
    reads: list[int] = []
    query = lab.engine.query

    def counted(sql: str, *args: Any, **more: Any) -> Answer:
        answer = query(sql, *args, **more)
        reads.append(answer.rows_read or 0)
        return answer

    server = Server(lab.engine, "db", "q")  # type: ignore[arg-type]
    lab.engine.query = counted  # type: ignore[method-assign]
    try:
        check = {"check": "ttl", "table": "t", "ttl": "t + toIntervalDay(130)"}
        (finding,) = assess(server, [{"name": "s", "checks": [check]}])
    finally:
        lab.engine.query = query  # type: ignore[method-assign]
    assert finding["verdict"] == "risk"
    assert max(reads) < 50000


@pytest.mark.parametrize(
    ("ttl", "reason"),
    [
        ("dt + toIntervalDay(1) GROUP BY k SET g = any(g), dt = max(dt)", "GROUP BY merges rows"),
        ("nothing + toIntervalDay(1)", "nothing"),
        ("dt + toIntervalDay(1) DELETE g", "not understood"),
        ("dt) OR (1", "not an expression"),
        ("dt + toIntervalDay(1) -- x", "not an expression"),
        ("dt; SELECT 1", "not an expression"),
        ("(dt", "not an expression"),
    ],
)
def test_a_ttl_that_is_not_understood_is_unknown(lab: Lab, ttl: str, reason: str) -> None:
    lab.table(TIMES, TIME_ROWS)
    finding = lab.one("ttl", ttl=ttl)
    assert verdict(finding) == ("unknown", None)
    assert reason in finding["text"]
    assert not is_blocking(finding)


def test_no_ttl_deletes_nothing(lab: Lab) -> None:
    lab.table(TIMES, TIME_ROWS)
    assert verdict(lab.one("ttl", ttl="")) == ("ok", 0)
    assert verdict(lab.one("column_ttl", column="g", ttl="")) == ("ok", 0)


def test_a_column_may_be_called_like_a_keyword() -> None:
    assert read_ttl("`delete` + 1 DELETE").condition.startswith("((`delete` + 1) <= now()")
    assert read_ttl("to + 1").condition.startswith("((to + 1) <= now()")


def test_a_column_ttl_resets_what_is_not_the_default(lab: Lab) -> None:
    columns = "k UInt32, dt DateTime, x UInt8 DEFAULT 7, n Nullable(String), a String ALIAS 'q'"
    rows = "SELECT number, now() - number * 86400, if(number < 120, 1, 7), if(number % 2, NULL, 's') FROM numbers(200)"
    lab.table(columns, rows)
    finding = lab.one("column_ttl", column="x", ttl="dt + toIntervalDay(100)")
    assert verdict(finding) == ("risk", 20)
    lab.engine.run("ALTER TABLE db.t MODIFY COLUMN x UInt8 DEFAULT 7 TTL dt + toIntervalDay(100)")
    assert lab.scalar("SELECT countIf(x = 1) FROM db.t") == 100
    assert verdict(lab.one("column_ttl", column="x", ttl="dt + toIntervalDay(100)")) == ("ok", 0)
    assert verdict(lab.one("column_ttl", column="n", ttl="TTL dt + toIntervalDay(100)")) == ("risk", 50)
    assert lab.one("column_ttl", column="a", ttl="dt")["verdict"] == "unknown"
    assert lab.one("column_ttl", column="gone", ttl="dt")["verdict"] == "unknown"


# Casts -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "values", "lost", "changed"),
    [
        ("UInt32", "UInt8", "[0, 255, 256, 70000]", 2, 0),
        ("Int8", "UInt8", "[-1, 0, 127]", 1, 0),
        ("Float64", "Float32", "[0.5, 0.1, 1e300, nan, inf]", 1, 1),
        ("Float64", "Int32", "[1, 1.5, nan, 1e10]", 3, 0),
        ("Float64", "Decimal(10, 2)", "[0.5, 0.29, 1e300]", 1, 1),
        ("Decimal(18, 5)", "Decimal(9, 2)", "['1.25', '1.255', '9999999', '99999999']", 1, 1),
        ("Decimal(18, 5)", "Float64", "['0.29', '1.255', '12345.67891']", 0, 0),
        ("DateTime64(3)", "DateTime", "['2024-01-01 00:00:00.000', '2024-01-01 00:00:00.500']", 0, 1),
        ("DateTime64(3)", "DateTime", "['2024-01-01 00:00:00.000', '2290-01-01 00:00:00.000']", 0, 1),
        ("DateTime", "Date", "['2024-01-01 00:00:00', '2024-01-01 10:00:00']", 0, 1),
        ("Date32", "Date", "['2024-01-01', '1925-01-01']", 0, 1),
        ("String", "UInt8", "['7', '07', '300', 'x', '']", 3, 1),
        ("String", "Date", "['2024-12-01', '2024-13-01', 'x']", 1, 1),
        ("String", "UUID", "['61f0c404-5cb3-11e7-907b-a6006ad3dba0', 'x']", 1, 0),
        ("String", "FixedString(3)", "['abc', 'ab', 'abcd']", 1, 1),
        ("FixedString(2)", "FixedString(3)", "['ab']", 0, 1),
        ("UInt8", "Bool", "[0, 1, 2]", 0, 1),
        ("Nullable(UInt8)", "UInt8", "[1, NULL, NULL]", 2, 0),
        ("Nullable(UInt16)", "Nullable(UInt8)", "[1, NULL, 300]", 1, 0),
        ("Nullable(UInt16)", "UInt8", "[1, NULL, 300]", 2, 0),
        ("LowCardinality(String)", "UInt8", "['1', 'x']", 1, 0),
        ("LowCardinality(Nullable(String))", "String", "['1', NULL]", 1, 0),
        (
            "LowCardinality(Nullable(String))",
            "LowCardinality(Nullable(FixedString(1)))",
            "['1', NULL, 'xx']",
            1,
            0,
        ),
        ("Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 1)", "['a', 'b', 'b']", 2, 0),
        ("Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 1, 'c' = 2)", "['a', 'b']", 1, 0),
        ("Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 2)", "['a', 'b']", 2, 0),
        ("Nullable(Enum8('a' = -1, 'b' = 2))", "Nullable(Enum16('a' = -1))", "['a', 'b', NULL]", 1, 0),
        ("Enum16('a' = 1, 'b' = 300)", "UInt8", "['a', 'b']", 1, 0),
        ("Enum8('a' = 1, 'b' = 2)", "FixedString(1)", "['a', 'b']", 0, 0),
        ("UInt8", "Enum8('a' = 1, 'b' = 2)", "[1, 2, 5]", 1, 0),
        ("String", "Enum8('it\\'s' = 1)", "['it\\'s', 'b']", 1, 0),
        ("Array(Int32)", "Array(UInt8)", "[[1, 2], [-1, 3, -5], []]", 1, 0),
        ("Array(Array(Nullable(Int32)))", "Array(Array(Int8))", "[[[1], [NULL]], [[2]], [[1, 300]]]", 2, 0),
        ("Array(Float64)", "Array(Float32)", "[[0.5, nan], [0.1]]", 0, 1),
        ("Array(LowCardinality(String))", "Array(UInt8)", "[['1'], ['x']]", 1, 0),
    ],
)
def test_a_cast_counts_what_is_lost_and_what_changes(
    lab: Lab, old: str, new: str, values: str, lost: int, changed: int
) -> None:
    lab.table(f"x {old}", f"SELECT arrayJoin(CAST({values} AS Array({old})))")
    finding = lab.one("cast", column="x", type=new)
    assert finding["observed"] == [lost, changed], finding["text"]
    blocked = bool(lost or changed)
    assert finding["verdict"] == ("blocked" if blocked else "ok")
    assert is_blocking(finding) == blocked
    assert bool(finding["examples"]) == blocked
    assert finding["object"] == "db.t.x"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UInt8", "UInt16"),
        ("UInt8", "Int16"),
        ("UInt8", "Nullable(Float64)"),
        ("String", "LowCardinality(String)"),
        ("LowCardinality(String)", "String"),
        ("Decimal(10, 2)", "Decimal(18, 2)"),
        ("DateTime64(3)", "DateTime64(3, 'UTC')"),
        ("DateTime('UTC')", "DateTime"),
        ("Enum8('a' = 0)", "Enum16('a' = 0, 'b' = 1)"),
        ("Array(UInt8)", "Array(UInt64)"),
        ("Map(String, UInt8)", "Map(String, UInt8)"),
    ],
)
def test_a_wider_type_needs_no_reading(lab: Lab, old: str, new: str) -> None:
    lab.table(f"x {old}, k UInt8", "(k) SELECT number FROM numbers(3)")
    finding = lab.one("cast", column="x", type=new)
    assert verdict(finding) == ("ok", [0, 0])
    assert not any("countIf" in sql for sql in lab.engine.statements)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("UInt16", "Int16"),
        ("Int8", "UInt64"),
        ("UInt64", "Float64"),
        ("Decimal(10, 2)", "Decimal(18, 5)"),
        ("Float64", "Float32"),
        ("DateTime64(6)", "DateTime64(3)"),
    ],
)
def test_a_type_that_is_not_wider_is_looked_at(lab: Lab, old: str, new: str) -> None:
    lab.table(f"x {old}", "SELECT 1")
    assert verdict(lab.one("cast", column="x", type=new)) == ("ok", [0, 0])
    assert any("countIf" in sql for sql in lab.engine.statements)


def test_examples_are_few_and_short(lab: Lab) -> None:
    lab.table("x String", "SELECT concat(toString(number), repeat('\\nä\\xff', 5000)) FROM numbers(50)")
    finding = lab.one("cast", column="x", type="UInt8")
    assert verdict(finding) == ("blocked", [50, 0])
    assert len(finding["examples"]) == 3
    assert all(len(example) == 60 and example.isprintable() for example in finding["examples"])
    assert len(finding["text"]) < 400


def test_casts_of_one_table_are_one_query(lab: Lab) -> None:
    lab.table("x UInt16, y String, z Nullable(Int8)", "SELECT 300, 'q', 1")
    casts = [("x", "UInt8"), ("y", "UInt8"), ("z", "Int8")]
    found = lab.ask(*({"check": "cast", "table": "t", "column": name, "type": kind} for name, kind in casts))
    assert [item["observed"] for item in found] == [[1, 0], [1, 0], [0, 0]]
    assert len([sql for sql in lab.engine.statements if "countIf" in sql]) == 1


def test_a_cast_that_the_server_does_not_take_hides_no_other(lab: Lab) -> None:
    lab.table("x UInt16, y IPv6", "SELECT 300, '::1'")
    casts = [("y", "Date"), ("x", "UInt8")]
    found = lab.ask(*({"check": "cast", "table": "t", "column": name, "type": kind} for name, kind in casts))
    assert [item["verdict"] for item in found] == ["unknown", "blocked"]
    assert [item["object"] for item in found] == ["db.t.y", "db.t.x"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Map(String, UInt16)", "Map(String, UInt8)"),
        ("Tuple(UInt16)", "Tuple(UInt8)"),
        ("Array(UInt8)", "String"),
        ("Float64", "Enum8('a' = 1)"),
        ("String", "Surprise"),
    ],
)
def test_a_cast_that_is_not_understood_is_unknown_and_blocks(lab: Lab, old: str, new: str) -> None:
    lab.table(f"x {old}, k UInt8", "(k) SELECT 1")
    finding = lab.one("cast", column="x", type=new)
    assert verdict(finding) == ("unknown", None)
    assert is_blocking(finding)


def test_a_computed_column_has_no_values_to_lose(lab: Lab) -> None:
    lab.table("k UInt16, x UInt16 ALIAS k", "(k) SELECT 300")
    assert verdict(lab.one("cast", column="x", type="UInt8")) == ("ok", [0, 0])


def test_a_queue_is_never_read(lab: Lab) -> None:
    lab.engine.run("CREATE VIEW db.t AS SELECT 300 AS x")
    for check in ("cast", "ttl", "rewrite_bytes", "rebuild_space"):
        finding = lab.one(check, column="x", type="UInt8", ttl="x")
        assert finding["verdict"] == "unknown"
        assert "engine View" in finding["text"]
    assert not any("FROM `db`" in sql for sql in lab.engine.statements)


# Bytes -----------------------------------------------------------------------------------------------------


def test_rewritten_bytes_are_those_of_the_columns_or_of_whole_compact_parts(lab: Lab) -> None:
    rows, columns = "SELECT number, toString(number) FROM numbers(10000)", "k UInt32, s String"
    lab.table(columns, rows, tail="ORDER BY k SETTINGS min_bytes_for_wide_part = 0")
    everything = lab.one("rewrite_bytes", columns=[])
    one = lab.one("rewrite_bytes", columns=["s"])
    assert everything["verdict"] == one["verdict"] == "risk"
    assert 0 < one["observed"] < everything["observed"]
    sql = "SELECT sum(bytes_on_disk) FROM system.parts WHERE active AND database = 'db' AND table = 't'"
    assert everything["observed"] == lab.scalar(sql)
    assert not is_blocking(everything)
    lab.table(columns, rows, tail="ORDER BY k SETTINGS min_bytes_for_wide_part = 1000000000")
    assert lab.one("rewrite_bytes", columns=["s"])["observed"] == lab.scalar(sql)


def test_an_empty_table_has_nothing_to_rewrite_or_copy(lab: Lab) -> None:
    lab.table("k UInt32", "SELECT 1 WHERE 0")
    assert verdict(lab.one("rewrite_bytes", columns=["k"])) == ("ok", 0)
    assert verdict(lab.one("rebuild_space")) == ("ok", 0)


def test_bytes_of_what_is_not_there_are_unknown(lab: Lab) -> None:
    lab.table("k UInt32", "SELECT 1")
    assert not is_blocking(lab.one("rewrite_bytes", columns=["gone"]))
    assert lab.one("rewrite_bytes", columns=["gone"])["verdict"] == "unknown"
    assert lab.one("rewrite_bytes", table="gone")["verdict"] == "unknown"
    assert lab.one("rewrite_bytes", columns="k")["verdict"] == "unknown"
    assert is_blocking(lab.one("rebuild_space", table="gone"))


class Answers:
    """Changes what the engine answers to queries that hold a text."""

    def __init__(self, lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
        self.query, self.changes = lab.engine.query, dict[str, Any]()
        monkeypatch.setattr(lab.engine, "query", self.answer)

    def answer(self, sql: str, *args: Any, **more: Any) -> Answer:
        for text, change in self.changes.items():
            if text in sql:
                if isinstance(change, Exception):
                    raise change
                names = list(change[0])
                return Answer([tuple(row.values()) for row in change], [(name, "") for name in names])
        return self.query(sql, *args, **more)


@pytest.fixture
def answers(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Answers:
    return Answers(lab, monkeypatch)


def disk(name: str, free: int, total: int, keep: int = 0) -> dict[str, Any]:
    return {"name": name, "type": "Local", "free_space": free, "total_space": total, "keep_free_space": keep}


GIB = 1 << 30


@pytest.mark.parametrize(
    ("disks", "left"),
    [
        ([disk("a", 100 * GIB, 500 * GIB)], 50 * GIB),
        ([disk("a", 3 * GIB, 5 * GIB)], 2 * GIB),
        ([disk("a", 100 * GIB, 500 * GIB, 70 * GIB)], 30 * GIB),
        ([disk("a", GIB // 2, 5 * GIB)], 0),
        ([disk("a", 3 * GIB, 5 * GIB), disk("b", 4 * GIB, 5 * GIB)], 5 * GIB),
        ([disk("a", 3 * GIB, 5 * GIB), disk("b", 3 * GIB, 5 * GIB)], 2 * GIB),
    ],
)
def test_a_copy_needs_space_above_the_reserve(
    lab: Lab, answers: Answers, disks: list[dict[str, Any]], left: int
) -> None:
    lab.table("k UInt32", "SELECT number FROM numbers(1000)")
    answers.changes["FROM system.disks"] = disks
    finding = lab.one("rebuild_space")
    assert finding["limit"] == left
    assert finding["observed"] > 1000
    assert finding["verdict"] == ("ok" if left else "blocked")
    assert is_blocking(finding) == (not left)


def test_the_real_disk_is_seen(lab: Lab) -> None:
    lab.table("k UInt32", "SELECT number FROM numbers(1000)")
    finding = lab.one("rebuild_space")
    free = lab.scalar("SELECT free_space FROM system.disks")
    assert 0 <= finding["limit"] < free
    assert "storage policy default" in finding["text"]


def test_parts_that_the_user_cannot_see_are_not_none(lab: Lab, answers: Answers) -> None:
    lab.table("k UInt32", "SELECT 1")
    answers.changes["FROM system.parts "] = [{"a": 0, "b": 0, "c": 0}]
    assert "cannot see its parts" in lab.one("rebuild_space")["text"]
    assert lab.one("rewrite_bytes", columns=[])["verdict"] == "unknown"


# Views -----------------------------------------------------------------------------------------------------


@pytest.fixture
def views(lab: Lab) -> Lab:
    """Tables with columns k, x, y and unused, and views of each kind."""
    for name in ("t", "target", "lonely", "bars_1"):
        lab.table("k UInt32, x UInt32, y UInt32, unused String DEFAULT ''", "(k) SELECT 1", name)
    lab.engine.run("CREATE TABLE other.t (k UInt32, x UInt32) ENGINE = MergeTree ORDER BY k")
    for sql in (
        "VIEW db.plain AS SELECT k, x FROM db.t",
        "VIEW other.far AS WITH 1 AS one SELECT a.k FROM db.t AS a WHERE a.y = one",
        "VIEW other.near AS SELECT x, k FROM other.t",
        "MATERIALIZED VIEW db.feed TO db.target AS SELECT k, x AS y FROM db.t",
        "MATERIALIZED VIEW db.inner_one ENGINE = MergeTree ORDER BY k TTL toDateTime(k) AS SELECT k FROM db.t",
        "VIEW db.every AS SELECT * FROM db.target",
        "VIEW db.merged AS SELECT y FROM merge('db', '^bars_[0-9]')",
    ):
        lab.engine.run(f"CREATE {sql}")
    return lab


@pytest.mark.parametrize(
    ("table", "column", "expected"),
    [
        ("t", "x", ["db.feed", "db.plain"]),
        ("t", "y", ["db.feed", "other.far"]),
        ("t", "k", ["db.feed", "db.inner_one", "db.plain", "other.far"]),
        ("t", "unused", []),
        ("t", "", ["db.feed", "db.inner_one", "db.plain", "other.far"]),
        ("target", "y", ["db.every", "db.feed"]),
        ("target", "unused", ["db.every"]),
        ("target", "", ["db.every", "db.feed"]),
        ("bars_1", "y", ["db.merged"]),
        ("lonely", "", []),
        ("lonely", "x", []),
    ],
)
def test_views_that_would_break(views: Lab, table: str, column: str, expected: list[str]) -> None:
    finding = views.one("readers", table=table, column=column)
    assert verdict(finding) == ("blocked" if expected else "ok", expected)
    assert is_blocking(finding) == bool(expected)
    assert all(name in finding["text"] for name in expected)
    assert ("db.feed (writes into it)" in finding["text"]) == (table == "target" and "db.feed" in expected)


def test_a_view_of_another_database_keeps_a_column_from_being_taken_back(views: Lab) -> None:
    step = {"name": "s", "undo": [{"action": "drop_column", "table": "t", "column": "y"}]}
    with pytest.raises(SchemaError, match=r"other\.far"):
        roll_back(Server(views.engine, "db", "q", dry=True), [Step.from_dict(step)], "r1")  # type: ignore[arg-type]


def test_a_view_that_cannot_be_read_is_no_pass(views: Lab, answers: Answers) -> None:
    fed = {"databases": ["secret"], "tables": ["mv"]}
    answers.changes["SELECT dependencies_database"] = [fed]
    hidden = views.one("readers", table="lonely", column="x")
    assert hidden["verdict"] == "unknown"
    assert "secret.mv" in hidden["text"]
    assert is_blocking(hidden)
    assert verdict(views.one("readers", table="lonely", column="")) == ("blocked", ["secret.mv"])
    answers.changes.clear()
    answers.changes["create_table_query"] = [{"database": "db", "name": "v", "ddl": ""}]
    assert "db.v" in views.one("readers", table="lonely", column="x")["text"]
    assert views.one("readers", table="gone", column="")["verdict"] == "unknown"


# Names, time and errors ------------------------------------------------------------------------------------


def test_names_are_only_names(lab: Lab) -> None:
    target, view = f"{quote(DB)}.{quote(TABLE)}", f"{quote(DB)}.{quote('v%s')}"
    kept = "SETTINGS min_bytes_for_wide_part = 0"
    lab.engine.run(
        f"CREATE TABLE {target} ({quote(COLUMN)} UInt16, `t%s` DateTime) ENGINE = MergeTree ORDER BY tuple() {kept}"
    )
    lab.engine.run(f"INSERT INTO {target} SELECT number, 1 FROM numbers(300)")
    lab.engine.run(f"CREATE VIEW {view} AS SELECT {quote(COLUMN)} FROM {target}")
    column = {"table": TABLE, "column": COLUMN}
    ttl = f"`t%s` + toIntervalDay(1) WHERE {quote(COLUMN)} < 10 AND '%s' != {literal(TABLE)}"
    found = lab.ask(
        {"check": "ttl", "table": TABLE, "ttl": ttl},
        {"check": "column_ttl", **column, "ttl": "`t%s`"},
        {"check": "cast", **column, "type": "UInt8"},
        {"check": "rewrite_bytes", "table": TABLE, "columns": [COLUMN]},
        {"check": "readers", **column},
        {"check": "rebuild_space", "table": TABLE},
        db=DB,
    )
    assert [verdict(item)[0] for item in found[:5]] == ["risk", "risk", "blocked", "risk", "blocked"]
    assert [found[0]["observed"], found[1]["observed"], found[2]["observed"]] == [10, 299, [44, 0]]
    assert found[4]["observed"] == [f"{DB}.v%s"]
    assert found[5]["observed"] > 300
    assert found[2]["object"] == f"{DB}.{TABLE}.{COLUMN}"


def test_without_time_nothing_is_known_and_nothing_is_asked(lab: Lab) -> None:
    lab.table("x UInt16, d DateTime", "SELECT 1, 1")
    checks = ("ttl", "column_ttl", "cast", "rewrite_bytes", "readers", "rebuild_space")
    more = {"table": "t", "column": "x", "type": "UInt8", "ttl": "d"}
    found = lab.ask(*({"check": check, **more} for check in checks), seconds=0)
    assert [item["verdict"] for item in found] == ["unknown"] * 6
    assert all("were used up" in item["text"] for item in found)
    assert lab.engine.statements == []
    blocking = [item["check"] for item in found if is_blocking(item)]
    assert blocking == ["cast", "readers", "rebuild_space"]


def test_a_query_that_takes_too_long_is_ended_and_leaves_time_for_others(lab: Lab) -> None:
    # One block of rows sleeps 2.9 s; a third of 8 s and the half of what is left then are less.
    lab.table("x UInt16, d DateTime", "SELECT number % 400, 1 FROM numbers(5000)")
    slow = {"check": "ttl", "table": "t", "ttl": "d + toIntervalSecond(sleepEachRow(0.00058))"}
    cast = {"check": "cast", "table": "t", "column": "x", "type": "UInt8"}
    found = lab.ask(slow, slow, cast, {"check": "readers", "table": "t", "column": ""}, seconds=8)
    assert [item["verdict"] for item in found] == ["unknown", "unknown", "blocked", "ok"]
    assert "did not end within" in found[0]["text"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ClickhouseError("no", "server", 497), "no"),
        (ClickhouseError("no", "server", 164), "may not set a time limit"),
        (ClickhouseError("no", "timeout"), "did not end within"),
        (ClickhouseError("x" * 5000, "unreachable"), "xxx..."),
    ],
)
def test_an_error_is_a_reason(lab: Lab, answers: Answers, error: ClickhouseError, reason: str) -> None:
    lab.table("x UInt16, d DateTime", "SELECT 1, 1")
    answers.changes["FROM `db`.`t`"] = error
    cast = {"check": "cast", "table": "t", "column": "x"}
    found = lab.ask(
        {**cast, "type": "UInt8"}, {**cast, "type": "Int8"}, {"check": "ttl", "table": "t", "ttl": "d"}
    )
    assert [item["verdict"] for item in found] == ["unknown"] * 3
    assert all(reason in item["text"] and len(item["text"]) < 500 for item in found)


def test_every_query_is_bounded(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    lab.table("x UInt16, d DateTime", "SELECT 1, 1")
    seen: list[dict[str, Any]] = []
    query = lab.engine.query

    def watched(sql: str, params: Any = None, settings: Any = None) -> Answer:
        assert params is None
        seen.append(settings)
        return query(sql, params, settings)

    monkeypatch.setattr(lab.engine, "query", watched)
    checks = ("ttl", "column_ttl", "cast", "rewrite_bytes", "readers", "rebuild_space")
    more = {"table": "t", "column": "x", "type": "UInt8", "ttl": "d"}
    lab.ask(*({"check": check, **more} for check in checks), seconds=20)
    assert len(seen) >= 8
    assert all(0 < item["max_execution_time"] <= 20 for item in seen)
    assert all(item["timeout_overflow_mode"] == item["read_overflow_mode"] == "throw" for item in seen)


def test_a_check_that_is_not_known_blocks(lab: Lab) -> None:
    found = lab.ask({"check": "luck", "table": "t"}, {"check": "ttl", "table": "t"}, {})
    assert [item["verdict"] for item in found] == ["unknown"] * 3
    assert [is_blocking(item) for item in found] == [True, False, True]
    assert "no ttl" in found[1]["text"]


def test_findings_keep_the_order_of_the_steps(lab: Lab) -> None:
    lab.table("x UInt16, d DateTime", "SELECT 1, 1")
    cast = {"check": "cast", "table": "t", "column": "x", "type": "UInt8"}
    steps = [
        {"name": "a", "checks": [cast, {"check": "readers", "table": "t", "column": "x"}]},
        {"name": "b"},
        {"name": "c", "checks": [cast]},
    ]
    found = assess(Server(lab.engine, "db", "q"), steps)  # type: ignore[arg-type]
    assert [(item["step"], item["check"]) for item in found] == [
        ("a", "cast"),
        ("a", "readers"),
        ("c", "cast"),
    ]
    assert {"step", "check", "object", "observed", "limit", "verdict", "text"} <= found[0].keys()
