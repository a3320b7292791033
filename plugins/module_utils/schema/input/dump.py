# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the live side of a plan from a file of DDL, as a server prints it, instead of from a server.

The engine parses every statement. What cannot be understood is an error and not left out: an object that is
overlooked here would be planned as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...clickhouse.names import quote
from ..model import SchemaError
from ..rehearsal.engine import EmbeddedEngine, EmbeddedEngineError
from ..sql.ddl import head
from ..sql.tokens import Statement, significant, split_statements, unquote
from .files import engine_of, refused

_IF_NOT_EXISTS = ["IF", "NOT", "EXISTS"]
_ENGINES = {"VIEW": "View", "MATERIALIZED VIEW": "MaterializedView", "DICTIONARY": "Dictionary"}


class Dumped(NamedTuple):
    """One object that a dump creates."""

    database: str  # empty: the dump does not say
    name: str
    kind: str
    engine: str  # as system.tables would name it
    ddl: str  # canonical
    line: int


class Dump(NamedTuple):
    objects: list[Dumped]
    databases: set[str]
    left_out: list[str]


def with_live(engine: EmbeddedEngine, request: Mapping[str, Any]) -> Mapping[str, Any]:
    """The request with what its live_dump holds: live objects, notes on what was left out, the database."""
    if "live_dump" not in request:
        return request
    path = request["live_dump"]["path"]
    dump = read_dump(engine, request["live_dump"]["text"], path)
    database = request.get("database") or _only_database(
        dump.databases, _databases_of(engine, request["files"])
    )
    seen: dict[str, int] = {}
    live, left_out = [], list(dump.left_out)
    for item in dump.objects:
        if (item.database or database) != database:
            left_out.append(
                f"{item.database}.{item.name}: of another database (line {item.line} of the dump)"
            )
        elif item.name.startswith(".inner"):
            continue  # belongs to a materialized view, which the engine gives a table of its own
        elif item.name in seen:
            raise _wrong(
                path, item.line, f"{database}.{item.name} is created in line {seen[item.name]} already"
            )
        else:
            seen[item.name] = item.line
            live.append({"name": item.name, "engine": item.engine, "ddl": _qualified(item, database)})
    return {**request, "database": database, "live": live, "left_out": left_out}


def read_dump(engine: EmbeddedEngine, text: str, path: str) -> Dump:
    """Take a file of DDL apart; nothing of it is run."""
    dump = Dump([], set(), [])
    current = ""
    for statement in split_statements(text):
        sql, tree = _parsed(engine, statement, path)
        (first, second), database = (f"{sql} ;").upper().split()[:2], database_of(sql)
        if database:
            dump.databases.add(database)
        if first == "USE":
            current = database
        elif first == "SET" or (first, second) == ("CREATE", "DATABASE"):
            continue  # a setting of a session is no part of the state, and that the database exists is taken as given
        elif tree.startswith("CreateQuery "):
            dump.objects.append(_object(sql, tree, current, statement.line, path))
        elif first == "CREATE":
            dump.left_out.append(f"{' '.join(sql.split()[:3])}: no object of a database")
        else:
            raise _unexpected(path, statement.line, sql)
    return dump


def database_of(sql: str) -> str:
    """The database that a canonical statement names as its own; empty if it names none."""
    parts = significant(sql)
    words = [token.word() for token in parts]
    if words[0] == "USE":
        return unquote(parts[-1])
    if words[:2] == ["CREATE", "DATABASE"]:
        return unquote(parts[5 if words[2:5] == _IF_NOT_EXISTS else 2])
    try:
        return head(sql)[1]
    except SchemaError:
        return ""


def _object(sql: str, tree: str, current: str, line: int, path: str) -> Dumped:
    try:
        kind, database, name = head(sql)
    except SchemaError:
        raise _unexpected(path, line, sql) from None
    made_by = _ENGINES.get(kind) or engine_of(tree) or "(none)"
    return Dumped(database or current, name, kind, made_by, sql, line)


def _qualified(item: Dumped, database: str) -> str:
    """The DDL with the database before the object's name, which is how a server prints it."""
    if head(item.ddl)[1]:
        return item.ddl
    parts = significant(item.ddl)
    place = 1 + len(item.kind.split())
    if [token.word() for token in parts[place : place + 3]] == _IF_NOT_EXISTS:
        place += 3
    start = parts[place].start
    return f"{item.ddl[:start]}{quote(database)}.{item.ddl[start:]}"


def _databases_of(engine: EmbeddedEngine, files: Sequence[Mapping[str, str]]) -> set[str]:
    names = {
        database_of(_parsed(engine, statement, file["path"])[0])
        for file in files
        for statement in split_statements(file["text"])
    }
    return names - {""}


def _only_database(dumped: set[str], desired: set[str]) -> str:
    """The files decide, unless the dump contradicts them."""
    found = desired or dumped
    if len(found) == 1 and (not dumped or found <= dumped):
        return next(iter(found))
    raise SchemaError(
        f"which database to plan is not clear: the desired files name {_listed(desired)}, the dump names "
        f"{_listed(dumped)}; say it with --database"
    )


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _parsed(engine: EmbeddedEngine, statement: Statement, path: str) -> tuple[str, str]:
    """Canonical text and syntax tree."""
    try:
        sql = engine.canonical(statement.text)
        return sql, engine.tree(sql)
    except EmbeddedEngineError as error:
        problem = refused(path, statement.line + error.line - 1, error)
    if any(token.text == "\\" for token in significant(statement.text)):
        problem = SchemaError(
            f"{problem}; a backslash stands outside of strings: was it printed without FORMAT TSVRaw?",
            **problem.details,
        )
    raise problem


def _unexpected(path: str, line: int, sql: str) -> SchemaError:
    return _wrong(
        path,
        line,
        "expected only statements that describe a state, as SHOW CREATE prints them: CREATE TABLE, VIEW, "
        f"MATERIALIZED VIEW, DICTIONARY, DATABASE; found {' '.join(sql.split()[:4])[:80]!r}",
    )


def _wrong(path: str, line: int, message: str) -> SchemaError:
    return SchemaError(f"{path}:{line}: {message}", file=path, line=line)
