# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure parts: statistics, the table that is printed, and the tables that are planned for."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

BEGIN, END = "<!-- bench-schema: begin -->", "<!-- bench-schema: end -->"
VERIFY_BEGIN, VERIFY_END = "<!-- bench-verify: begin -->", "<!-- bench-verify: end -->"
SERVICES_BEGIN, SERVICES_END = "<!-- bench-services: begin -->", "<!-- bench-services: end -->"
COLUMNS = 30
_TYPES = (
    "Float64",
    "String",
    "Nullable(String)",
    "Decimal(18, 5)",
    "LowCardinality(String)",
    "DateTime64(3, 'UTC')",
    "UInt8 DEFAULT 0",
)


@dataclass(frozen=True)
class Spread:
    """Median, least and greatest of some runs."""

    median: float
    least: float
    greatest: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        if not values:
            raise ValueError("no run was measured")
        return cls(statistics.median(values), min(values), max(values))

    def text(self, digits: int) -> str:
        return f"{self.median:.{digits}f} ({self.least:.{digits}f}-{self.greatest:.{digits}f})"


def ratio(ours: float, theirs: float) -> str:
    return f"{ours / theirs:.2f}" if theirs > 0 else "unknown"


def verdict(found: float, limit: float, unit: str) -> str:
    return f"{'met' if found < limit else 'missed'}: < {limit:g} {unit}"


def render(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table that also reads well as plain text."""
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"expected {len(head)} cells, found {len(row)}: {list(row)}")
    cells = [head, *rows]
    widths = [max(len(row[index]) for row in cells) for index in range(len(head))]
    lines = [f"| {' | '.join(cell.ljust(width) for cell, width in zip(row, widths))} |" for row in cells]
    lines.insert(1, f"| {' | '.join('-' * width for width in widths)} |")
    return "\n".join(lines)


def between_markers(text: str, new: str, begin: str = BEGIN, end: str = END) -> str:
    """*text* with *new* in the place of whatever stands between the markers."""
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
        raise ValueError(f"expected {begin} and, behind it, {end}, each once")
    before, after = text.split(begin)[0], text.split(end)[1]
    return f"{before}{begin}\n{new}\n{end}{after}"


def table_names(count: int) -> list[str]:
    return [f"t{number:04}" for number in range(count)]


def ddl(database: str, name: str, columns: int = COLUMNS) -> str:
    """A MergeTree table as the platform has them: keys, an index, a TTL and columns of several types."""
    if columns < 2:
        raise ValueError(f"expected at least 2 columns, found {columns}")
    lines = ["    `id` UInt64", "    `at` DateTime"]
    lines += [f"    `c{number:02}` {_TYPES[number % len(_TYPES)]}" for number in range(2, columns)]
    lines.append("    INDEX idx_at at TYPE minmax GRANULARITY 1")
    inner = ",\n".join(lines)
    return (
        f"CREATE TABLE {database}.{name}\n(\n{inner}\n)\nENGINE = MergeTree\nPARTITION BY toYYYYMM(at)\n"
        "ORDER BY (id, at)\nTTL at + toIntervalDay(365)\nSETTINGS index_granularity = 8192"
    )


def request(database: str, count: int, missing: int) -> dict[str, object]:
    """What the planner is asked: *count* desired tables, of which each live one lacks its last *missing* columns."""
    names = table_names(count)
    live = [
        {"name": name, "engine": "MergeTree", "ddl": ddl(database, name, COLUMNS - missing)} for name in names
    ]
    files = [{"path": f"{name}.sql", "text": ddl(database, name) + ";\n"} for name in names]
    return {"database": database, "database_exists": True, "live": live, "files": files}
