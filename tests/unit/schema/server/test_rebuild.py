# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Another engine or other keys, there and back on a real engine: under writes, and killed after any statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import ClickhouseError
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.server.apply import apply
from ansible_collections.suho.platform.plugins.module_utils.schema.server.quarantine import Kept, restorable
from ansible_collections.suho.platform.plugins.module_utils.schema.server.rollback import roll_back
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step
from clickhouse_engine import EngineConnection

DB, Q = "db", "db_quarantine"
OLD = "CREATE TABLE db.t (k String, d DateTime, n Nullable(UInt32), m UInt8 MATERIALIZED 3) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY k"
NEW = OLD.replace("toYYYYMM(d) ORDER BY k", "toYear(d) ORDER BY (k, d)")


def reverse(server: Server, steps: list[dict[str, Any]], release: str) -> list[Kept]:
    return roll_back(server, [Step.from_dict(step) for step in steps], release)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


class Lab:
    def __init__(self, engine: EngineConnection, planner: PlannerProcess, old: str = OLD) -> None:
        self.engine = engine
        self.planner = planner
        engine.fresh_database(DB, Q)
        for statement in (
            "CREATE DATABASE db",
            old,
            "CREATE TABLE db.z (k String, c UInt64) ENGINE = SummingMergeTree ORDER BY k",
            "CREATE MATERIALIZED VIEW db.mv TO db.z AS SELECT k, count() AS c FROM db.t GROUP BY k",
            "INSERT INTO db.t SELECT toString(number), toDateTime('2024-01-01') + number * 86400, number FROM numbers(100)",
            "INSERT INTO db.t VALUES ('twice', '2024-01-01', NULL), ('twice', '2024-01-01', NULL)",
        ):
            engine.run(statement)
        self.before = self.table()

    def server(self) -> Server:
        return Server(self.engine, DB, Q)  # type: ignore[arg-type]

    def plan(self, wanted: str = NEW) -> dict[str, Any]:
        return self.planner.ask(
            {
                "database": DB,
                "live": self.server().objects(DB),
                "files": [{"path": "t.sql", "text": wanted}],
                "allow": ["t.rebuild"],
            }
        )

    def deploy(self, server: Server | None = None, wanted: str = NEW) -> list[dict[str, Any]]:
        server = server or self.server()
        plan = self.plan(wanted)
        assert plan["refused"] == []
        apply(server, [Step.from_dict(step) for step in plan["steps"]], "r1", [])
        steps: list[dict[str, Any]] = plan["steps"]
        return steps

    def write(self, name: str, rows: int = 10) -> None:
        self.engine.run(
            f"INSERT INTO db.t SELECT '{name}', toDateTime('2024-03-05') + number, 1 FROM numbers({rows})"
        )

    def table(self) -> list[tuple[Any, ...]]:
        return self.engine.query(
            "SELECT engine, partition_key, sorting_key, create_table_query FROM system.tables WHERE database = 'db' AND name = 't'"
        ).rows

    def rows(self) -> list[tuple[Any, ...]]:
        return self.engine.query("SELECT k, d, n, m FROM db.t ORDER BY ALL").rows

    def seen_by_the_view(self) -> int:
        return int(self.engine.scalar("SELECT sum(c) FROM db.z"))


@pytest.fixture
def lab(engine: EngineConnection, planner: PlannerProcess) -> Lab:
    return Lab(engine, planner)


class Killed(Exception):
    """The run ends here, as if its process had been killed."""


def killed_after(lab: Lab, statements: int, work: Callable[[Server], Any]) -> bool:
    """Let *work* do that many changes, then end it; tells whether it was ended before it was complete."""
    server, left = lab.server(), [statements]

    def limited(original: Callable[..., None]) -> Callable[..., None]:
        def run(statement: str, *more: Any) -> None:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            original(statement, *more)

        return run

    original = lab.engine.run
    lab.engine.run = limited(original)  # type: ignore[method-assign]
    try:
        work(server)
    except Killed:
        return True
    finally:
        lab.engine.run = original  # type: ignore[method-assign]
    return False


def test_there_and_back_every_row_is_kept_and_views_go_on(lab: Lab) -> None:
    rows = lab.rows()
    steps = lab.deploy()
    assert lab.table()[0][:3] == ("MergeTree", "toYear(d)", "k, d")
    assert lab.rows() == rows
    lab.write("later")
    assert lab.seen_by_the_view() == 112
    (kept,) = reverse(lab.server(), steps, "r1")
    assert lab.table() == lab.before
    assert lab.rows() == sorted([*rows, *[row for row in lab.rows() if row[0] == "later"]])
    assert len(lab.rows()) == 112
    assert lab.seen_by_the_view() == 112, "rows that come back do not pass through the view again"
    assert kept.rows == 112
    lab.write("after")
    assert lab.seen_by_the_view() == 122


def test_a_second_deploy_and_a_second_way_back_change_nothing(lab: Lab) -> None:
    steps = lab.deploy()
    assert lab.plan()["steps"] == []
    reverse(lab.server(), steps, "r1")
    again = lab.server()
    assert reverse(again, steps, "r1") == []
    assert again.executed == []


def test_what_is_kept_is_never_restored_into_the_table(lab: Lab) -> None:
    steps = lab.deploy()
    columns = {"t": ["k", "d", "n", "m"]}
    assert restorable(lab.server().objects(Q), columns) == []
    reverse(lab.server(), steps, "r1")
    assert restorable(lab.server().objects(Q), columns) == []


