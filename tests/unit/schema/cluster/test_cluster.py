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
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.suho.platform.plugins.action.clickhouse_schema import ActionModule
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import (
    Answer,
    ClickhouseError,
    Login,
    connect,
    login_from,
    login_options,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.cluster.hosts import bounded_login
from ansible_collections.suho.platform.plugins.module_utils.schema.cluster.run import ClusterRun
from ansible_collections.suho.platform.plugins.module_utils.schema.cluster.statements import on_cluster
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.replication import (
    DEFAULT,
    needs_cluster,
    same_replication,
    with_replication,
    without_replication,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import SchemaPlan
from ansible_collections.suho.platform.plugins.modules.clickhouse_schema import report, schema_options, work
from clickhouse_engine import EngineConnection

PROJECT = Path(__file__).resolve().parents[4]


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
        (
            "CREATE TABLE d.t UUID '11111111-1111-1111-1111-111111111111' (x UInt8) ENGINE = Log",
            "CREATE TABLE d.t UUID '11111111-1111-1111-1111-111111111111' ON CLUSTER 'it\\'s' (x UInt8) ENGINE = Log",
        ),
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


@pytest.mark.parametrize(
    ("live", "desired", "default", "same"),
    [
        (DEFAULT, "()", DEFAULT, True),
        ("('/p', 'r')", "('/p', 'r')", DEFAULT, True),
        ("('/p', 'r')", "('/q', 'r')", DEFAULT, False),
        # What a file leaves out is the server's default, and nothing else.
        ("('/p', 'r')", "()", DEFAULT, False),
        ("('/p/{shard}', 'r')", "()", "('/p/{shard}', 'r')", True),
        (DEFAULT, "()", "('/p/{shard}', 'r')", False),
        # The server has filled in these two, and a renamed table keeps them.
        ("('/c/db/t/{shard}', '{replica}')", "('/c/{database}/{table}/{shard}', '{replica}')", DEFAULT, True),
        ("('/c/db/t/{shard}', '{replica}')", "()", "('/c/{database}/{table}/{shard}', '{replica}')", True),
        ("('/c/db/t/x/{shard}', '{replica}')", "('/c/{database}/{table}/{shard}', '{replica}')", DEFAULT, False),
        ("", "()", DEFAULT, False),
        ("('/p', 'r')", "", DEFAULT, False),
        ("", "", DEFAULT, True),
    ],
)  # fmt: skip
def test_what_counts_as_the_same_replication(live: str, desired: str, default: str, same: bool) -> None:
    assert same_replication(live, desired, default) is same


def test_a_path_with_the_tables_id_takes_one_statement_for_all() -> None:
    assert needs_cluster("()")
    assert needs_cluster(DEFAULT)
    assert not needs_cluster("('/p/{shard}', '{replica}')")
    assert not needs_cluster("()", "('/p/{shard}', '{replica}')")
    assert not needs_cluster("")


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
        [("a", 9000, 0, ""), ("b", 9000, 341, "not finished on all replicas")],
        [("a", 9000, 0, ""), ("b", 9000, 159, "timeout")],
        ClickhouseError("Watching task is executing too long", "server", 159),
        ClickhouseError("ALTER is not finished because some replicas are inactive", "server", 341),
    ],
)
def test_a_host_that_has_not_answered_in_time_is_no_failure(rows: Any) -> None:
    assert len(run_on(rows).executed) == 1


def test_a_host_that_refuses_is_named() -> None:
    with pytest.raises(
        SchemaError, match=r"1 of 2 hosts refused it: b:9000 answered with code 44: no column"
    ):
        run_on([("a", 9000, 0, ""), ("b", 9000, 44, "no column")])


# Hosts with replicated tables ----------------------------------------------------------------------------------
#
# No Keeper, no replicated table: here the hosts are words of their servers, and the planner is the real one.


