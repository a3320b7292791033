# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names in the quarantine database, and what they stand for.

A table of release r is kept as table__r; the data of a column as table__column__r. A suffix after '~' tells
about the state: a number where a name was taken already, 'copy' for a copy that is not complete, 'staging'
for rows that are being restored, 'restored' for data that was brought back and is kept for reference, 'rebuilt' for the
table from before a rebuild, whose rows are in the new one.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

COPY, STAGING, RESTORED, LOOKUP = "copy", "staging", "restored", "lookup"
REBUILDING, REBUILT, DELTA = "rebuilding", "rebuilt", "delta"
# Nothing of these belongs back into a table.
_NOT_RESTORED = (COPY, LOOKUP, RESTORED, REBUILDING, REBUILT, DELTA)


class Kept(NamedTuple):
    """Rows or values that were put into the quarantine, or left where they are (``kept`` says why)."""

    object: str  # database.table or database.table.column
    quarantine: str  # database.table; "" if nothing was moved
    rows: int
    kept: str = ""

    def to_dict(self) -> dict[str, Any]:
        data = self._asdict()
        if not self.kept:
            del data["kept"]
        return data


class QuarantineEntry(NamedTuple):
    """One quarantine table that may have to be restored."""

    name: str
    table: str
    column: str  # empty: whole rows
    release: str
    suffix: str
    meta: dict[str, Any]


def table_name(table: str, release: str) -> str:
    return f"{table}__{release}"


def column_name(table: str, column: str, release: str) -> str:
    return f"{table}__{column}__{release}"


def free_name(wanted: str, taken: Collection[str], state: str = "") -> str:
    """*wanted* with its state, or with the first number that is free: no quarantine table is overwritten."""
    suffix = f"~{state}" if state else ""
    number, name = 1, wanted + suffix
    while name in taken:
        number += 1
        name = f"{wanted}~{number}{suffix}"
    return name


def entry_of(item: Mapping[str, str]) -> QuarantineEntry | None:
    """Read the name and comment of a quarantine table; None for what is not ours or is not finished."""
    base, _tilde, suffix = item["name"].partition("~")
    table, separator, release = base.rpartition("__")
    if not separator or not table or not release:
        return None
    if suffix.split("~")[-1] in _NOT_RESTORED:
        return None
    meta = _meta(item.get("comment", ""))
    if meta:
        return QuarantineEntry(item["name"], meta["table"], meta["column"], release, suffix, meta)
    return QuarantineEntry(item["name"], table, "", release, suffix, {})


def restorable(
    quarantined: Iterable[Mapping[str, str]], columns: Mapping[str, Sequence[str]]
) -> list[dict[str, str]]:
    """Quarantine tables whose rows or values belong into the managed tables, oldest release first."""
    entries = [entry for entry in map(entry_of, quarantined) if entry is not None]
    names = {entry.name for entry in entries}
    wanted = [
        entry
        for entry in entries
        if entry.table in columns
        and (not entry.column or entry.column in columns[entry.table])
        # A staging table beside its original is a copy that is not complete.
        and not (entry.name.endswith(f"~{STAGING}") and entry.name[: -len(STAGING) - 1] in names)
    ]
    # Rows first: values of columns may belong to them.
    wanted.sort(key=lambda entry: (bool(entry.column), entry.release, entry.name))
    return [{"name": entry.name, "table": entry.table, "column": entry.column} for entry in wanted]


def comment_of(table: str, column: str, keys: Sequence[str], columns: Sequence[str]) -> str:
    """What restoring needs to know about a column's data, kept in the comment of its table."""
    return json.dumps({"quarantine": 1, "table": table, "column": column, "keys": keys, "columns": columns})


def _meta(comment: str) -> dict[str, Any]:
    try:
        meta = json.loads(comment)
    except ValueError:
        return {}
    known = isinstance(meta, dict) and meta.get("quarantine") == 1
    return meta if known and {"table", "column", "keys", "columns"} <= set(meta) else {}
