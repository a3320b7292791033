# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The embedded ClickHouse engine (chDB) and the questions that planning asks it.

Only ever used in a process of its own: a process that forks with an open session hangs.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...clickhouse.names import literal, quote
from ...common.errors import PlatformError
from ..model import SchemaError, Table
from ..sql.ddl import parse_create
from ..sql.tokens import SYMBOL, WORD, Token, depths, significant

_CODE = re.compile(r"^\s*Code:\s*(\d+)\.\s*")
_PLACE = re.compile(r"\(line (\d+), col (\d+)\)")
_POSITION = re.compile(r"failed at position (\d+)")
_EXPECTED = re.compile(r"[.:] Expected one of: .*?(?=: In scope |\(SYNTAX_ERROR\)|$)", re.DOTALL)
_SCOPE = re.compile(r": In scope SELECT .*?(?= \([A-Z_]+\)$|$)", re.DOTALL)

# Bytes of texts in one query, far below the engine's max_query_size, escapes included.
_MOST_BYTES = 64 * 1024
# What makes a statement of a printed text, to see its syntax tree.
_STARTS = {
    "ttl": ("ALTER TABLE t MODIFY TTL",),
    "expression": ("SELECT", "CREATE VIEW v", "CREATE MATERIALIZED VIEW v"),
}

# Servers before 26 print these functions as operators, however they were written; later ones as written.
_OPERATORS = frozenset(
    "plus minus multiply divide modulo negate equals notEquals less greater lessOrEquals greaterOrEquals "
    "and or not in notIn globalIn globalNotIn like notLike ilike notILike isNull isNotNull is null global "
    "tuple array arrayElement tupleElement lambda".lower().split()
)

# Live objects were accepted by the server already, perhaps with these switched on.
_LENIENT = (
    "allow_suspicious_low_cardinality_types",
    "allow_suspicious_codecs",
    "allow_suspicious_indices",
    "allow_suspicious_ttl_expressions",
    "allow_suspicious_variant_types",
    "allow_suspicious_primary_key",
)


class EmbeddedEngineError(PlatformError):
    """The engine refused a statement."""

    def __init__(self, raw: str) -> None:
        text = raw.strip()
        code = _CODE.match(text)
        self.code = int(code.group(1)) if code else 0
        place, position = _PLACE.search(text), _POSITION.search(text)
        self.line = int(place.group(1)) if place else 1
        self.column = int(place.group(2)) if place else int(position.group(1)) if position else 0
        text = _CODE.sub("", text).replace("DB::Exception: ", "")
        text = _SCOPE.sub("", _EXPECTED.sub("", text))
        text = _PLACE.sub("", _POSITION.sub("failed", text))
        self.message = _printable(" ".join(text.split())[:500])
        super().__init__(f"code {self.code}: {self.message}")


