# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure 30 assertions: in one call, beside a client for each query, and on tables of growing age; see bench/README.md.

scripts/bench-verify starts the server and the client's container, and calls:

    CLICKHOUSE_PASSWORD=... python -m bench.verify --port 19300 --user suho --client CONTAINER [--runs 5] [--write]
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from plugins.module_utils.checks.clickhouse.kinds import build
from plugins.module_utils.checks.clickhouse.run import CLICKHOUSE, CONNECTIONS, ServerChecks, Session
from plugins.module_utils.checks.result import failure_message
from plugins.module_utils.checks.wait import wait_for_pass
from plugins.module_utils.clickhouse.client import ClickhouseError, Connection, Login, connect
from plugins.module_utils.clickhouse.names import literal

from .contenders import PROJECT, SCHEMAS, Address, BenchError
from .schema import README, conditions, say
from .tables import VERIFY_BEGIN, VERIFY_END, Spread, between_markers, ratio, render

HEAD = ("what", "who", "wall time, s", "rows read", "compared")
MONTH = 1_000_000  # rows that come in a month, so that a table of 100 million is one of a hundred months
SIZES = (MONTH, 10 * MONTH, 100 * MONTH)
FASTER, SLOWER = 10.0, 1.5
KEYS = [f"indicator_{number:02}" for number in range(26)]
SYMBOLS = ("EURUSD", "GBPUSD", "USDJPY", "XAUUSD")
TIMEFRAMES = ("5m", "15m", "30m", "1h")
OUR_CALL = "ours: one call of the module's code in a process of its own"
SCRIPT = "30 clickhouse-client 18.16, in a script inside a container"
BY_HAND = "30 docker exec … clickhouse-client 18.16, as by hand"
CLIENTS = {SCRIPT: "of the script", BY_HAND: "with docker exec"}
Row = tuple[str, ...]


def database(rows: int) -> str:
    return f"bench_{rows}"


def table_ddl(name: str) -> str:
    """The platform's own table in another database."""
    text = next(SCHEMAS.glob("02_*.sql")).read_text(encoding="utf-8")
    return text[text.index("CREATE TABLE") :].rstrip().rstrip(";").replace("suho_analytics.", f"{name}.", 1)


