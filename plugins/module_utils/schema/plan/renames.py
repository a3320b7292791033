# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps that rename hints ask for. A rename is never guessed."""

from __future__ import annotations

from collections.abc import Mapping

from ...clickhouse.names import quote
from ..model import REWRITE, Plan, Policy, Refusal, Step, Table


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


def _step(
    name: str, obj: str, forward: str, back: str, undo: dict[str, str], reason: str, check: dict[str, str]
) -> Step:
    return Step(
        name=f"rename.{name}",
        object=obj,
        risk=REWRITE,
        statement=forward,
        reverse=back,
        undo=[undo],
        reason=reason,
        effect="changes a name only; who uses the old name fails",
        changes=[{"name": f"rename.{name}", "class": REWRITE, "reason": reason, "checks": [check]}],
    )


def _rename_object(database: str, live: Mapping[str, Table], name: str, old: str) -> Step:
    what = "DICTIONARY" if live[old].kind == "DICTIONARY" else "TABLE"
    first, second = (f"{quote(database)}.{quote(part)}" for part in (old, name))
    return _step(
        name,
        f"{database}.{name}",
        f"RENAME {what} {first} TO {second}",
        f"RENAME {what} {second} TO {first}",
        {"action": "rename_object", "table": name, "to": old, "kind": what},
        f"a file renames {old} to {name}",
        {"check": "readers", "table": old, "column": ""},
    )


def _rename_column(database: str, table: str, name: str, old: str) -> Step:
    target = f"{quote(database)}.{quote(table)}"
    return _step(
        f"{table}.{name}",
        f"{database}.{table}",
        f"ALTER TABLE {target} RENAME COLUMN {quote(old)} TO {quote(name)}",
        f"ALTER TABLE {target} RENAME COLUMN {quote(name)} TO {quote(old)}",
        {"action": "rename_column", "table": table, "column": name, "to": old},
        f"a file renames column {old} to {name}",
        {"check": "readers", "table": table, "column": old},
    )
