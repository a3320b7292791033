# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give a table another engine or other keys without losing a row, and roll that back.

The rows are copied, partition by partition, into a table of the new definition in the quarantine database while writers
go on. Then the table is closed by a constraint that nothing meets: a writer gets an error and keeps its data. What has
changed since its copy is copied again, both sides are compared by count and checksum, and EXCHANGE TABLES exchanges the
names in one moment. The old table stays in the quarantine, still closed, and the rollback exchanges them again.

What was done is read from the server alone. The old table is the closed one (constraint ``__quarantine__rebuilt``), and
a new one that is being rolled back is closed by ``__quarantine__returned``. A copy that is neither is unfinished, and is made
anew. Views go by names: they feed from and write to whichever table has the name, and copying does not run them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ...clickhouse.names import literal, quote
from ..model import GUARD, SchemaError
from ..sql.ddl import head as read_name
from ..sql.ddl import parse_create
from ..sql.tokens import significant
from .quarantine import DELTA, REBUILDING, REBUILT, RESTORED, Kept, free_name, table_name
from .server import Server

FORWARD, BACK = GUARD + REBUILT, GUARD + "returned"
_NULL = "\\N"
# The engine merges rows of its own accord, so counts may differ; only the keys can be compared.
_PLAIN = "MergeTree"
# Rows are copied as they are, also into an engine that would merge those of one block.
COPY = {"optimize_on_insert": 0, "alter_sync": 2, "mutations_sync": 2}


class Sum(NamedTuple):
    """What rows are distinguished by: their number, and a checksum over all their values."""

    rows: int
    checksum: int


def rebuild(server: Server, table: str, statement: str, release: str) -> Kept | None:
    """Make the table what ``statement``, a CREATE of its new definition, says; returns where the old one is kept."""
    work = _Rebuild(server, table)
    work.check_databases()
    work.make_copy(statement)
    copied = work.copy_all()
    work.close(server.database, table, FORWARD)
    work.copy_changed(copied)
    work.compare(server.quarantine, work.copy)
    old = free_name(table_name(table, release), work.taken(), REBUILT)
    server.helper(f"RENAME TABLE {_name(server.quarantine, work.copy)} TO {_name(server.quarantine, old)}")
    server.run(f"EXCHANGE TABLES {_name(server.database, table)} AND {_name(server.quarantine, old)}")
    rows = server.count(server.quarantine, old)
    return Kept(f"{server.database}.{table}", f"{server.quarantine}.{old}", rows)


def reopen(server: Server, table: str) -> Kept | None:
    """Open a table that an interrupted rebuild, or its interrupted rollback, has left closed."""
    work = _Rebuild(server, table)
    if work.closed_by(server.database, table) == FORWARD:
        return work.finish_return()
    server.run(f"ALTER TABLE {work.live} DROP CONSTRAINT {quote(BACK)}")
    return None


def exchange_back(server: Server, table: str, release: str) -> Kept | None:
    """Exchange the names again, so that the previous table has its name, with the rows that came since; None if there is nothing to exchange."""
    work = _Rebuild(server, table)
    closed = work.closed_by(server.database, table)
    if closed == FORWARD:
        return work.finish_return()
    old = work.find(FORWARD, release)
    if not old:
        return None
    if server.dry:
        server.run(f"EXCHANGE TABLES {_name(server.database, table)} AND {_name(server.quarantine, old)}")
        return None
    if closed != BACK:
        work.close(server.database, table, BACK)
    work.make_delta(old)
    server.run(f"EXCHANGE TABLES {_name(server.database, table)} AND {_name(server.quarantine, old)}")
    return work.finish_return()


def create_as(statement: str, target: str) -> str:
    """A printed CREATE TABLE for another name."""
    bracket = next(token for token in significant(statement) if token.text == "(")
    return f"CREATE TABLE {target} {statement[bracket.start :]}"


def _name(database: str, table: str) -> str:
    return f"{quote(database)}.{quote(table)}"


