# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take apart the DDL that an engine prints.

Only printed DDL is read here (one line, keywords in capitals, column names in backquotes), never a
person's file: that is the engine's work. Every piece of the text ends up in exactly one part of the
result, so two tables whose parts are all equal have the same DDL, and nothing can be overlooked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from ..model import Column, Index, SchemaError, Table
from .tokens import QUOTED, WORD, Token, depths, significant, unquote

_CLAUSES = (
    ("ENGINE", "engine"),
    ("PARTITION BY", "partition_by"),
    ("PRIMARY KEY", "primary_key"),
    ("ORDER BY", "order_by"),
    ("SAMPLE BY", "sample_by"),
    ("TTL", "ttl"),
    ("SETTINGS", "settings"),
    ("COMMENT", "comment"),
    ("AS", "as"),
)
_COLUMN_PARTS = {
    "DEFAULT": "default",
    "MATERIALIZED": "default",
    "ALIAS": "default",
    "EPHEMERAL": "default",
    "COMMENT": "comment",
    "CODEC": "codec",
    "STATISTICS": "statistics",
    "TTL": "ttl",
    "COLLATE": "collate",
    "SETTINGS": "settings",
    "PRIMARY": "primary_key",
}
_KINDS = ("TABLE", "VIEW", "MATERIALIZED VIEW", "DICTIONARY")


class _DdlReader:
    """A cursor over the significant tokens of one DDL text."""

    def __init__(self, ddl: str) -> None:
        self.ddl = ddl
        self.tokens = significant(ddl)
        self.position = 0

    def word(self, ahead: int = 0) -> str:
        index = self.position + ahead
        return self.tokens[index].word() if index < len(self.tokens) else ""

    def symbol(self) -> str:
        return self.tokens[self.position].text if self.position < len(self.tokens) else ""

    def skip(self, *words: str) -> bool:
        if all(self.word(index) == word for index, word in enumerate(words)):
            self.position += len(words)
            return True
        return False

    def name(self) -> str:
        if self.position >= len(self.tokens) or self.tokens[self.position].kind not in (WORD, QUOTED):
            raise SchemaError(f"cannot read this DDL: a name is missing in {self.ddl[:120]!r}")
        self.position += 1
        return unquote(self.tokens[self.position - 1])

    def rest(self) -> Sequence[Token]:
        return self.tokens[self.position :]


def parse_create(ddl: str) -> Table:
    """Take one CREATE statement apart."""
    reader = _DdlReader(ddl)
    kind, _database, name = read_head(reader)
    if kind != "TABLE":
        return Table(name=name, kind=kind, ddl=ddl, definition=text_of(ddl, reader.rest()))
    if reader.skip("UUID"):
        reader.position += 1
    items: list[Sequence[Token]] = []
    if reader.symbol() == "(":
        inner = _inside(reader.rest())
        items = split_commas(inner)
        reader.position += len(inner) + 2
    clauses = _read_clauses(ddl, reader.rest())
    table = Table(
        name=name,
        kind=kind,
        ddl=ddl,
        clauses={key: text for key, text in clauses.items() if key != "settings"},
        settings=_read_settings(clauses.get("settings", "")),
    )
    for item in items:
        _read_item(table, ddl, item)
    return replace(table, column_order=tuple(table.columns))


def head(ddl: str) -> tuple[str, str, str]:
    """Kind, database (may be empty) and name of what a CREATE statement makes."""
    return read_head(_DdlReader(ddl))


def read_head(reader: _DdlReader) -> tuple[str, str, str]:
    if not reader.skip("CREATE"):
        raise SchemaError(f"expected a CREATE statement, found {reader.ddl[:120]!r}")
    if reader.skip("MATERIALIZED", "VIEW"):
        kind = "MATERIALIZED VIEW"
    else:
        kind = reader.word()
        if kind not in _KINDS:
            raise SchemaError(f"expected CREATE of {', '.join(_KINDS)}, found {reader.ddl[:120]!r}")
        reader.position += 1
    reader.skip("IF", "NOT", "EXISTS")
    database, name = "", reader.name()
    if reader.symbol() == ".":
        reader.position += 1
        database, name = name, reader.name()
    return kind, database, name


def text_of(ddl: str, parts: Sequence[Token]) -> str:
    return ddl[parts[0].start : parts[-1].end] if parts else ""


def split_commas(parts: Sequence[Token]) -> list[Sequence[Token]]:
    """Split at the commas outside of brackets."""
    result: list[Sequence[Token]] = []
    start = 0
    for index, (token, depth) in enumerate(zip(parts, depths(parts))):
        if token.text == "," and depth == 0:
            result.append(parts[start:index])
            start = index + 1
    if parts[start:]:
        result.append(parts[start:])
    return result


