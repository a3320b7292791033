# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rolling steps back and bringing data back, on a real engine, also when killed after any statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import ClickhouseError
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError, Table
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.server.apply import apply, demand_unmoved
from ansible_collections.suho.platform.plugins.module_utils.schema.server.quarantine import (
    Kept,
    entry_of,
    free_name,
    restorable,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.server.restore import restore
from ansible_collections.suho.platform.plugins.module_utils.schema.server.rollback import Data, roll_back
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.ddl import parse_create
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step
from clickhouse_engine import EngineConnection

DB, Q = "db", "db_quarantine"
NEW_TABLE = "CREATE TABLE db.fresh (`k` String, `d` Date, `v` Nullable(Float64)) ENGINE = MergeTree PARTITION BY d ORDER BY k"
STEPS = [
    {
        "name": "alter.bars",
        "statement": "ALTER TABLE db.bars ADD COLUMN ind String DEFAULT '', ADD COLUMN opt Nullable(UInt8), "
        "ADD INDEX by_ind ind TYPE set(0) GRANULARITY 1",
        "undo": [
            {"action": "drop_index", "table": "bars", "index": "by_ind"},
            {"action": "drop_column", "table": "bars", "column": "opt"},
            {"action": "drop_column", "table": "bars", "column": "ind"},
        ],
    },
    {
        "name": "create.fresh",
        "statement": NEW_TABLE,
        "undo": [{"action": "quarantine_table", "table": "fresh"}],
    },
]
# As version 0.1.0 recorded them: what it wrote still rolls back.
COLUMNS = {"bars": ["k", "t", "x", "ind", "opt"], "fresh": ["k", "d", "v"]}


def reverse(
    server: Server, steps: list[dict[str, Any]], release: str, data: Data | None = None
) -> list[Kept]:
    return roll_back(server, [Step.from_dict(step) for step in steps], release, data)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    yield connection
    connection.close()


class Lab:
    """A small database in the state of an audit, and a release on top of it."""

    def __init__(self, engine: EngineConnection) -> None:
        self.engine = engine
        engine.fresh_database(DB, Q)
        engine.run("CREATE DATABASE db")
        engine.run(
            "CREATE TABLE db.bars (k String, t DateTime, x Float64) ENGINE = MergeTree PARTITION BY k ORDER BY (k, t)"
        )
        engine.run(
            "INSERT INTO db.bars SELECT ['a','b'][number % 2 + 1], number, number / 3 FROM numbers(100)"
        )
        self.before = self.ddl()

    def server(self, **more: Any) -> Server:
        return Server(self.engine, DB, Q, **more)  # type: ignore[arg-type]

    def deploy(self) -> None:
        for step in STEPS:
            self.engine.run(str(step["statement"]))

    def write(self) -> None:
        # Two rows with one key, of which only one has a value; a value that looks like NULL; a real NULL.
        self.engine.run(
            "INSERT INTO db.bars SELECT 'a', 1000 + number, number, concat('i', toString(number)), "
            "if(number % 3 = 0, NULL, number) FROM numbers(50)"
        )
        self.engine.run(
            "INSERT INTO db.bars SELECT 'a', 1000 + number, number + 0.5, '', NULL FROM numbers(50)"
        )
        self.engine.run("INSERT INTO db.bars VALUES ('b', 5000, 1, '\\\\N', 0), ('b', 5000, 1, '\\\\N', 0)")
        self.engine.run(
            "INSERT INTO db.fresh SELECT toString(number), toDate(number % 3), if(number % 2, NULL, number) "
            "FROM numbers(60)"
        )

    def ddl(self) -> list[tuple[Any, ...]]:
        sql = f"SELECT name, create_table_query FROM system.tables WHERE database = '{DB}' ORDER BY name"
        return self.engine.query(sql).rows

    def content(self) -> list[Any]:
        bars = self.engine.query("SELECT * FROM db.bars ORDER BY ALL").rows
        return [bars, self.engine.query("SELECT * FROM db.fresh ORDER BY ALL").rows]

    def restore(self, server: Server | None = None) -> list[dict[str, Any]]:
        server = server or self.server()
        return restore(server, restorable(server.objects(Q), COLUMNS))


@pytest.fixture
def lab(engine: EngineConnection) -> Lab:
    return Lab(engine)


def test_reverse_and_restore_keep_every_row(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    content, deployed = lab.content(), lab.ddl()
    kept = {item.object: item.rows for item in reverse(lab.server(), STEPS, "r1")}
    assert kept == {"db.fresh": 60, "db.bars.ind": 52, "db.bars.opt": 35}
    assert lab.ddl() == lab.before
    assert lab.engine.scalar("SELECT count() FROM db.bars") == 202
    lab.deploy()
    back = {item["object"]: item["rows"] for item in lab.restore()}
    assert back == kept
    assert lab.content() == content
    assert lab.ddl() == deployed
    assert lab.restore() == [], "nothing is restored twice"
    left = sorted(item["name"] for item in lab.server().objects(Q))
    assert left == ["bars__ind__r1~restored", "bars__opt__r1~restored"]


def test_a_second_reverse_changes_nothing(lab: Lab) -> None:
    lab.deploy()
    reverse(lab.server(), STEPS, "r1")
    server = lab.server()
    assert reverse(server, STEPS, "r1") == []
    assert server.executed == []


def test_a_dry_reverse_tells_and_does_nothing(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    content, deployed = lab.content(), lab.ddl()
    server = lab.server(dry=True)
    kept = {item.object: item.rows for item in reverse(server, STEPS, "r1")}
    assert kept == {"db.fresh": 60, "db.bars.ind": 52, "db.bars.opt": 35}
    assert len(server.pending) == 5
    assert server.executed == []
    assert (lab.content(), lab.ddl()) == (content, deployed)
    assert server.objects(Q) == []


def test_what_is_kept_by_policy_stays_with_its_rows(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    content = lab.content()
    kept = {item.object: item.rows for item in reverse(lab.server(), STEPS, "r1", Data(keep=True))}
    assert kept == {"db.fresh": 60, "db.bars.ind": 202, "db.bars.opt": 202}
    assert lab.content() == content
    assert lab.server().objects(Q) == []


def test_only_what_is_named_is_dropped(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    drop = Data(drop=frozenset({"fresh", "bars.opt"}))
    kept = {item.object: item.rows for item in reverse(lab.server(), STEPS, "r1", drop)}
    assert kept == {"db.bars.ind": 52}
    assert lab.ddl() == lab.before
    again = lab.server()
    assert reverse(again, STEPS, "r1", drop) == []
    assert again.executed == []


@pytest.mark.parametrize("name", ["bars", "bars.x", "nothing", "fresh.k", ""])
def test_what_the_release_has_not_added_is_never_dropped(lab: Lab, name: str) -> None:
    lab.deploy()
    deployed = lab.ddl()
    with pytest.raises(
        SchemaError, match=r"was not added by the release; it has added bars\.ind, bars\.opt, fresh"
    ):
        reverse(lab.server(), STEPS, "r1", Data(drop=frozenset({name})))
    assert lab.ddl() == deployed


class Killed(Exception):
    """The run ends here, as if its process had been killed."""


def killed_after(lab: Lab, statements: int, work: Callable[[Server], Any]) -> bool:
    """Let *work* do that many changes, then end it; tells whether it was ended before it was complete."""
    server, left = lab.server(), [statements]

    def limited(original: Callable[[str], None]) -> Callable[[str], None]:
        def run(statement: str) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            original(statement)

        return run

    server.run = limited(server.run)  # type: ignore[method-assign]
    server.helper = limited(server.helper)  # type: ignore[method-assign]
    try:
        work(server)
    except Killed:
        return True
    return False


def test_a_killed_reverse_is_continued(engine: EngineConnection) -> None:
    ended_early, statements = True, 0
    while ended_early:
        lab = Lab(engine)
        lab.deploy()
        lab.write()
        content = lab.content()
        ended_early = killed_after(lab, statements, lambda server: reverse(server, STEPS, "r1"))
        reverse(lab.server(), STEPS, "r1")
        assert lab.ddl() == lab.before, f"killed after {statements}"
        lab.deploy()
        lab.restore()
        assert lab.content() == content, f"killed after {statements}"
        statements += 1
    assert statements > 10


def test_a_column_takes_no_new_value_while_it_is_copied(lab: Lab) -> None:
    lab.deploy()
    # Four changes: the quarantine database, the table, the index, and the constraint of the first column.
    assert killed_after(lab, 4, lambda server: reverse(server, STEPS, "r1"))
    with pytest.raises(ClickhouseError, match="VIOLATED_CONSTRAINT"):
        lab.engine.run("INSERT INTO db.bars (k, t, x, opt) VALUES ('a', 1, 1, 5)")
    lab.engine.run("INSERT INTO db.bars (k, t, x) VALUES ('a', 1, 1)")
    reverse(lab.server(), STEPS, "r1")
    assert lab.ddl() == lab.before


def test_inserts_that_run_already_are_waited_for(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    server = lab.server()
    seen = [[{"id": "a"}, {"id": "b"}], [{"id": "b"}, {"id": "c"}], [{"id": "c"}]]
    monkeypatch.setattr(server, "rows", lambda sql: seen.pop(0))
    server.wait_for_inserts()
    assert seen == []
    monkeypatch.setattr(server, "rows", lambda sql: [{"id": "for ever"}])
    monkeypatch.setattr(lab.engine.login, "receive_timeout", 0.3)
    with pytest.raises(SchemaError, match="1 inserts are still running"):
        server.wait_for_inserts()


def test_a_killed_restore_is_continued(engine: EngineConnection) -> None:
    ended_early, statements = True, 0
    while ended_early:
        lab = Lab(engine)
        lab.deploy()
        lab.write()
        content = lab.content()
        reverse(lab.server(), STEPS, "r1")
        lab.deploy()
        ended_early = killed_after(lab, statements, lab.restore)
        lab.restore()
        assert lab.content() == content, f"killed after {statements}"
        assert lab.restore() == []
        statements += 1
    assert statements > 8


def test_rows_of_an_older_definition_are_copied_and_the_original_is_kept(engine: EngineConnection) -> None:
    newer = NEW_TABLE.replace("`v` Nullable(Float64)", "`v` Nullable(Float64), `w` UInt8 DEFAULT 7")
    columns = {"fresh": ["k", "d", "v", "w"]}
    ended_early, statements = True, 0
    while ended_early:
        lab = Lab(engine)
        lab.deploy()
        lab.write()
        rows = lab.content()[1]
        reverse(lab.server(), STEPS, "r1")
        engine.run(newer)

        def work(server: Server) -> None:
            restore(server, restorable(server.objects(Q), columns))

        ended_early = killed_after(lab, statements, work)
        work(lab.server())
        assert engine.query("SELECT k, d, v FROM db.fresh ORDER BY ALL").rows == rows, (
            f"killed after {statements}"
        )
        assert engine.scalar("SELECT count() FROM db.fresh WHERE w = 7") == 60
        names = [item["name"] for item in lab.server().objects(Q)]
        assert "fresh__r1~restored" in names
        assert not any(name.endswith("~staging") for name in names)
        statements += 1
    assert statements > 6


def test_rows_that_were_written_meanwhile_stay(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    reverse(lab.server(), STEPS, "r1")
    lab.deploy()
    lab.engine.run("INSERT INTO db.fresh VALUES ('new', '2020-01-01', 1)")
    lab.engine.run("INSERT INTO db.bars VALUES ('a', 1000, 77, 'newer', 1)")
    lab.restore()
    assert lab.engine.scalar("SELECT count() FROM db.fresh") == 61
    assert lab.engine.scalar("SELECT ind FROM db.bars WHERE x = 77") == "newer"
    assert lab.engine.scalar("SELECT countIf(ind != '') FROM db.bars") == 53


def test_values_without_a_row_stay_in_the_quarantine_and_are_counted(lab: Lab) -> None:
    lab.deploy()
    lab.write()
    reverse(lab.server(), STEPS, "r1")
    lab.engine.run("ALTER TABLE db.bars DELETE WHERE t >= 1000 AND t < 1010")
    lab.deploy()
    back = {item["object"]: item for item in lab.restore() if item["object"] == "db.bars.ind"}
    assert back["db.bars.ind"]["rows"] == 42
    assert back["db.bars.ind"]["without_row"] == 10
    assert lab.engine.scalar(f"SELECT count() FROM {Q}.`bars__ind__r1~restored`") == 52


def test_two_releases_after_each_other_use_names_of_their_own(lab: Lab) -> None:
    for release in ("r1", "r1", "r2"):
        lab.deploy()
        lab.write()
        reverse(lab.server(), STEPS, release)
    names = {item["name"] for item in lab.server().objects(Q)}
    assert {"fresh__r1", "fresh__r1~2", "fresh__r2"} <= names
    lab.deploy()
    lab.restore()
    assert lab.engine.scalar("SELECT count() FROM db.fresh") == 180


def test_a_table_that_feeds_a_view_is_not_moved(lab: Lab) -> None:
    lab.deploy()
    lab.engine.run("CREATE MATERIALIZED VIEW db.mv ENGINE = MergeTree ORDER BY k AS SELECT k FROM db.fresh")
    with pytest.raises(SchemaError, match=r"db\.mv would stop working"):
        reverse(lab.server(), STEPS, "r1")
    assert lab.engine.scalar("EXISTS db.fresh") == 1


def test_a_column_that_a_view_reads_is_not_dropped(lab: Lab) -> None:
    lab.deploy()
    lab.engine.run("CREATE VIEW db.v AS SELECT ind FROM db.bars")
    with pytest.raises(SchemaError, match="v reads it"):
        reverse(lab.server(), STEPS, "r1")
    assert lab.engine.scalar("SELECT count() FROM system.columns WHERE table = 'bars' AND name = 'ind'") == 1


def test_a_change_that_was_allowed_is_changed_back_once(lab: Lab) -> None:
    lab.engine.run("ALTER TABLE db.bars MODIFY TTL t + INTERVAL 9 YEAR")
    lab.before = lab.ddl()
    lab.engine.run("ALTER TABLE db.bars MODIFY TTL t + INTERVAL 99 YEAR")
    statement = "ALTER TABLE `db`.`bars` MODIFY TTL t + toIntervalYear(9)"
    steps = [{"name": "bars.ttl", "undo": [{"action": "run", "table": "bars", "statement": statement}]}]
    server = lab.server()
    reverse(server, steps, "r1")
    reverse(server, steps, "r1")
    assert [item.statement for item in server.executed] == [statement]
    assert lab.ddl() == lab.before


def test_a_schema_that_moved_since_the_plan_is_not_touched(lab: Lab) -> None:
    seen = lab.server().read()["fingerprint"]
    lab.engine.run("ALTER TABLE db.bars ADD COLUMN surprise UInt8")
    server = lab.server()
    with pytest.raises(SchemaError, match="changed by someone else"):
        demand_unmoved(DB, server.read(), seen)
    assert server.executed == []


def test_a_refused_statement_is_named(lab: Lab) -> None:
    server = lab.server()
    with pytest.raises(SchemaError, match=r"step create\.fresh: .*the statement was: CREATE NONSENSE"):
        apply(server, [Step.from_dict({"name": "create.fresh", "statement": "CREATE NONSENSE"})], "r1", [])


@pytest.mark.parametrize(
    "undo",
    [
        {"action": "drop_database", "table": "bars"},
        {"action": "drop_column", "table": "bars"},
        {"action": "drop_column", "table": "bars", "column": ""},
        {"action": "drop_column", "table": "bars", "column": "a\nb"},
        {"table": "bars"},
    ],
)
def test_what_no_release_has_recorded_is_not_taken_back(lab: Lab, undo: dict[str, str]) -> None:
    with pytest.raises((SchemaError, ValueError)):
        reverse(lab.server(), [*STEPS, {"name": "x", "undo": [undo]}], "r1")
    assert lab.ddl() == lab.before


# Names ---------------------------------------------------------------------------------------------------------


def test_names_that_are_taken_get_a_number() -> None:
    assert free_name("t__r", []) == "t__r"
    assert free_name("t__r", ["t__r", "t__r~2"]) == "t__r~3"
    assert free_name("t__r", ["t__r~restored"], "restored") == "t__r~2~restored"


@pytest.mark.parametrize(
    ("name", "comment", "expected"),
    [
        ("t__r1", "", ("t", "", "r1")),
        ("a__b__r1", "", ("a__b", "", "r1")),
        ("t__2025-10-06T22.05Z~2", "", ("t", "", "2025-10-06T22.05Z")),
        ("t__r1~staging", "", ("t", "", "r1")),
        ("t__r1~restored", "", None),
        ("t__c__r1~copy", "", None),
        ("t__c__r1~lookup", "", None),
        ("something", "", None),
        ("t__c__r1", "not json", ("t__c", "", "r1")),
        (
            "t__c__r1",
            json.dumps({"quarantine": 1, "table": "t", "column": "c", "keys": [], "columns": []}),
            ("t", "c", "r1"),
        ),
    ],
)
def test_quarantine_names_are_read_back(name: str, comment: str, expected: tuple[str, ...] | None) -> None:
    entry = entry_of({"name": name, "comment": comment})
    assert (entry and (entry.table, entry.column, entry.release)) == expected


def test_a_copy_beside_its_original_is_not_restored_for_itself() -> None:
    items = [{"name": "fresh__r1", "comment": ""}, {"name": "fresh__r1~staging", "comment": ""}]
    assert [item["name"] for item in restorable(items, COLUMNS)] == ["fresh__r1"]
    assert [item["name"] for item in restorable(items[1:], COLUMNS)] == ["fresh__r1~staging"]


def test_errors_of_the_engine_are_clickhouse_errors(engine: EngineConnection) -> None:
    with pytest.raises(ClickhouseError):
        engine.run("SELECT nonsense")


# Steps of every kind, as the planner makes them ------------------------------------------------------------

OLD = """CREATE TABLE db.t (k String, n UInt8 DEFAULT 1, s String CODEC(ZSTD(1)) COMMENT 'c', d DateTime,
    INDEX i n TYPE minmax GRANULARITY 1, CONSTRAINT p CHECK n < 200, PROJECTION q (SELECT k, count() GROUP BY k)
) ENGINE = MergeTree PARTITION BY toYear(d) ORDER BY k TTL d + INTERVAL 9000 DAY SETTINGS min_bytes_for_wide_part = 0;
CREATE TABLE db.z (k String, c UInt64) ENGINE = MergeTree ORDER BY k;
CREATE TABLE db.a (k String) ENGINE = MergeTree ORDER BY k;
CREATE MATERIALIZED VIEW db.mv TO db.z AS SELECT k, 1 AS c FROM db.t;
CREATE VIEW db.v AS SELECT k FROM db.t;
CREATE DICTIONARY db.w (k String, c UInt64 DEFAULT 0) PRIMARY KEY k SOURCE(CLICKHOUSE(DB 'db' TABLE 'z'))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(60)"""
NEW = """CREATE TABLE db.t (s String, k String, m UInt16 DEFAULT 2, -- renamed-from: n
    d DateTime, x Nullable(UInt8), INDEX i m TYPE set(0) GRANULARITY 1, INDEX j x TYPE minmax GRANULARITY 1,
    CONSTRAINT p CHECK m < 300, CONSTRAINT o CHECK k != 'never', PROJECTION q (SELECT k, max(m) GROUP BY k),
    PROJECTION r (SELECT s, count() GROUP BY s)
) ENGINE = MergeTree PARTITION BY toYear(d) ORDER BY k TTL d + INTERVAL 9001 DAY SETTINGS ttl_only_drop_parts = 1
COMMENT 'new';
-- renamed-from: a
CREATE TABLE db.b (k String) ENGINE = MergeTree ORDER BY k;
CREATE TABLE db.y (k String, c UInt64) ENGINE = MergeTree ORDER BY k;
CREATE MATERIALIZED VIEW db.mv TO db.y AS SELECT k, 2 AS c FROM db.t;
CREATE VIEW db.v AS SELECT k, x FROM db.t;
CREATE DICTIONARY db.w (k String, c UInt64 DEFAULT 5) PRIMARY KEY k SOURCE(CLICKHOUSE(DB 'db' TABLE 'y'))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(60);
CREATE DICTIONARY db.w2 (k String, c UInt64 DEFAULT 5) PRIMARY KEY k SOURCE(CLICKHOUSE(DB 'db' TABLE 'y'))
LAYOUT(COMPLEX_KEY_HASHED()) LIFETIME(60)"""


class Changed(Lab):
    """A database on which a release changes something of every kind."""

    def __init__(self, engine: EngineConnection) -> None:
        self.engine = engine
        engine.fresh_database(DB, Q)
        engine.run("CREATE DATABASE db")
        for statement in OLD.split(";"):
            engine.run(statement)
        engine.run("INSERT INTO db.t SELECT toString(number), number, 's', '2024-01-01' FROM numbers(100)")
        self.before = self.tables()

    def tables(self) -> dict[str, Table]:
        """All parts of all objects; the order of settings and indexes means nothing."""
        return {name: parse_create(ddl) for name, ddl in self.ddl()}

    def plan(self) -> list[dict[str, Any]]:
        with PlannerProcess(timeout=60) as planner:
            answer = planner.ask(
                {
                    "database": DB,
                    "live": self.server().objects(DB),
                    "files": [{"path": "new.sql", "text": NEW}],
                    "allow": ["rewrite", "destructive"],
                }
            )
        assert answer["refused"] == [], str(answer["refused"])
        steps: list[dict[str, Any]] = answer["steps"]
        return steps

    def apply(self, steps: list[dict[str, Any]]) -> None:
        for step in steps:
            self.engine.run(step["statement"])


def test_steps_of_every_kind_are_taken_back_also_when_killed_in_between(engine: EngineConnection) -> None:
    lab = Changed(engine)
    steps = lab.plan()
    assert {step["name"].partition(".")[0] for step in steps} == {
        "rename",
        "alter",
        "drop",
        "create",
        "replace",
    }
    ended_early, statements = True, 0
    while ended_early:
        lab = Changed(engine)
        lab.apply(steps)
        engine.run(
            "INSERT INTO db.t (k, m, x, d) SELECT toString(number), number, 7, '2024-01-01' FROM numbers(50)"
        )
        ended_early = killed_after(lab, statements, lambda server: reverse(server, steps, "r1"))
        reverse(lab.server(), steps, "r1")
        assert lab.tables() == lab.before, f"killed after {statements}"
        assert engine.query("SELECT count(), sum(n) FROM db.t").rows == [(150, 4950 + 1225)]
        assert engine.scalar("SELECT count() FROM db.z") == 100
        assert engine.scalar("SELECT count() FROM db_quarantine.`t__x__r1`") == 50
        again = lab.server()
        reverse(again, steps, "r1")
        assert again.executed == [], f"killed after {statements}"
        statements += 1
    assert statements > 10