class EmbeddedEngine:
    """One session of the embedded engine."""

    def __init__(self, directory: str) -> None:
        try:
            from chdb import session
        except ImportError as error:
            raise SchemaError(
                f"the Python package chdb-core, the embedded ClickHouse engine, is missing on the controller "
                f"({error}); install it for Ansible's Python with: pip install --no-deps chdb-core"
            ) from None
        self._session = session.Session(directory)
        self.version = str(self.rows("SELECT version() AS version")[0]["version"])
        self._trees: dict[tuple[str, str], str] = {}
        # One text is asked for several times: by its checks, by loading it, and by planning again. The answer is the same.
        self._canonical: dict[str, str] = {}
        self._pretty: dict[str, str] = {}
        self._syntax: dict[str, str] = {}
        self._parsed: dict[str, Table] = {}

    def run(self, sql: str) -> None:
        self._query(sql, "Null")

    def rows(self, sql: str) -> list[dict[str, Any]]:
        text = self._query(sql, "JSONEachRow")
        return [json.loads(line) for line in text.splitlines() if line]

    def text(self, sql: str) -> str:
        return self._query(sql, "TSVRaw").rstrip("\n")

    def _query(self, sql: str, output: str) -> str:
        if "\0" in sql:
            raise EmbeddedEngineError("Code: 62. a NUL character is no SQL")
        try:
            sql.encode("utf-8")
            result = self._session.query(sql, output)
        except UnicodeError as error:
            raise EmbeddedEngineError(f"Code: 62. not valid text: {error}") from None
        except Exception as error:
            # chDB raises its own ChdbError or a plain RuntimeError, depending on its version.
            raise EmbeddedEngineError(str(error)) from None
        data = result.bytes() if hasattr(result, "bytes") else str(result).encode()
        return data.decode("utf-8", "replace")

    # Parsing without running ---------------------------------------------------------------------------

    def canonical(self, statement: str) -> str:
        """The statement as the engine's parser understands it, on one line, without comments.

        The text travels as a string value, so it is parsed and cannot be run, and the parser insists on
        there being exactly one statement.
        """
        if statement not in self._canonical:
            self._canonical[statement] = self.text(f"SELECT formatQuerySingleLine({literal(statement)})")
        return self._canonical[statement]

    def pretty(self, statement: str) -> str:
        """The statement over several lines, for people."""
        if statement not in self._pretty:
            self._pretty[statement] = self.text(f"SELECT formatQuery({literal(statement)})")
        return self._pretty[statement]

    def canonical_ahead(self, statements: Iterable[str]) -> None:
        """Have many statements ready for canonical(); one that the engine rejects is reported when it is asked for."""
        self._ask_ahead("formatQuerySingleLine", self._canonical, statements)

    def pretty_ahead(self, statements: Iterable[str]) -> None:
        """Have many statements ready for pretty()."""
        self._ask_ahead("formatQuery", self._pretty, statements)

    def script(self, statements: Sequence[str]) -> str:
        """The statements one after the other as a script for people."""
        self.pretty_ahead(statements)
        return "".join(self.pretty(statement) + ";\n\n" for statement in statements)

    def _ask_ahead(self, function: str, cache: dict[str, str], statements: Iterable[str]) -> None:
        """One query for many texts: the engine takes longer for the query than for a text."""
        batch: list[str] = []
        size = 0
        # The empty one is the end: what is left goes then.
        for text in [*dict.fromkeys(one for one in statements if one and one not in cache), ""]:
            length = len(text.encode("utf-8", "replace"))
            if batch and (not text or size + length > _MOST_BYTES):
                values = ", ".join(literal(one) for one in batch)
                with contextlib.suppress(EmbeddedEngineError):
                    rows = self.rows(f"SELECT {function}(arrayJoin([{values}])) AS text")
                    if len(rows) == len(batch):
                        cache.update(zip(batch, (str(row["text"]) for row in rows)))
                batch, size = [], 0
            if text and length <= _MOST_BYTES:
                batch.append(text)
                size += length

    def tree(self, canonical: str) -> str:
        """Syntax tree of a statement that canonical() has returned."""
        if canonical not in self._syntax:
            self._syntax[canonical] = self.text(f"EXPLAIN AST {canonical}")
        return self._syntax[canonical]

    def same(self, first: str, second: str, form: str) -> bool:
        """Whether two printed expressions, or definitions of views, mean the same.

        Equal syntax trees are not enough, as a tree does not show everything (the target of a view, settings);
        so the names and values must be the same too. Brackets and operators are what a tree does show.
        """
        if first == second:
            return True
        if not first or not second or _operands(first) != _operands(second):
            return False
        return self._expression_tree(first, form) == self._expression_tree(second, form)

    def _expression_tree(self, text: str, form: str) -> str:
        if (form, text) not in self._trees:
            starts = _STARTS["ttl" if form == "ttl" else "expression"]
            tree = text  # neither (a codec, a projection): then only equal text is equal
            for start in starts:
                with contextlib.suppress(EmbeddedEngineError):
                    tree = self.tree(self.canonical(f"{start} {_with_brackets(text)}"))
                    break
            self._trees[(form, text)] = tree
        return self._trees[(form, text)]

    def setting_defaults(self) -> dict[str, str]:
        """What a MergeTree table has where its DDL sets nothing."""
        found = self.rows("SELECT name, default FROM system.merge_tree_settings")
        return {str(row["name"]): str(row["default"]) for row in found}

    # Scratch databases ---------------------------------------------------------------------------------

    def make_database(self, name: str) -> None:
        """Start with an empty database; whatever an earlier request left behind goes."""
        self.drop_database(name)
        self.run(f"CREATE DATABASE {quote(name)}")

    def drop_database(self, name: str) -> None:
        self.run(f"DROP DATABASE IF EXISTS {quote(name)} SYNC")

    def use(self, name: str) -> None:
        self.run(f"USE {quote(name)}")

    def lenient(self, on: bool) -> None:
        """Accept in live objects what a new object would need a setting for."""
        for name in _LENIENT:
            with contextlib.suppress(
                EmbeddedEngineError
            ):  # an engine that does not know the setting does not need it
                self.run(f"SET {name} = {int(on)}")

    def tables(self, database: str) -> dict[str, Table]:
        """Every object of a scratch database, taken apart."""
        found = self.rows(
            "SELECT name, create_table_query AS ddl FROM system.tables "  # noqa: S608 - a quoted literal
            f"WHERE database = {literal(database)} AND NOT startsWith(name, '.inner') ORDER BY name"
        )
        tables = {str(row["name"]): self._parse(str(row["ddl"])) for row in found}
        self._check_columns(database, tables)
        return tables

    def _parse(self, ddl: str) -> Table:
        if ddl not in self._parsed:
            self._parsed[ddl] = parse_create(ddl)
        return self._parsed[ddl]

    def _check_columns(self, database: str, tables: Mapping[str, Table]) -> None:
        """The engine's own list of columns must agree with what was read from the DDL."""
        listed: dict[str, list[tuple[str, str]]] = {}
        for row in self.rows(
            f"SELECT table, name, type FROM system.columns WHERE database = {literal(database)} "  # noqa: S608
            "ORDER BY table, position"
        ):
            listed.setdefault(str(row["table"]), []).append((str(row["name"]), str(row["type"])))
        for name, table in tables.items():
            read = [(column.name, column.parts["type"]) for column in table.columns.values()]
            if table.kind == "TABLE" and read != listed.get(name, []):
                raise SchemaError(
                    f"{database}.{name}: the columns read from its DDL are not those that the engine lists; "
                    f"found {read}, expected {listed.get(name, [])}"
                )


