# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between the indexes, projections and constraints of two tables."""

from __future__ import annotations

from collections.abc import Mapping

from ...clickhouse.names import quote
from ..model import ADDITIVE, REWRITE, Index
from ..operations.columns import AddConstraint, AddIndex, AddPart, AddProjection
from .comparison import ADD_PART, DROP, Comparison

_ADDED: Mapping[str, type[AddPart]] = {
    "index": AddIndex,
    "projection": AddProjection,
    "constraint": AddConstraint,
}


def compare_parts(one: Comparison) -> None:
    _indexes(one)
    _texts(one, "projection", one.live.projections, one.desired.projections)
    _texts(one, "constraint", one.live.constraints, one.desired.constraints)


def _indexes(one: Comparison) -> None:
    """The same index under another name is no drift."""
    spare = {name: index for name, index in one.live.indexes.items() if name not in one.desired.indexes}
    for name, index in one.desired.indexes.items():
        found = one.live.indexes.get(name)
        if found is not None:
            if not same_index(one, found, index):
                _part(one, "index", name, found.declaration, index.declaration)
            continue
        twin = next((other for other in spare.values() if same_index(one, other, index)), None)
        if twin is None:
            _part(one, "index", name, "", index.declaration)
        else:
            del spare[twin.name]
            one.result.notes.append(f"{one.object}: index {name} is there under the name {twin.name}")
    for name, index in spare.items():
        _part(one, "index", name, index.declaration, "")


def same_index(one: Comparison, first: Index, second: Index) -> bool:
    return first.parts.keys() == second.parts.keys() and all(
        one.same(first.parts[key], second.parts[key], "expression") for key in first.parts
    )


def _texts(one: Comparison, what: str, live: Mapping[str, str], desired: Mapping[str, str]) -> None:
    for name in sorted(live.keys() | desired.keys()):
        found, wanted = live.get(name, ""), desired.get(name, "")
        (kind, _space, body), (other, _blank, expected) = found.partition(" "), wanted.partition(" ")
        # A constraint is CHECK or ASSUME with an expression, a projection is a query in brackets.
        alike = what == "constraint" and kind == other and kind in ("CHECK", "ASSUME")
        if not (one.same(body, expected, "expression") if alike else found == wanted):
            _part(one, what, name, found, wanted)


def _part(one: Comparison, what: str, name: str, found: str, wanted: str) -> None:
    """None of the three holds data of its own: what is dropped can be added again."""
    drop, add = (DROP, f"DROP {what.upper()} IF EXISTS {quote(name)}"), ADD_PART
    head = f"ADD {what.upper()} IF NOT EXISTS {quote(name)} "
    if not found:
        # A constraint lets the next insert of an old writer fail.
        risk = REWRITE if what == "constraint" else ADDITIVE
        one.change(
            f"{what}.{name}",
            "",
            wanted,
            risk,
            f"{what} {name} is missing",
            commands=[(add, head.replace("IF NOT EXISTS ", "") + wanted)],
            adds=[_ADDED[what](one.live.name, "", name)],
        )
        return
    reason = f"another {what}" if wanted else f"the files do not name this {what}"
    one.change(
        f"{what}.{name}",
        found,
        wanted,
        REWRITE,
        reason,
        commands=[drop, (add, head + wanted)] if wanted else [drop],
        backward=[drop, (add, head + found)],
    )
