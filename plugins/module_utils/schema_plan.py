# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the live schema with the desired one and say which statements make them equal.

Both sides were printed by the same engine. Additive changes become steps. Everything else becomes a
refusal, unless it is allowed by its name and can be done in place and taken back in place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from .clickhouse_names import quote
from .schema_model import (
    ADDITIVE,
    DESTRUCTIVE,
    GUARD,
    REWRITE,
    Index,
    Plan,
    Refusal,
    Step,
    Table,
)

# same(first, second, form) tells whether two printed texts mean the same; form is 'expression' or 'ttl'.
Same = Callable[[str, str, str], bool]

_CLAUSE_TITLES = {
    "engine": "engine",
    "partition_by": "partition key",
    "primary_key": "primary key",
    "order_by": "sorting key",
    "sample_by": "sampling key",
    "as": "query",
    "other": "other definitions",
}
_REBUILD = "needs a rebuild of the table, which this module does not do"
_CAST = re.compile(r"\btoDateTime\((`?)([A-Za-z_]\w*)\1\)")
# What a server assumes where the DDL says nothing.
_SETTING_DEFAULTS = {"index_granularity": "8192"}


def plan(
    database: str,
    live: Mapping[str, Table],
    desired: Mapping[str, Table],
    same: Same,
    allow: Collection[str] = (),
    database_exists: bool = True,
) -> Plan:
    """Say how to get from *live* to *desired*. Objects that *desired* does not name are not looked at."""
    result = Plan()
    if not database_exists:
        result.steps.append(_create_database(database))
    for name, table in desired.items():
        found = live.get(name)
        if found is None:
            result.steps.append(_create(database, table))
        else:
            _Comparison(result, database, found, table, same, allow).run()
    return result


def heal(database: str, live: Mapping[str, Table], desired: Mapping[str, Table]) -> list[Step]:
    """What an interrupted reverse has left locked is opened again first."""
    steps = []
    for name, table in desired.items():
        constraints = live[name].constraints if name in live else {}
        for column in table.columns:
            if GUARD + column not in constraints or GUARD + column in table.constraints:
                continue
            target = f"{quote(database)}.{quote(name)}"
            steps.append(
                Step(
                    name=f"{name}.column.{column}.unlock",
                    object=f"{database}.{name}",
                    risk=ADDITIVE,
                    statement=f"ALTER TABLE {target} DROP CONSTRAINT {quote(GUARD + column)}",
                    reverse="-- nothing: a reverse locks the column again by itself",
                    undo=[],
                    reason=f"an interrupted reverse left column {column} locked against new values",
                    effect="changes metadata only",
                )
            )
    return steps


def _create_database(database: str) -> Step:
    return Step(
        name=f"database.{database}",
        object=database,
        risk=ADDITIVE,
        statement=f"CREATE DATABASE {quote(database)}",
        reverse=f"-- database {database} stays; it is empty then",
        undo=[],
        reason="the database does not exist",
        effect="creates an empty database",
    )


def _create(database: str, table: Table) -> Step:
    target = f"{quote(database)}.{quote(table.name)}"
    action = "quarantine_table" if table.kind == "TABLE" else "drop_view"
    reverse = (
        f"RENAME TABLE {target} TO <quarantine>.{quote(table.name + '__<release>')}"
        if table.kind == "TABLE"
        else f"DROP VIEW {target}"
    )
    return Step(
        name=f"create.{table.name}",
        object=f"{database}.{table.name}",
        risk=ADDITIVE,
        statement=table.ddl,
        reverse=reverse,
        undo=[{"action": action, "table": table.name}],
        reason=f"the {table.kind.lower()} does not exist",
        effect=f"creates an empty {table.kind.lower()}",
    )


