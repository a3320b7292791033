# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring quarantined rows and values back into tables and columns that exist again.

Rows are moved partition by partition: a partition is in the quarantine or in the table, never in both and
never in neither, so an interrupted restore is continued by running it again. A column's values are set by one
mutation that finds each row by its key and a hash of its other values; setting them twice changes nothing.
Nothing is dropped but a quarantine table that was counted and found empty.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...clickhouse.names import literal, quote
from ..model import SchemaError
from ..sql.conditions import ROW, as_text, row_hash
from .quarantine import LOOKUP, RESTORED, STAGING, entry_of, free_name
from .server import Server, explained


def restore(server: Server, entries: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Restore the quarantine tables that *entries* names; returns counts for each."""
    results = []
    for wanted in entries:
        present = {item["name"]: item for item in server.objects(server.quarantine)}
        item = present.get(wanted["name"])
        entry = entry_of(item) if item else None
        if item is None or entry is None:
            continue  # restored by a run that ended before it could say so
        what = f"restore of {server.quarantine}.{entry.name}"
        with explained(what), server.journal.change(what, "the next rollback") as outcome:
            if entry.column:
                results.append(_restore_column(server, entry.name, entry.table, entry.column, entry.meta))
            else:
                results.append(_restore_rows(server, entry.name, entry.table, item["engine"], list(present)))
            outcome.update(quarantine=results[-1]["quarantine"], rows=str(results[-1]["rows"]))
    return results


def restore_column_of(server: Server, table: str, column: str, release: str) -> None:
    """Bring back the values of a column that one release has put away, if there are any."""
    found = [(entry_of(one), one["name"]) for one in server.objects(server.quarantine)]
    wanted = (table, column, release)
    restore(
        server,
        [
            {"name": name}
            for entry, name in found
            if entry and (entry.table, entry.column, entry.release) == wanted
        ],
    )


def _restore_rows(server: Server, name: str, table: str, engine: str, taken: list[str]) -> dict[str, Any]:
    result = {"object": f"{server.database}.{table}", "quarantine": f"{server.quarantine}.{name}"}
    if not engine.endswith("MergeTree"):
        return {
            **result,
            "rows": 0,
            "kept": f"engine {engine} has no partitions to move; copy the rows by hand",
        }
    rows = server.count(server.quarantine, name)
    source = name
    if not name.endswith("~" + STAGING) and not _alike(server, name, table):
        source = _stage(server, name, table, rows, taken)
    target = f"{quote(server.database)}.{quote(table)}"
    quarantined = f"{quote(server.quarantine)}.{quote(source)}"
    for part in server.rows(
        "SELECT DISTINCT partition_id AS id FROM system.parts "
        "WHERE active AND database = %(database)s AND table = %(table)s ORDER BY id",
        database=server.quarantine,
        table=source,
    ):
        server.run(f"ALTER TABLE {quarantined} MOVE PARTITION ID {literal(part['id'])} TO TABLE {target}")
    left = server.count(server.quarantine, source)
    if left:
        raise SchemaError(
            f"{left} of {rows} rows are left in {server.quarantine}.{source}; run the task again"
        )
    server.run(f"DROP TABLE {quarantined} SYNC")
    return {**result, "rows": rows}


def _alike(server: Server, name: str, table: str) -> bool:
    """Partitions can be moved between tables of the same definition only."""
    quarantined = server.ddl(server.quarantine, name).partition("(")[2]
    return quarantined == server.ddl(server.database, table).partition("(")[2]


def _stage(server: Server, name: str, table: str, rows: int, taken: list[str]) -> str:
    """Copy rows of another definition into a table of today's definition, next to the original."""
    staging = f"{name}~{STAGING}"
    copy = f"{quote(server.quarantine)}.{quote(staging)}"
    original = f"{quote(server.quarantine)}.{quote(name)}"
    server.helper(f"DROP TABLE IF EXISTS {copy} SYNC")  # not complete, or the original would be renamed
    server.run(f"CREATE TABLE {copy} AS {quote(server.database)}.{quote(table)}")
    old = {
        str(row["name"])
        for row in server.rows(
            "SELECT name FROM system.columns WHERE database = %(database)s AND table = %(table)s",
            database=server.quarantine,
            table=name,
        )
    }
    common = ", ".join(
        quote(column)
        for column, info in server.columns(table).items()
        if column in old and info["default_kind"] in ("", "DEFAULT")
    )
    server.run(f"INSERT INTO {copy} ({common}) SELECT {common} FROM {original}")  # noqa: S608 - quoted names
    copied = server.count(server.quarantine, staging)
    if copied != rows:
        raise SchemaError(
            f"{server.quarantine}.{staging} holds {copied} rows, expected {rows}; run the task again"
        )
    _mark_restored(server, name, taken)
    return staging


def _restore_column(
    server: Server, name: str, table: str, column: str, meta: Mapping[str, Any]
) -> dict[str, Any]:
    original = f"{quote(server.quarantine)}.{quote(name)}"
    target = f"{quote(server.database)}.{quote(table)}"
    result = {"object": f"{server.database}.{table}.{column}", "quarantine": f"{server.quarantine}.{name}"}
    missing = sorted(set(meta["columns"]) - set(server.columns(table)))
    if missing:
        why = f"the rows cannot be found again without column {', '.join(missing)}"
        return {**result, "rows": 0, "kept": why}
    rows = server.count(server.quarantine, name)
    lookup = f"{name}~{LOOKUP}"
    values = f"{quote(server.quarantine)}.{quote(lookup)}"
    server.helper(f"DROP TABLE IF EXISTS {values} SYNC")
    server.helper(
        f"CREATE TABLE {values} ENGINE = Join(ANY, LEFT, {quote(ROW)}) "  # noqa: S608 - quoted names
        f"AS SELECT {quote(ROW)}, {quote(column)} FROM {original}"
    )
    keys = ", ".join(quote(key) for key in meta["keys"])
    here = row_hash(meta["columns"])
    # The keys let the primary index do its work; the hash tells rows of one key apart.
    found = f"{here} IN (SELECT {quote(ROW)} FROM {original})"  # noqa: S608
    if keys:
        found = f"tuple({keys}) IN (SELECT tuple({keys}) FROM {original}) AND {found}"  # noqa: S608
    value = f"joinGet({literal(server.quarantine + '.' + lookup)}, {literal(column)}, {here})"
    server.run(f"ALTER TABLE {target} UPDATE {quote(column)} = {value} WHERE {found}")
    same = f"{as_text(quote(column))} = {as_text(value)}"
    matched = server.count(server.database, table, found)
    restored = server.count(server.database, table, f"{found} AND {same}")
    if restored != matched:
        raise SchemaError(
            f"{restored} of {matched} rows of {target} got their {column} back; run the task again"
        )
    lost = server.count(
        server.quarantine,
        name,
        f"{quote(ROW)} NOT IN (SELECT {here} FROM {target} "  # noqa: S608
        + (f"WHERE tuple({keys}) IN (SELECT tuple({keys}) FROM {original})" if keys else "")  # noqa: S608
        + ")",
    )
    server.helper(f"DROP TABLE {values} SYNC")
    taken = [item["name"] for item in server.objects(server.quarantine)]
    _mark_restored(server, name, taken)
    # Rows that were deleted or have expired meanwhile have no place to return to; their values stay.
    return {**result, "rows": rows - lost, "without_row": lost}


def _mark_restored(server: Server, name: str, taken: Sequence[str]) -> None:
    marked = free_name(name, taken, RESTORED)
    server.run(
        f"RENAME TABLE {quote(server.quarantine)}.{quote(name)} TO {quote(server.quarantine)}.{quote(marked)}"
    )
