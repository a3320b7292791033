# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the desired files: every statement is parsed by the engine and looked at before any is run.

A file describes a state. So it may hold CREATE statements for one database, and nothing that reads from,
writes to or runs anything outside of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from ...clickhouse.names import NameNotValid, check_name
from ..model import SchemaError
from ..rehearsal.engine import EmbeddedEngine, EmbeddedEngineError
from ..sql.ddl import head
from ..sql.replication import without_replication
from ..sql.tokens import (
    QUOTED,
    STRING,
    WORD,
    Statement,
    Token,
    depths,
    significant,
    split_statements,
    unquote,
)
from .hints import column_hints, object_hint

MAX_FILE = 1024 * 1024

SAFE_ENGINES = frozenset(
    {
        *(
            f"{prefix}MergeTree"
            for prefix in (
                "",
                "Replacing",
                "Summing",
                "Aggregating",
                "Collapsing",
                "VersionedCollapsing",
                "Graphite",
                "Coalescing",
            )
        ),
        "Log",
        "TinyLog",
        "StripeLog",
        "Memory",
        "Null",
        "Set",
        "Join",
        "Merge",
        "Buffer",
    }
)
_SAFE_SOURCES = frozenset({"numbers", "numbers_mt", "zeros", "zeros_mt", "values", "null", "generate_series"})
_SOURCE = re.compile(r"^( *)TableExpression.*\n\1 Function (\S+)", re.MULTILINE)
_ENGINE = re.compile(r"^( +)Storage definition.*\n\1 Function (\S+)", re.MULTILINE)
_READS_FILES = re.compile(r"^ *Function (file|catboostEvaluate) ", re.MULTILINE)
_READS_SYSTEM = re.compile(
    r"^ *TableIdentifier ((?:system|information_schema)\..*?)(?: \(alias .*)?$", re.MULTILINE | re.IGNORECASE
)
_DICTIONARY_SOURCE = re.compile(r"^ *FunctionWithKeyValueArguments +(\w+)", re.MULTILINE)
# In the order in which they are created, as far as they do not need each other.
_KINDS = ("TABLE", "DICTIONARY", "VIEW", "MATERIALIZED VIEW")


class Desired(NamedTuple):
    """One object that a file wants."""

    kind: str
    name: str
    sql: str  # canonical
    file: str
    line: int
    renamed_from: str = ""
    renames: Mapping[str, str] = MappingProxyType({})  # of columns, new to old
    replication: str = ""  # what the engine in the file replicates by; the engine in sql is the plain one


def read_desired(engine: EmbeddedEngine, files: Sequence[Mapping[str, str]], database: str) -> list[Desired]:
    """Check all files; the first problem raises, and nothing has been run."""
    wanted: dict[str, Desired] = {}
    # A file that is too long is refused below, unread.
    found = [split_statements(file["text"]) if len(file["text"]) <= MAX_FILE else [] for file in files]
    engine.canonical_ahead(statement.text for statements in found for statement in statements)
    for number, file in enumerate(files):
        path, text = file["path"], file["text"]
        if len(text) > MAX_FILE:
            raise _wrong(path, 1, f"expected at most {MAX_FILE} characters, found {len(text)}")
        statements = found[number]
        if not statements:
            raise _wrong(path, 1, "expected a CREATE statement, found none")
        for statement in statements:
            item = _read(engine, statement, path, database)
            if item is None:
                continue
            if item.name in wanted:
                other = wanted[item.name]
                raise _wrong(path, item.line, f"{item.name} is created in {other.file}:{other.line} already")
            wanted[item.name] = item
    if not wanted:
        raise _wrong(
            files[0]["path"] if files else "",
            1,
            "the desired files create nothing; expected at least one table",
        )
    return list(wanted.values())


