# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the live schema with the desired one and say which statements make them equal.

Both sides were printed by the same engine. Additive changes become steps. Everything else becomes a
refusal, unless it is allowed, by its name or its class, and can be done in place and rolled back in place.
"""

from __future__ import annotations

from collections.abc import Mapping

from ...clickhouse.names import quote
from ..model import ADDITIVE, DESTRUCTIVE, GUARD, Policy, Refusal, Table
from ..operations.base import Operation
from ..operations.tables import CreateDatabase, CreateTable, Reopen, Unlock
from ..operations.views import CreateDictionary, CreateView
from ..server.rebuild import BACK, FORWARD
from ..steps import Plan, Step
from .clauses import compare_clauses, settle_keys
from .columns import compare_columns, drop_steps
from .comparison import Comparison, Same
from .parts import compare_parts
from .views import compare_view


def plan(
    database: str,
    live: Mapping[str, Table],
    desired: Mapping[str, Table],
    same: Same,
    policy: Policy,
    database_exists: bool = True,
) -> Plan:
    """Say how to get from *live* to *desired*. Objects that *desired* does not name are not looked at."""
    result = Plan()
    if not database_exists:
        result.steps.append(_create_database(database))
    for name, table in desired.items():
        found = live.get(name)
        if found is None and f"create.{name}" in policy.deny:
            reason = policy.deny[f"create.{name}"]
            result.refused.append(
                Refusal(f"create.{name}", f"{database}.{name}", "", table.kind, ADDITIVE, reason)
            )
        elif found is None:
            result.steps.append(_create(database, table))
        else:
            _compare(Comparison(result, database, found, table, same, policy))
    return result


def _compare(one: Comparison) -> None:
    if one.live.kind != one.desired.kind:
        one.refuse("kind", one.live.kind, one.desired.kind, DESTRUCTIVE, "another kind of object")
    elif one.desired.kind != "TABLE":
        compare_view(one)
    else:
        compare_columns(one)
        compare_parts(one)
        keys = compare_clauses(one)
        one.finish()
        one.result.steps.extend(drop_steps(one))
        settle_keys(one, keys)


def heal(database: str, live: Mapping[str, Table], desired: Mapping[str, Table]) -> list[Step]:
    """What an interrupted rollback has left locked is opened again first."""
    steps = []
    for name, table in desired.items():
        constraints = live[name].constraints if name in live else {}
        for guard in constraints:
            if not guard.startswith(GUARD) or guard in table.constraints:
                continue
            column = guard[len(GUARD) :]
            target = f"{quote(database)}.{quote(name)}"
            rebuild = guard in (FORWARD, BACK)
            what = "the table closed" if rebuild else f"column {column} locked against new values"
            statement = f"ALTER TABLE {target} DROP CONSTRAINT {quote(guard)}"
            steps.append(
                Step(
                    name=f"{name}.unlock" if rebuild else f"{name}.column.{column}.unlock",
                    object=f"{database}.{name}",
                    risk=ADDITIVE,
                    operation=(Reopen if rebuild else Unlock)(name, statement),
                    reason=f"an interrupted {'rebuild' if rebuild else 'rollback'} left {what}",
                )
            )
    return steps


def _create_database(database: str) -> Step:
    return Step(
        name=f"database.{database}",
        object=database,
        risk=ADDITIVE,
        operation=CreateDatabase("", f"CREATE DATABASE {quote(database)}"),
        reason="the database does not exist",
    )


def _create(database: str, table: Table) -> Step:
    kinds: dict[str, type[Operation]] = {"TABLE": CreateTable, "DICTIONARY": CreateDictionary}
    return Step(
        name=f"create.{table.name}",
        object=f"{database}.{table.name}",
        risk=ADDITIVE,
        operation=kinds.get(table.kind, CreateView)(table.name, table.ddl),
        reason=f"the {table.kind.lower()} does not exist",
    )
