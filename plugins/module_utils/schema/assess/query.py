# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read-only queries on the live server that end in time, for checks that may not hold up a deploy."""

from __future__ import annotations

import time
from typing import Any

from ...clickhouse.client import READONLY, Answer, ClickhouseError
from ...clickhouse.names import literal, quote
from ..server.server import Server

TIMEOUT_EXCEEDED = 159
ACCESS_DENIED = 497
_SHORTEST = 0.01  # seconds; less is not worth a query, and 0 would mean no limit
_LONGEST_REASON = 300


class CannotTell(Exception):
    """A check has no answer; the message is the reason."""

    def __init__(self, reason: str, final: bool = True) -> None:
        super().__init__(reason)
        self.final = final  # asking for less at once would not help


class LiveData:
    """Asks the server, within the time that is left for all jobs together."""

    def __init__(self, server: Server, seconds: float) -> None:
        self.server = server
        self.seconds = seconds
        self.deadline = time.monotonic() + seconds
        self.until = self.deadline
        self._kept: dict[str, Any] = {}

    def begin(self, jobs_left: int) -> None:
        """Start the first of *jobs_left* jobs; what one does not use goes to the others."""
        now = time.monotonic()
        self.until = now + max(0.0, self.deadline - now) / jobs_left

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return self.ask(sql).dicts()

    def values(self, sql: str, parts: int = 1) -> tuple[Any, ...]:
        """The only row of an aggregation."""
        return self.ask(sql, parts).rows[0]

    def ask(self, sql: str, parts: int = 1) -> Answer:
        """Run a query that may take one of *parts* parts of the job's time. Nothing is substituted in it."""
        left = (self.until - time.monotonic()) / parts
        if left < _SHORTEST:
            raise CannotTell(f"the {self.seconds:g} s for all checks were used up")
        try:
            return self.server.look(sql, _bounds(left))
        except ClickhouseError as error:
            raise _reason(error, left) from None

    def kept(self, sql: str) -> list[dict[str, Any]]:
        """Like rows(), for answers that several checks need."""
        if sql not in self._kept:
            self._kept[sql] = self.rows(sql)
        found: list[dict[str, Any]] = self._kept[sql]
        return found

    def table(self, name: str) -> dict[str, Any]:
        sql = (
            "SELECT engine, storage_policy, total_rows, total_bytes FROM system.tables "  # noqa: S608 - quoted
            f"WHERE {self.at('database', 'name', name)}"
        )
        found = self.kept(sql)
        if not found:
            raise CannotTell("the table does not exist, or the user cannot see it")
        return found[0]

    def parts_table(self, name: str) -> dict[str, Any]:
        """The same for a table that is kept in parts."""
        info = self.table(name)
        if not str(info["engine"]).endswith("MergeTree"):
            raise CannotTell(f"a table with engine {info['engine']} has no parts to look at")
        return info

    def columns(self, table: str) -> dict[str, dict[str, Any]]:
        sql = (
            "SELECT name, type, default_kind, default_expression FROM system.columns "  # noqa: S608 - quoted
            f"WHERE {self.at('database', 'table', table)}"
        )
        return {str(row["name"]): row for row in self.kept(sql)}

    def column(self, table: str, name: str) -> dict[str, Any]:
        columns = self.columns(table)
        if name not in columns:
            raise CannotTell("the column does not exist, or the user cannot see it")
        return columns[name]

    def target(self, table: str) -> str:
        return f"{quote(self.server.database)}.{quote(table)}"

    def at(self, database: str, name: str, table: str) -> str:
        """Condition for one table in a system table that names its columns like this."""
        return f"{database} = {literal(self.server.database)} AND {name} = {literal(table)}"


def _bounds(seconds: float) -> dict[str, Any]:
    """Settings under which a query ends in time, and ends with an error instead of half an answer."""
    return {
        "max_execution_time": round(seconds, 3),
        "timeout_overflow_mode": "throw",
        "read_overflow_mode": "throw",
        "lock_acquire_timeout": max(1, round(seconds)),
        "session_timezone": "",  # the server's own, which TTLs are computed in
        "cast_keep_nullable": 0,
        "final": 0,
    }


def _reason(error: ClickhouseError, seconds: float) -> CannotTell:
    if error.kind == "timeout" or error.code == TIMEOUT_EXCEEDED:
        return CannotTell(f"the query did not end within {seconds:.3g} s")
    if error.code == READONLY:
        return CannotTell("the user may not set a time limit for a query (code 164)")
    text = " ".join(str(error).split())
    if len(text) > _LONGEST_REASON:
        text = text[: _LONGEST_REASON - 3] + "..."
    return CannotTell(text, final=error.kind != "server" or error.code == ACCESS_DENIED)
