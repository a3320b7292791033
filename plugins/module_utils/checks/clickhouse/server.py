# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds of check on what the server says of its tables: definition, TTL, mutations, parts, views."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ...clickhouse.client import ClickhouseError
from ...clickhouse.names import check_identifier
from ...schema.model import SchemaError
from ...schema.plan.views import view_parts
from ...schema.sql.ddl import parse_create
from ...schema.sql.tokens import significant, unquote
from ..result import CheckNotValid
from .base import (
    COLUMNS_SQL,
    OF_TABLE,
    TABLE_SQL,
    Ask,
    Outcome,
    ServerCheck,
    squeeze,
)
from .compare import Judgement

_PASS = Judgement("pass", "")


def _judged(observed: Any, wrong: list[str]) -> Outcome:
    return Outcome(observed, Judgement("fail", "; ".join(wrong)) if wrong else _PASS)


class _OfTable(ServerCheck):
    """What kinds have in common that ask about one table, which has to be there."""

    def prepare(self) -> None:
        self.sql = TABLE_SQL
        self.params = self.table()._asdict()

    def evaluate(self, ask: Ask, now: float) -> Outcome:
        rows = ask(self.sql, self.params).rows
        if not rows:
            return Outcome(None, Judgement("fail", f"there is no table {self.table()}"))
        return self.look(ask, *(str(item) for item in rows[0]))

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        raise NotImplementedError


class SchemaEquals(_OfTable):
    kind = "schema_equals"
    required = ("table", "columns")
    optional = ("engine", "partition_by", "order_by", "ordered")

    def prepare(self) -> None:
        super().prepare()
        columns = self.spec["columns"]
        if not isinstance(columns, Mapping) or not columns:
            raise CheckNotValid(
                f"columns: expected a dictionary of names with types that is not empty, found {columns!r}"
            )
        self.wanted = {check_identifier(name, "columns"): str(type_) for name, type_ in columns.items()}
        self.ordered = self.spec.get("ordered", False)
        if not isinstance(self.ordered, bool):
            raise CheckNotValid(f"ordered: expected true or false, found {self.ordered!r}")
        self.expected = f"table {self.table()} with exactly {len(self.wanted)} columns"
        for field in ("engine", "partition_by", "order_by"):
            if field in self.spec:
                self.expected += f", {field} {self.spec[field]}"

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        found = {str(name): str(type_) for name, type_, *_default in ask(COLUMNS_SQL, self.params).rows}
        wrong = [f"column {name} is missing" for name in self.wanted if name not in found]
        wrong += [f"column {name} is not expected" for name in found if name not in self.wanted]
        wrong += [
            f"column {name} has type {found[name]}, expected {type_}"
            for name, type_ in self.wanted.items()
            if name in found and squeeze(found[name]) != squeeze(type_)
        ]
        if self.ordered and not wrong and list(found) != list(self.wanted):
            wrong.append(f"the columns stand in another order: {', '.join(found)}")
        parts = {"engine": engine, "partition_by": partition_key, "order_by": sorting_key}
        wrong += [
            f"{field} is {value or 'none'}, expected {self.spec[field]}"
            for field, value in parts.items()
            if field in self.spec and _bare(value) != _bare(self.spec[field])
        ]
        return _judged({"columns": found, **parts}, wrong)


def _bare(text: Any) -> str:
    """A key may stand in brackets or without."""
    squeezed = squeeze(text)
    return squeezed[1:-1] if re.fullmatch(r"\([^()]*\)", squeezed) else squeezed


class TtlPresent(_OfTable):
    kind = "ttl_present"
    required = ("table",)
    optional = ("ttl",)

    def prepare(self) -> None:
        super().prepare()
        self.expected = f"TTL {self.spec['ttl']}" if "ttl" in self.spec else "any TTL"

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        try:
            ttl = parse_create(ddl).clauses.get("ttl", "")
        except SchemaError as error:
            return Outcome(None, Judgement("error", f"the DDL of {self.table()} cannot be read: {error}"))
        if not ttl:
            return Outcome(None, Judgement("fail", f"table {self.table()} has no TTL"))
        wanted = self.spec.get("ttl")
        same = wanted is None or _interval(ttl) == _interval(str(wanted))
        return Outcome(ttl, _PASS if same else Judgement("fail", f"the TTL is {ttl}"))


def _interval(text: str) -> str:
    """INTERVAL 90 DAY and toIntervalDay(90) are the same."""
    plain = re.sub(
        r"\bINTERVAL\s+(\d+)\s+([A-Za-z]+?)S?\b",
        lambda found: f"toInterval{found[2].capitalize()}({found[1]})",
        text,
        flags=re.IGNORECASE,
    )
    return squeeze(plain)


class MutationsDone(_OfTable):
    kind = "mutations_done"
    required = ("table",)

    def prepare(self) -> None:
        super().prepare()
        self.expected = "no unfinished mutation"

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        sql = (
            "SELECT mutation_id, command, parts_to_do, latest_fail_reason, dateDiff('second', create_time, now()) "  # noqa: S608
            f"FROM system.mutations {OF_TABLE} AND NOT is_done ORDER BY create_time"
        )
        left = [
            f"{name} ({command}): {parts} parts to do since {seconds} s"
            + (f", last failure: {reason}" if reason else "")
            for name, command, parts, reason, seconds in ask(sql, self.params).rows
        ]
        if not left and not engine.endswith("MergeTree"):
            why = f"the engine {engine} keeps no mutations, so nothing was shown"
            return Outcome({"unfinished": []}, Judgement("inconclusive", why))
        return _judged({"unfinished": left}, left)


