# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table that both sides have: collect its differences, and make one ALTER of them, and one back.

What the comparisons of columns, indexes and clauses find comes together here as changes, each with its parts of the
ALTER. A change that is not allowed, or that turned out to be impossible, becomes a refusal instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...clickhouse.names import quote
from ..model import ADDITIVE, CLASSES, Change, Plan, Policy, Refusal, Step, Table

# same(first, second, form) tells whether two printed texts mean the same; form is 'expression' or 'ttl'.
Same = Callable[[str, str, str], bool]

# The order of the parts of one ALTER: what stands in the way goes first, what stands on new columns comes later.
DROP, ADD_COLUMN, MODIFY_COLUMN, ADD_PART, COMMENT, REMOVE_TTL = range(6)
# These take the rest of the statement for their own list, so each must stand at the end, and an ALTER can hold one.
SETTING, RESET, TTL = range(10, 13)
_LISTS = {SETTING: "MODIFY SETTING ", RESET: "RESET SETTING ", TTL: "MODIFY TTL "}

_EFFECTS = {
    ADDITIVE: "changes metadata only; rows that exist read the default, a new index covers new parts",
    "rewrite": "keeps every value; may rewrite parts, or change how writers and readers get on with the table",
    "destructive": "may delete rows or values",
}


class Comparison:
    """The differences of one object, as changes and refusals."""

    def __init__(
        self, result: Plan, database: str, live: Table, desired: Table, same: Same, policy: Policy
    ) -> None:
        self.result = result
        self.live = live
        self.desired = desired
        self.same = same
        self.policy = policy
        self.object = f"{database}.{live.name}"
        self.target = f"{quote(database)}.{quote(live.name)}"
        self.changes: list[Change] = []
        self.dropped: list[str] = []  # columns that go, as the policy allows it by their names

    def refuse(self, key: str, found: str, wanted: str, risk: str, reason: str) -> None:
        self.result.refused.append(
            Refusal(f"{self.live.name}.{key}", self.object, found, wanted, risk, reason)
        )

    def change(self, key: str, found: str, wanted: str, risk: str, reason: str, **parts: Any) -> None:
        """A difference that can be settled: a change if the policy lets it, else a refusal that says how to allow it."""
        name = f"{self.live.name}.{key}"
        if name in self.policy.deny:
            self.refuse(key, found, wanted, risk, f"{reason}; not possible: {self.policy.deny[name]}")
        elif not self.policy.allows(name, risk):
            self.refuse(key, found, wanted, risk, f"{reason}; allow it by its name, {name}")
        else:
            if risk != ADDITIVE:
                reason = f"{reason}: found {found or 'nothing'}, expected {wanted or 'nothing'}"
            self.changes.append(Change(name, risk, reason, **parts))

    def finish(self) -> None:
        """Add the steps that make the changes, and those that take them back."""
        self.result.steps.extend(alter(self.object, self.target, self.live.name, self.changes))


def alter(obj: str, target: str, table: str, changes: Sequence[Change]) -> list[Step]:
    """One ALTER for all changes; a second and third only where the grammar lets a statement end in one list."""
    if not changes:
        return []
    statements = statements_of(target, [part for item in changes for part in item.commands])
    backward = statements_of(target, [part for item in reversed(changes) for part in item.backward])
    holding = [item for change in reversed(changes) for item in reversed(change.undo)]
    undo = [item for item in holding if item["action"] != "drop_column"]
    undo += [{"action": "run", "table": table, "statement": text} for text in backward]
    undo += [item for item in holding if item["action"] == "drop_column"]
    risk = max((item.risk for item in changes), key=CLASSES.index)
    steps = [
        Step(
            name=f"alter.{table}" + (f".{number}" if number > 1 else ""),
            object=obj,
            risk=risk,
            statement=statement,
            reverse="",
            undo=[],
            reason="; ".join(item.reason for item in changes),
            effect=_EFFECTS[risk],
        )
        for number, statement in enumerate(statements, start=1)
    ]
    # Statements that follow the first have no life of their own: they go forward with it, and back with it.
    steps[0].undo = undo
    steps[0].reverse = "; ".join(_shown(target, undo))
    for step in steps[1:]:
        step.reverse = f"-- with the reverse of {steps[0].name}"
    steps[0].changes = [
        {"name": item.name, "class": item.risk, "reason": item.reason, "checks": item.checks}
        for item in changes
    ]
    return steps


def statements_of(target: str, parts: Sequence[tuple[int, str]]) -> list[str]:
    """ALTER statements from parts of any order."""
    plain = [text for place, text in sorted(parts, key=lambda part: part[0]) if place < SETTING]
    lists = [
        words + ", ".join(text for at, text in parts if at == place)
        for place, words in _LISTS.items()
        if any(at == place for at, _text in parts)
    ]
    bodies = [", ".join([*plain, *lists[:1]]), *lists[1:]]
    return [f"ALTER TABLE {target} {body}" for body in bodies if body]


def _shown(target: str, undo: Sequence[dict[str, str]]) -> list[str]:
    """The way back for people: as few statements as it could be, where the server takes one for each column."""
    shown: list[str] = []
    before = "run"
    for item in undo:
        what = item["action"].partition("_")[2]
        if item["action"] == "run":
            shown.append(item["statement"])
        elif shown and before != "run":
            shown[-1] += f", DROP {what.upper()} {quote(item[what])}"
        else:
            shown.append(f"ALTER TABLE {target} DROP {what.upper()} {quote(item[what])}")
        before = item["action"]
    return shown
