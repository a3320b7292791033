# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Views that a table or a column cannot be taken from without breaking them.

The views' printed DDL is searched for names. That finds too much rather than too little: the engine prints every
column of a view, also for SELECT *, so a column that a view passes on is always named.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...clickhouse.names import literal
from .tokens import QUOTED, STRING, WORD, Token, depths, significant, unquote

VIEWS_SQL = (
    "SELECT database, name, create_table_query AS ddl FROM system.tables "
    "WHERE engine IN ('View', 'MaterializedView', 'LiveView', 'WindowView') "
    "AND database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY database, name"
)

# A view reads from the table, or its rows go into the table.
READS, WRITES = "reads", "writes"


class View(NamedTuple):
    database: str
    name: str
    ddl: str

    def __str__(self) -> str:
        return f"{self.database}.{self.name}"


def fed_sql(database: str, table: str) -> str:
    """The materialized views that an insert into the table feeds, as the server knows them."""
    return (
        "SELECT dependencies_database AS databases, dependencies_table AS tables FROM system.tables "  # noqa: S608
        f"WHERE database = {literal(database)} AND name = {literal(table)}"
    )


def fed_views(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Names from the rows of fed_sql()."""
    return sorted(
        f"{database}.{name}" for row in rows for database, name in zip(row["databases"], row["tables"])
    )


def users(
    rows: Sequence[Mapping[str, Any]], database: str, table: str, column: str = ""
) -> list[tuple[View, str]]:
    """The views, from the rows of VIEWS_SQL, that use the table (and the column), each with READS or WRITES."""
    found = []
    for row in rows:
        view = View(str(row["database"]), str(row["name"]), str(row["ddl"]))
        use = _use(view, database, table, column)
        if use:
            found.append((view, use))
    return found


def _use(view: View, database: str, table: str, column: str) -> str:
    head, query = _split(view)
    if column and not _names_column([*head, *query], column):
        return ""
    if _names_table(query, view, database, table):
        return READS
    return WRITES if _target(head) == [database, ".", table] else ""


def _split(view: View) -> tuple[Sequence[Token], Sequence[Token]]:
    """What stands between the view's own name and its query (target, columns, engine), and the query."""
    parts = significant(view.ddl)
    words = [token.word() for token in parts]
    start = words.index("VIEW") + 4 if "VIEW" in words else 0  # a printed name has a database: three tokens
    for index, depth in enumerate(depths(parts)):
        if index >= start and depth == 0 and words[index] == "AS":
            return parts[start:index], parts[index + 1 :]
    return [], parts[start:]


def _target(head: Sequence[Token]) -> list[str]:
    """Database, dot and name of the table that a materialized view writes into."""
    for index, token in enumerate(head):
        if token.text == "(" or token.word() == "ENGINE":
            break
        if token.word() == "TO":
            return [unquote(item) for item in head[index + 1 : index + 4]]
    return []


def _names_table(parts: Sequence[Token], view: View, database: str, table: str) -> bool:
    """A name without a database belongs to the view's own; one inside a text is an argument of a function."""
    for index, token in enumerate(parts):
        text, before = unquote(token), parts[max(0, index - 4) : index]
        if token.kind == STRING:
            if text in (table, f"{database}.{table}") or _merges(before, text, table):
                return True
        elif text == table and token.kind in (WORD, QUOTED) and before:
            if before[-1].text == ".":
                if len(before) > 1 and unquote(before[-2]) == database:
                    return True
            elif view.database == database and before[-1].word() in ("FROM", "JOIN", "IN"):
                return True
    return False


def _merges(before: Sequence[Token], pattern: str, table: str) -> bool:
    """Whether this text is the pattern of a merge() that covers the table."""
    if "MERGE" not in [token.word() for token in before]:
        return False
    try:
        return re.search(pattern, table) is not None
    except re.error:
        return True  # a pattern that only the server understands may well cover it


def _names_column(parts: Sequence[Token], column: str) -> bool:
    texts = [unquote(token) for token in parts]
    if column in texts:
        return True
    # A nested column is printed as several tokens if no part of its name needs quotes.
    pieces = re.split(r"(\.)", column)
    return len(pieces) > 1 and any(
        texts[index : index + len(pieces)] == pieces for index in range(len(texts))
    )
