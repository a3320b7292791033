# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A column that no file names goes by its name only, its values go to the quarantine first, and come back from there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.server.apply import apply
from ansible_collections.suho.platform.plugins.module_utils.schema.server.quarantine import Kept, restorable
from ansible_collections.suho.platform.plugins.module_utils.schema.server.restore import restore
from ansible_collections.suho.platform.plugins.module_utils.schema.server.rollback import roll_back
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step
from clickhouse_engine import EngineConnection

OLD = (
    "CREATE TABLE db.t (k String, a Nullable(UInt8) COMMENT 'first', n UInt8 DEFAULT 3, b Array(String), d Date) "
    "ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY k"
)
FILE = "CREATE TABLE t (k String, n UInt16 DEFAULT 3, d Date) ENGINE = MergeTree PARTITION BY toYYYYMM(d) ORDER BY k"
ALLOW = ["rewrite", "t.column.a", "t.column.b"]


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


class Killed(Exception):
    """The machine was switched off."""


class Lab:
    """A table with rows of which some share their key, and the plan that takes two columns away."""

    def __init__(self, engine: EngineConnection, planner: PlannerProcess) -> None:
        self.engine, self.planner = engine, planner
        engine.fresh_database("db", "db_quarantine")
        engine.run("CREATE DATABASE db")
        engine.run(OLD)
        engine.run(
            "INSERT INTO db.t SELECT toString(number % 40), if(number % 3 = 0, NULL, number), number, "
            "if(number % 4 = 0, [], [toString(number)]), toDate('2024-01-01') + number FROM numbers(90)"
        )
        self.before = self.content()

    def content(self) -> list[Any]:
        return sorted(map(repr, self.engine.query("SELECT k, a, n, b, d FROM db.t").rows))

    def plan(self, allow: list[str], text: str = FILE) -> dict[str, Any]:
        return self.planner.ask(
            {
                "database": "db",
                "live": self.server().objects("db"),
                "files": [{"path": "t.sql", "text": text}],
                "allow": allow,
            }
        )

    def server(self, limit: int | None = None) -> Server:
        server = Server(self.engine, "db", "db_quarantine")  # type: ignore[arg-type]
        left = [limit]

        def limited(original: Callable[[str], None]) -> Callable[[str], None]:
            def run(statement: str) -> None:
                if left[0] is not None:
                    if left[0] == 0:
                        raise Killed
                    left[0] -= 1
                original(statement)

            return run

        server.run = limited(server.run)  # type: ignore[method-assign]
        server.helper = limited(server.helper)  # type: ignore[method-assign]
        return server

    def deploy(self, server: Server | None = None) -> list[dict[str, Any]]:
        """What the module does: plan for what is there, then each step."""
        server = server or self.server()
        answer = self.plan(ALLOW)
        assert answer["refused"] == []
        apply(server, [Step.from_dict(step) for step in answer["steps"]], "r1", [])
        steps: list[dict[str, Any]] = answer["steps"]
        return steps

    def columns(self) -> list[str]:
        return list(self.server().columns("t"))


@pytest.fixture
def lab(engine: EngineConnection, planner: PlannerProcess) -> Lab:
    return Lab(engine, planner)


def test_no_class_allows_it(lab: Lab) -> None:
    answer = lab.plan(["rewrite", "destructive"])
    assert [item["name"] for item in answer["refused"]] == ["t.column.a", "t.column.b"]
    assert (
        "allow it by its name, t.column.a, and its values go to the quarantine first"
        in answer["refused"][0]["reason"]
    )


def test_the_plan_has_a_step_for_each_column_with_its_way_back(lab: Lab) -> None:
    answer = lab.plan(ALLOW)
    assert [step["name"] for step in answer["steps"]] == ["alter.t", "drop.t.b", "drop.t.a"]
    step = answer["steps"][2]
    assert step["statement"] == "ALTER TABLE `db`.`t` DROP COLUMN `a`"
    assert step["rollback_sql"].startswith(
        "ALTER TABLE `db`.`t` ADD COLUMN `a` Nullable(UInt8) COMMENT 'first' AFTER `k`"
    )
    assert step["class"] == "destructive"
    assert step["changes"][0]["checks"] == [{"check": "readers", "table": "t", "column": "a"}]


