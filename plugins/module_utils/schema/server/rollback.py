# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take a release's schema steps back without losing a row.

Each action looks at the server first and does what is still missing, so a reverse that was interrupted
is continued by running it again, and one that is complete changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...clickhouse.names import check_name, literal, quote
from ..model import GUARD, SchemaError
from ..plan.views import view_parts
from ..sql.conditions import ROW, is_default, row_hash
from ..sql.ddl import parse_create
from ..sql.view_usage import VIEWS_SQL, fed_sql, fed_views, users
from .quarantine import COPY, column_name, comment_of, entry_of, free_name, table_name
from .rebuild import give_back
from .restore import restore
from .server import Server, explained


class Data(NamedTuple):
    """What becomes of the rows and values that the release has brought; quarantine if neither says otherwise."""

    keep: bool = False  # tables and columns stay where they are
    drop: frozenset[str] = (
        frozenset()
    )  # tables, and columns as table.column, that are dropped with their data


def reverse(
    server: Server, steps: Sequence[Mapping[str, Any]], release: str, data: Data | None = None
) -> list[dict[str, Any]]:
    """Undo *steps* from the last to the first; returns what went to the quarantine, or stayed, with counts."""
    data = data or Data()
    undo = [item for step in reversed(steps) for item in step.get("undo", [])]
    for item in undo:
        _check(item)
    added = set(filter(None, map(_holds, undo)))
    unknown = data.drop - added
    if unknown:
        known = ", ".join(sorted(added)) or "nothing"
        raise SchemaError(
            f"drop: {', '.join(sorted(unknown))} was not added by the release; it has added {known}"
        )
    quarantined: list[dict[str, Any]] = []
    for item in _left(server, undo):
        name = _holds(item)
        what = f"reverse of {item['action']} on {server.database}.{item['table']}"
        with explained(what), server.journal.change(what, "the next deploy"):
            kept = None
            if name in data.drop:
                _drop(server, item)
            elif name and data.keep:
                kept = _stays(server, item)
            else:
                kept = _undo(server, item, undo, release)
        if kept:
            quarantined.append(kept)
    return quarantined


def _holds(item: Mapping[str, str]) -> str:
    """The table or column that the release has added, if the action takes away data; else nothing."""
    names = {"quarantine_table": ("table",), "drop_column": ("table", "column")}.get(item["action"], ())
    return ".".join(item[part] for part in names)


def _drop(server: Server, item: Mapping[str, str]) -> None:
    target = f"{quote(server.database)}.{quote(item['table'])}"
    if not server.exists(server.database, item["table"]):
        return
    if item["action"] == "quarantine_table":
        server.run(f"DROP TABLE {target} SYNC")
    elif item["column"] in server.columns(item["table"]):
        server.run(f"ALTER TABLE {target} DROP COLUMN {quote(item['column'])}")


def _stays(server: Server, item: Mapping[str, str]) -> dict[str, Any] | None:
    if not server.exists(server.database, item["table"]):
        return None
    return {
        "object": f"{server.database}.{_holds(item)}",
        "quarantine": "",
        "rows": server.count(server.database, item["table"]),
        "kept": "it stays, by the policy keep",
    }


def _left(server: Server, undo: Sequence[Mapping[str, str]]) -> list[Mapping[str, str]]:
    """What a reverse that was interrupted has not done. Where a column has its old name back, all before it was done."""
    done: dict[str, int] = {}
    for number, item in enumerate(undo):
        if item["action"] == "rename_column" and server.exists(server.database, item["table"]):
            columns = server.columns(item["table"])
            if item["column"] not in columns and item["to"] in columns:
                done[item["table"]] = number
    return [item for number, item in enumerate(undo) if number > done.get(item["table"], -1)]


# What each action names beside the table.
_FIELDS = {
    "quarantine_table": (),
    "give_back": ("statement",),
    "drop_view": (),
    "drop_dictionary": (),
    "rename_object": ("to", "kind"),
    "rename_column": ("column", "to"),
    "drop_column": ("column",),
    "give_column_back": ("column", "statement"),
    "drop_index": ("index",),
    "drop_projection": ("projection",),
    "drop_constraint": ("constraint",),
    "run": ("statement",),
    "remake_view": ("statement",),
}
# Where a server lists what a table has of each.
_LISTED = {"index": "data_skipping_indices", "projection": "projections"}


def _check(item: Mapping[str, Any]) -> None:
    fields = _FIELDS.get(str(item.get("action")))
    if fields is None or any(not isinstance(item.get(field), str) for field in ("table", *fields)):
        raise SchemaError(f"steps: {dict(item)!r} is not an action that can be taken back")
    for field in ("table", *fields):
        if field not in ("statement", "kind"):
            check_name(item[field], field)
    if item.get("kind", "TABLE") not in ("TABLE", "DICTIONARY"):
        raise SchemaError(f"steps: {item['kind']!r} is no kind of object that is renamed")


