# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between the columns of two tables."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from ...clickhouse.names import quote
from ..model import ADDITIVE, DESTRUCTIVE, REWRITE, Column
from ..operations.columns import AddColumn, DropColumn
from ..sql.types import widens
from ..steps import Settled, Step
from .comparison import ADD_COLUMN, MODIFY_COLUMN, Comparison

# What a MODIFY that leaves it out does not take away.
_REMOVABLE = {"codec": "CODEC", "comment": "COMMENT", "ttl": "TTL", "settings": "SETTINGS"}


def compare_columns(one: Comparison) -> None:
    _add_missing(one)
    moved = _moves(one)
    for name, column in one.live.columns.items():
        if name not in one.desired.columns:
            _unwanted(one, column)
            continue
        wanted = one.desired.columns[name]
        different = [
            key
            for key in sorted(column.parts.keys() | wanted.parts.keys())
            if not _same_part(one, key, column.parts.get(key, ""), wanted.parts.get(key, ""))
        ]
        if different:
            _change(one, column, wanted, different)
    if moved:
        _move(one, moved)


def _unwanted(one: Comparison, column: Column) -> None:
    """A column that no file names goes only if its own name allows it, and its values go to the quarantine before."""
    name = f"{one.live.name}.column.{column.name}"
    reason = "the files do not name this column, and dropping it would lose its data"
    if name in one.policy.deny:
        reason += f"; not possible: {one.policy.deny[name]}"
    elif name in one.policy.allow:
        one.dropped.append(column.name)
        return
    else:
        reason += f"; allow it by its name, {name}, and its values go to the quarantine first"
    one.refuse(f"column.{column.name}", column.declaration, "", DESTRUCTIVE, reason)


def drop_steps(one: Comparison) -> list[Step]:
    """A step for each column that goes, the last one first: so the rollback puts them in beside each other."""
    steps = []
    order = list(one.live.columns)
    for name in reversed(one.dropped):
        declaration = one.live.columns[name].declaration
        place = order.index(name)
        behind = f"AFTER {quote(order[place - 1])}" if place else "FIRST"
        back = f"ALTER TABLE {one.target} ADD COLUMN {quote(name)} {declaration} {behind}"
        reason = f"the files do not name column {name}: found {declaration}, expected nothing"
        checks = [{"check": "readers", "table": one.live.name, "column": name}]
        steps.append(
            Step(
                name=f"drop.{one.live.name}.{name}",
                object=one.object,
                risk=DESTRUCTIVE,
                operation=DropColumn(
                    one.live.name,
                    f"ALTER TABLE {one.target} DROP COLUMN {quote(name)}",
                    name,
                    back,
                    tuple(one.dropped),
                ),
                reason=reason,
                changes=[Settled(f"{one.live.name}.column.{name}", DESTRUCTIVE, reason, checks)],
            )
        )
    return steps


def _add_missing(one: Comparison) -> None:
    place = "FIRST"
    for name, column in one.desired.columns.items():
        if name not in one.live.columns:
            one.change(
                f"column.{name}",
                "",
                column.declaration,
                ADDITIVE,
                f"column {name} is missing",
                commands=[(ADD_COLUMN, f"ADD COLUMN {quote(name)} {column.declaration} {place}")],
                adds=[AddColumn(one.live.name, "", name)],
            )
        place = f"AFTER {quote(name)}"


def _same_part(one: Comparison, key: str, found: str, wanted: str) -> bool:
    if key == "default":
        # DEFAULT, ALIAS and MATERIALIZED are different things, whatever their expression.
        (kind, _space, body), (other, _blank, expected) = found.partition(" "), wanted.partition(" ")
        return kind == other and one.same(body, expected, "expression")
    if key == "ttl":
        return one.same(found.partition(" ")[2], wanted.partition(" ")[2], "ttl")
    return found == wanted