def load_desired(engine: EmbeddedEngine, wanted: Sequence[Desired], database: str) -> list[Desired]:
    """Create the objects in the scratch database; returns them in an order in which they can be created."""
    engine.use(database)
    order: list[Desired] = []
    rest = sorted(wanted, key=lambda item: _KINDS.index(item.kind))
    while rest:
        failed: list[tuple[Desired, EmbeddedEngineError]] = []
        for item in rest:
            try:
                engine.run(item.sql)
            except EmbeddedEngineError as error:
                failed.append((item, error))
            else:
                order.append(item)
        if len(failed) == len(rest):  # no order of the files can help
            first, reason = failed[0]
            # A place in this message would be one in the canonical text or in a part of it.
            reason.column = 0
            raise refused(first.file, first.line, reason)
        rest = [item for item, _reason in failed]
    return order


def _read(engine: EmbeddedEngine, statement: Statement, path: str, database: str) -> Desired | None:
    try:
        sql, replication = without_replication(engine.canonical(statement.text))
        tree = engine.tree(sql)
    except EmbeddedEngineError as error:
        _move_to_file(error, statement)
        raise refused(path, error.line, error) from None
    for token in significant(sql):
        if token.kind == QUOTED and not unquote(token).isprintable():
            name = unquote(token)
            raise _wrong(path, statement.line, f"expected names of printable characters, found {name[:80]!r}")
    words = sql.split(None, 3)
    if words[0] == "USE" or words[:2] == ["CREATE", "DATABASE"]:
        _check_database(sql, tree, path, statement.line, database)
        return None
    try:
        kind, qualifier, name = head(sql)
    except SchemaError:
        kind, qualifier, name = "", "", ""
    if kind not in _KINDS:
        raise _wrong(
            path,
            statement.line,
            f"expected only CREATE TABLE, VIEW, MATERIALIZED VIEW, DICTIONARY and DATABASE, and USE, "
            f"found {' '.join(words[:3])[:80]!r}",
        )
    if qualifier not in ("", database):
        raise _wrong(
            path, statement.line, f"expected objects of database {database}, found {qualifier}.{name}"
        )
    try:
        check_name(name, "name")
    except NameNotValid as error:
        raise _wrong(path, statement.line, str(error)) from None
    _check_harmless(kind, sql, tree, path, statement.line)
    reason = reaches_out(sql, tree, database)
    if reason:
        raise _wrong(path, statement.line, reason)
    try:
        hints = column_hints(statement) if kind == "TABLE" else {}
        return Desired(kind, name, sql, path, statement.line, object_hint(statement), hints, replication)
    except SchemaError as error:
        raise _wrong(path, statement.line, str(error)) from None


def _check_database(sql: str, tree: str, path: str, line: int, database: str) -> None:
    parts = significant(sql)
    plain = [token.word() for token in parts if token.kind == "word"]
    names = re.findall(r"^(?:CreateQuery|UseQuery) (\S+)", tree, re.MULTILINE)
    if names != [database]:
        raise _wrong(path, line, f"expected database {database}, found {' '.join(names)!r}")
    if "CLUSTER" in plain or engine_of(tree) not in ("", "Atomic"):
        raise _wrong(path, line, "expected a plain database without ENGINE and ON CLUSTER")


def _check_harmless(kind: str, sql: str, tree: str, path: str, line: int) -> None:
    parts = significant(sql)
    outer = [token.word() for token, depth in zip(parts, depths(parts)) if depth == 0]
    before = outer[: outer.index("AS")] if "AS" in outer else outer
    if "CLUSTER" in before and "ON" in before:
        raise _wrong(
            path, line, "ON CLUSTER has no place in a file; the option cluster says where statements go"
        )
    if "POPULATE" in before:
        raise _wrong(path, line, "POPULATE would read data; create the view empty")
    if kind == "TABLE" and ("AS" in outer or "CLONE" in outer):
        raise _wrong(path, line, "expected a list of columns, found CREATE TABLE ... AS")
    if kind == "TABLE" and not engine_of(tree):
        raise _wrong(path, line, "engine (none) cannot be rehearsed; expected one of the MergeTree family")
    if kind == "DICTIONARY" and {token.word() for token in parts} & {"HOST", "PASSWORD"}:
        text = "a dictionary reads from its own server, without HOST; a PASSWORD has no place in a file"
        raise _wrong(path, line, text)