def _inside(parts: Sequence[Token]) -> Sequence[Token]:
    """The tokens between the bracket that *parts* starts with and its partner."""
    for index, depth in enumerate(depths(parts)):
        if index and depth == 0:
            return parts[1:index]
    raise SchemaError("cannot read this DDL: a bracket is not closed")


def _read_clauses(ddl: str, parts: Sequence[Token]) -> dict[str, str]:
    """Split what follows the column list. The engine prints the clauses in the order of _CLAUSES."""
    starts: list[tuple[int, int, str]] = []
    allowed = 0
    for index, depth in enumerate(depths(parts)):
        if depth:
            continue
        for number, (words, key) in enumerate(_CLAUSES[allowed:], start=allowed):
            length = len(words.split())
            if [token.word() for token in parts[index : index + length]] == words.split():
                starts.append((index, length, key))
                allowed = number + 1
                break
    result: dict[str, str] = {}
    if parts and (not starts or starts[0][0] > 0):
        result["other"] = text_of(ddl, parts[: starts[0][0] if starts else len(parts)])
    ends = [start for start, _length, _key in starts[1:]] + [len(parts)]
    for (start, length, key), end in zip(starts, ends):
        body = parts[start + length : end]
        if body and body[0].text == "=":
            body = body[1:]
        result[key] = text_of(ddl, body)
    return result


def _read_settings(text: str) -> dict[str, str]:
    result: dict[str, str] = {}
    for item in split_commas(significant(text)):
        if len(item) < 3 or item[1].text != "=":
            raise SchemaError(f"cannot read these settings: {text!r}")
        result[unquote(item[0])] = text_of(text, item[2:])
    return result


def _read_item(table: Table, ddl: str, item: Sequence[Token]) -> None:
    """Read one entry of the column list into *table*."""
    first, word = item[0], item[0].word()
    if first.kind == QUOTED:
        name = unquote(first)
        table.columns[name] = Column(name, text_of(ddl, item[1:]), _read_column(ddl, item[1:]))
        return
    kinds: dict[str, Collection[str]] = {
        "INDEX": table.indexes,
        "PROJECTION": table.projections,
        "CONSTRAINT": table.constraints,
    }
    # The engine accepts two constraints of one name.
    if word not in kinds or len(item) < 3 or unquote(item[1]) in kinds[word]:
        table.clauses["other"] = f"{table.clauses.get('other', '')} {text_of(ddl, item)}".strip()
        return
    name, body = unquote(item[1]), text_of(ddl, item[2:])
    if word == "INDEX":
        table.indexes[name] = Index(name, body, _read_index(ddl, item[2:]))
    elif word == "PROJECTION":
        table.projections[name] = body
    else:
        table.constraints[name] = body


def _read_column(ddl: str, parts: Sequence[Token]) -> dict[str, str]:
    starts = [(0, "type")]
    for index, (token, depth) in enumerate(zip(parts, depths(parts))):
        key = _COLUMN_PARTS.get(token.word(), "")
        if depth == 0 and key and key not in [seen for _start, seen in starts]:
            starts.append((index, key))
    ends = [start for start, _key in starts[1:]] + [len(parts)]
    return {key: text_of(ddl, parts[start:end]) for (start, key), end in zip(starts, ends)}


def _read_index(ddl: str, parts: Sequence[Token]) -> dict[str, str]:
    result: dict[str, str] = {}
    key, start = "expression", 0
    for index, (token, depth) in enumerate(zip(parts, depths(parts))):
        if depth == 0 and token.word() in ("TYPE", "GRANULARITY") and token.word().lower() not in result:
            result[key] = text_of(ddl, parts[start:index])
            key, start = token.word().lower(), index + 1
    result[key] = text_of(ddl, parts[start:])
    return result


def view_parts(definition: str) -> tuple[str, str]:
    """What stands before the query of a materialized view, without its list of columns, and the query."""
    parts = significant(definition)
    levels = depths(parts)
    start = next(
        (at for at, token in enumerate(parts) if levels[at] == 0 and token.word() == "AS"), len(parts)
    )
    head: list[Token] = []
    opened = False
    for at, token in enumerate(parts[:start]):
        # The columns follow from the query; the brackets of an ENGINE come after its word.
        if levels[at] == 0 and token.text in "()" and not any(item.word() == "ENGINE" for item in head):
            opened = token.text == "("
        elif not opened:
            head.append(token)
    query = definition[parts[start].end :].strip() if start < len(parts) else ""
    return " ".join(token.text for token in head), query