class _Comparison:
    """One object that both sides have."""

    def __init__(
        self, result: Plan, database: str, live: Table, desired: Table, same: Same, allow: Collection[str]
    ) -> None:
        self.result = result
        self.database = database
        self.live = live
        self.desired = desired
        self.same = same
        self.allow = allow
        self.object = f"{database}.{live.name}"
        self.target = f"{quote(database)}.{quote(live.name)}"
        self.changes: list[Step] = []

    def run(self) -> None:
        if self.live.kind != self.desired.kind:
            self.refuse("kind", self.live.kind, self.desired.kind, DESTRUCTIVE, "another kind of object")
            return
        if self.desired.kind != "TABLE":
            if not self.same(self.live.definition, self.desired.definition, "expression"):
                self.refuse(
                    "definition",
                    self.live.definition,
                    self.desired.definition,
                    REWRITE,
                    f"a {self.desired.kind.lower()} is created, but not changed, by this module",
                )
            return
        additions, removals, reasons = self.missing_columns()
        for added, removed, reason in self.compare_indexes():
            additions.append(added)
            removals.append(removed)
            reasons.append(reason)
        if additions:
            self.result.steps.append(self.additive(additions, removals, reasons))
        self.compare_columns()
        self.compare_texts("projection", self.live.projections, self.desired.projections)
        self.compare_texts("constraint", self.live.constraints, self.desired.constraints)
        self.compare_clauses()
        self.compare_settings()
        self.result.steps.extend(self.changes)

    # Additions ---------------------------------------------------------------------------------------

    def additive(self, additions: list[str], removals: list[dict[str, str]], reasons: list[str]) -> Step:
        undo = list(reversed(removals))
        drops = [
            f"DROP COLUMN {quote(item['column'])}"
            if item["action"] == "drop_column"
            else f"DROP INDEX {quote(item['index'])}"
            for item in undo
        ]
        return Step(
            name=f"alter.{self.live.name}",
            object=self.object,
            risk=ADDITIVE,
            statement=f"ALTER TABLE {self.target} " + ", ".join(additions),
            reverse=f"ALTER TABLE {self.target} " + ", ".join(drops),
            undo=undo,
            reason="; ".join(reasons),
            effect="changes metadata only; rows that exist read the default, a new index covers new parts",
        )

    def missing_columns(self) -> tuple[list[str], list[dict[str, str]], list[str]]:
        additions: list[str] = []
        removals: list[dict[str, str]] = []
        reasons: list[str] = []
        place = "FIRST"
        for name, column in self.desired.columns.items():
            if name not in self.live.columns:
                additions.append(f"ADD COLUMN {quote(name)} {column.declaration} {place}")
                removals.append({"action": "drop_column", "table": self.live.name, "column": name})
                reasons.append(f"column {name} is missing")
            place = f"AFTER {quote(name)}"
        return additions, removals, reasons

    def compare_indexes(self) -> list[tuple[str, dict[str, str], str]]:
        """Missing indexes to add; others are refused. The same index under another name is no drift."""
        unmatched = {
            name: index for name, index in self.live.indexes.items() if name not in self.desired.indexes
        }
        missing = []
        for name, index in self.desired.indexes.items():
            if name in self.live.indexes:
                if not self.same_index(self.live.indexes[name], index):
                    self.refuse_index(name, self.live.indexes[name].declaration, index.declaration)
                continue
            twin = next((other for other in unmatched.values() if self.same_index(other, index)), None)
            if twin is not None:
                del unmatched[twin.name]
                self.result.notes.append(f"{self.object}: index {name} is there under the name {twin.name}")
                continue
            removal = {"action": "drop_index", "table": self.live.name, "index": name}
            missing.append(
                (f"ADD INDEX {quote(name)} {index.declaration}", removal, f"index {name} is missing")
            )
        for name, index in unmatched.items():
            self.refuse_index(name, index.declaration, "")
        return missing

    def same_index(self, first: Index, second: Index) -> bool:
        return first.parts.keys() == second.parts.keys() and all(
            self.same(first.parts[key], second.parts[key], "expression") for key in first.parts
        )

    def refuse_index(self, name: str, found: str, expected: str) -> None:
        reason = "the files do not name this index" if not expected else "an index is not changed in place"
        self.refuse(f"index.{name}", found, expected, REWRITE if expected else DESTRUCTIVE, reason)

    # Differences -------------------------------------------------------------------------------------

    def compare_columns(self) -> None:
        for name, column in self.live.columns.items():
            if name not in self.desired.columns:
                reason = "the files do not name this column, and dropping it would lose its data"
                self.refuse(f"column.{name}", column.declaration, "", DESTRUCTIVE, reason)
                continue
            wanted = self.desired.columns[name]
            different = [
                key
                for key in sorted(column.parts.keys() | wanted.parts.keys())
                if not self.same_part(key, column.parts.get(key, ""), wanted.parts.get(key, ""))
            ]
            if different:
                self.change_column(name, different, column.declaration, wanted.declaration)
        common = [name for name in self.live.columns if name in self.desired.columns]
        wanted_order = [name for name in self.desired.columns if name in self.live.columns]
        if common != wanted_order:
            reason = "columns that exist are not moved"
            self.refuse("column_order", ", ".join(common), ", ".join(wanted_order), REWRITE, reason)

    def same_part(self, key: str, found: str, wanted: str) -> bool:
        if key == "default":
            # DEFAULT, ALIAS and MATERIALIZED are different things, whatever their expression.
            kinds = [text.split(" ", 1)[0] for text in (found, wanted)]
            bodies = [text.partition(" ")[2] for text in (found, wanted)]
            return kinds[0] == kinds[1] and self.same(bodies[0], bodies[1], "expression")
        if key == "ttl":
            return self.same(found.partition(" ")[2], wanted.partition(" ")[2], "ttl")
        return found == wanted

    def change_column(self, name: str, different: list[str], found: str, wanted: str) -> None:
        risk = ADDITIVE if different == ["comment"] else REWRITE
        if "type" in different or "ttl" in different:
            risk = DESTRUCTIVE  # a value may not fit the new type, a row may be older than the new TTL
        column = quote(name)
        self.change(
            f"column.{name}",
            f"{name} {found}",
            f"{name} {wanted}",
            risk,
            f"{', '.join(different)} of a column that exists",
            f"MODIFY COLUMN {column} {wanted}",
            f"MODIFY COLUMN {column} {found}",
        )

    def compare_texts(self, what: str, live: Mapping[str, str], desired: Mapping[str, str]) -> None:
        for name in sorted(live.keys() | desired.keys()):
            found, wanted = live.get(name, ""), desired.get(name, "")
            first, second = (text.partition(" ") for text in (found, wanted))
            # A constraint is CHECK or ASSUME with an expression, a projection is a query in brackets.
            alike = what == "constraint" and first[0] == second[0] and first[0] in ("CHECK", "ASSUME")
            if not (self.same(first[2], second[2], "expression") if alike else found == wanted):
                reason = f"a {what} is not added, changed or dropped by this module"
                self.refuse(f"{what}.{name}", found, wanted, REWRITE, reason)

    def compare_clauses(self) -> None:
        for key, title in _CLAUSE_TITLES.items():
            found, wanted = self.clause(self.live, key), self.clause(self.desired, key)
            if not self.same(found, wanted, "expression"):
                self.refuse(key, found, wanted, DESTRUCTIVE, f"a change of the {title} {_REBUILD}")
        found, wanted = self.clause(self.live, "ttl"), self.clause(self.desired, "ttl")
        if not self.same_ttl(found, wanted):
            self.change(
                "ttl",
                found,
                wanted,
                DESTRUCTIVE,
                "a TTL deletes rows",
                f"MODIFY TTL {wanted}" if wanted else "REMOVE TTL",
                f"MODIFY TTL {found}" if found else "REMOVE TTL",
            )
        found, wanted = self.clause(self.live, "comment"), self.clause(self.desired, "comment")
        if found != wanted:
            self.change(
                "comment",
                found,
                wanted,
                REWRITE,
                "the comment of the table",
                f"MODIFY COMMENT {wanted or repr('')}",
                f"MODIFY COMMENT {found or repr('')}",
            )

    def same_ttl(self, found: str, wanted: str) -> bool:
        """Servers before 25 want toDateTime() around a DateTime64 column in a TTL; later ones do without."""

        def without_cast(text: str) -> str:
            return _CAST.sub(
                lambda match: match.group(2) if self.is_time(match.group(2)) else match.group(), text
            )

        return self.same(without_cast(found), without_cast(wanted), "ttl")

    def is_time(self, column: str) -> bool:
        sides = (self.live.columns.get(column), self.desired.columns.get(column))
        return all(side is not None and side.parts["type"].startswith("DateTime") for side in sides)

    @staticmethod
    def clause(table: Table, key: str) -> str:
        text = table.clauses.get(key, "")
        if key == "primary_key" and not text:
            return table.clauses.get(
                "order_by", ""
            )  # the primary key is the sorting key unless said otherwise
        return text[:-2] if key == "engine" and text.endswith("()") else text

    def compare_settings(self) -> None:
        for name in sorted(self.live.settings.keys() | self.desired.settings.keys()):
            default = _SETTING_DEFAULTS.get(name, "")
            found = self.live.settings.get(name, default)
            wanted = self.desired.settings.get(name, default)
            if found == wanted:
                continue
            self.change(
                f"setting.{name}",
                found,
                wanted,
                REWRITE,
                "a setting of a table that exists",
                f"MODIFY SETTING {name} = {wanted}" if wanted else f"RESET SETTING {name}",
                f"MODIFY SETTING {name} = {found}" if found else f"RESET SETTING {name}",
            )

    # Outcomes ----------------------------------------------------------------------------------------

    def change(
        self, key: str, found: str, wanted: str, risk: str, reason: str, forward: str, backward: str
    ) -> None:
        """A difference that can be changed in place and back: a step if its name is allowed."""
        name = f"{self.live.name}.{key}"
        if name not in self.allow:
            self.refuse(key, found, wanted, risk, f"{reason}; allow it by its name, {name}")
            return
        reverse = f"ALTER TABLE {self.target} {backward}"
        self.changes.append(
            Step(
                name=name,
                object=self.object,
                risk=risk,
                statement=f"ALTER TABLE {self.target} {forward}",
                reverse=reverse,
                undo=[{"action": "run", "table": self.live.name, "statement": reverse}],
                reason=f"{reason}: found {found or 'nothing'}, expected {wanted or 'nothing'}",
                effect="may rewrite or delete data; allowed by name",
            )
        )

    def refuse(self, key: str, found: str, wanted: str, risk: str, reason: str) -> None:
        self.result.refused.append(
            Refusal(f"{self.live.name}.{key}", self.object, found, wanted, risk, reason)
        )
