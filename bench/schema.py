# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure applying, not changing, and planning a schema, and print one table; see bench/README.md.

scripts/bench-schema starts the server for it and calls:

    CLICKHOUSE_PASSWORD=... python -m bench.schema --host 127.0.0.1 --port 19300 --user suho [--runs 5] [--write]
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from plugins.module_utils.clickhouse.client import ClickhouseError, Connection, Login, connect
from plugins.module_utils.schema.model import SchemaError
from plugins.module_utils.schema.rehearsal.process import PlannerProcess

from .contenders import (
    DATABASE,
    PROJECT,
    SCHEMAS,
    Address,
    BenchError,
    Contender,
    clickhouse_migrations,
    dbmate,
    ours,
    run,
)
from .proxy import Proxy
from .tables import COLUMNS, Spread, between_markers, ratio, render, request, verdict

README = Path(__file__).with_name("README.md")
HEAD = ("what", "who", "wall time, s", "on the server, ms", "round trips", "peak RSS, MiB", "compared")
# Tables and the seconds that planning them may take; the peak memory of the planner's process.
PLANS: Mapping[int, float | None] = {10: 2.0, 100: None, 500: 15.0}
RSS_LIMIT = 1024
PLAN_SECONDS = 600
Row = tuple[str, ...]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@dataclass
class Runs:
    """What the runs of one contender in one situation gave."""

    wall: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)  # milliseconds
    trips: list[float] = field(default_factory=list)


class Applying:
    """All contenders in turn, each on a fresh database and again on what it has made."""

    def __init__(self, at: Address, connection: Connection) -> None:
        self.at = at
        self.connection = connection
        self.fresh: dict[str, Runs] = {}
        self.again: dict[str, Runs] = {}
        self.left_out: dict[str, str] = {}

    def measure(self, contenders: Sequence[Contender], runs: int) -> None:
        with Proxy(self.at.host, self.at.port) as proxy:
            for number in range(runs + 1):  # the first one fills caches and is not counted
                say(f"apply and apply again: run {number} of {runs}")
                for one in contenders:
                    if one.name not in self.left_out:
                        self.both(proxy, one, counted=number > 0)

    def both(self, proxy: Proxy, one: Contender, counted: bool) -> None:
        self.empty()
        try:
            fresh = self.once(proxy, one)
            made = self.tables()
            again = self.once(proxy, one)
        except BenchError as error:
            if one.ours:
                raise
            self.left_out[one.name] = str(error)
            for place in (self.fresh, self.again):
                place.pop(one.name, None)
            return
        if again and self.tables() != made:
            raise BenchError(f"{one.name}: the second run changed the tables")
        if counted:
            for place, (wall, server, trips) in ((self.fresh, fresh), (self.again, again)):
                found = place.setdefault(one.name, Runs())
                found.wall.append(wall)
                found.server.append(server)
                found.trips.append(trips)

    def empty(self) -> None:
        for name in (DATABASE, f"{DATABASE}_quarantine"):
            self.connection.run(f"DROP DATABASE IF EXISTS {name} SYNC")

    def tables(self) -> dict[str, str]:
        """DDL of the wanted tables, all of which must be there."""
        wanted = {path.stem.partition("_")[2] for path in SCHEMAS.glob("*.sql")}
        sql = "SELECT name, create_table_query AS ddl FROM system.tables WHERE database = %(name)s"
        found = {row["name"]: row["ddl"] for row in self.connection.query(sql, {"name": DATABASE}).dicts()}
        missing = wanted - found.keys()
        if missing:
            raise BenchError(f"ended well, but these tables are missing: {', '.join(sorted(missing))}")
        return {name: found[name] for name in sorted(wanted)}

    def once(self, proxy: Proxy, one: Contender) -> tuple[float, float, float]:
        argv, environment = one.command(Address(self.at.host, proxy.port, self.at.user, self.at.password))
        with proxy.measure() as waited:
            started = time.perf_counter()
            run(argv, environment)
            wall = time.perf_counter() - started
        if not waited.exchanges:
            raise BenchError(f"{one.name} did not talk to the server")
        return wall, waited.seconds * 1000, float(waited.exchanges)

    def rows(self, contenders: Sequence[Contender]) -> list[Row]:
        rows: list[Row] = []
        for what, place in (
            ("apply 7 files to a fresh database", self.fresh),
            ("apply again: nothing to do", self.again),
        ):
            base = Spread.of(place[contenders[0].name].server).median
            present = [one for one in contenders if one.name in place]
            rows += [self.row(what, one, place[one.name], base) for one in present]
        return rows

    @staticmethod
    def row(what: str, one: Contender, found: Runs, base: float) -> Row:
        server = Spread.of(found.server)
        compared = "" if one.ours else f"our server time is {ratio(base, server.median)} of theirs"
        trips = f"{Spread.of(found.trips).median:g}"
        return (what, one.name, Spread.of(found.wall).text(2), server.text(1), trips, "", compared)