class Words:
    """Hosts that say what they have, and take what they are sent."""

    def __init__(
        self, planner: PlannerProcess, text: str, hosts: list[list[Mapping[str, str]] | None]
    ) -> None:
        self.planner, self.files = planner, [{"path": "a.sql", "text": text}]
        self.live = hosts  # None has no database
        self.sent: list[tuple[int, str]] = []

    def run(self) -> ClusterRun:
        return ClusterRun("main", 0.1, self.call, self.plan, lambda live, plan: [], json.loads)

    def plan(self, live: Mapping[str, Any], cluster: str, deny: Mapping[str, str]) -> SchemaPlan:
        answer = self.planner.ask(
            {
                "database": "db",
                "database_exists": live["database_exists"],
                "live": live["objects"],
                "files": self.files,
                "deny": deny,
                "cluster": cluster,
                "default_replication": live["default_replication"],
            }
        )
        return SchemaPlan.from_dict(answer)

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        if operation == "read":
            return {"hosts": [self.word(number, objects) for number, objects in enumerate(self.live)]}
        for step in arguments["steps"]:
            statement = step["statement"]
            self.sent.append((arguments["login_port"], statement))
            made = {"name": step["name"].partition(".")[2], "engine": "ReplicatedMergeTree", "ddl": statement}
            everywhere = range(len(self.live)) if arguments.get("cluster") else [arguments["login_port"]]
            for number in everywhere:
                if step["name"].startswith("database."):
                    self.live[number] = []
                elif step["name"].startswith("create."):
                    ddl = statement.replace(" ON CLUSTER 'main'", "")
                    made["ddl"] = ddl.replace("ReplicatedMergeTree ", f"ReplicatedMergeTree{DEFAULT} ")
                    objects = self.live[number]
                    assert objects is not None, "the database is made first"
                    objects.append(made)
                else:
                    others = [item for item in self.live[number] or [] if item["name"] != "t"]
                    self.live[number] = [WITH_N, *others]
        return {"executed_statements": [step["statement"] for step in arguments["steps"]]}

    def word(self, number: int, objects: list[Mapping[str, str]] | None) -> dict[str, Any]:
        live = {
            "database_exists": objects is not None,
            "objects": objects or [],
            "schema_fingerprint": json.dumps(objects or []),
            "fingerprint": json.dumps(objects or []),
            "default_replication": "",
            "quarantined": [],
        }
        return {"host": "h", "port": number, "before": json.dumps(live)}


WITH_N = {**LIVE, "ddl": LIVE["ddl"].replace("`v` UInt8", "`v` UInt8, `n` UInt8")}
BOTH = FILE.format(", n UInt8", "ReplicatedReplacingMergeTree(v)") + (
    "; CREATE TABLE u (x UInt8) ENGINE = ReplicatedMergeTree ORDER BY x"
)
U = {
    "name": "u",
    "engine": "ReplicatedMergeTree",
    "ddl": f"CREATE TABLE db.u (`x` UInt8) ENGINE = ReplicatedMergeTree{DEFAULT} ORDER BY x",
}


def test_a_table_with_its_id_in_the_path_is_made_for_all_though_hosts_differ(planner: PlannerProcess) -> None:
    words = Words(planner, BOTH, [[LIVE], [WITH_N], [LIVE]])
    run = words.run()
    run.look()
    assert (run.is_uniform, run.together) == (False, ["create.u"])
    run.apply(lambda done: None)
    first = words.sent[0]
    assert (first[0], first[1].startswith("CREATE TABLE db.u ON CLUSTER 'main' (")) == (0, True)
    assert [(port, text.partition(" (")[0][:20]) for port, text in words.sent[1:]] == [
        (0, "ALTER TABLE `db`.`t`"),
        (2, "ALTER TABLE `db`.`t`"),
    ]
    assert [host.state for host in run.wait([])] == ["in sync"] * 3


def test_a_host_without_the_database_gets_it_before_the_table_for_all(planner: PlannerProcess) -> None:
    text = "CREATE TABLE u (x UInt8) ENGINE = ReplicatedMergeTree ORDER BY x"
    words = Words(planner, text, [[], None])
    run = words.run()
    run.look()
    run.apply(lambda done: None)
    assert [(port, sent[:15]) for port, sent in words.sent] == [
        (1, "CREATE DATABASE"),
        (0, "CREATE TABLE db"),
    ]
    assert [host.state for host in run.wait([])] == ["in sync"] * 2


def test_a_table_with_its_id_in_the_path_is_not_made_on_one_host_alone(planner: PlannerProcess) -> None:
    words = Words(planner, BOTH, [[LIVE, U], [LIVE], [LIVE, U]])
    run = words.run()
    run.look()
    assert [[item.name for item in host.plan.refused] for host in run.hosts] == [[], ["create.u"], []]
    (refused,) = run.hosts[1].plan.refused
    assert "host h:1 lacks it and others have it" in refused.reason
    assert "UUID '<id>'" in refused.reason
    run.apply(lambda done: None)
    assert [port for port, _text in words.sent] == [0, 1, 2]  # the column that all lack, to each
    assert all(text.startswith("ALTER TABLE `db`.`t` ADD COLUMN") for _port, text in words.sent)
    left = [host.shown()["differences"] for host in run.wait([refused])]
    assert left == [[], ["create.u"], []]


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

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Its system takes connections, and it says nothing."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

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
                try:
                    work(server, params, result)
                finally:
                    report(server, result)
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
    back = cluster.task(state="rolled_back", steps=done["steps"], release="r1")
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
    assert (
        f"cluster other is not known to 127.0.0.1:{cluster.servers[0].port}; it knows main" in failed["msg"]
    )


