"""What the bridge knows about a table that it writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

Row = tuple[Any, ...]


def comparable(values: Iterable[Any]) -> Row:
    """Values of a key as they compare: ClickHouse gives a DateTime back without its zone, which is UTC."""
    return tuple(
        value.replace(tzinfo=value.tzinfo or timezone.utc).timestamp()
        if isinstance(value, datetime)
        else value
        for value in values
    )


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[str, ...]
    key: tuple[str, ...]  # columns that tell two messages' rows apart
    moment: str  # a column of the key's time, to find rows without reading the whole table

    def key_of(self, row: Row) -> Row:
        return comparable(row[self.columns.index(name)] for name in self.key)

    def moments(self, rows: Iterable[Row]) -> tuple[Any, Any]:
        """First and last moment of some rows."""
        place = self.columns.index(self.moment)
        found = [row[place] for row in rows]
        return min(found), max(found)


def missing(table: Table, rows: Iterable[Row], stored: set[Row]) -> list[Row]:
    """The rows whose key is not stored yet, each key once."""
    seen = set(stored)
    fresh = []
    for row in rows:
        key = table.key_of(row)
        if key not in seen:
            seen.add(key)
            fresh.append(row)
    return fresh