def _printable(text: str) -> str:
    """A message quotes the file, which may hold what a terminal takes for a command."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def _operands(text: str) -> list[str]:
    """Names, words and signed values in their order, without operators."""
    found = []
    before = Token(SYMBOL, "", 0)
    for token in significant(text):
        if token.kind != SYMBOL and not (token.kind == WORD and token.text.lower() in _OPERATORS):
            found.append(token.text)
        elif token.text == "-" and before.kind == SYMBOL and before.text not in (")", "]"):
            found.append("-")
        before = token
    return [item for item, after in zip(found, [*found[1:], ""]) if item != "-" or after[:1].isdigit()]


def _with_brackets(text: str) -> str:
    """The text with [a] for array(a) and (a, b) for tuple(a, b), which are two spellings of one thing."""
    parts = significant(text)
    levels = depths(parts)
    changed = {}
    for index, token in enumerate(parts[:-1]):
        if token.kind != WORD or token.text not in ("array", "tuple") or parts[index + 1].text != "(":
            continue
        end = next((at for at in range(index + 2, len(parts)) if levels[at] == levels[index]), index)
        inner = range(index + 2, end)
        if token.text == "array":
            changed.update({index: "", index + 1: "[", end: "]"})
        elif any(parts[at].text == "," and levels[at] == levels[index] + 1 for at in inner):
            changed[index] = ""
    for index in sorted(changed, reverse=True):
        text = text[: parts[index].start] + changed[index] + text[parts[index].end :]
    return text
