# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of check: which query each one asks, and what its answer has to look like.

A check is validated before anything connects; a wrong playbook is reported at once and is
never mistaken for a failing system. A new kind is one class, registered in kinds.py.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ...clickhouse.client import Answer
from ...clickhouse.names import TableName, check_identifier, quote, split_table
from ..result import CheckNotValid
from .compare import Judgement, check_operation, compare_rows, describe, shape


class Outcome(NamedTuple):
    """``rows_per_second`` is how many rows came in the time that was looked at, where the kind counts them."""

    observed: Any
    judgement: Judgement
    rows_per_second: float | None = None


OF_TABLE = "WHERE database = %(database)s AND table = %(table)s"
# What several checks on one table have to know of it. These two are asked once per round and table.
TABLE_SQL = (
    "SELECT engine, partition_key, sorting_key, create_table_query FROM system.tables "
    "WHERE database = %(database)s AND name = %(table)s"
)
COLUMNS_SQL = (
    f"SELECT name, type, default_kind, default_expression FROM system.columns {OF_TABLE} ORDER BY position"  # noqa: S608 - fixed text
)
SHARED_SQL = frozenset({TABLE_SQL, COLUMNS_SQL})

# Asks the server one query with values to bind.
Ask = Callable[[str, Mapping[str, Any]], Answer]


class ServerCheck:
    """What all kinds have in common. Subclasses set the query and read the answer."""

    kind = ""
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    patience = 0.0  # seconds from the first look to the last one that the verdict needs

    def __init__(self, spec: Mapping[str, Any], database: str) -> None:
        self.name = str(spec["name"])
        self.spec = spec
        self.database = database
        self.sql = ""
        self.params: dict[str, Any] = {}
        self.expected: Any = None
        self.prepare()

    def prepare(self) -> None:
        raise NotImplementedError

    def evaluate(self, ask: Ask, now: float) -> Outcome:
        """Ask what the kind has to know, and judge it; *now* is in seconds of a clock that never jumps."""
        return self.judge(ask(self.sql, self.params))

    def judge(self, answer: Answer) -> Outcome:
        raise NotImplementedError

    def table(self) -> TableName:
        return split_table(self.spec["table"], self.database)

    def column(self, field: str = "column") -> str:
        return check_identifier(self.spec[field], field)

    def where(self, *more: str) -> str:
        """WHERE clause from the check's own condition and *more*."""
        own = self.spec.get("where")
        if own is not None and (not isinstance(own, str) or not own.strip()):
            raise CheckNotValid(f"where: expected a condition, found {own!r}")
        # The line break ends a comment at the end of the condition, so that it cannot swallow the rest.
        parts = [f"({own}\n)"] if own else []
        parts += [f"({part})" for part in more if part]
        return " WHERE " + " AND ".join(parts) if parts else ""

    def number(self, field: str, default: float | None = None, low: float = 0) -> Any:
        """Read a number that a template may have turned into a string."""
        value = self.spec.get(field, default)
        try:
            if isinstance(value, bool) or value is None:
                raise ValueError
            number = float(value)
            if not math.isfinite(number):
                raise ValueError
        except (TypeError, ValueError):
            raise CheckNotValid(f"{field}: expected a number, found {value!r}") from None
        if number < low:
            raise CheckNotValid(f"{field}: expected at least {low:g}, found {value!r}")
        return int(number) if number == int(number) else number


class QueryCheck(ServerCheck):
    kind = "query"
    required = ("sql", "value")
    optional = ("op", "params")

    def prepare(self) -> None:
        self.sql = self.spec["sql"]
        if not isinstance(self.sql, str) or not self.sql.strip():
            raise CheckNotValid(f"sql: expected a query, found {self.sql!r}")
        self.params = _check_params(self.spec.get("params") or {})
        self.op = self.spec.get("op", "eq")
        check_operation(self.op, self.spec["value"])
        _check_placeholders(self.sql, self.params)
        self.expected = describe(self.op, self.spec["value"])

    def judge(self, answer: Answer) -> Outcome:
        observed = shape(answer.rows) if answer.rows else None
        return Outcome(observed, compare_rows(self.op, answer.rows, self.spec["value"]))


