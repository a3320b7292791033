# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schema for a whole cluster: statements that the engine's parser takes, engines that replicate, and three servers.

The three are the lab's own server, which runs a statement ON CLUSTER on each host at once. Neither Keeper nor its queue is there.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.suho.platform.plugins.action.clickhouse_schema import ActionModule
from ansible_collections.suho.platform.plugins.module_utils.clickhouse_client import (
    Answer,
    ClickhouseError,
    Login,
    connect,
    login_from,
    login_options,
)
from ansible_collections.suho.platform.plugins.module_utils.schema_cluster import (
    on_cluster,
    same_replication,
    with_replication,
    without_replication,
)
from ansible_collections.suho.platform.plugins.module_utils.schema_model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema_process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema_server import Server
from ansible_collections.suho.platform.plugins.modules.clickhouse_schema import schema_options, work
from clickhouse_engine import EngineConnection

PROJECT = Path(__file__).resolve().parents[2]


# Statements ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path_factory.mktemp("engine"))
    yield connection
    connection.close()


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE DATABASE IF NOT EXISTS `d`", "CREATE DATABASE IF NOT EXISTS `d` ON CLUSTER 'it\\'s'"),
        (
            "CREATE TABLE `d`.`t` (`x` UInt8 COMMENT 'AS TABLE') ENGINE = MergeTree ORDER BY x",
            "CREATE TABLE `d`.`t` ON CLUSTER 'it\\'s' (`x` UInt8 COMMENT 'AS TABLE') ENGINE = MergeTree ORDER BY x",
        ),
        ("CREATE TABLE IF NOT EXISTS t (x UInt8) ENGINE = Log", None),
        ("CREATE VIEW d.v (`n` UInt8) AS SELECT 1 AS n", "CREATE VIEW d.v ON CLUSTER 'it\\'s' (`n` UInt8) AS SELECT 1 AS n"),
        ("CREATE OR REPLACE VIEW d.v AS SELECT 1 AS n", None),
        ("CREATE MATERIALIZED VIEW d.v TO d.t (`x` UInt8) AS SELECT 1 AS x", None),
        ("CREATE DICTIONARY d.`a.b` (k UInt64) PRIMARY KEY k SOURCE(NULL()) LAYOUT(FLAT()) LIFETIME(1)", None),
        ("ALTER TABLE `d`.`t` ADD COLUMN `y` UInt8 AFTER `x`", "ALTER TABLE `d`.`t` ON CLUSTER 'it\\'s' ADD COLUMN `y` UInt8 AFTER `x`"),
        ("ALTER TABLE `d`.`mv` MODIFY QUERY SELECT 2 AS x", None),
        ("RENAME TABLE `d`.`t` TO `q`.`t`", "RENAME TABLE `d`.`t` TO `q`.`t` ON CLUSTER 'it\\'s'"),
        ("RENAME DICTIONARY `d`.`t` TO `q`.`t`", None),
        ("EXCHANGE TABLES `d`.`t` AND `q`.`t`", "EXCHANGE TABLES `d`.`t` AND `q`.`t` ON CLUSTER 'it\\'s'"),
        ("DROP VIEW IF EXISTS `d`.`v` SYNC", "DROP VIEW IF EXISTS `d`.`v` ON CLUSTER 'it\\'s' SYNC"),
        ("DROP TABLE `d`.`t` SYNC", None),
    ],
)  # fmt: skip
def test_a_statement_goes_to_the_cluster(
    engine: EngineConnection, statement: str, expected: str | None
) -> None:
    sent = on_cluster(statement, "it's")
    assert expected is None or sent == expected
    # The engine's own parser finds the cluster, and finds the same statement beside it.
    (printed,) = engine.query(f"SELECT formatQuerySingleLine({_text(sent)})").rows[0]
    (plain,) = engine.query(f"SELECT formatQuerySingleLine({_text(statement)})").rows[0]
    assert printed.count("ON CLUSTER `it\\'s`") + printed.count("ON CLUSTER `it's`") == 1
    without = printed.replace(" ON CLUSTER `it\\'s`", "").replace(" ON CLUSTER `it's`", "")
    assert without == plain


def _text(sql: str) -> str:
    return "'" + sql.replace("\\", "\\\\").replace("'", "\\'") + "'"


