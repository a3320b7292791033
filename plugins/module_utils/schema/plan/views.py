# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between views, materialized views and dictionaries: objects without rows of their own."""

from __future__ import annotations

from collections.abc import Callable

from ..model import DESTRUCTIVE, REWRITE, Table
from ..operations.base import Operation
from ..operations.views import ModifyQuery, RemakeView, ReplaceObject
from ..sql.ddl import view_parts
from ..steps import Step
from .comparison import Comparison


def compare_view(one: Comparison) -> None:
    """What is no table: replaced as a whole, or given another query."""
    found, wanted = one.live.definition, one.desired.definition
    if one.same(found, wanted, "expression"):
        return
    if one.live.kind != "MATERIALIZED VIEW":
        _settle(one, "definition", found, wanted, REWRITE, f"another {one.live.kind.lower()}", _replace)
        return
    (head, query), (wanted_head, wanted_query) = view_parts(found), view_parts(wanted)
    if head == wanted_head and query and wanted_query:
        reason = "another query of a materialized view, for rows that come from now on"
        _settle(one, "query", query, wanted_query, REWRITE, reason, _modify_query)
    elif head.startswith("TO ") and wanted_head.startswith("TO "):
        reason = "another target; rows that come while the view is made anew do not pass through it"
        _settle(one, "target", head, wanted_head, DESTRUCTIVE, reason, _make_anew)
    else:
        reason = "a view that stores its rows itself has to be made anew by hand"
        one.refuse("definition", found, wanted, DESTRUCTIVE, reason)


def _settle(
    one: Comparison,
    key: str,
    found: str,
    wanted: str,
    risk: str,
    reason: str,
    make: Callable[[Comparison], list[Step]],
) -> None:
    """One change, if it is allowed, with the steps that make it."""
    one.change(key, found, wanted, risk, reason, commands=[])
    for item in one.changes:
        steps = make(one)
        for step in steps:
            step.reason, step.risk = item.reason, item.risk
        steps[0].changes = [item.settled()]
        one.result.steps.extend(steps)
    one.changes = []


def _step(one: Comparison, name: str, operation: Operation) -> Step:
    return Step(name, one.object, REWRITE, operation, "")


def _replace(one: Comparison) -> list[Step]:
    forward, backward = (_or_replace(side) for side in (one.desired, one.live))
    return [_step(one, f"replace.{one.live.name}", ReplaceObject(one.live.name, forward, backward))]


def _or_replace(table: Table) -> str:
    return "CREATE OR REPLACE" + table.ddl[len("CREATE") :]


def _modify_query(one: Comparison) -> list[Step]:
    forward, backward = (
        f"ALTER TABLE {one.target} MODIFY QUERY {view_parts(side.definition)[1]}"
        for side in (one.desired, one.live)
    )
    return [_step(one, f"query.{one.live.name}", ModifyQuery(one.live.name, forward, backward))]


def _make_anew(one: Comparison) -> list[Step]:
    name = one.live.name
    return [
        _step(one, f"drop.{name}", RemakeView(name, f"DROP VIEW {one.target}", one.live.ddl)),
        _step(one, f"create.{name}", RemakeView(name, one.desired.ddl, one.live.ddl)),
    ]
