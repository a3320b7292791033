# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that rename hints ask for. They go first and by themselves: an ALTER cannot rename and change one column."""

from __future__ import annotations

from collections.abc import Mapping

from ...clickhouse.names import quote
from ..model import REWRITE, Policy, Refusal, Table
from ..operations.base import Operation
from ..operations.columns import RenameColumn
from ..operations.tables import RenameObject
from ..steps import Plan, Settled, Step


def renames(
    database: str,
    live: Mapping[str, Table],
    objects: Mapping[str, str],
    columns: Mapping[str, Mapping[str, str]],
    policy: Policy,
) -> Plan:
    """Steps for what still has its old name. *objects* and *columns* are new to old, columns by the new table name."""
    result = Plan()
    for name, old in objects.items():
        if old in live:
            step = _rename_object(database, live, name, old)
            _settle(result, policy, step, old, name, name in live)
    for table, hints in columns.items():
        found = live.get(table) or live.get(objects.get(table, ""))
        for name, old in hints.items():
            if found is not None and old in found.columns:
                _settle(
                    result,
                    policy,
                    _rename_column(database, table, name, old),
                    old,
                    name,
                    name in found.columns,
                )
    return result


def _settle(result: Plan, policy: Policy, step: Step, old: str, new: str, both: bool) -> None:
    """A hint is the permission. What cannot be done is refused: the new name is taken, or it was tried in vain."""
    reason = policy.deny.get(step.name, "")
    if both:
        reason = "both names exist; move the data by hand and drop the old one"
    if reason:
        result.refused.append(Refusal(step.name, step.object, old, new, REWRITE, reason))
    else:
        result.steps.append(step)


def _step(name: str, obj: str, operation: Operation, reason: str, check: dict[str, str]) -> Step:
    changes = [Settled(f"rename.{name}", REWRITE, reason, [check])]
    return Step(f"rename.{name}", obj, REWRITE, operation, reason, changes)


def _rename_object(database: str, live: Mapping[str, Table], name: str, old: str) -> Step:
    what = "DICTIONARY" if live[old].kind == "DICTIONARY" else "TABLE"
    first, second = (f"{quote(database)}.{quote(part)}" for part in (old, name))
    return _step(
        name,
        f"{database}.{name}",
        RenameObject(name, f"RENAME {what} {first} TO {second}", old, what),
        f"a file renames {old} to {name}",
        {"check": "readers", "table": old, "column": ""},
    )


def _rename_column(database: str, table: str, name: str, old: str) -> Step:
    target = f"{quote(database)}.{quote(table)}"
    statement = f"ALTER TABLE {target} RENAME COLUMN {quote(old)} TO {quote(name)}"
    return _step(
        f"{table}.{name}",
        f"{database}.{table}",
        RenameColumn(table, statement, name, old),
        f"a file renames column {old} to {name}",
        {"check": "readers", "table": table, "column": old},
    )