def test_a_host_that_cannot_be_reached_stops_the_run_before_any_change(cluster: Cluster) -> None:
    hosts = [f"127.0.0.1:{one.port}" for one in cluster.servers[:2]] + [f"127.0.0.1:{free_port()}"]
    before = cluster.schema()
    failed = cluster.task(cluster_hosts=hosts)
    assert failed["failed"]
    assert "Nothing was changed" in failed["msg"]
    assert cluster.schema() == before


def test_no_host_is_waited_for_longer_than_the_cluster() -> None:
    spec = {**login_options(), **schema_options()}
    params = {name: item.get("default") for name, item in spec.items()}
    assert bounded_login({**params, "cluster_timeout": 2.5}).receive_timeout == 3
    assert bounded_login({**params, "cluster_timeout": 2.5}).connect_timeout == 3
    assert bounded_login({**params, "cluster_timeout": 0.0}).receive_timeout == 1
    assert bounded_login({**params, "cluster_timeout": 9000.0}).receive_timeout == params["receive_timeout"]


def test_a_host_that_takes_connections_and_says_nothing_is_unreachable(cluster: Cluster) -> None:
    lost = cluster.servers[1]
    before = cluster.schema()
    started = time.monotonic()
    with lost.hanging():
        failed = cluster.task(cluster_timeout=2.0)
    # Bounded by the cluster's time, and far below the 300 s of a connection: no measure of speed.
    assert time.monotonic() - started < 60
    assert failed["failed"]
    assert f"cannot ask 127.0.0.1:{lost.port}" in failed["msg"]
    assert "Nothing was changed" in failed["msg"]
    assert cluster.schema() == before


def test_a_host_that_hangs_in_the_middle_is_neither_done_nor_failed(cluster: Cluster) -> None:
    lost = cluster.servers[2]
    run = cluster.module
    with ExitStack() as stack:

        def module(module_args: dict[str, Any], check: bool) -> dict[str, Any]:
            if module_args["operation"] == "apply":
                stack.enter_context(lost.hanging())
            return run(module_args, check)

        cluster.module = module  # type: ignore[method-assign]
        failed = cluster.task(cluster_timeout=2.0)
    cluster.module = run  # type: ignore[method-assign]
    assert failed["failed"]
    assert f"127.0.0.1:{lost.port} cannot be asked" in failed["msg"]
    assert states(failed) == ["in sync", "in sync", "unreachable"]
    # What it was sent while it hung, it does when it goes on: the next run finds what is there then.
    done = cluster.task()
    assert not done.get("failed"), done
    assert states(done) == ["in sync"] * 3
    first, second, third = cluster.schema()
    assert first == second == third


PLAYBOOK = """
- name: One schema on three servers
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: Bring the schema of all of them to what the files want
      suho.platform.clickhouse_schema:
        login_port: {port}
        login_user: u
        login_password: "{{{{ lookup('ansible.builtin.env', 'SERVER_PASSWORD') }}}}"
        connect_timeout: 2
        database: db
        desired: [{files}]
        cluster: main
        cluster_timeout: 3
"""


def playbook(cluster: Cluster, *options: str) -> tuple[int, str]:
    """Run the task as users do, by ansible-playbook, which asks the server for the cluster's hosts."""
    path = cluster.folder.parent / "schema.yml"
    path.write_text(PLAYBOOK.format(port=cluster.servers[0].port, files=cluster.folder), encoding="utf-8")
    environment = {
        **os.environ,
        "SERVER_PASSWORD": "secret-of-three",
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
        "ANSIBLE_NOCOLOR": "1",
    }
    command = [
        str(Path(sys.executable).with_name("ansible-playbook")),
        "-i",
        "localhost,",
        "-vvv",
        *options,
        str(path),
    ]
    command += ["--extra-vars", json.dumps({"ansible_python_interpreter": sys.executable})]
    done = subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=240
    )
    assert "secret-of-three" not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout


def test_ansible_brings_the_whole_cluster_to_one_schema(cluster: Cluster) -> None:
    before = cluster.schema()
    code, out = playbook(cluster, "--check", "--diff")
    assert (code, cluster.schema()) == (0, before), out
    with cluster.servers[2].hanging():
        code, out = playbook(cluster)
    assert code == 2
    assert f"cannot ask 127.0.0.1:{cluster.servers[2].port}" in out
    assert cluster.schema() == before
    code, out = playbook(cluster)
    assert (code, out.count("state: in sync")) == (0, 3), out
    first, second, third = cluster.schema()
    assert first == second == third
    assert ("fresh", "x", "UInt8") in first
    code, out = playbook(cluster)
    assert (code, "changed=0" in out) == (0, True)