def _undo(
    server: Server, item: Mapping[str, str], undo: Sequence[Mapping[str, str]], release: str
) -> dict[str, Any] | None:
    table, action = item["table"], item["action"]
    target = f"{quote(server.database)}.{quote(table)}"
    if not server.exists(server.database, table):
        if action == "remake_view":
            server.run(item["statement"])
        return None  # taken back already, as a whole
    if action == "quarantine_table":
        return _move_table(server, table, release)
    if action == "give_back":
        return give_back(server, table, release)
    if action == "give_column_back":
        give_column_back(server, item, release)
        return None
    if action == "drop_column":
        others = {other["column"] for other in undo if other.get("column") and other["table"] == table}
        return _ColumnReverse(server, table, item["column"], others, release).run()
    if action in ("drop_view", "drop_dictionary"):
        server.run(f"DROP {action.partition('_')[2].upper()} {target}")
    elif action == "remake_view":
        heads = [
            view_parts(parse_create(ddl).definition)[0]
            for ddl in (server.ddl(server.database, table), item["statement"])
        ]
        if heads[0] != heads[1]:
            server.run(f"DROP VIEW {target}")
            server.run(item["statement"])
    elif action == "rename_object":
        server.run(f"RENAME {item['kind']} {target} TO {quote(server.database)}.{quote(item['to'])}")
    elif action == "rename_column":
        server.run(f"ALTER TABLE {target} RENAME COLUMN {quote(item['column'])} TO {quote(item['to'])}")
    elif action == "run":
        server.run_if_different(item["statement"], table)
    elif action.startswith("drop_"):
        what = action.partition("_")[2]
        if _has(server, table, what, item[what]):
            server.run(f"ALTER TABLE {target} DROP {what.upper()} {quote(item[what])}")
    return None


def drop_column(server: Server, item: Mapping[str, str], release: str) -> dict[str, Any] | None:
    """Drop a column that no file names, after its values were copied and counted: a step forward as a reverse does it."""
    return _ColumnReverse(server, item["table"], item["column"], set(json.loads(item["with"])), release).run()


def give_column_back(server: Server, item: Mapping[str, str], release: str) -> None:
    """The way back of drop_column: the column at its old place, with the values that this release has put away."""
    if item["column"] not in server.columns(item["table"]):
        server.run(item["statement"])
    if server.dry:
        return
    found = [(entry_of(one), one["name"]) for one in server.objects(server.quarantine)]
    wanted = (item["table"], item["column"], release)
    names = [name for entry, name in found if entry and (entry.table, entry.column, entry.release) == wanted]
    restore(server, [{"name": name} for name in names])


def _has(server: Server, table: str, what: str, name: str) -> bool:
    if what == "constraint":
        return name in parse_create(server.ddl(server.database, table)).constraints
    sql = (
        f"SELECT count() AS n FROM system.{_LISTED[what]} "  # noqa: S608 - one of two words
        "WHERE database = %(database)s AND table = %(table)s AND name = %(name)s"
    )
    return bool(server.rows(sql, database=server.database, table=table, name=name)[0]["n"])


def _still_there(server: Server, views: Sequence[str]) -> list[str]:
    """The views but for those that this reverse takes away or changes before: in a dry run they are as they were."""
    pending = [statement.split() for statement in server.pending] if server.dry else []
    gone = {words[2].replace("`", "") for words in pending if words[:2] == ["DROP", "VIEW"]}
    gone |= {words[2].replace("`", "") for words in pending if words[3:5] == ["MODIFY", "QUERY"]}
    return [view for view in views if view.replace("`", "") not in gone]


def _move_table(server: Server, table: str, release: str) -> dict[str, Any]:
    """Move the table, with its rows, by its name alone: nothing is copied."""
    # An insert into the table would feed nothing any more, and nobody would notice.
    readers = _still_there(server, fed_views(server.rows(fed_sql(server.database, table))))
    if readers:
        raise SchemaError(
            f"{server.database}.{table} cannot be moved to the quarantine: {', '.join(readers)} would stop working; "
            "take these views away first"
        )
    taken = [item["name"] for item in server.objects(server.quarantine)]
    name = free_name(table_name(table, release), taken)
    server.make_quarantine()
    server.run(
        f"RENAME TABLE {quote(server.database)}.{quote(table)} TO {quote(server.quarantine)}.{quote(name)}"
    )
    rows = server.count(server.database, table) if server.dry else server.count(server.quarantine, name)
    return {
        "object": f"{server.database}.{table}",
        "quarantine": f"{server.quarantine}.{name}",
        "rows": rows,
    }


class _ColumnReverse:
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
        # Columns that this reverse takes away cannot help to find a row again.
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

    def run(self) -> dict[str, Any] | None:
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
        return {
            "object": f"{self.server.database}.{self.table}.{self.column}",
            "quarantine": f"{self.server.quarantine}.{name}",
            "rows": rows,
        }

    def check_readers(self) -> None:
        """A view that reads the column would fail at the next insert or select."""
        database = self.server.database
        found = users(self.server.rows(VIEWS_SQL), database, self.table, self.column)
        broken = _still_there(self.server, [str(view) for view, _use in found])
        if broken:
            raise SchemaError(
                f"column {self.column} of {self.target} cannot be taken back: {', '.join(broken)} reads it; "
                "take these views away first"
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
                "the column was not dropped, run the reverse again"
            )
        name = free_name(wanted, taken)
        server.run(f"RENAME TABLE {copy} TO {quote(server.quarantine)}.{quote(name)}")
        return name, rows