class PartsHealthy(_OfTable):
    kind = "parts_healthy"
    required = ("table",)
    optional = ("max_parts", "max_broken")

    def prepare(self) -> None:
        super().prepare()
        # Of MergeTree's own default, from which on inserts are slowed down, a third.
        self.most = self.number("max_parts", 300, low=1)
        self.broken = self.number("max_broken", 0)
        self.expected = (
            f"<= {self.most} active parts in a partition, <= {self.broken} broken parts, no replica read-only"
        )

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        # Parts that somebody has detached have no reason, and what a merge or a fetch has made superfluous is no damage.
        sql = (
            "SELECT * FROM (SELECT 'parts' AS what, partition AS name, count() AS n FROM system.parts "  # noqa: S608 - fixed text
            f"{OF_TABLE} AND active GROUP BY partition ORDER BY n DESC LIMIT 1) "
            f"UNION ALL SELECT 'broken', any(name), count() FROM system.detached_parts {OF_TABLE} AND "
            "(startsWith(reason, 'broken') OR reason IN ('unexpected', 'noquorum', 'covered-by-broken')) "
            f"UNION ALL SELECT 'read_only', '', countIf(is_readonly) FROM system.replicas {OF_TABLE}"
        )
        found = {str(what): (str(name), int(count)) for what, name, count in ask(sql, self.params).rows}
        if not {"broken", "read_only"} <= set(found):
            raise ValueError(
                f"found counts of {', '.join(found) or 'nothing'}, expected broken and read_only"
            )
        partition, parts = found.get("parts", (None, 0))
        example, broken = found["broken"]
        observed = {
            "parts": parts,
            "partition": partition,
            "broken": broken,
            "read_only": found["read_only"][1] > 0,
        }
        wrong = []
        if parts > self.most:
            wrong.append(f"partition {partition} has {parts} active parts")
        if broken > self.broken:
            wrong.append(f"{broken} broken parts, one of them {example}")
        if observed["read_only"]:
            wrong.append("the replica is read-only")
        if not wrong and not parts:
            return Outcome(
                observed, Judgement("inconclusive", "the table has no parts, so nothing was shown")
            )
        return _judged(observed, wrong)


class ViewWrites(_OfTable):
    """What an insert into the table asks of each materialized view: a query that can be run, and a target that takes it."""

    kind = "view_writes"
    required = ("table",)
    optional = ("views",)

    def prepare(self) -> None:
        super().prepare()
        views = self.spec.get("views", [])
        if isinstance(views, str) or not isinstance(views, (list, tuple)):
            raise CheckNotValid(f"views: expected a list of names, found {views!r}")
        self.views = [check_identifier(name, "views") for name in views]
        wanted = ", ".join(self.views) or "at least one materialized view"
        self.expected = f"inserts into {self.table()} go through {wanted}"

    def look(self, ask: Ask, engine: str, partition_key: str, sorting_key: str, ddl: str) -> Outcome:
        sql = (
            "SELECT database, name, toString(uuid), as_select, create_table_query FROM system.tables "
            "WHERE engine = 'MaterializedView' AND (database, name) IN (SELECT fed.1, fed.2 FROM (SELECT "
            "arrayJoin(arrayZip(dependencies_database, dependencies_table)) AS fed FROM system.tables "
            "WHERE database = %(database)s AND name = %(table)s)) ORDER BY database, name"
        )
        found = [[str(item) for item in row] for row in ask(sql, self.params).rows]
        names = {row[1] for row in found}
        wrong = [f"no materialized view {name} reads the table" for name in self.views if name not in names]
        observed = {}
        for database, name, uuid, query, view_ddl in found:
            problem = self.problem(ask, database, name, uuid, query, view_ddl)
            observed[f"{database}.{name}"] = problem or "works"
            wrong += [f"{database}.{name}: {problem}"] if problem else []
        if not wrong and not found:
            return Outcome(
                observed,
                Judgement("inconclusive", f"no materialized view reads {self.table()}: nothing was shown"),
            )
        return _judged(observed, wrong)

    def problem(self, ask: Ask, database: str, name: str, uuid: str, query: str, ddl: str) -> str:
        """Why an insert would fail in one view, or an empty string."""
        try:
            produced = [column for column, _type in ask(f"SELECT * FROM ({query}) LIMIT 0", {}).columns]  # noqa: S608
            target = _target(database, name, uuid, ddl)
        except (ClickhouseError, SchemaError) as error:
            if isinstance(error, ClickhouseError) and error.kind != "server":
                raise
            return str(error)
        sql = (
            "SELECT database, table, name FROM system.columns WHERE (database, table) IN "
            "(SELECT database, name FROM system.tables WHERE database = %(database)s AND name IN %(names)s)"
        )
        rows = ask(sql, {"database": target[0], "names": target[1]}).rows
        if not rows:
            return f"its target {target[0]}.{target[1][0]} does not exist"
        missing = [column for column in produced if column not in {str(row[2]) for row in rows}]
        return f"its target {target[0]}.{rows[0][1]} has no column {', '.join(missing)}" if missing else ""


def _target(database: str, name: str, uuid: str, ddl: str) -> tuple[str, tuple[str, ...]]:
    """Database, and the names that the table may have which a materialized view writes into."""
    head, _query = view_parts(parse_create(ddl).definition)
    words = significant(head)
    if words and words[0].word() == "TO":
        names = [unquote(token) for token in words[1:] if token.text != "."]
        return (names[0], (names[1],)) if len(names) > 1 else (database, (names[0],))
    return database, (f".inner_id.{uuid}", f".inner.{name}")