@pytest.mark.parametrize(
    "statement", ["INSERT INTO t SELECT 1", "SELECT 1", "SYSTEM STOP MERGES", "CREATE TABLE", ""]
)
def test_what_is_no_ddl_is_not_sent(statement: str) -> None:
    with pytest.raises(SchemaError, match="cannot be sent to a whole cluster"):
        on_cluster(statement, "main")


# Replication ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine_text", "plain", "replication"),
    [
        ("ReplicatedMergeTree", "MergeTree", "()"),
        ("ReplicatedMergeTree()", "MergeTree", "()"),
        ("ReplicatedMergeTree('/p', 'r')", "MergeTree", "('/p', 'r')"),
        (
            "ReplicatedReplacingMergeTree('/p', '{replica}', v)",
            "ReplacingMergeTree(v)",
            "('/p', '{replica}')",
        ),
        ("ReplicatedReplacingMergeTree(v)", "ReplacingMergeTree(v)", "()"),
        ("ReplicatedSummingMergeTree('/p,(', 'r', (a, b))", "SummingMergeTree((a, b))", "('/p,(', 'r')"),
        ("MergeTree", "MergeTree", ""),
        ("ReplacingMergeTree(v)", "ReplacingMergeTree(v)", ""),
    ],
)
def test_replication_is_taken_out_and_put_back(engine_text: str, plain: str, replication: str) -> None:
    form = "CREATE TABLE d.t (`v` UInt8 COMMENT 'ENGINE = ReplicatedMergeTree') ENGINE = {} ORDER BY v SETTINGS a = 1"
    assert without_replication(form.format(engine_text)) == (form.format(plain), replication)
    back = with_replication(form.format(plain), replication)
    assert back == form.format(engine_text.replace("()", ""))


def test_a_view_whose_query_names_an_engine_is_left_alone() -> None:
    ddl = "CREATE VIEW v AS SELECT ENGINE FROM system.tables"
    assert without_replication(ddl) == (ddl, "")


def test_a_file_may_leave_path_and_replica_to_the_server() -> None:
    assert same_replication("('/clickhouse/tables/{uuid}/{shard}', '{replica}')", "()")
    assert same_replication("('/p', 'r')", "('/p', 'r')")
    assert not same_replication("('/p', 'r')", "('/q', 'r')")
    assert not same_replication("", "()")
    assert not same_replication("('/p', 'r')", "")


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


def plan(planner: PlannerProcess, live: list[Mapping[str, str]], text: str, **more: Any) -> dict[str, Any]:
    return planner.ask({"database": "db", "live": live, "files": [{"path": "a.sql", "text": text}], **more})


LIVE = {
    "name": "t",
    "engine": "ReplicatedReplacingMergeTree",
    "ddl": "CREATE TABLE db.t (`k` String, `v` UInt8) "
    "ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', v) "
    "ORDER BY k SETTINGS index_granularity = 8192",
}
FILE = "CREATE TABLE t (k String, v UInt8{}) ENGINE = {} ORDER BY k"


def test_a_replicated_table_is_planned_like_a_plain_one(planner: PlannerProcess) -> None:
    answer = plan(planner, [LIVE], FILE.format("", "ReplicatedReplacingMergeTree(v)"))
    assert (answer["steps"], answer["refused"]) == ([], [])
    answer = plan(
        planner, [LIVE], FILE.format(", n UInt8", "ReplicatedReplacingMergeTree(v)"), cluster="main"
    )
    (step,) = answer["steps"]
    assert step["statement"] == "ALTER TABLE `db`.`t` ON CLUSTER 'main' ADD COLUMN `n` UInt8 AFTER `v`"
    assert "db.t: rehearsed without its replication" in answer["rehearsal"]["not_covered"]
    assert (
        "ReplicatedReplacingMergeTree('/clickhouse/tables/{uuid}/{shard}', '{replica}', v)"
        in answer["diff"]["after"]
    )


def test_a_replicated_table_is_created_as_the_file_says(planner: PlannerProcess) -> None:
    (step,) = plan(planner, [], FILE.format("", "ReplicatedMergeTree('/p', '{replica}')"), cluster="main")[
        "steps"
    ]
    assert step["statement"].startswith("CREATE TABLE db.t ON CLUSTER 'main' (")
    assert "ENGINE = ReplicatedMergeTree('/p', '{replica}') ORDER BY k" in step["statement"]