class TableExists(ServerCheck):
    kind = "table_exists"
    required = ("table",)
    optional = ("engine",)

    def prepare(self) -> None:
        table = self.table()
        self.sql = TABLE_SQL
        self.params = table._asdict()
        engine = self.spec.get("engine")
        self.expected = f"table {table}" + (f" with engine {engine}" if engine else "")

    def judge(self, answer: Answer) -> Outcome:
        if not answer.rows:
            return Outcome(None, Judgement("fail", f"there is no table {self.table()}"))
        engine = str(answer.rows[0][0])
        wanted = self.spec.get("engine")
        if wanted and engine != wanted:
            return Outcome(engine, Judgement("fail", f"the table's engine is {engine}"))
        return Outcome(engine, Judgement("pass", ""))


class ColumnDefinition(ServerCheck):
    kind = "column"
    required = ("table", "column")
    optional = ("type", "default")

    def prepare(self) -> None:
        table = self.table()
        self.sql = COLUMNS_SQL
        self.params = table._asdict()
        self.name_of_column = self.column()
        parts = [f"column {table}.{self.name_of_column}"]
        parts += [f"{field} {self.spec[field]}" for field in self.optional if field in self.spec]
        self.expected = ", ".join(parts)

    def judge(self, answer: Answer) -> Outcome:
        found = [row[1:] for row in answer.rows if row[0] == self.name_of_column]
        if not found:
            why = f"table {self.table()} has no column {self.name_of_column}"
            none = f"there is no table {self.table()}, or the user may see none of its columns"
            return Outcome(None, Judgement("fail", why if answer.rows else none))
        type_, default_kind, default = (str(item) for item in found[0])
        observed = {"type": type_, "default_kind": default_kind, "default": default}
        wrong = []
        if "type" in self.spec and squeeze(self.spec["type"]) != squeeze(type_):
            wrong.append(f"type is {type_}, expected {self.spec['type']}")
        if "default" in self.spec and squeeze(self.spec["default"]) != squeeze(default):
            wrong.append(f"default is {default or 'none'}, expected {self.spec['default']}")
        return Outcome(observed, Judgement("fail", "; ".join(wrong)) if wrong else Judgement("pass", ""))


class RowCount(ServerCheck):
    kind = "row_count"
    required = ("table",)
    optional = ("where", "min", "max")

    def prepare(self) -> None:
        self.sql = f"SELECT count() FROM {self.table().quoted()}{self.where()}"  # noqa: S608 - names are quoted
        self.low = self.number("min", 0 if "max" in self.spec else 1)
        self.high = self.number("max") if "max" in self.spec else None
        if self.high is not None and self.high < self.low:
            raise CheckNotValid(f"max: expected at least min ({self.low}), found {self.high}")
        self.expected = f">= {self.low} rows" + ("" if self.high is None else f" and <= {self.high} rows")

    def judge(self, answer: Answer) -> Outcome:
        if not answer.rows:
            return Outcome(None, Judgement("fail", "the query returned no rows, so nothing was counted"))
        count = int(answer.rows[0][0])
        held = count >= self.low and (self.high is None or count <= self.high)
        return Outcome(count, Judgement("pass" if held else "fail", ""))


class Fresh(ServerCheck):
    kind = "fresh"
    required = ("table", "time_column", "max_age")
    optional = ("where",)

    def prepare(self) -> None:
        column = quote(self.column("time_column"))
        self.max_age = self.number("max_age", low=1)
        self.params = {"age": math.ceil(self.max_age)}
        self.sql = (
            f"SELECT count(), toInt64(toUnixTimestamp(now())) - toInt64(toUnixTimestamp(max({column}))) "  # noqa: S608 - names are quoted
            f"FROM {self.table().quoted()}{escape_percent(self.where())}"
            f"{' AND ' if self.spec.get('where') else ' WHERE '}{within(column)}"
        )
        self.expected = f"newest row at most {self.max_age} s old"

    def judge(self, answer: Answer) -> Outcome:
        if not answer.rows or int(answer.rows[0][0]) == 0:
            return Outcome("no row", Judgement("fail", f"no row within {self.max_age} s of now"), 0.0)
        rate = int(answer.rows[0][0]) / self.max_age
        return Outcome(f"{int(answer.rows[0][1])} s old", Judgement("pass", ""), rate)