def _change(one: Comparison, found: Column, wanted: Column, different: Sequence[str]) -> None:
    risk = ADDITIVE if list(different) == ["comment"] else REWRITE
    old, new = found.parts["type"], wanted.parts["type"]
    checks: list[dict[str, Any]] = []
    if "type" in different:
        risk = REWRITE if widens(old, new) else DESTRUCTIVE
        checks.append({"check": "cast", "table": one.live.name, "column": found.name, "type": new})
        checks.append({"check": "rewrite_bytes", "table": one.live.name, "columns": [found.name]})
        checks.append({"check": "readers", "table": one.live.name, "column": found.name})
    if "ttl" in different and "ttl" in wanted.parts:
        risk = DESTRUCTIVE
        expression = wanted.parts["ttl"].partition(" ")[2]
        checks.append(
            {"check": "column_ttl", "table": one.live.name, "column": found.name, "ttl": expression}
        )
    one.change(
        f"column.{found.name}",
        f"{found.name} {found.declaration}",
        f"{wanted.name} {wanted.declaration}",
        risk,
        f"{', '.join(different)} of a column that exists",
        commands=_modify(found, wanted),
        backward=_modify(found=wanted, wanted=found),
        checks=checks,
    )


def _modify(found: Column, wanted: Column) -> list[tuple[int, str]]:
    """Parts of an ALTER that make one column another: what is gone has to be removed by its name."""
    name = quote(found.name)
    gone = [words for key, words in _REMOVABLE.items() if key in found.parts and key not in wanted.parts]
    if "default" in found.parts and "default" not in wanted.parts:
        gone.append(found.parts["default"].partition(" ")[0])
    removals = [f"MODIFY COLUMN {name} REMOVE {words}" for words in gone]
    if all(found.parts.get(key) == text for key, text in wanted.parts.items()):
        return [(MODIFY_COLUMN, text) for text in removals]
    # A type may only fit its new default, so the old one goes together with it, not before.
    return [(MODIFY_COLUMN, text) for text in [f"MODIFY COLUMN {name} {wanted.declaration}", *removals]]


# Order -----------------------------------------------------------------------------------------------------


def _moves(one: Comparison) -> list[str]:
    """The fewest columns that have to be moved, in the order in which they stand in the end."""
    wanted = [name for name in one.desired.columns if name in one.live.columns]
    rank = {name: number for number, name in enumerate(wanted)}
    stay = _longest_rise([rank[name] for name in one.live.columns if name in rank])
    return [name for name in wanted if rank[name] not in stay]


def _longest_rise(ranks: Sequence[int]) -> set[int]:
    """The members of a longest increasing subsequence."""
    tails: list[int] = []
    before: dict[int, int | None] = {}
    for rank in ranks:
        place = bisect_left(tails, rank)
        before[rank] = tails[place - 1] if place else None
        tails[place : place + 1] = [rank]
    found: set[int] = set()
    last: int | None = tails[-1] if tails else None
    while last is not None:
        found.add(last)
        last = before[last]
    return found


def _move(one: Comparison, moved: Sequence[str]) -> None:
    common = [name for name in one.live.columns if name in one.desired.columns]
    wanted = [name for name in one.desired.columns if name in one.live.columns]
    one.change(
        "column_order",
        ", ".join(common),
        ", ".join(wanted),
        REWRITE,
        "the order of the columns, which matters to inserts without a list of columns",
        commands=[
            (MODIFY_COLUMN, _placed(one, name, list(one.desired.columns))) for name in _carried(one, moved)
        ],
        backward=[
            (MODIFY_COLUMN, _placed(one, name, list(one.live.columns)))
            for name in one.live.columns
            if name in moved
        ],
    )


def _carried(one: Comparison, moved: Sequence[str]) -> list[str]:
    """The moved columns, each followed by the new ones behind it: those were added where it stood before it was moved."""
    found: list[str] = []
    carries = False
    for name in one.desired.columns:
        carries = name in moved or (carries and name not in one.live.columns)
        if carries:
            found.append(name)
    return found


def _placed(one: Comparison, name: str, order: Sequence[str]) -> str:
    """A MODIFY that only moves: the type has to be said, so it is the one that the column has at that moment."""
    place = order.index(name)
    behind = f"AFTER {quote(order[place - 1])}" if place else "FIRST"
    side = one.desired if order == list(one.desired.columns) else one.live
    changed = any(item.name == f"{one.live.name}.column.{name}" for item in one.changes)
    column = (side if changed or name not in one.live.columns else one.live).columns[name]
    return f"MODIFY COLUMN {quote(name)} {column.declaration} {behind}"