@pytest.mark.parametrize(
    "engine_text", ["ReplacingMergeTree(v)", "ReplicatedReplacingMergeTree('/other', '{replica}', v)"]
)
def test_another_replication_is_refused_whatever_is_allowed(
    planner: PlannerProcess, engine_text: str
) -> None:
    allow = ["rewrite", "destructive", "t.replication", "t.rebuild"]
    answer = plan(planner, [LIVE], FILE.format(", n UInt8", engine_text), allow=allow)
    assert [step["name"] for step in answer["steps"]] == ["alter.t"]
    (refused,) = answer["refused"]
    assert (refused["name"], "Move it by hand" in refused["reason"]) == ("t.replication", True)


def test_a_replicated_table_is_not_rebuilt(planner: PlannerProcess) -> None:
    text = "CREATE TABLE t (k String, v UInt8) ENGINE = ReplicatedReplacingMergeTree(v) ORDER BY (k, v) PRIMARY KEY k"
    answer = plan(planner, [LIVE], text, allow=["destructive", "rewrite", "t.rebuild"])
    assert answer["steps"] == []
    assert all(
        "the table is replicated, and its copy would not be" in item["reason"] for item in answer["refused"]
    )
    assert [item["name"] for item in answer["refused"]] == ["t.order_by"]


# A server's answer ---------------------------------------------------------------------------------------------


class Says:
    """A server that answers a statement for a cluster with given rows."""

    login = SimpleNamespace(address="x", receive_timeout=1)

    def __init__(self, rows: list[tuple[Any, ...]] | ClickhouseError) -> None:
        self.rows = rows
        self.settings: Mapping[str, Any] = {}

    def query(self, sql: str, params: Any = None, settings: Any = None) -> Answer:
        self.settings = settings
        if isinstance(self.rows, ClickhouseError):
            raise self.rows
        return Answer(self.rows, [(name, "") for name in ("host", "port", "status", "error")])


def run_on(rows: list[tuple[Any, ...]] | ClickhouseError) -> Server:
    server = Server(Says(rows), "db", "db_quarantine", cluster_timeout=12)  # type: ignore[arg-type]
    server.run("ALTER TABLE t ON CLUSTER 'main' ADD COLUMN x UInt8")
    return server


def test_all_hosts_said_yes() -> None:
    server = run_on([("a", 9000, 0, ""), ("b", 9000, 0, "")])
    assert len(server.executed) == 1
    assert server.connection.settings["distributed_ddl_task_timeout"] == 12  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "rows",
    [
        [("a", 9000, 0, ""), ("b", 9000, None, None)],
        ClickhouseError("Watching task is executing too long", "server", 159),
    ],
)
def test_a_host_that_has_not_answered_in_time_is_no_failure(rows: Any) -> None:
    assert len(run_on(rows).executed) == 1


def test_a_host_that_refuses_is_named() -> None:
    with pytest.raises(
        SchemaError, match=r"1 of 2 hosts refused it: b:9000 answered with code 44: no column"
    ):
        run_on([("a", 9000, 0, ""), ("b", 9000, 44, "no column")])


# Three servers -------------------------------------------------------------------------------------------------


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


class Server3:
    """One of the lab's servers, with a data folder that stays when it is stopped."""

    def __init__(self, folder: Path, port: int, cluster: str) -> None:
        self.folder, self.port, self.cluster = folder, port, cluster
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        environment = {
            **os.environ,
            "PYTHONPATH": str(PROJECT / "lab/images/clickhouse"),
            "CLICKHOUSE_USER": "u",
            "CLICKHOUSE_PASSWORD": "secret-of-three",
            "CLICKHOUSE_DATA_DIR": str(self.folder),
            "CLICKHOUSE_LISTEN_HOST": "127.0.0.1",
            "CLICKHOUSE_NATIVE_PORT": str(self.port),
            "CLICKHOUSE_HTTP_PORT": str(free_port()),
            "CLICKHOUSE_CLUSTER": self.cluster,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "chserver"], env=environment, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 60
        while True:
            try:
                self.query("SELECT 1")
                return
            except ClickhouseError:
                assert time.monotonic() < deadline, "the server did not start"
                time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=30)
            self.process = None

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with connect(Login("127.0.0.1", self.port, "u", "secret-of-three", connect_timeout=2)) as connection:
            return connection.query(sql).rows


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Server3]]:
    ports = [free_port() for _ in range(3)]
    cluster = "main=" + ",".join(f"127.0.0.1:{port}" for port in ports)
    made = [Server3(tmp_path_factory.mktemp("server"), port, cluster) for port in ports]
    for one in made:
        one.start()
    yield made
    for one in made:
        one.stop()