def test_values_go_to_the_quarantine_and_come_back_exactly(lab: Lab) -> None:
    steps = lab.deploy()
    assert lab.columns() == ["k", "n", "d"]
    assert lab.engine.scalar("SELECT count() FROM db_quarantine.`t__a__r1`") == 60
    assert lab.plan(ALLOW)["steps"] == []
    lab.engine.run("INSERT INTO db.t VALUES ('new', 300, '2024-01-01')")
    reverse(lab.server(), steps, "r1")
    assert lab.columns() == ["k", "a", "n", "b", "d"]
    lab.engine.run("ALTER TABLE db.t DELETE WHERE k = 'new'")
    assert lab.content() == lab.before
    again = lab.server()
    reverse(again, steps, "r1")
    assert again.executed == []


def test_a_later_file_that_names_the_column_brings_its_values_back(lab: Lab) -> None:
    lab.deploy()
    text = FILE.replace("n UInt16", "a Nullable(UInt8) COMMENT 'first', n UInt16")
    answer = lab.plan([], text)
    lab.engine.run(answer["steps"][0]["statement"])
    found = restorable(lab.server().objects("db_quarantine"), answer["columns"])
    assert [(item["table"], item["column"]) for item in found] == [("t", "a")]
    (done,) = restore(lab.server(), found)
    assert (done["rows"], done["without_row"]) == (60, 0)
    assert lab.engine.query("SELECT sum(a), count(a) FROM db.t").rows == [(2700, 60)]


def test_a_column_that_others_stand_on_is_refused_with_the_reason(lab: Lab) -> None:
    lab.engine.run("ALTER TABLE db.t ADD INDEX i a TYPE minmax, ADD CONSTRAINT c CHECK length(b) < 9")
    text = FILE.replace("d Date)", "d Date, INDEX i a TYPE minmax, CONSTRAINT c CHECK length(b) < 9)")
    with pytest.raises(Exception, match=r"t\.sql:1"):
        lab.plan(ALLOW, text)
    key = FILE.replace("ORDER BY k", "ORDER BY n").replace("(k String, ", "(")
    answer = lab.plan([*ALLOW, "t.column.k"], key)
    (refused,) = [item for item in answer["refused"] if item["name"] == "t.column.k"]
    assert "not possible: the rehearsal of drop.t.k failed with code 524" in refused["reason"]


def test_a_column_that_a_view_reads_is_not_dropped(lab: Lab) -> None:
    lab.engine.run("CREATE VIEW db.v AS SELECT k, a FROM db.t")
    steps = lab.plan(ALLOW)["steps"]
    with pytest.raises(Exception, match=r"db\.v reads it"):
        apply(lab.server(), [Step.from_dict(steps[-1])], "r1", [])
    assert "a" in lab.columns()


def test_killed_anywhere_it_goes_on_or_back(engine: EngineConnection, planner: PlannerProcess) -> None:
    ended_early, statements = True, 0
    while ended_early:
        for onward in (True, False):
            lab = Lab(engine, planner)
            steps = lab.plan(ALLOW)["steps"]
            try:
                lab.deploy(lab.server(statements))
                ended_early = False
            except Killed:
                ended_early = True
            if onward:
                lab.deploy()
                assert lab.columns() == ["k", "n", "d"], f"killed after {statements}"
            reverse(lab.server(), steps, "r1")
            guards = lab.plan([])["steps"]
            for step in guards:
                if step["name"].endswith(".unlock"):
                    lab.engine.run(step["statement"])
            assert lab.content() == lab.before, f"killed after {statements}, onward {onward}"
        statements += 1
    assert statements > 8


def test_a_way_back_that_is_killed_goes_on(engine: EngineConnection, planner: PlannerProcess) -> None:
    ended_early, statements = True, 0
    while ended_early:
        lab = Lab(engine, planner)
        steps = lab.deploy()
        try:
            reverse(lab.server(statements), steps, "r1")
            ended_early = False
        except Killed:
            ended_early = True
        reverse(lab.server(), steps, "r1")
        assert lab.content() == lab.before, f"killed after {statements}"
        statements += 1
    assert statements > 6