class _Rebuild:
    def __init__(self, server: Server, table: str) -> None:
        self.server = server
        self.table = table
        self.copy = f"{table}~{REBUILDING}"
        self.delta = f"{table}~{DELTA}"
        self.live = _name(server.database, table)
        columns = server.columns(table)
        self.stored = [name for name, info in columns.items() if info["default_kind"] in ("", "DEFAULT")]
        self.names = ", ".join(map(quote, self.stored))
        values = [f"ifNull(toString({quote(name)}), {literal(_NULL)})" for name in self.stored]
        self.hash = f"cityHash64({', '.join(values)})"

    # Looking -------------------------------------------------------------------------------------------

    def taken(self) -> list[str]:
        return [item["name"] for item in self.server.objects(self.server.quarantine)]

    def check_databases(self) -> None:
        self.server.make_quarantine()
        for row in self.server.rows(
            "SELECT name, engine FROM system.databases WHERE name IN (%(one)s, %(two)s)",
            one=self.server.database,
            two=self.server.quarantine,
        ):
            if row["engine"] != "Atomic":
                raise SchemaError(
                    f"database {row['name']} has the engine {row['engine']}, and names are exchanged in Atomic ones only; "
                    "nothing was done"
                )

    def closed_by(self, database: str, table: str) -> str:
        constraints = parse_create(self.server.ddl(database, table)).constraints
        return next((name for name in (FORWARD, BACK) if name in constraints), "")

    def find(self, guard: str, release: str = "") -> str:
        """The newest quarantined table of this one, or of this one and a release, that the constraint closes."""
        server = self.server
        found = [
            name
            for name in sorted(self.taken())
            if name.partition("~")[0].startswith(f"{self.table}__")
            and release in ("", name.partition("~")[0][len(self.table) + 2 :])
            and name.endswith(f"~{REBUILT}")
            and self.closed_by(server.quarantine, name) == guard
        ]
        return found[-1] if found else ""

    def total(self, database: str, table: str, where: str = "1") -> Sum:
        sql = f"SELECT count() AS `__rows`, sum({self.hash}) AS `__sum` FROM {_name(database, table)} WHERE {where}"  # noqa: S608
        row = self.server.rows(sql)[0]
        return Sum(int(row["__rows"]), int(row["__sum"]))

    def partitions(self) -> dict[str, Sum]:
        sql = (
            f"SELECT _partition_id AS `__part`, count() AS `__rows`, sum({self.hash}) AS `__sum` FROM {self.live} "  # noqa: S608
            "GROUP BY _partition_id ORDER BY _partition_id"
        )
        return {
            str(row["__part"]): Sum(int(row["__rows"]), int(row["__sum"])) for row in self.server.rows(sql)
        }

    # Copying -------------------------------------------------------------------------------------------

    def make_copy(self, statement: str) -> None:
        server, target = self.server, _name(self.server.quarantine, self.copy)
        server.helper(f"DROP TABLE IF EXISTS {target} SYNC")
        if read_name(statement)[2] != self.table:
            raise SchemaError(f"expected a statement that creates {self.live}, found {statement[:80]!r}")
        server.helper(create_as(statement, target))

    def copy_all(self) -> dict[str, Sum]:
        found = self.partitions()
        for partition in found:
            self.copy_partition(partition)
        return found

    def copy_partition(self, partition: str) -> None:
        self.server.connection.run(
            f"INSERT INTO {_name(self.server.quarantine, self.copy)} ({self.names}) "  # noqa: S608 - quoted names
            f"SELECT {self.names} FROM {self.live} WHERE _partition_id = {literal(partition)}",
            COPY,
        )

    def copy_changed(self, copied: Mapping[str, Sum]) -> None:
        """Nothing changes any more: bring the partitions up to date that changed while they were copied."""
        now = self.partitions()
        for partition in sorted(now.keys() | copied.keys()):
            if now.get(partition) == copied.get(partition):
                continue
            if partition in copied:
                self.forget_partition(partition)
            if partition in now:
                self.copy_partition(partition)

    def forget_partition(self, partition: str) -> None:
        """Delete the rows of one partition of the old table from the copy, whose partitions may be others."""
        key = self.server.rows(
            "SELECT partition_key AS k FROM system.tables WHERE database = %(d)s AND name = %(t)s",
            d=self.server.database,
            t=self.table,
        )[0]["k"]
        target = _name(self.server.quarantine, self.copy)
        if not key:
            self.server.helper(f"TRUNCATE TABLE {target} SYNC")
            return
        self.server.helper(
            f"ALTER TABLE {target} DELETE WHERE tuple({key}) IN "  # noqa: S608 - the server's own text, quoted names
            f"(SELECT DISTINCT tuple({key}) FROM {self.live} WHERE _partition_id = {literal(partition)})"
        )

    def compare(self, database: str, table: str) -> None:
        wanted, found = self.total(self.server.database, self.table), self.total(database, table)
        engine = self.server.rows(
            "SELECT engine, sorting_key AS k FROM system.tables WHERE database = %(d)s AND name = %(t)s",
            d=database,
            t=table,
        )[0]
        if wanted == found:
            return
        if engine["engine"] != _PLAIN and engine["k"]:
            keys = f"uniqExact(tuple({engine['k']}))"
            same = [
                self.server.connection.scalar(f"SELECT {keys} FROM {name}")  # noqa: S608 - quoted names
                for name in (self.live, _name(database, table))
            ]
            if same[0] == same[1]:
                return
        raise SchemaError(
            f"the copy of {self.live} holds {found.rows} rows with checksum {found.checksum}, expected {wanted.rows} with "
            f"{wanted.checksum}; the table was not exchanged, run the task again"
        )

    # Closing -------------------------------------------------------------------------------------------

    def close(self, database: str, table: str, guard: str) -> None:
        """Let no new row in, and wait until no insert is left that may still bring one."""
        if self.closed_by(database, table) != guard:
            self.server.run(f"ALTER TABLE {_name(database, table)} ADD CONSTRAINT {quote(guard)} CHECK 0")
        self.server.wait_for_inserts()

    # Going back ----------------------------------------------------------------------------------------

    def make_delta(self, old: str) -> None:
        """Rows that came after the exchange, in a table of the old definition."""
        server, target = self.server, _name(self.server.quarantine, self.delta)
        source = _name(server.quarantine, old)
        server.helper(f"DROP TABLE IF EXISTS {target} SYNC")
        server.helper(f"CREATE TABLE {target} AS {source}")
        server.helper(f"ALTER TABLE {target} DROP CONSTRAINT {quote(FORWARD)}")
        server.connection.run(
            f"INSERT INTO {target} ({self.names}) SELECT {self.names} FROM {self.live} "  # noqa: S608 - quoted names
            f"WHERE {self.hash} NOT IN (SELECT {self.hash} FROM {source})",
            COPY,
        )

    def finish_return(self) -> Kept | None:
        """The old table has its name again, still closed: give it the rows that came since, and open it."""
        server, target = self.server, _name(self.server.quarantine, self.delta)
        new = self.find(BACK)
        if new and server.exists(server.quarantine, self.delta):
            ids = [
                str(row["id"])
                for row in server.rows(
                    "SELECT DISTINCT partition_id AS id FROM system.parts WHERE active AND database = %(d)s AND table = %(t)s",
                    d=server.quarantine,
                    t=self.delta,
                )
            ]
            # Moved, not inserted: the rows have passed through the views already.
            for partition in ids:
                server.helper(
                    f"ALTER TABLE {target} MOVE PARTITION ID {literal(partition)} TO TABLE {self.live}"
                )
            if server.count(server.quarantine, self.delta) == 0:
                server.helper(f"DROP TABLE {target} SYNC")
        server.run(f"ALTER TABLE {self.live} DROP CONSTRAINT {quote(FORWARD)}")
        if not new:
            return None
        kept = free_name(new, self.taken(), RESTORED)
        server.run(f"RENAME TABLE {_name(server.quarantine, new)} TO {_name(server.quarantine, kept)}")
        rows = server.count(server.quarantine, kept)
        return Kept(f"{server.database}.{self.table}", f"{server.quarantine}.{kept}", rows)