FILES = {
    "01.sql": "CREATE TABLE bars (k String, at DateTime, ind String DEFAULT '') ENGINE = MergeTree ORDER BY k",
    "02.sql": "CREATE TABLE fresh (x UInt8) ENGINE = MergeTree ORDER BY x",
}


class Cluster:
    """The task against the three servers; each call of the module has a connection of its own, as on a target."""

    def __init__(self, servers: list[Server3], folder: Path) -> None:
        self.servers, self.folder = servers, folder
        self.calls: list[tuple[str, int]] = []
        for one in servers:
            if one.process is None:
                one.start()
            for statement in (
                "DROP DATABASE IF EXISTS db SYNC",
                "DROP DATABASE IF EXISTS db_quarantine SYNC",
                "CREATE DATABASE db",
                "CREATE TABLE db.bars (k String, at DateTime) ENGINE = MergeTree ORDER BY k",
                f"INSERT INTO db.bars SELECT toString(number), now() FROM numbers({one.port % 7 + 1})",
            ):
                one.query(statement)
        for name, text in FILES.items():
            (folder / name).write_text(text, encoding="utf-8")

    def module(self, module_args: dict[str, Any], check: bool) -> dict[str, Any]:
        spec = {**login_options(), **schema_options()}
        assert set(module_args) <= set(spec)
        defaults = {name: item.get("default") for name, item in spec.items()}
        params = json.loads(json.dumps({**defaults, **module_args}))
        self.calls.append((params["operation"], params["login_port"]))
        result: dict[str, Any] = {"quarantined": [], "restored": [], "executed_statements": [], "pending": []}
        try:
            with connect(login_from(params)) as connection:
                everywhere = (
                    params["cluster_timeout"]
                    if params["operation"] == "apply" and params["cluster"]
                    else None
                )
                server = Server(connection, "db", "db_quarantine", check, everywhere)
                result.update(executed_statements=server.executed, pending=server.pending, done=server.done)
                work(server, params, result)
        except (ClickhouseError, SchemaError) as error:
            result.update(failed=True, msg=str(error))
        return {**result, "changed": bool(result["executed_statements"] or result["pending"])}

    def task(self, check: bool = False, **args: Any) -> dict[str, Any]:
        hosts = [f"127.0.0.1:{one.port}" for one in self.servers]
        known = {
            "database": "db",
            "desired": [str(self.folder)],
            "login_port": self.servers[0].port,
            "login_user": "u",
            "login_password": "secret-of-three",
            "connect_timeout": 2,
            "cluster": "main",
            "cluster_hosts": hosts,
            "cluster_timeout": 3.0,
        }
        task = SimpleNamespace(
            args={**known, **args}, check_mode=check, async_val=0, diff=False, action="suho.platform.clickhouse_schema",
            collections=[], environment=None,
        )  # fmt: skip
        loader = DataLoader()
        shell = SimpleNamespace(_shell=SimpleNamespace(tmpdir="unused"))
        action = ActionModule(task, shell, SimpleNamespace(), loader, Templar(loader=loader), None)
        action._execute_module = lambda module_name, module_args, task_vars: self.module(module_args, check)
        result = action.run(task_vars={})
        assert "secret-of-three" not in json.dumps(result)
        return result

    def schema(self) -> list[set[tuple[Any, ...]]]:
        sql = "SELECT table, name, type FROM system.columns WHERE database = 'db'"
        return [set(one.query(sql)) for one in self.servers]

    def rows(self) -> list[int]:
        return [one.query("SELECT count() FROM db.bars")[0][0] for one in self.servers]


@pytest.fixture
def cluster(servers: list[Server3], tmp_path: Path) -> Cluster:
    return Cluster(servers, tmp_path)


def states(result: dict[str, Any]) -> list[str]:
    return [host["state"] for host in result["hosts"]]


def test_all_hosts_get_it_with_one_statement_each(cluster: Cluster) -> None:
    before = cluster.schema()
    dry = cluster.task(check=True)
    assert (dry["changed"], states(dry), cluster.schema()) == (True, ["differs"] * 3, before)
    done = cluster.task()
    assert not done.get("failed"), done
    assert [" ON CLUSTER 'main' " in text for text in done["executed_statements"]] == [True, True]
    assert done["executed_statements"] == dry["pending"]
    assert states(done) == ["in sync"] * 3
    first, second, third = cluster.schema()
    assert first == second == third
    assert ("bars", "ind", "String") in first
    again = cluster.task()
    assert (again["changed"], again["executed_statements"], states(again)) == (False, [], ["in sync"] * 3)


