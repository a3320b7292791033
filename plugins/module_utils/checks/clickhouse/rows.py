# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kinds of check on the rows of a table: what is missing, what stands there twice, whether it grows.

Each looks at rows within bounds of time or partition, so that its cost does not grow with the table, and is
inconclusive where there were too few rows to show anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...clickhouse.names import check_identifier, quote
from ..result import CheckNotValid
from .base import Ask, Outcome, ServerCheck, escape_percent, within
from .compare import Judgement, plain

_BOUNDS = ("where", "time_column", "max_age", "partition")


class _OfRows(ServerCheck):
    """What kinds have in common that look at the rows within bounds."""

    def prepare(self) -> None:
        self.min_rows = self.number("min_rows", 1, low=1)
        self.names = self.column_names()
        if ("max_age" in self.spec) != ("time_column" in self.spec):
            raise CheckNotValid("time_column and max_age: expected both or none of them")
        final = self.spec.get("final", False)
        if not isinstance(final, bool):
            raise CheckNotValid(f"final: expected true or false, found {final!r}")
        self.source = f"{self.table().quoted()}{' FINAL' if final else ''}{self.bounds()}"

    def column_names(self) -> list[str]:
        names = self.spec["columns"]
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, Sequence) or not names:
            raise CheckNotValid(f"columns: expected a list of names that is not empty, found {names!r}")
        checked = [check_identifier(name, "columns") for name in names]
        if len(set(checked)) != len(checked):
            raise CheckNotValid("columns: a name stands there twice")
        return checked

    def bounds(self) -> str:
        """The WHERE clause; its values are bound."""
        more = []
        if "max_age" in self.spec:
            self.params["age"] = int(self.number("max_age", low=1))
            more.append(within(quote(self.column("time_column"))))
        if "partition" in self.spec:
            self.params["partition"] = str(self.spec["partition"])
            more.append("_partition_id = %(partition)s")
        own = self.where()
        if not more:
            return own
        return escape_percent(own) + (" AND " if own else " WHERE ") + " AND ".join(more)

    def too_few(self, rows: int) -> Judgement:
        return Judgement("inconclusive", f"{rows} rows to look at, expected at least {self.min_rows}")


class NoNulls(_OfRows):
    kind = "no_nulls"
    required = ("table", "columns")
    optional = (*_BOUNDS, "min_rows", "empty", "final")

    def prepare(self) -> None:
        super().prepare()
        empty = self.spec.get("empty", True)
        if not isinstance(empty, bool):
            raise CheckNotValid(f"empty: expected true or false, found {empty!r}")
        test = "ifNull(toString({0}), '') IN ('', 'nan')" if empty else "isNull({0})"
        counts = ", ".join(f"countIf({test.format(quote(name))})" for name in self.names)
        self.sql = f"SELECT count(), {counts} FROM {self.source}"  # noqa: S608 - names are quoted
        what = "NULL, an empty string or NaN" if empty else "NULL"
        self.expected = f"no row with {what} in {', '.join(self.names)}, in >= {self.min_rows} rows"

    def judge(self, answer: Any) -> Outcome:
        rows, *missing = (int(item) for item in answer.rows[0])
        found = {name: count for name, count in zip(self.names, missing) if count}
        observed = {"rows": rows, "missing": found}
        if rows < self.min_rows:
            return Outcome(observed, self.too_few(rows))
        if found:
            said = ", ".join(f"{name} in {count}" for name, count in found.items())
            return Outcome(observed, Judgement("fail", f"no value of {said} of {rows} rows"))
        return Outcome(observed, Judgement("pass", ""))


class Unique(_OfRows):
    kind = "unique"
    required = ("table", "columns")
    optional = (*_BOUNDS, "min_rows", "final")

    def prepare(self) -> None:
        super().prepare()
        self.key = ", ".join(map(quote, self.names))
        # A tuple, because of plain columns those with a NULL would be left out.
        self.sql = f"SELECT count(), uniqExact(tuple({self.key})) FROM {self.source}"  # noqa: S608 - names are quoted
        self.expected = f"no two rows with the same {', '.join(self.names)}, in >= {self.min_rows} rows"

    def evaluate(self, ask: Ask, now: float) -> Outcome:
        rows, distinct = (int(item) for item in ask(self.sql, self.params).rows[0])
        observed: dict[str, Any] = {"rows": rows, "distinct": distinct}
        if rows < self.min_rows:
            return Outcome(observed, self.too_few(rows))
        if rows == distinct:
            return Outcome(observed, Judgement("pass", ""))
        sql = (
            f"SELECT {self.key}, count() FROM {self.source} GROUP BY {self.key} "  # noqa: S608 - names are quoted
            "HAVING count() > 1 ORDER BY count() DESC LIMIT 1"
        )
        example = [plain(item) for item in next(iter(ask(sql, self.params).rows), ())]
        observed["example"] = example
        said = f"; most often {example[:-1]!r}, {example[-1]} times" if example else ""
        return Outcome(observed, Judgement("fail", f"{rows - distinct} of {rows} rows are repetitions{said}"))