def reaches_out(sql: str, tree: str, database: str) -> str:
    """What a canonical CREATE statement would read, write or call outside of its database; '' for nothing."""
    parts = significant(sql)
    for _indent, name in _ENGINE.findall(tree):
        if name not in SAFE_ENGINES:
            return f"engine {name} cannot be rehearsed; expected one of the MergeTree family"
    foreign = foreign_sources(tree)
    if foreign:
        return f"the query reads from {foreign[0]}(), outside of the database"
    reader = _READS_FILES.search(tree)
    if reader:
        return f"the function {reader.group(1)}() reads files, outside of the database"
    system = _READS_SYSTEM.search(tree)
    if system:
        return f"the query reads from {system.group(1)}, outside of the database"
    return _reaches_out_by_words(parts, database)


def _reaches_out_by_words(parts: Sequence[Token], database: str) -> str:
    """What the syntax tree does not show."""
    names = [unquote(token).lower() if token.kind in (WORD, QUOTED) else token.text for token in parts]
    for index, name in enumerate(names):
        after = names[index + 1 : index + 4]
        if name == "into" and after[:1] == ["outfile"]:
            return "INTO OUTFILE would write a file, outside of the database"
        if name == "disk" and after == ["=", "disk", "("]:
            return "a disk described in the table reaches out of the database; name a disk of the server"
        if name == "in" and after in (["(", "system", "."], ["(", "information_schema", "."]):
            return f"the query reads from {after[1]}, outside of the database"
        if name == "engine" and after in (["=", "merge", "("], ["=", "buffer", "("]):
            found = _first_argument(parts[index + 3 :])
            if found not in (database, "currentDatabase()") and (found or after[1] == "merge"):
                return f"expected engine {parts[index + 2].text} over database {database}, found {found!r}"
    return ""


def _first_argument(parts: Sequence[Token]) -> str:
    """Text of the first argument in the brackets that *parts* starts with; a single name or text unquoted."""
    inner: list[Token] = []
    for token, depth in zip(parts[1:], depths(parts)[1:]):
        if depth < 1 or (depth == 1 and token.text == ","):
            break
        inner.append(token)
    if len(inner) == 1 and inner[0].kind in (WORD, QUOTED, STRING):
        return unquote(inner[0])
    return "".join(token.text for token in inner)


def engine_of(tree: str) -> str:
    """Name of the engine that a CREATE statement's syntax tree gives; empty if it gives none."""
    found = _ENGINE.search(tree)
    return found.group(2) if found else ""


def foreign_sources(tree: str) -> list[str]:
    """Table functions and sources of dictionaries in a syntax tree that would reach outside of the engine."""
    found = [name for _indent, name in _SOURCE.findall(tree) if name.lower() not in _SAFE_SOURCES]
    return found + [name for name in _DICTIONARY_SOURCE.findall(tree) if name not in ("clickhouse", "null")]


def _move_to_file(error: EmbeddedEngineError, statement: Statement) -> None:
    """Turn the place in a statement, in bytes, into the place in its file, in characters."""
    lines = statement.text.split("\n")
    if error.column and error.line <= len(lines):
        before = lines[error.line - 1].encode("utf-8", "replace")[: error.column - 1]
        error.column = len(before.decode("utf-8", "ignore")) + 1
        if error.line == 1:
            error.column += statement.column - 1
    error.line += statement.line - 1


def _wrong(path: str, line: int, message: str) -> SchemaError:
    return SchemaError(f"{path}:{line}: {message}", file=path, line=line)


def refused(path: str, line: int, error: EmbeddedEngineError) -> SchemaError:
    column = f":{error.column}" if error.column else ""
    return SchemaError(
        f"{path}:{line}{column}: the engine refused it with code {error.code}: {error.message}",
        file=path,
        line=line,
        column=error.column,
        code=error.code,
    )