def test_a_host_that_goes_down_is_named_and_mended_by_the_next_run(cluster: Cluster) -> None:
    """It is there when the plan is made, and gone when the statements come."""
    lost = cluster.servers[2]
    run = cluster.module

    def module(module_args: dict[str, Any], check: bool) -> dict[str, Any]:
        if module_args["operation"] == "apply":
            lost.stop()
        return run(module_args, check)

    cluster.module = module  # type: ignore[method-assign]
    failed = cluster.task()
    assert failed["failed"]
    assert f"127.0.0.1:{lost.port} cannot be asked" in failed["msg"]
    assert "Run the task again" in failed["msg"]
    assert states(failed) == ["in sync", "in sync", "unreachable"]
    assert failed["changed"]
    cluster.module = run  # type: ignore[method-assign]
    unchanged = cluster.task()
    assert unchanged["failed"]
    assert "Nothing was changed" in unchanged["msg"]
    lost.start()
    done = cluster.task()
    assert not done.get("failed"), done
    assert states(done) == ["in sync"] * 3
    # The others have it already, so this host got it alone.
    assert len(done["executed_statements"]) == 2
    assert not any("ON CLUSTER" in text for text in done["executed_statements"])


def test_hosts_that_differ_get_what_each_lacks(cluster: Cluster) -> None:
    cluster.servers[1].query("ALTER TABLE db.bars ADD COLUMN ind String DEFAULT ''")
    cluster.servers[2].query("CREATE TABLE db.fresh (x UInt8) ENGINE = MergeTree ORDER BY x")
    dry = cluster.task(check=True)
    assert any("the hosts of cluster main differ" in text for text in dry["warnings"])
    done = cluster.task()
    assert not done.get("failed"), done
    assert len(done["executed_statements"]) == 4
    first, second, third = cluster.schema()
    assert first == second == third


def test_a_statement_that_one_host_refuses_is_named_with_its_host(cluster: Cluster) -> None:
    odd = cluster.servers[1]
    run = cluster.module

    def module(module_args: dict[str, Any], check: bool) -> dict[str, Any]:
        if module_args["operation"] == "apply":
            odd.query(
                "ALTER TABLE db.bars ADD COLUMN ind String DEFAULT ''"
            )  # somebody else was faster there
        return run(module_args, check)

    cluster.module = module  # type: ignore[method-assign]
    failed = cluster.task()
    assert failed["failed"]
    assert f"127.0.0.1:{odd.port} answered with code 15" in failed["msg"]
    cluster.module = run  # type: ignore[method-assign]
    assert not cluster.task().get("failed")
    first, second, third = cluster.schema()
    assert first == second == third


def test_a_release_is_taken_back_and_brought_again_with_every_hosts_own_rows(cluster: Cluster) -> None:
    before, rows = cluster.schema(), cluster.rows()
    done = cluster.task(release="r1")
    for number, one in enumerate(cluster.servers):
        one.query(f"INSERT INTO db.bars SELECT 'new', now(), 'value {number}' FROM numbers(1)")
        one.query(f"INSERT INTO db.fresh SELECT {number} FROM numbers({number + 1})")
    back = cluster.task(state="reversed", steps=done["steps"], release="r1")
    assert not back.get("failed"), back
    assert cluster.schema() == before
    assert cluster.rows() == [count + 1 for count in rows]
    again = cluster.task(release="r2")
    assert not again.get("failed"), again
    for number, one in enumerate(cluster.servers):
        assert one.query("SELECT ind FROM db.bars WHERE k = 'new'") == [(f"value {number}",)]
        assert one.query("SELECT count(), max(x) FROM db.fresh") == [(number + 1, number)]


def test_an_unknown_cluster_is_said(cluster: Cluster) -> None:
    failed = cluster.task(cluster="other", cluster_hosts=[])
    assert failed["failed"]
    assert "cluster other is not known to" in failed["msg"]


def test_a_host_that_cannot_be_reached_stops_the_run_before_any_change(cluster: Cluster) -> None:
    hosts = [f"127.0.0.1:{one.port}" for one in cluster.servers[:2]] + [f"127.0.0.1:{free_port()}"]
    before = cluster.schema()
    failed = cluster.task(cluster_hosts=hosts)
    assert failed["failed"]
    assert "Nothing was changed" in failed["msg"]
    assert cluster.schema() == before