class Growing(ServerCheck):
    """Compares two samples that are at least C(over) seconds apart, whatever the module's timeout is."""

    kind = "growing"
    required = ("table",)
    optional = ("where", "time_column", "min", "over")

    def prepare(self) -> None:
        self.more = self.number("min", 1, low=1)
        self.over = float(self.number("over", 5, low=0.1))
        self.patience = self.over + 0.5  # the first look is not at the very beginning
        self.first: tuple[float, dict[str, str], int] | None = None
        own = self.where()
        table = self.table().quoted()
        if "time_column" in self.spec:
            column = quote(self.column("time_column"))
            own += " AND " if own else " WHERE "
            # Rows that are dated later than the first sample already when it is taken do not count as new.
            self.begin = f"SELECT toString(now64(3)), count() FROM {table}{own}{column} > now64(3)"  # noqa: S608
            own = escape_percent(own)  # this one has a value to bind
            self.sql = f"SELECT count() FROM {table}{own}{column} > toDateTime64(%(since)s, 3)"  # noqa: S608
        else:
            self.begin = self.sql = f"SELECT count() FROM {table}{own}"  # noqa: S608 - names are quoted
        self.expected = f">= {self.more} rows more within {self.over:g} s or the time that is waited"

    def evaluate(self, ask: Ask, now: float) -> Outcome:
        if self.first is None:
            *since, rows = ask(self.begin, {}).rows[0]
            self.first = (now, {"since": str(since[0])} if since else {}, int(rows))
            return Outcome(None, Judgement("inconclusive", "only one sample was taken"))
        began, params, before = self.first
        more = int(ask(self.sql, params).rows[0][0]) - before
        observed = {"more_rows": more, "seconds": round(now - began, 1)}
        if more >= self.more:
            return Outcome(observed, Judgement("pass", ""), more / max(now - began, 0.001))
        if now - began < self.over:
            return Outcome(observed, Judgement("inconclusive", "the second sample is still to come"))
        rate = max(0, more) / (now - began)
        return Outcome(observed, Judgement("fail", f"{more} rows more in {now - began:.0f} s"), rate)


class Steady(ServerCheck):
    """Every group that had rows within C(known_within) still gets some: a symbol that has stalled is not hidden by the others."""

    kind = "steady"
    required = ("table", "time_column", "max_age")
    optional = ("where", "group_by", "known_within", "min_groups")
    most_groups = 1000

    def prepare(self) -> None:
        self.max_age = self.number("max_age", low=1)
        known = self.number("known_within", 10 * self.max_age, low=1)
        if known <= self.max_age:
            raise CheckNotValid(f"known_within: expected more than max_age {self.max_age}, found {known}")
        self.min_groups = self.number("min_groups", 1, low=1)
        column = quote(self.column("time_column"))
        group = f"toString({quote(self.column('group_by'))})" if "group_by" in self.spec else "'all'"
        self.params = {"age": math.ceil(self.max_age), "known": math.ceil(known)}
        window = f"{column} >= now() - toIntervalSecond(%(known)s) AND {column} <= now() + toIntervalSecond(%(age)s)"
        self.sql = (
            f"SELECT {group} AS g, countIf({column} >= now() - toIntervalSecond(%(age)s)) "  # noqa: S608 - names are quoted
            f"FROM {self.table().quoted()}{escape_percent(self.where())}"
            f"{' AND ' if self.spec.get('where') else ' WHERE '}{window} GROUP BY g ORDER BY g LIMIT {self.most_groups + 1}"
        )
        what = (
            f"each {self.spec['group_by']} of the last {known:g} s"
            if "group_by" in self.spec
            else "the table"
        )
        self.expected = f"{what} has rows of the last {self.max_age:g} s, >= {self.min_groups} of them"

    def judge(self, answer: Any) -> Outcome:
        rows = {str(group): int(count) for group, count in answer.rows}
        stalled = [group for group, count in rows.items() if not count]
        rate = sum(rows.values()) / self.max_age
        observed = {"rows_of": rows, "stalled": stalled, "seconds": self.max_age}
        if not rows:
            return Outcome(observed, Judgement("fail", f"no row of the last {self.params['known']} s"), 0.0)
        if len(rows) > self.most_groups:
            return Outcome(
                None, Judgement("error", f"more than {self.most_groups} groups: choose another group_by")
            )
        if stalled:
            more = f" and {len(stalled) - 5} more" if len(stalled) > 5 else ""
            return Outcome(
                observed,
                Judgement("fail", f"{', '.join(stalled[:5])}{more}: no row of the last {self.max_age:g} s"),
                rate,
            )
        if len(rows) < self.min_groups:
            return Outcome(
                observed, Judgement("fail", f"{len(rows)} groups, expected at least {self.min_groups}"), rate
            )
        return Outcome(observed, Judgement("pass", ""), rate)
