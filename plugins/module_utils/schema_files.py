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

from .schema_engine import Engine, EngineError
from .schema_hints import column_hints, object_hint
from .schema_model import SchemaError
from .schema_parse import head
from .schema_tokens import Statement, depths, significant, split_statements

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
_ENGINE = re.compile(r"^ Storage definition.*\n  Function (\S+)", re.MULTILINE)
# In the order in which they are created, as far as they do not need each other.
_KINDS = ("TABLE", "DICTIONARY", "VIEW", "MATERIALIZED VIEW")
_DICTIONARY_SOURCE = re.compile(r"^ *FunctionWithKeyValueArguments +(\w+)", re.MULTILINE)


class Desired(NamedTuple):
    """One object that a file wants."""

    kind: str
    name: str
    sql: str  # canonical
    file: str
    line: int
    renamed_from: str = ""
    renames: Mapping[str, str] = MappingProxyType({})  # of columns, new to old


def read_desired(engine: Engine, files: Sequence[Mapping[str, str]], database: str) -> list[Desired]:
    """Check all files; the first problem raises, and nothing has been run."""
    wanted: dict[str, Desired] = {}
    for file in files:
        path, text = file["path"], file["text"]
        if len(text) > MAX_FILE:
            raise _wrong(path, 1, f"expected at most {MAX_FILE} characters, found {len(text)}")
        statements = split_statements(text)
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
        raise SchemaError("the desired files create nothing; expected at least one table")
    return list(wanted.values())


def load_desired(engine: Engine, wanted: Sequence[Desired], database: str) -> list[Desired]:
    """Create the objects in the scratch database; returns them in an order in which they can be created."""
    engine.use(database)
    order: list[Desired] = []
    rest = sorted(wanted, key=lambda item: _KINDS.index(item.kind))
    while rest:
        failed: list[tuple[Desired, EngineError]] = []
        for item in rest:
            try:
                engine.run(item.sql)
            except EngineError as error:
                failed.append((item, error))
            else:
                order.append(item)
        if len(failed) == len(rest):  # no order of the files can help
            first, reason = failed[0]
            raise refused(first.file, first.line, reason)
        rest = [item for item, _reason in failed]
    return order


def _read(engine: Engine, statement: Statement, path: str, database: str) -> Desired | None:
    try:
        sql = engine.canonical(statement.text)
        tree = engine.tree(sql)
    except EngineError as error:
        raise refused(path, statement.line + error.line - 1, error) from None
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
    _check_harmless(kind, sql, tree, path, statement.line)
    try:
        hints = column_hints(statement) if kind == "TABLE" else {}
        return Desired(kind, name, sql, path, statement.line, object_hint(statement), hints)
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
        raise _wrong(path, line, "ON CLUSTER is not supported")
    if "POPULATE" in before:
        raise _wrong(path, line, "POPULATE would read data; create the view empty")
    if kind == "TABLE" and ("AS" in outer or "CLONE" in outer):
        raise _wrong(path, line, "expected a list of columns, found CREATE TABLE ... AS")
    name = engine_of(tree)
    if kind == "TABLE" and name not in SAFE_ENGINES:
        raise _wrong(
            path, line, f"engine {name or '(none)'} cannot be rehearsed; expected one of the MergeTree family"
        )
    if kind == "MATERIALIZED VIEW" and name and name not in SAFE_ENGINES:
        raise _wrong(path, line, f"engine {name} cannot be rehearsed; expected one of the MergeTree family")
    plain = {token.word() for token in parts}
    if kind == "DICTIONARY" and plain & {"HOST", "PASSWORD"}:
        text = "a dictionary reads from its own server, without HOST; a PASSWORD has no place in a file"
        raise _wrong(path, line, text)
    foreign = foreign_sources(tree)
    if foreign:
        raise _wrong(path, line, f"the query reads from {foreign[0]}(), outside of the database")


def engine_of(tree: str) -> str:
    """Name of the engine that a CREATE statement's syntax tree gives; empty if it gives none."""
    found = _ENGINE.search(tree)
    return found.group(1) if found else ""


def foreign_sources(tree: str) -> list[str]:
    """Table functions and sources of dictionaries in a syntax tree that would reach outside of the engine."""
    found = [name for _indent, name in _SOURCE.findall(tree) if name.lower() not in _SAFE_SOURCES]
    return found + [name for name in _DICTIONARY_SOURCE.findall(tree) if name not in ("clickhouse", "null")]


def _wrong(path: str, line: int, message: str) -> SchemaError:
    return SchemaError(f"{path}:{line}: {message}", file=path, line=line)


def refused(path: str, line: int, error: EngineError) -> SchemaError:
    column = f":{error.column}" if error.column else ""
    return SchemaError(
        f"{path}:{line}{column}: the engine refused it with code {error.code}: {error.message}",
        file=path,
        line=line,
        column=error.column,
        code=error.code,
    )