def fill(connection: Connection, rows: int) -> None:
    """A month of bars ending now, and as many months before it as there are rows."""
    name = database(rows)
    connection.run(f"CREATE DATABASE {name}")
    connection.run(table_ddl(name))
    connection.run(f"SYSTEM STOP MERGES {name}.aggregates")
    pairs = ", ".join(f'"{key}":1.5' for key in KEYS)
    for month in range(rows // MONTH):
        say(f"fill {name}: month {month + 1} of {rows // MONTH}")
        step = (
            30 * 86_400_000 // MONTH * len(SYMBOLS) * len(TIMEFRAMES)
        )  # milliseconds between bars of one kind
        sql = (
            f"INSERT INTO {name}.aggregates (symbol, timeframe, timestamp, timestamp_ms, open, high, low, close, volume, range_pips, "  # noqa: S608
            "body_pips, start_time, end_time, source, indicators, ingested_at) "
            f"WITH {list(SYMBOLS)} AS symbols, {list(TIMEFRAMES)} AS frames, "
            f"now64(3) - toIntervalDay({30 * month}) - toIntervalMillisecond(intDiv(number, 16) * {step}) AS at "
            "SELECT symbols[number % 4 + 1], frames[intDiv(number, 4) % 4 + 1], at, toUnixTimestamp64Milli(at), 1, 2, 0.5, 1.5, number, 1, 1, "
            f"at, at, 'tick-aggregator', '{{{pairs}}}', at FROM numbers({MONTH})"
        )
        connection.run(sql)
    connection.run(f"SYSTEM START MERGES {name}.aggregates")
    connection.run(f"OPTIMIZE TABLE {name}.aggregates FINAL")


def assertions() -> list[dict[str, Any]]:
    """Thirty, of every kind that needs no second sample, bounded in time as docs say."""
    table = {"table": "aggregates"}
    recent = "timestamp >= now() - INTERVAL 1 HOUR"
    day = {"time_column": "timestamp", "max_age": 86400}
    found: list[dict[str, Any]] = [
        {"kind": "table_exists", **table, "engine": "MergeTree"},
        {"kind": "column", **table, "column": "indicators", "type": "String", "default": "''"},
        {"kind": "column", **table, "column": "ingested_at", "type": "DateTime64(3, 'UTC')"},
        {"kind": "column", **table, "column": "volume", "type": "UInt64"},
        {"kind": "mutations_done", **table},
        {"kind": "parts_healthy", **table},
        {"kind": "ttl_present", **table, "ttl": "toDateTime(timestamp) + INTERVAL 3650 DAY"},
        {"kind": "unique", **table, "columns": ["symbol", "timeframe", "timestamp"], "where": recent},
        {"kind": "no_nulls", **table, "columns": ["symbol", "indicators"], **day, "where": recent},
        {"kind": "query", "sql": "SELECT 1", "value": 1},
    ]
    for symbol in SYMBOLS:
        where = f"symbol = '{symbol}' AND {recent}"
        found += [
            {"kind": "row_count", **table, "where": where, "min": 5},
            {"kind": "fresh", **table, "time_column": "ingested_at", "max_age": 3600, "where": where},
            {
                "kind": "json_keys",
                **table,
                "column": "indicators",
                "keys": KEYS,
                "order_by": "timestamp",
                "where": where,
            },
            {
                "kind": "query",
                "sql": f"SELECT timeframe, count() FROM aggregates WHERE {where} GROUP BY timeframe",  # noqa: S608
                "op": "each_gt",
                "value": 0,
            },
            {
                "kind": "query",
                "sql": f"SELECT countIf(high < low) FROM aggregates WHERE {where}",  # noqa: S608
                "value": 0,
            },
        ]
    return [{"name": f"{number:02} {one['kind']}", **one} for number, one in enumerate(found, start=1)]


class Bench:
    def __init__(self, at: Address, client: str, folder: Path) -> None:
        self.at = at
        self.client = client
        self.folder = folder
        self.file = folder / "assertions.json"
        self.words: list[str] = []
        self.queries: list[str] = []
        self.file.write_text(json.dumps(assertions()), encoding="utf-8")

    def round_of_monitoring(self, rows: int) -> float:
        """Seconds of one evaluation in a process that is there already, with connections of its own, as a monitoring run does each of its rounds."""
        login = Login(self.at.host, self.at.port, self.at.user, self.at.password, database(rows))
        started = time.perf_counter()
        sessions = [Session(login) for _ in range(CONNECTIONS)]
        checks = ServerChecks(sessions, build(assertions(), login.database))
        found = wait_for_pass({CLICKHOUSE: checks}, timeout=0, interval=1)
        seconds = time.perf_counter() - started
        if text := failure_message(CLICKHOUSE, found.results):
            raise BenchError(f"the assertions do not hold: {text}")
        return seconds

    def one_call(self, rows: int) -> tuple[float, int]:
        """Seconds of a process that makes one call, and the rows that the server has read for it."""
        argv = [sys.executable, "-m", "bench.assert_once", self.at.host, str(self.at.port), self.at.user]
        out, seconds = self.timed([*argv, database(rows)], self.file.read_text(encoding="utf-8"))
        said = json.loads(out)
        if said["failures"] or len(said["assertions"]) != len(assertions()):
            raise BenchError(f"the assertions do not hold: {said['complaint']}")
        return seconds, sum(one["rows_read"] or 0 for one in said["assertions"])

    def playbook(self, rows: int, **more: str) -> float:
        more |= {"BENCH_DATABASE": database(rows), "BENCH_ASSERTIONS": str(self.file)}
        return self.timed(["ansible-playbook", "-i", "localhost,", "bench/verify.yml"], "", more)[1]

    def provide_module(self, rows: int) -> None:
        """Keep the module as Ansible sends it to a host: one file with its own code, Ansible's part and the arguments."""
        sent = self.folder / "sent"
        sent.mkdir(mode=0o700)
        self.playbook(
            rows, ANSIBLE_KEEP_REMOTE_FILES="1", ANSIBLE_PIPELINING="0", ANSIBLE_REMOTE_TMP=str(sent)
        )
        found = sorted(sent.rglob("AnsiballZ_*.py"))
        if len(found) != 1:
            raise BenchError(f"Ansible left {len(found)} modules in its folder, expected 1")
        self.module = found[0]

    def as_sent(self) -> float:
        """Seconds of that file run by Python, as it runs on the host."""
        out, seconds = self.timed([sys.executable, str(self.module)], "")
        if json.loads(out)["failures"]:
            raise BenchError(f"the assertions do not hold: {out[:600]}")
        return seconds

    def timed(self, argv: Sequence[str], stdin: str, more: dict[str, str] | None = None) -> tuple[str, float]:
        names = {"BENCH_HOST": self.at.host, "BENCH_PORT": str(self.at.port), "BENCH_USER": self.at.user}
        # Byte code is kept, as Python does it unless it is told otherwise, in a folder of the benchmark's own.
        names["PYTHONPYCACHEPREFIX"] = str(self.folder / "bytecode")
        environment = {**os.environ, **names, **(more or {})}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        started = time.perf_counter()
        done = subprocess.run(
            argv, input=stdin, capture_output=True, text=True, check=False, cwd=PROJECT, env=environment
        )
        seconds = time.perf_counter() - started
        if done.returncode:
            raise BenchError(f"{argv[0]} ended with {done.returncode}: {(done.stderr or done.stdout)[-600:]}")
        return done.stdout, seconds

    def provide_client(self, rows: int) -> None:
        """A script with one client for each query, inside of the client's container. The password is in a file of its own."""
        queries: list[str] = []

        def note(sql: str, params: Any) -> Any:
            queries.append(
                sql
                % {
                    name: literal(str(value)) if isinstance(value, str) else value
                    for name, value in params.items()
                }
                if params
                else sql
            )
            raise _Noted

        for assertion in build(assertions(), database(rows)):
            try:
                assertion.evaluate(note, 0.0)
            except _Noted:
                continue
        config = (
            f"<config><host>{self.at.host}</host><port>{self.at.port}</port><user>{self.at.user}</user>"
            f"<password>{self.at.password}</password></config>"
        )
        lines = ["set -e", "start=$(date +%s%N)"]
        self.words = [
            "clickhouse-client",
            "--config-file",
            "/bench.xml",
            "--database",
            database(rows),
            "--query",
        ]
        self.queries = queries
        lines += [f"{shlex.join([*self.words, sql])} >/dev/null" for sql in queries]
        lines.append("echo $(( $(date +%s%N) - start ))")
        for path, text in (("/bench.xml", config), ("/bench.sh", "\n".join(lines) + "\n")):
            self.docker("exec", "-i", self.client, "sh", "-c", f"umask 077; cat > {path}", stdin=text)

    def clients(self) -> float:
        return int(self.docker("exec", self.client, "sh", "/bench.sh")) / 1e9

    def docker_execs(self) -> float:
        """Seconds of the same clients, each started by a docker exec of its own, as the deployment by hand does it."""
        started = time.perf_counter()
        for sql in self.queries:
            self.docker("exec", self.client, *self.words, sql)
        return time.perf_counter() - started

    @staticmethod
    def docker(*words: str, stdin: str = "") -> str:
        done = subprocess.run(["docker", *words], input=stdin, capture_output=True, text=True, check=False)
        if done.returncode:
            raise BenchError(f"docker {words[0]} ended with {done.returncode}: {done.stderr[-600:]}")
        return done.stdout

    def beside_clients(self, rows: int, runs: int) -> list[Row]:
        self.provide_client(rows)
        self.provide_module(rows)
        ways: dict[str, Callable[[], float]] = {
            "ours: a round of a monitoring run": lambda: self.round_of_monitoring(rows),
            OUR_CALL: lambda: self.one_call(rows)[0],
            "ours: the module as Ansible sends it, run on the host": self.as_sent,
            "ours: a playbook with one task": lambda: self.playbook(rows),
            SCRIPT: self.clients,
            BY_HAND: self.docker_execs,
        }
        measured: dict[str, list[float]] = {who: [] for who in ways}
        for number in range(runs + 1):  # the first one fills caches and is not counted
            say(f"30 assertions: run {number} of {runs}")
            found = [measure() for measure in ways.values()]
            if number:
                for values, seconds in zip(measured.values(), found):
                    values.append(seconds)
        wall = {who: Spread.of(values) for who, values in measured.items()}
        return [("30 assertions", who, wall[who].text(2), "", compared(who, wall)) for who in ways]

    def by_age(self, sizes: Sequence[int], runs: int) -> list[Row]:
        measured: dict[int, list[tuple[float, int]]] = {rows: [] for rows in sizes}
        for number in range(runs + 1):
            for rows in sizes:
                say(f"{rows} rows: run {number} of {runs}")
                found = self.one_call(rows)
                if number:
                    measured[rows].append(found)
        base = Spread.of([seconds for seconds, _read in measured[sizes[0]]]).median
        table = []
        for rows in sizes:
            wall = Spread.of([seconds for seconds, _read in measured[rows]])
            read = Spread.of([float(count) for _seconds, count in measured[rows]])
            text = f"{ratio(wall.median, base)} of the smallest"
            if rows == sizes[-1]:
                goal = "met" if wall.median <= SLOWER * base else "missed"
                text += f"; {goal}: at most {SLOWER:g}"
            what = f"30 assertions on {rows:,} rows, {rows // MONTH} months"
            table.append((what, OUR_CALL, wall.text(2), read.text(0), text))
        return table


def compared(who: str, wall: Mapping[str, Spread]) -> str:
    """How many times as fast as each way of starting the clients; the goal is one of the call in a process of its own."""
    if who in CLIENTS:
        return ""
    said = []
    for client, how in CLIENTS.items():
        times = wall[client].median / wall[who].median
        judged = (
            f" ({'met' if times >= FASTER else 'missed'}: at least {FASTER:g})" if who == OUR_CALL else ""
        )
        said.append(f"{times:.1f} times as fast as the clients {how}{judged}")
    return "; ".join(said)


class _Noted(Exception):
    """The query was written down."""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure assertions against a ClickHouse server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="the native port of an empty server")
    parser.add_argument("--user", default="default", help="the password comes from CLICKHOUSE_PASSWORD")
    parser.add_argument(
        "--client", required=True, help="a container on the host's network with clickhouse-client"
    )
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; 5 or more")
    parser.add_argument("--most", type=int, default=SIZES[-1], help="rows of the largest table")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    args = parser.parse_args()
    if args.runs < 5:
        parser.error(f"--runs is {args.runs}, expected 5 or more: less is no median")
    sizes = [rows for rows in SIZES if rows <= args.most] or [SIZES[0]]
    load = os.getloadavg()[0]
    try:
        at = Address(args.host, args.port, args.user, os.environ.get("CLICKHOUSE_PASSWORD", ""))
        with connect(Login(at.host, at.port, at.user, at.password)) as connection:
            version = connection.server_version
            for rows in sizes:
                fill(connection, rows)
        with tempfile.TemporaryDirectory() as folder:
            bench = Bench(at, args.client, Path(folder))
            rows_of_table = [*bench.beside_clients(sizes[0], args.runs), *bench.by_age(sizes, args.runs)]
    except (BenchError, ClickhouseError) as error:
        sys.exit(f"bench-verify: {error}")
    table = f"{conditions(version, args.runs, load)}\n\n{render(HEAD, rows_of_table)}"
    print(table)
    if args.write:
        text = between_markers(README.read_text(encoding="utf-8"), table, VERIFY_BEGIN, VERIFY_END)
        README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
