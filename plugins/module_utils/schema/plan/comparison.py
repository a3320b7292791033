# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One table that both sides have: collect its differences, and make one ALTER of them, and one back.

What the comparisons of columns, indexes and clauses find comes together here as changes, each with its parts of the
ALTER. A change that is not allowed, or that turned out to be impossible, becomes a refusal instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...clickhouse.names import quote
from ..model import ADDITIVE, CLASSES, Policy, Refusal, Table
from ..operations.base import Operation
from ..operations.columns import AlterTable, ChangeInPlace
from ..steps import Plan, Settled, Step

# same(first, second, form) tells whether two printed texts mean the same; form is 'expression' or 'ttl'.
Same = Callable[[str, str, str], bool]

# The order of the parts of one ALTER: what stands in the way goes first, what stands on new columns comes later.
DROP, ADD_COLUMN, MODIFY_COLUMN, ADD_PART, COMMENT, REMOVE_TTL = range(6)
# These take the rest of the statement for their own list, so each must stand at the end, and an ALTER can hold one.
SETTING, RESET, TTL = range(10, 13)
_LISTS = {SETTING: "MODIFY SETTING ", RESET: "RESET SETTING ", TTL: "MODIFY TTL "}


@dataclass(frozen=True)
class Difference:
    """One difference of one object, as a step makes it equal: what can be allowed, and refused, by its name."""

    name: str
    risk: str
    reason: str
    commands: list[tuple[int, str]]  # parts of an ALTER, each with its place in the order of all parts
    adds: list[Operation] = field(default_factory=list)  # what it adds to the table
    backward: list[tuple[int, str]] = field(default_factory=list)  # parts of the ALTER that rolls it back
    checks: list[dict[str, Any]] = field(default_factory=list)  # questions to the live data; see assess

    def settled(self) -> Settled:
        return Settled(self.name, self.risk, self.reason, self.checks)


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
        self.changes: list[Difference] = []
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
            self.changes.append(Difference(name, risk, reason, **parts))

    def finish(self) -> None:
        """Add the steps that make the changes."""
        self.result.steps.extend(alter(self.object, self.target, self.live.name, self.changes))


def alter(obj: str, target: str, table: str, changes: Sequence[Difference]) -> list[Step]:
    """One ALTER for all changes; a second and third only where the grammar lets a statement end in one list."""
    if not changes:
        return []
    statements = statements_of(target, [part for item in changes for part in item.commands])
    backward = statements_of(target, [part for item in reversed(changes) for part in item.backward])
    added = [item for change in changes for item in change.adds]
    # The undo goes from the last part to the first: what holds no data, what was there in another form, then columns with their data.
    parts = [item for item in added if item.holds]
    parts += [ChangeInPlace(table, "", text) for text in reversed(backward)]
    parts += [item for item in added if not item.holds]
    risk = max((item.risk for item in changes), key=CLASSES.index)
    first = f"alter.{table}"
    steps = [
        Step(
            name=first + (f".{number}" if number > 1 else ""),
            object=obj,
            risk=risk,
            # Statements that follow the first have no life of their own: they go forward with it, and back with it.
            operation=AlterTable(
                table, statement, tuple(parts) if number == 1 else (), first if number > 1 else ""
            ),
            reason="; ".join(item.reason for item in changes),
        )
        for number, statement in enumerate(statements, start=1)
    ]
    steps[0].changes = [item.settled() for item in changes]
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