def plan_once(count: int, missing: int) -> tuple[float, float]:
    """Seconds from the start of the planner's process to its answer, and the most memory it has had in MiB."""
    started = time.perf_counter()
    with PlannerProcess(PLAN_SECONDS) as planner:
        answer = planner.ask(request("bench", count, missing))
        seconds = time.perf_counter() - started
        peak = peak_memory(Path(f"/proc/{planner.pid}/status").read_text(encoding="ascii"))
    steps, refused = len(answer["steps"]), len(answer["refused"])
    if (steps, refused) != (count if missing else 0, 0):
        raise BenchError(
            f"{count} tables: found {steps} steps and {refused} refused, expected one per change"
        )
    return seconds, peak


def peak_memory(status: str) -> float:
    """VmHWM of /proc/PID/status, in MiB."""
    for line in status.splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise BenchError("this kernel does not tell a process's peak memory (VmHWM)")


def planning(runs: int) -> Iterable[Row]:
    for count, limit in PLANS.items():
        for missing, state in ((0, "live equals desired"), (1, "each needs one ALTER")):
            say(f"plan and rehearse {count} tables, {state}")
            measured = [plan_once(count, missing) for _run in range(runs)]
            wall = Spread.of([seconds for seconds, _peak in measured])
            peak = Spread.of([peak for _seconds, peak in measured])
            goals = [verdict(wall.median, limit, "s")] if limit else []
            goals.append(verdict(peak.greatest, RSS_LIMIT, "MiB"))
            what = f"plan and rehearse {count} tables of {COLUMNS} columns, {state}"
            yield (what, "ours: the planner's process", wall.text(2), "", "", peak.text(0), "; ".join(goals))


def provided(
    makers: Mapping[str, Callable[[Mapping[str, str]], Contender]], left_out: dict[str, str]
) -> list[Contender]:
    found = []
    for name, make in makers.items():
        try:
            found.append(make(os.environ))
        except BenchError as error:
            left_out[name] = str(error)
    return found


def conditions(version: str, runs: int, load: float) -> str:
    git = ["git", "-C", str(PROJECT), "log", "-1", "--format=%h"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return (
        f"{time.strftime('%Y-%m-%d')}, commit {commit}, {os.cpu_count()} cores ({platform.machine()}), "
        f"load {load:.1f} at the start, Python {platform.python_version()}, ClickHouse {version}. "
        f"Median (least-greatest) of {runs} runs."
    )


def measure(at: Address, runs: int) -> str:
    load = os.getloadavg()[0]
    with connect(Login(host=at.host, port=at.port, user=at.user, password=at.password)) as connection:
        version = connection.server_version
        applying = Applying(at, connection)
        contenders = ours(os.environ) + provided(
            {"dbmate": dbmate, "clickhouse-migrations": clickhouse_migrations}, applying.left_out
        )
        applying.measure(contenders, runs)
    rows = applying.rows(contenders)
    rows += planning(runs)
    lines = [conditions(version, runs, load), "", render(HEAD, rows)]
    lines += [f"\nLeft out: {name}: {reason}" for name, reason in applying.left_out.items()]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the schema's way to a ClickHouse server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000, help="the native port of an empty server")
    parser.add_argument("--user", default="default", help="the password comes from CLICKHOUSE_PASSWORD")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; 5 or more")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    args = parser.parse_args()
    if args.runs < 5:
        parser.error(f"--runs is {args.runs}, expected 5 or more: less is no median")
    try:
        at = Address(args.host, args.port, args.user, os.environ.get("CLICKHOUSE_PASSWORD", ""))
        table = measure(at, args.runs)
    except (BenchError, ClickhouseError, SchemaError) as error:
        sys.exit(f"bench-schema: {error}")
    print(table)
    if args.write:
        README.write_text(between_markers(README.read_text(encoding="utf-8"), table), encoding="utf-8")


if __name__ == "__main__":
    main()