class JsonKeys(ServerCheck):
    kind = "json_keys"
    required = ("table", "column", "keys", "order_by")
    optional = ("where", "limit", "min_rows", "max_age")

    def prepare(self) -> None:
        keys = self.spec["keys"]
        if not isinstance(keys, Sequence) or isinstance(keys, str) or not keys:
            raise CheckNotValid(f"keys: expected a list of names that is not empty, found {keys!r}")
        self.keys = {str(key) for key in keys}
        if len(self.keys) != len(keys):
            raise CheckNotValid("keys: a name stands there twice")
        self.min_rows = self.number("min_rows", 1, low=1)
        self.limit = int(self.number("limit", 100, low=1))
        if self.limit < self.min_rows:
            raise CheckNotValid(f"limit: expected at least min_rows {self.min_rows}, found {self.limit}")
        order = quote(self.column("order_by"))
        recent = ""
        if "max_age" in self.spec:
            self.params = {"age": math.ceil(self.number("max_age", low=1))}
            recent = within(order)
        own = self.where() if not recent else escape_percent(self.where())
        if recent:
            own += f"{' AND ' if self.spec.get('where') else ' WHERE '}{recent}"
        self.sql = (
            f"SELECT {quote(self.column())} FROM {self.table().quoted()}{own} "  # noqa: S608 - names are quoted
            f"ORDER BY {order} DESC LIMIT {self.limit}"
        )
        self.expected = f"exactly {len(self.keys)} keys, each a finite number, in >= {self.min_rows} rows"

    def judge(self, answer: Answer) -> Outcome:
        wrong = [why for why in (self._wrong(row[0]) for row in answer.rows) if why]
        observed = {"rows": len(answer.rows), "wrong_rows": len(wrong)}
        if len(answer.rows) < self.min_rows:
            return Outcome(observed, Judgement("inconclusive", f"{len(answer.rows)} rows to look at"))
        if wrong:
            return Outcome(
                observed, Judgement("fail", f"{len(wrong)} of {len(answer.rows)} rows: {wrong[0]}")
            )
        return Outcome(observed, Judgement("pass", ""))

    def _wrong(self, text: Any) -> str:
        """Say what is wrong with one value, or nothing."""
        if not isinstance(text, str) or not text:
            return "the value is empty"
        try:
            pairs = json.loads(text, object_pairs_hook=_Pairs)
        except ValueError as error:
            return f"{text[:60]!r} is not JSON: {error}"
        if not isinstance(pairs, _Pairs):
            return f"{text[:60]!r} is not a JSON object"
        names = [name for name, _value in pairs]
        found = set(names)
        if found == self.keys and len(names) == len(found) and all(_finite(value) for _name, value in pairs):
            return ""
        twice = sorted({name for name in names if names.count(name) > 1})
        missing, extra = sorted(self.keys - found), sorted(found - self.keys)
        bad = sorted(name for name, value in pairs if not _finite(value))
        faults = [("missing", missing), ("unexpected", extra), ("twice", twice), ("no finite number", bad)]
        return "; ".join(f"{what}: {', '.join(which)}" for what, which in faults if which)


class _Pairs(list):
    """A JSON object with its keys in order, so that a key that stands there twice is seen."""


def _finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return isinstance(value, int) or math.isfinite(value)


def squeeze(text: Any) -> str:
    """Spaces outside of quotes do not change a type or an expression."""
    parts = re.split(r"('(?:[^'\\]|\\.)*')", str(text))
    return "".join(part if part.startswith("'") else re.sub(r"\s+", "", part) for part in parts)


def within(column: str) -> str:
    """Condition that a row is at most C(age) seconds old, to be bound.

    Looking only at the window keeps the cost independent of the table's size. The window ends in the future by its own length, so that
    one row from the year 2100 does not look fresh for ever.
    """
    return f"{column} >= now() - toIntervalSecond(%(age)s) AND {column} <= now() + toIntervalSecond(%(age)s)"


def escape_percent(sql: str) -> str:
    """The driver formats a query that has parameters with %, so a literal % must be doubled."""
    return sql.replace("%", "%%")


def _check_params(params: Any) -> dict[str, Any]:
    if not isinstance(params, Mapping):
        raise CheckNotValid(f"params: expected a dictionary, found {params!r}")
    for name, value in params.items():
        items = value if isinstance(value, (list, tuple)) else [value]
        if any(not isinstance(item, (str, int, float, bool, type(None))) for item in items):
            raise CheckNotValid(f"params.{name}: expected a value or a list of values, found {value!r}")
    # A tuple prints as (a, b), which is what IN wants.
    return {str(name): tuple(value) if isinstance(value, list) else value for name, value in params.items()}


def _check_placeholders(sql: str, params: Mapping[str, Any]) -> None:
    """Do what the driver will do to the query, to find a wrong placeholder before anything connects."""
    if not params:
        return
    try:
        sql % dict.fromkeys(params, "")
    except (KeyError, ValueError, TypeError) as error:
        raise CheckNotValid(
            f"sql: its placeholders do not fit params ({error}); write %(name)s, and %% for a percent sign"
        ) from None