def test_rows_that_come_while_it_is_copied_are_copied_too(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A writer writes after every statement; what it was told to be written is there in the end."""
    original, told, denied = lab.engine.run, [0], []

    def run(statement: str, *more: Any) -> None:
        original(statement, *more)
        if statement.startswith(("INSERT INTO `db_quarantine`", "ALTER TABLE `db`.`t`")):
            try:
                original(f"INSERT INTO db.t VALUES ('w{told[0]}', '2024-02-0{1 + told[0] % 7}', {told[0]})")
                told[0] += 1
            except ClickhouseError as error:
                denied.append(str(error))

    monkeypatch.setattr(lab.engine, "run", run)
    lab.deploy()
    monkeypatch.undo()
    assert told[0] >= 3
    assert denied, "while the table is closed, a writer is told so"
    assert all("VIOLATED_CONSTRAINT" in text for text in denied)
    assert len(lab.rows()) == 102 + told[0]


def test_a_killed_rebuild_is_continued_or_undone(engine: EngineConnection, planner: PlannerProcess) -> None:
    ended_early, statements = True, 0
    while ended_early:
        for finish in ("deploy", "rollback"):
            lab = Lab(engine, planner)
            rows, steps = lab.rows(), lab.plan()["steps"]
            ended_early = killed_after(lab, statements, lab.deploy)
            if finish == "deploy":
                lab.deploy()
                assert lab.table()[0][:3] == ("MergeTree", "toYear(d)", "k, d"), f"killed after {statements}"
            else:
                reverse(lab.server(), steps, "r1")
                assert lab.table() == lab.before, f"killed after {statements}"
            assert lab.rows() == rows, f"killed after {statements}, then {finish}"
            lab.write("open")
            assert len(lab.rows()) == 112
        statements += 1
    assert statements > 8


def test_a_killed_way_back_is_continued_or_followed_by_a_deploy(
    engine: EngineConnection, planner: PlannerProcess
) -> None:
    ended_early, statements = True, 0
    while ended_early:
        for finish in ("rollback", "deploy"):
            lab = Lab(engine, planner)
            steps = lab.deploy()
            lab.write("later")
            rows = lab.rows()
            ended_early = killed_after(
                lab, statements, lambda server, steps=steps: reverse(server, steps, "r1")
            )
            if finish == "rollback":
                reverse(lab.server(), steps, "r1")
                assert lab.table() == lab.before, f"killed after {statements}"
            else:
                lab.deploy()
                assert lab.table()[0][:3] == ("MergeTree", "toYear(d)", "k, d"), f"killed after {statements}"
            assert lab.rows() == rows, f"killed after {statements}, then {finish}"
            assert lab.seen_by_the_view() == 112
            lab.write("open")
            assert len(lab.rows()) == 122
        statements += 1
    assert statements > 6


def test_an_engine_that_merges_rows_is_compared_by_keys(
    engine: EngineConnection, planner: PlannerProcess
) -> None:
    lab = Lab(engine, planner)
    lab.deploy(wanted=NEW.replace("= MergeTree", "= ReplacingMergeTree"))
    assert lab.table()[0][0] == "ReplacingMergeTree"
    assert engine.scalar("SELECT uniqExact(k, d) FROM db.t") == 101


def test_a_table_without_partitions_is_rebuilt_too(engine: EngineConnection, planner: PlannerProcess) -> None:
    lab = Lab(engine, planner, OLD.replace(" PARTITION BY toYYYYMM(d)", ""))
    rows = lab.rows()
    lab.deploy()
    assert lab.rows() == rows


def test_a_copy_that_is_not_equal_is_never_exchanged(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    original = lab.engine.run

    def run(statement: str, *more: Any) -> None:
        if not (statement.startswith("INSERT INTO `db_quarantine`") and "202402" in statement):
            original(statement, *more)

    monkeypatch.setattr(lab.engine, "run", run)
    with pytest.raises(SchemaError, match=r"holds 73 rows with checksum \d+, expected 102"):
        lab.deploy()
    monkeypatch.undo()
    assert lab.table()[0][:3] == ("MergeTree", "toYYYYMM(d)", "k")
    lab.deploy()
    assert len(lab.rows()) == 102


def test_a_database_that_cannot_exchange_is_an_error_before_anything(lab: Lab) -> None:
    lab.engine.run("CREATE DATABASE db_quarantine ENGINE = Memory")
    with pytest.raises(SchemaError, match="has the engine Memory"):
        lab.deploy()
    assert lab.table() == lab.before


def test_without_its_name_nothing_is_rebuilt(lab: Lab) -> None:
    answer = lab.planner.ask(
        {
            "database": DB,
            "live": lab.server().objects(DB),
            "files": [{"path": "t.sql", "text": NEW}],
            "allow": ["rewrite", "destructive"],
        }
    )
    assert {item["name"] for item in answer["refused"]} == {"t.partition_by", "t.order_by", "t.primary_key"}
    assert "allow it by its name, t.rebuild" in answer["refused"][0]["reason"]


def test_what_was_refused_of_a_table_does_not_come_with_its_rebuild(lab: Lab) -> None:
    answer = lab.plan(NEW + " TTL d + INTERVAL 1 DAY")
    assert answer["steps"] == []
    assert any("settled first: t.ttl" in item["reason"] for item in answer["refused"])
