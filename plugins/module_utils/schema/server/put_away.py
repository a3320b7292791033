# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Put a table, or the values of a column, into the quarantine before they leave the database."""

from __future__ import annotations

from collections.abc import Sequence

from ...clickhouse.names import literal, quote
from ..model import GUARD, SchemaError
from ..sql.conditions import ROW, is_default, row_hash
from ..sql.ddl import parse_create
from ..sql.view_usage import VIEWS_SQL, fed_sql, fed_views, users
from .quarantine import COPY, Kept, column_name, comment_of, free_name, table_name
from .server import Server


def still_there(server: Server, views: Sequence[str]) -> list[str]:
    """The views but for those that this rollback drops or changes before: in a dry run they are as they were."""
    pending = [statement.split() for statement in server.pending] if server.dry else []
    gone = {words[2].replace("`", "") for words in pending if words[:2] == ["DROP", "VIEW"]}
    gone |= {words[2].replace("`", "") for words in pending if words[3:5] == ["MODIFY", "QUERY"]}
    return [view for view in views if view.replace("`", "") not in gone]


def move_table(server: Server, table: str, release: str) -> Kept:
    """Move the table, with its rows, by its name alone: nothing is copied."""
    # An insert into the table would feed nothing any more, and nobody would notice.
    readers = still_there(server, fed_views(server.rows(fed_sql(server.database, table))))
    if readers:
        raise SchemaError(
            f"{server.database}.{table} cannot be moved to the quarantine: {', '.join(readers)} would stop working; "
            "drop these views first"
        )
    taken = [item["name"] for item in server.objects(server.quarantine)]
    name = free_name(table_name(table, release), taken)
    server.make_quarantine()
    server.run(
        f"RENAME TABLE {quote(server.database)}.{quote(table)} TO {quote(server.quarantine)}.{quote(name)}"
    )
    rows = server.count(server.database, table) if server.dry else server.count(server.quarantine, name)
    return Kept(f"{server.database}.{table}", f"{server.quarantine}.{name}", rows)


class ColumnKeeper:
    """Copy a column's values with the keys of their rows, count them, and only then drop the column.

    A constraint closes the column first: a writer that sends a value of its own gets an error and keeps its
    data, while writers that do not know the column go on. Inserts that were running already are waited for, as
    they do not see the constraint yet. So nothing can arrive between the copy and the drop. (Renaming the column
    instead is not enough: an insert that is running would still be accepted, and its values be lost.)
    """

    def __init__(self, server: Server, table: str, column: str, added: set[str], release: str) -> None:
        self.server = server
        self.table = table
        self.column = column
        self.guard = GUARD + column
        self.target = f"{quote(server.database)}.{quote(table)}"
        self.columns = server.columns(table)
        self.release = release
        # Columns that go, too, cannot help to find a row again.
        self.stored = [
            name
            for name, info in self.columns.items()
            if info["default_kind"] in ("", "DEFAULT") and name not in added
        ]
        self.keys = [
            name
            for name in self.stored
            if self.columns[name]["is_in_sorting_key"] or self.columns[name]["is_in_partition_key"]
        ]

    def run(self) -> Kept | None:
        if self.column not in self.columns:
            return None
        self.check_readers()
        drop = f"DROP COLUMN {quote(self.column)}"
        if self.columns[self.column]["default_kind"] not in ("", "DEFAULT"):
            self.server.run(f"ALTER TABLE {self.target} {drop}")
            return None  # computed values: there is nothing to keep
        if self.server.dry:
            self.server.run(f"ALTER TABLE {self.target} {drop}")
            name = column_name(self.table, self.column, self.release)
            rows = self.server.count(self.server.database, self.table, f"NOT ({self.is_default()})")
        else:
            self.close()
            name, rows = self.keep()
            # One statement: between two, the column would be open again.
            self.server.run(f"ALTER TABLE {self.target} DROP CONSTRAINT {quote(self.guard)}, {drop}")
        where = f"{self.server.database}.{self.table}.{self.column}"
        return Kept(where, f"{self.server.quarantine}.{name}", rows)

    def check_readers(self) -> None:
        """A view that reads the column would fail at the next insert or select."""
        database = self.server.database
        found = users(self.server.rows(VIEWS_SQL), database, self.table, self.column)
        broken = still_there(self.server, [str(view) for view, _use in found])
        if broken:
            raise SchemaError(
                f"column {self.column} of {self.target} cannot be dropped: {', '.join(broken)} reads it; "
                "drop these views first"
            )

    def is_default(self) -> str:
        """Condition for rows that hold nothing of their own in the column."""
        return is_default(self.column, self.columns[self.column])

    def close(self) -> None:
        """Let no new value into the column, and wait until no insert is left that may still bring one."""
        table = parse_create(self.server.ddl(self.server.database, self.table))
        if self.guard not in table.constraints:
            self.server.run(
                f"ALTER TABLE {self.target} ADD CONSTRAINT {quote(self.guard)} CHECK {self.is_default()}"
            )
        self.server.wait_for_inserts()

    def keep(self) -> tuple[str, int]:
        """Copy the values to the quarantine; returns the table's name and its number of rows."""
        server, condition = self.server, f"NOT ({self.is_default()})"
        rows = server.count(server.database, self.table, condition)
        wanted = column_name(self.table, self.column, self.release)
        taken = [item["name"] for item in server.objects(server.quarantine)]
        if wanted in taken and server.count(server.quarantine, wanted) == rows:
            return wanted, rows  # copied and counted by a run that was interrupted before the drop
        server.make_quarantine()
        copy = f"{quote(server.quarantine)}.{quote(wanted + '~' + COPY)}"
        server.helper(f"DROP TABLE IF EXISTS {copy} SYNC")
        kept = "".join(f"{quote(name)}, " for name in self.keys)
        comment = comment_of(self.table, self.column, self.keys, self.stored)
        server.run(
            f"CREATE TABLE {copy} ENGINE = MergeTree ORDER BY {quote(ROW)} COMMENT {literal(comment)} "  # noqa: S608
            f"AS SELECT {kept}{row_hash(self.stored)} AS {quote(ROW)}, {quote(self.column)} "
            f"FROM {self.target} WHERE {condition}"
        )
        copied = server.count(server.quarantine, wanted + "~" + COPY)
        again = server.count(server.database, self.table, condition)
        if not copied == rows == again:
            raise SchemaError(
                f"the copy of {self.target}.{self.column} holds {copied} rows, expected {again}; "
                "the column was not dropped, run the rollback again"
            )
        name = free_name(wanted, taken)
        server.run(f"RENAME TABLE {copy} TO {quote(server.quarantine)}.{quote(name)}")
        return name, rows
