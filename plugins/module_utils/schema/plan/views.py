# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between views, materialized views and dictionaries: objects without rows of their own."""

from __future__ import annotations

from collections.abc import Callable

from ..model import DESTRUCTIVE, REWRITE, Step, Table
from ..sql.tokens import Token, depths, significant
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
        steps[0].changes = [{"name": item.name, "class": item.risk, "reason": item.reason, "checks": []}]
        one.result.steps.extend(steps)
    one.changes = []


def view_parts(definition: str) -> tuple[str, str]:
    """What stands before the query of a materialized view, without its list of columns, and the query."""
    parts = significant(definition)
    levels = depths(parts)
    start = next(
        (at for at, token in enumerate(parts) if levels[at] == 0 and token.word() == "AS"), len(parts)
    )
    head: list[Token] = []
    opened = False
    for at, token in enumerate(parts[:start]):
        # The columns follow from the query; the brackets of an ENGINE come after its word.
        if levels[at] == 0 and token.text in "()" and not any(item.word() == "ENGINE" for item in head):
            opened = token.text == "("
        elif not opened:
            head.append(token)
    query = definition[parts[start].end :].strip() if start < len(parts) else ""
    return " ".join(token.text for token in head), query


def _step(
    one: Comparison, name: str, statement: str, reverse: str, effect: str, undo: list[dict[str, str]]
) -> Step:
    return Step(name, one.object, REWRITE, statement, reverse, undo, "", effect)


def _replace(one: Comparison) -> list[Step]:
    kind = one.live.kind
    forward, backward = (_or_replace(side) for side in (one.desired, one.live))
    undo = [{"action": "run", "table": one.live.name, "statement": backward}]
    return [
        _step(
            one, f"replace.{one.live.name}", forward, backward, f"replaces the {kind.lower()} at once", undo
        )
    ]


def _or_replace(table: Table) -> str:
    return "CREATE OR REPLACE" + table.ddl[len("CREATE") :]


def _modify_query(one: Comparison) -> list[Step]:
    forward, backward = (
        f"ALTER TABLE {one.target} MODIFY QUERY {view_parts(side.definition)[1]}"
        for side in (one.desired, one.live)
    )
    undo = [{"action": "run", "table": one.live.name, "statement": backward}]
    effect = "rows that come from now on pass through the new query; what is stored stays"
    return [_step(one, f"query.{one.live.name}", forward, backward, effect, undo)]


def _make_anew(one: Comparison) -> list[Step]:
    name, drop = one.live.name, f"DROP VIEW {one.target}"
    effect = (
        "rows that come between the two statements do not pass through the view; its target keeps its rows"
    )
    # Either statement may be the last one that was run.
    undo = [{"action": "remake_view", "table": name, "statement": one.live.ddl}]
    return [
        _step(one, f"drop.{name}", drop, one.live.ddl, effect, undo),
        _step(one, f"create.{name}", one.desired.ddl, f"{drop}; {one.live.ddl}", effect, list(undo)),
    ]
