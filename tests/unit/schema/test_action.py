# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole task on a real engine: only the transport between controller and target is left out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.suho.platform.plugins.action.clickhouse_schema import ActionModule
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import (
    ClickhouseError,
    login_options,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.modules.clickhouse_schema import report, schema_options, work
from clickhouse_engine import EngineConnection

SECRET = "bars"  # also the name of a table: hiding it must not change what is planned
OLD = "CREATE TABLE db.bars (k String, at DateTime) ENGINE = MergeTree ORDER BY k"
FILES = {
    "01_bars.sql": "CREATE TABLE IF NOT EXISTS bars (k String, ind String DEFAULT '', at DateTime) "
    "ENGINE = MergeTree ORDER BY k;",
    "02_new.sql": "-- new\nCREATE TABLE db.fresh (x UInt8) ENGINE = MergeTree ORDER BY x",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    yield connection
    connection.close()


class Host:
    """A target host: runs the module's own work against the engine, as the module's main() does."""

    def __init__(self, engine: EngineConnection, directory: Path) -> None:
        self.engine = engine
        self.directory = directory
        self.calls: list[str] = []
        self.broken: Exception | None = None
        engine.fresh_database("db", "db_quarantine")

    def files(self, **files: str) -> str:
        for name, text in files.items():
            (self.directory / name.replace("_sql", ".sql")).write_text(text, encoding="utf-8")
        return str(self.directory)

    def module(self, module_args: dict[str, Any], check: bool) -> dict[str, Any]:
        spec = {**login_options(), **schema_options()}
        assert set(module_args) <= set(spec)
        assert "desired" not in module_args
        params = json.loads(
            json.dumps({**{name: item.get("default") for name, item in spec.items()}, **module_args})
        )
        self.calls.append(params["operation"])
        result: dict[str, Any] = {"quarantined": [], "restored": []}
        server = Server(self.engine, params["database"], "db_quarantine", dry=check)  # type: ignore[arg-type]
        try:
            if self.broken:
                raise self.broken
            work(server, params, result)
        except (ClickhouseError, SchemaError) as error:
            result.update(failed=True, msg=str(error))
        report(server, result)
        return {**result, "changed": bool(server.executed or server.pending)}

    def task(self, check: bool = False, **args: Any) -> dict[str, Any]:
        task = SimpleNamespace(
            args={"database": "db", "login_password": SECRET, **args},
            check_mode=check,
            async_val=0,
            diff=False,
            action="suho.platform.clickhouse_schema",
            collections=[],
            environment=None,
        )
        loader = DataLoader()
        action = ActionModule(
            task,
            SimpleNamespace(_shell=SimpleNamespace(tmpdir="unused")),
            SimpleNamespace(),
            loader,
            Templar(loader=loader),
            None,
        )
        action._execute_module = lambda module_name, module_args, task_vars: self.module(module_args, check)
        action._find_needle = lambda kind, name: str(self.directory / name)
        result = action.run(task_vars={})
        json.dumps(result)
        return result

    def present(self, check: bool = False, **args: Any) -> dict[str, Any]:
        return self.task(check, **{"desired": [str(self.directory)], **args})


@pytest.fixture
def host(engine: EngineConnection, tmp_path: Path) -> Host:
    host = Host(engine, tmp_path)
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return host


def audit_state(host: Host) -> None:
    host.engine.run("CREATE DATABASE db")
    host.engine.run(OLD)
    host.engine.run("INSERT INTO db.bars SELECT toString(number), now() FROM numbers(10)")


@pytest.mark.parametrize(
    "args", [{"policy": "drop"}, {"drop": ["fresh"]}, {"policy": "keep", "drop": ["fresh"]}]
)
def test_data_is_dropped_by_policy_and_by_name_only(host: Host, args: dict[str, Any]) -> None:
    audit_state(host)
    done = host.task(state="rolled_back", steps=[], release="r1", **args)
    assert done["failed"]
    assert "data is dropped by policy drop, and only what drop names" in done["msg"]
    assert host.calls == []


# The plan as a value -----------------------------------------------------------------------------------------


class Counted:
    """How often the planner was asked, and how often the whole schema was read from the server."""

    def __init__(self, host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked = self.read = 0
        ask, query = PlannerProcess.ask, host.engine.query

        def counted_ask(planner: PlannerProcess, request: dict[str, Any]) -> dict[str, Any]:
            self.asked += 1
            return ask(planner, request)

        def counted_query(sql: str, *args: Any, **kwargs: Any) -> Any:
            self.read += "FROM system.tables WHERE database IN" in sql
            return query(sql, *args, **kwargs)

        monkeypatch.setattr(PlannerProcess, "ask", counted_ask)
        monkeypatch.setattr(host.engine, "query", counted_query)


def test_a_deploy_asks_the_planner_twice_and_reads_the_schema_three_times(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit_state(host)
    counted = Counted(host, monkeypatch)
    plan = host.present(check=True)["plan"]
    assert (counted.asked, counted.read) == (1, 1)
    done = host.present(release="r1", plan=json.loads(json.dumps(plan)))
    assert not done.get("failed"), done.get("msg")
    assert (counted.asked, counted.read) == (2, 3)
    assert host.calls == ["read", "apply"]
    assert done["executed_statements"] == [step["statement"] for step in plan["steps"]]
    assert (done["changed"], done["pending"], "plan" in done) == (True, [], False)
    assert "CREATE TABLE db.bars (`k` String, `at` DateTime)" in done["live_ddl"]
    assert done["diff"] == plan["diff"]


@pytest.mark.parametrize("check", [False, True])
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE db.bars ADD COLUMN surprise UInt8",
        "CREATE VIEW db.other AS SELECT 1",
        "CREATE TABLE db_quarantine.fresh__r0 (x UInt8) ENGINE = MergeTree ORDER BY x",
    ],
)
def test_a_plan_is_refused_if_the_world_has_moved(host: Host, change: str, check: bool) -> None:
    audit_state(host)
    host.engine.run("CREATE DATABASE IF NOT EXISTS db_quarantine")
    plan = host.present(check=True)["plan"]
    host.engine.run(change)
    done = host.present(check=check, release="r1", plan=plan)
    assert done["failed"]
    assert "database db was changed by someone else since the plan was made" in done["msg"]
    assert plan["fingerprint"][:12] in done["msg"]
    assert (done["changed"] and not check, done["executed_statements"]) == (False, [])


def test_a_plan_for_another_database_or_with_another_hash_is_refused(host: Host) -> None:
    audit_state(host)
    plan = host.present(check=True)["plan"]
    done = host.present(plan={**plan, "hash": "0" * 64})
    assert (done["failed"], "not what was shown and approved" in done["msg"]) == (True, True)
    done = host.present(plan=plan, database="other")
    assert (done["failed"], "it is for database db, expected other" in done["msg"]) == (True, True)
    assert host.calls == ["read"]


def test_files_that_change_after_the_approval_do_not_pass_unseen(host: Host) -> None:
    audit_state(host)
    plan = host.present(check=True)["plan"]
    (host.directory / "03_late.sql").write_text(
        "CREATE TABLE db.late (x UInt8) ENGINE = MergeTree ORDER BY x"
    )
    done = host.present(release="r1", plan=plan)
    assert done["failed"]
    assert "these differences are left: create.late" in done["msg"]
    assert done["executed_statements"] == [step["statement"] for step in plan["steps"]]


def test_a_plan_says_what_was_refused_when_it_is_applied(host: Host) -> None:
    audit_state(host)
    host.engine.run("ALTER TABLE db.bars ADD COLUMN extra UInt8")
    plan = host.present(check=True)["plan"]
    done = host.present(release="r1", plan=plan)
    assert (done["failed"], done["changed"], len(done["executed_statements"])) == (True, True, 2)
    assert "bars.column.extra: found UInt8, expected nothing" in done["msg"]


def test_what_was_executed_is_returned_with_its_seconds(host: Host) -> None:
    audit_state(host)
    done = host.present(release="r1")
    assert [item["statement"] for item in done["executed"]] == done["executed_statements"]
    assert all(0 <= item["seconds"] < 60 for item in done["executed"])
    back = host.task(state="rolled_back", steps=done["steps"], release="r1")
    assert [item["statement"] for item in back["executed"]] == back["executed_statements"] != []


def test_a_policy_reaches_the_server(host: Host) -> None:
    audit_state(host)
    steps = host.present(release="r1")["steps"]
    done = host.task(state="rolled_back", steps=steps, release="r1", policy="drop", drop=["fresh"])
    assert not done.get("failed"), done.get("msg")
    assert "DROP TABLE `db`.`fresh` SYNC" in done["executed_statements"]
    assert [item["object"] for item in done["quarantined"]] == ["db.bars.ind"]


def test_check_apply_again_reverse_and_present(host: Host) -> None:
    audit_state(host)
    foreseen = host.present(check=True)
    assert (foreseen["changed"], foreseen["executed_statements"]) == (True, [])
    assert host.calls == ["read"]
    assert (
        host.engine.scalar("SELECT count() FROM system.columns WHERE database = 'db' AND name = 'ind'") == 0
    )

    done = host.present(release="r1")
    assert not done.get("failed"), done.get("msg")
    assert done["executed_statements"] == foreseen["pending"]
    assert (done["changed"], done["pending"], done["refused"]) == (True, [], [])
    assert [step["name"] for step in done["steps"]] == ["alter.bars", "create.fresh"]
    assert "CREATE TABLE db.bars (`k` String, `at` DateTime)" in done["live_ddl"]
    assert "`ind` String DEFAULT ''" in done["diff"]["after"]
    assert done["rehearsal"]["engine_version"]

    again = host.present()
    assert (again["changed"], again["executed_statements"], again["steps"]) == (False, [], [])

    host.engine.run("INSERT INTO db.bars VALUES ('new', 'value', now())")
    host.engine.run("INSERT INTO db.fresh VALUES (1), (2)")
    plan = host.task(check=True, state="rolled_back", steps=done["steps"], release="r1")
    assert (plan["changed"], plan["executed_statements"], plan["warnings"]) == (True, [], [])
    assert host.engine.scalar("SELECT count() FROM db.fresh") == 2
    back = host.task(state="rolled_back", steps=done["steps"], release="r1")
    assert {item["object"]: item["rows"] for item in back["quarantined"]} == {"db.fresh": 2, "db.bars.ind": 1}
    assert plan["diff"] == back["diff"]
    assert back["changed"] is True
    assert "db.fresh" in back["diff"]["before"]
    assert "db.fresh" not in back["diff"]["after"]
    assert host.task(state="rolled_back", steps=done["steps"], release="r1")["changed"] is False

    foreseen = host.present(check=True)
    assert {item["object"]: item["rows"] for item in foreseen["restored"]} == {
        "db.fresh": 2,
        "db.bars.ind": 1,
    }
    restored = host.present(release="r2")
    assert {item["object"]: item["rows"] for item in restored["restored"]} == {
        "db.fresh": 2,
        "db.bars.ind": 1,
    }
    assert host.engine.scalar("SELECT ind FROM db.bars WHERE k = 'new'") == "value"
    assert host.engine.scalar("SELECT count() FROM db.fresh") == 2
    assert host.present()["changed"] is False


def test_a_missing_database_is_made(host: Host) -> None:
    done = host.present()
    assert [step["name"] for step in done["steps"]] == ["database.db", "create.bars", "create.fresh"]
    assert host.engine.scalar("SELECT count() FROM system.tables WHERE database = 'db'") == 2


def test_safe_steps_apply_and_the_task_fails_for_the_rest(host: Host) -> None:
    audit_state(host)
    host.engine.run("ALTER TABLE db.bars ADD COLUMN extra UInt8")
    done = host.present()
    assert done["failed"] is True
    assert done["changed"] is True
    assert len(done["executed_statements"]) == 2
    assert [item["name"] for item in done["refused"]] == ["bars.column.extra"]
    assert "1 differences" in done["msg"]
    assert "bars.column.extra: found UInt8, expected nothing" in done["msg"]
    again = host.present()
    assert (again["failed"], again["changed"]) == (True, False)


def test_a_change_that_would_lose_values_is_refused_and_the_rest_is_done(host: Host) -> None:
    audit_state(host)
    host.engine.run("INSERT INTO db.bars VALUES ('much too long', now())")
    (host.directory / "01_bars.sql").write_text(
        "CREATE TABLE db.bars (k String, ind String DEFAULT '', at DateTime, s FixedString(4)) ENGINE = MergeTree ORDER BY k"
    )
    host.engine.run("ALTER TABLE db.bars ADD COLUMN s String DEFAULT k")
    for check in (True, False):
        done = host.present(check=check, allow=["destructive", "bars.column.s"])
        assert done["failed"]
        assert [item["name"] for item in done["refused"]] == ["bars.column.s"]
        assert "not possible" in done["refused"][0]["reason"]
        assert {item["verdict"] for item in done["findings"]} >= {"blocked"}
    assert (
        host.engine.scalar("SELECT count() FROM system.columns WHERE database = 'db' AND name = 'ind'") == 1
    )
    assert (
        host.engine.scalar("SELECT type FROM system.columns WHERE database = 'db' AND name = 's'") == "String"
    )
    assert host.calls == ["read", "assess", "read", "assess", "apply"]


def test_rows_that_a_shorter_ttl_deletes_are_counted_and_allowed_by_name(host: Host) -> None:
    host.engine.run("CREATE DATABASE db")
    host.engine.run(OLD + " TTL at + INTERVAL 900 DAY")
    host.engine.run("INSERT INTO db.bars SELECT toString(number), now() - number * 86400 FROM numbers(10)")
    (host.directory / "01_bars.sql").write_text(OLD + " TTL at + INTERVAL 5 DAY")
    foreseen = host.present(check=True, allow=["bars.ttl"])
    (found,) = foreseen["findings"]
    assert (found["step"], found["verdict"], found["observed"], found["blocking"]) == (
        "bars.ttl",
        "risk",
        5,
        False,
    )
    assert foreseen["refused"] == []
    done = host.present(allow=["bars.ttl"])
    assert not done.get("failed"), done.get("msg")
    assert host.engine.scalar("SELECT count() FROM db.bars") == 5


def test_a_table_is_rebuilt_by_its_name_and_given_back(host: Host) -> None:
    audit_state(host)
    (host.directory / "01_bars.sql").write_text(OLD.replace("ORDER BY k", "ORDER BY (k, at)"))
    refused = host.present(check=True)
    assert {item["name"] for item in refused["refused"]} == {"bars.order_by", "bars.primary_key"}
    foreseen = host.present(check=True, allow=["bars.rebuild"], release="r1")
    assert [step["name"] for step in foreseen["steps"]] == ["rebuild.bars", "create.fresh"]
    done = host.present(allow=["bars.rebuild"], release="r1")
    assert not done.get("failed"), done.get("msg")
    assert (done["pending"], done["changed"]) == ([], True)
    assert done["quarantined"] == [
        {"object": "db.bars", "quarantine": "db_quarantine.bars__r1~rebuilt", "rows": 10}
    ]
    again = host.present(allow=["bars.rebuild"])
    assert (again["changed"], again["steps"], again["restored"]) == (False, [], [])
    back = host.task(state="rolled_back", steps=done["steps"], release="r1")
    assert not back.get("failed"), back.get("msg")
    assert (
        host.engine.scalar("SELECT sorting_key FROM system.tables WHERE database = 'db' AND name = 'bars'")
        == "k"
    )
    assert host.engine.scalar("SELECT count() FROM db.bars") == 10


def test_a_file_that_the_engine_rejects_stops_before_any_change(host: Host) -> None:
    audit_state(host)
    (host.directory / "03.sql").write_text(
        "CREATE TABLE z (\n  x UInt8,\n  INDEX i x\n) ENGINE = Log", encoding="utf-8"
    )
    done = host.present()
    assert done["failed"] is True
    assert f"{host.directory}/03.sql:4:1: the engine refused it with code 62" in done["msg"]
    assert (host.calls, done["executed_statements"]) == (["read"], [])


def test_a_statement_that_the_server_refuses_is_reported_with_what_was_done(host: Host) -> None:
    audit_state(host)
    original = host.engine.query

    def query(sql: str, *args: Any, **kwargs: Any) -> Any:
        if sql.startswith("CREATE TABLE db.fresh"):
            raise ClickhouseError("server: code 497: not allowed", "server", 497)
        return original(sql, *args, **kwargs)

    host.engine.query = query  # type: ignore[method-assign]
    try:
        done = host.present()
    finally:
        host.engine.query = original  # type: ignore[method-assign]
    assert done["failed"] is True
    assert done["changed"] is True
    assert "step create.fresh: server: code 497" in done["msg"]
    assert len(done["executed_statements"]) == 1
    assert [text[:21] for text in done["pending"]] == ["CREATE TABLE db.fresh"]
    done = host.present()
    assert not done.get("failed")
    assert [step["name"] for step in done["steps"]] == ["create.fresh"]


def test_an_unreachable_server_is_one_message(host: Host) -> None:
    host.broken = ClickhouseError("127.0.0.1:9000 refused the connection", "unreachable")
    done = host.present()
    assert (done["failed"], done["changed"]) == (True, False)
    assert done["msg"] == "127.0.0.1:9000 refused the connection"


def test_the_password_is_in_no_result(host: Host) -> None:
    host.engine.run("CREATE DATABASE db")
    host.engine.run(f"CREATE TABLE db.other (x String DEFAULT '{SECRET}') ENGINE = MergeTree ORDER BY x")
    done = host.present()
    assert f"'{SECRET}'" not in json.dumps(done)
    assert "'********'" in done["live_ddl"]
    assert "login_password" not in done


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"desired": ["/no/such/dir"]}, "there is no file or directory /no/such/dir"),
        ({"desired": []}, "at least one file or directory"),
        ({"database": "a b"}, "database: expected letters"),
        ({"release": "a/b"}, "release: expected"),
        (
            {
                "state": "rolled_back",
                "steps": [{"undo": [{"action": "drop_all", "table": "t"}]}],
                "release": "r",
            },
            "not an action that can be rolled back",
        ),
    ],
)
def test_wrong_options_are_one_message(host: Host, args: dict[str, Any], message: str) -> None:
    audit_state(host)
    done = host.present(**args)
    assert done["failed"] is True
    assert message in done["msg"]


def test_an_empty_directory_and_a_file_that_is_no_text_are_told(host: Host, tmp_path: Path) -> None:
    audit_state(host)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "holds no *.sql file" in host.present(desired=[str(empty)])["msg"]
    (empty / "a.sql").write_bytes(b"\xff\xfe")
    assert "a.sql: expected UTF-8 text" in host.present(desired=[str(empty)])["msg"]
    assert host.calls == []
