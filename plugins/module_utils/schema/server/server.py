# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the live schema and run statements, on the host that reaches the server."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ...clickhouse.client import Answer, ClickhouseError, Connection
from ...clickhouse.names import literal, quote
from ...releases.journal import ChangeJournal
from ..cluster.statements import UNANSWERED, cluster_settings, host_statuses
from ..model import SchemaError

_UNKNOWN_TABLE = 60
# A statement has ended on the server when it returns: nothing goes on behind the back of the next step.
SYNC = {"alter_sync": 2, "mutations_sync": 2}


class ExecutedStatement(NamedTuple):
    """A statement that was run, and how long that took."""

    statement: str
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        return self._asdict()


class Server:
    """The server's side of one run: what it has, what was done to it, what would be done."""

    def __init__(
        self,
        connection: Connection,
        database: str,
        quarantine: str,
        dry: bool = False,
        cluster_timeout: float | None = None,
        journal: ChangeJournal | None = None,
    ) -> None:
        self.connection = connection
        self.journal = journal or ChangeJournal(None, "schema")
        # Seconds that a statement for a whole cluster may take on all hosts; None where statements are for this server.
        self.cluster_timeout = cluster_timeout
        self.database = database
        self.quarantine = quarantine
        self.dry = dry
        self.executed: list[ExecutedStatement] = []
        self.pending: list[str] = []
        self.done: list[str] = []  # names of the steps that are complete

    def run(self, statement: str) -> None:
        """Run a statement that changes something, or only note it in a dry run."""
        if self.dry:
            self.pending.append(statement)
            return
        started = time.monotonic()
        if self.cluster_timeout is None:
            self.connection.run(statement, SYNC)
        else:
            self.run_everywhere(statement, self.cluster_timeout)
        self.executed.append(ExecutedStatement(statement, round(time.monotonic() - started, 3)))

    def run_everywhere(self, statement: str, seconds: float) -> None:
        """Run a statement for a cluster. A host that has not answered in time is no failure and no success: it is asked later."""
        settings = {**SYNC, **cluster_settings(seconds)}
        try:
            statuses = host_statuses(self.connection.query(statement, settings=settings))
        except ClickhouseError as error:
            if error.code in UNANSWERED:
                return
            raise
        failed = [one for one in statuses if one.status]
        if failed:
            said = "; ".join(f"{one.address} answered with code {one.status}: {one.error}" for one in failed)
            raise SchemaError(f"{len(failed)} of {len(statuses)} hosts refused it: {said}")

    def run_if_different(self, statement: str, table: str) -> None:
        """Run a statement that may be without effect by now; it only counts as run if the table differs then."""
        before = "" if self.dry else self.ddl(self.database, table)
        self.run(statement)
        if not self.dry and self.ddl(self.database, table) == before:
            self.executed.pop()

    def helper(self, statement: str) -> None:
        """Run a statement on our own scratch objects in the quarantine; never in a dry run."""
        if self.dry:
            raise SchemaError(f"a dry run must not execute: {statement}")
        self.connection.run(statement, SYNC)

    def rows(self, sql: str, **params: Any) -> list[dict[str, Any]]:
        return self.connection.query(sql, params or None).dicts()

    def look(self, sql: str, settings: Mapping[str, Any]) -> Answer:
        """Answer to a SELECT with settings of its own. Nothing is substituted, so a % in a name is a %."""
        return self.connection.query(sql, settings=settings)

    def count(self, database: str, table: str, where: str = "1") -> int:
        target = f"{quote(database)}.{quote(table)}"
        return int(self.connection.scalar(f"SELECT count() FROM {target} WHERE {where}"))  # noqa: S608 - quoted

    def exists(self, database: str, table: str) -> bool:
        sql = "SELECT count() AS n FROM system.tables WHERE database = %(database)s AND name = %(table)s"
        return bool(self.rows(sql, database=database, table=table)[0]["n"])

    def ddl(self, database: str, table: str) -> str:
        sql = (
            "SELECT create_table_query AS ddl FROM system.tables "
            "WHERE database = %(database)s AND name = %(table)s"
        )
        found = self.rows(sql, database=database, table=table)
        if not found:
            raise SchemaError(f"{database}.{table} does not exist any more")
        return str(found[0]["ddl"])

    def columns(self, table: str) -> dict[str, dict[str, Any]]:
        sql = (
            "SELECT name, type, default_kind, default_expression, is_in_sorting_key, is_in_partition_key "
            "FROM system.columns WHERE database = %(database)s AND table = %(table)s ORDER BY position"
        )
        return {row["name"]: row for row in self.rows(sql, database=self.database, table=table)}

    def lists(self, table: str, name: str, what: str) -> bool:
        """Whether system.<what> (data_skipping_indices, projections) names a part of a table."""
        sql = (
            f"SELECT count() AS n FROM system.{what} "  # noqa: S608 - one of two words
            "WHERE database = %(database)s AND table = %(table)s AND name = %(name)s"
        )
        return bool(self.rows(sql, database=self.database, table=table, name=name)[0]["n"])

    def make_quarantine(self) -> None:
        sql = "SELECT count() AS n FROM system.databases WHERE name = %(name)s"
        statement = f"CREATE DATABASE IF NOT EXISTS {quote(self.quarantine)}"
        if not self.rows(sql, name=self.quarantine)[0]["n"] and statement not in self.pending:
            self.run(statement)

    def wait_for_inserts(self) -> None:
        """Wait for the end of every insert that is running now; later ones see the schema as it is now."""
        sql = "SELECT query_id AS id FROM system.processes WHERE query_kind = 'Insert' OR query_kind = 'AsyncInsertFlush'"
        limit = self.connection.login.receive_timeout
        deadline = time.monotonic() + limit
        running = {row["id"] for row in self.rows(sql)}
        while running:
            if time.monotonic() > deadline:
                raise SchemaError(
                    f"{len(running)} inserts are still running after {limit} s; run the task again"
                )
            time.sleep(0.1)
            running &= {row["id"] for row in self.rows(sql)}

    # Reading the schema --------------------------------------------------------------------------------

    def read(self, for_cluster: bool = False) -> dict[str, Any]:
        """Everything that planning needs to know about the server."""
        exists = self.rows(
            "SELECT count() AS n FROM system.databases WHERE name = %(name)s", name=self.database
        )
        found = self._objects(self.database, self.quarantine)
        objects = found[self.database]
        replicates = for_cluster or any(item["engine"].startswith("Replicated") for item in objects)
        return {
            "default_replication": self.default_replication() if replicates else "",
            "server_version": self.connection.server_version,
            "database_exists": bool(exists[0]["n"]),
            "objects": objects,
            # Of what is planned from, and of what is applied to: also what comes back is part of a plan.
            "schema_fingerprint": fingerprint(objects),
            "fingerprint": fingerprint(objects, found[self.quarantine]),
            "quarantined": found[self.quarantine],
        }

    def default_replication(self) -> str:
        """Path and replica that the server fills in where a table names none, as they stand in DDL; "" if it does not say."""
        sql = (
            "SELECT name, value FROM system.server_settings "
            "WHERE name IN ('default_replica_path', 'default_replica_name')"
        )
        try:
            found = {str(row["name"]): str(row["value"]) for row in self.rows(sql)}
        except ClickhouseError as error:
            if error.code != _UNKNOWN_TABLE:
                raise
            return ""  # an older server, which cannot say it
        values = [found.get("default_replica_path", ""), found.get("default_replica_name", "")]
        return f"({', '.join(literal(value) for value in values)})" if all(values) else ""

    def objects(self, database: str) -> list[dict[str, str]]:
        return self._objects(database)[database]

    def _objects(self, *databases: str) -> dict[str, list[dict[str, str]]]:
        """What each database holds, in one query: a server takes milliseconds for each look at system.tables."""
        rows = self.rows(
            "SELECT database, name, engine, create_table_query AS ddl, comment, total_rows FROM system.tables "
            "WHERE database IN %(databases)s AND NOT startsWith(name, '.inner') ORDER BY name",
            databases=databases,
        )
        found: dict[str, list[dict[str, str]]] = {database: [] for database in databases}
        for row in rows:
            found[row.pop("database")].append({key: str(value) for key, value in row.items()})
        return found


@contextmanager
def explained(what: str, statement: str = "") -> Iterator[None]:
    """Say what was being done when the server refused."""
    try:
        yield
    except ClickhouseError as error:
        suffix = f"; the statement was: {statement}" if statement else ""
        unknown = (
            "; whether it was done is not known, the next run will see" if error.kind == "timeout" else ""
        )
        raise SchemaError(f"{what}: {error}{unknown}{suffix}") from None


def fingerprint(*databases: Sequence[Mapping[str, str]]) -> str:
    """SHA-256 over the names and the DDL of all objects of some databases: equal as long as nobody has changed one."""
    texts = ["\0".join(f"{item['name']}\0{item['ddl']}" for item in objects) for objects in databases]
    return hashlib.sha256("\0\0".join(texts).encode()).hexdigest()
