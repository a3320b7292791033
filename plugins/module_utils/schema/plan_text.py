# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schema plan as text for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.text import block, cell
from .sql.tokens import SPACE, tokens

_WIDTH = 100


def verdict(answer: Mapping[str, Any]) -> str:
    steps, refused = len(answer["steps"]), len(answer["refused"])
    if not steps and not refused:
        return "in sync"
    return f"{steps} step{'' if steps == 1 else 's'}, {refused} refused"


def plan_text(answer: Mapping[str, Any], live: str, desired: str) -> str:
    """The planner's answer; *live* and *desired* say what was compared. The verdict is the last line."""
    return "\n".join([*_lines(answer, live, desired), verdict(answer)]) + "\n"


def _lines(answer: Mapping[str, Any], live: str, desired: str) -> Iterator[str]:
    rehearsal = answer["rehearsal"]
    yield f"SCHEMA PLAN for database {cell(answer['database'])}"
    yield f"from {cell(live)} to {cell(desired)}, rehearsed on ClickHouse {cell(rehearsal['engine_version'])}"
    yield ""
    for step in answer["steps"]:
        yield f"   + {cell(step['name'])} ({step['class']}): {cell(step['reason'])}"
        yield from _field("effect", [step["effect"]])
        yield from _field("statement", wrapped(step["statement"]))
        yield from _field("rollback", wrapped(step["rollback_sql"]))
        yield ""
    for item in answer["refused"]:
        yield f"   ! {cell(item['name'])} ({item['class']}): {cell(item['reason'])}"
        yield from _field("found", wrapped(item["found"] or "nothing"))
        yield from _field("expected", wrapped(item["expected"] or "nothing"))
        yield ""
    yield from _list("Warnings", rehearsal["warnings"])
    yield from _list("Not covered by the rehearsal", rehearsal["not_covered"])


def _field(title: str, lines: Sequence[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"       {title if number == 0 else '':<10}{'  ' if number else ''}{block(line)}"


def _list(title: str, items: Sequence[str]) -> Iterator[str]:
    if items:
        yield f"{title}:"
        yield from (f"   - {cell(item)}" for item in items)
        yield ""


def wrapped(sql: str) -> list[str]:
    """SQL in lines of at most _WIDTH characters where that is possible without breaking a name or a string."""
    pieces = [""]
    for token in tokens(sql):
        if token.kind == SPACE:
            pieces.append("")
        else:
            pieces[-1] += token.text
    lines = [pieces[0]]
    for piece in pieces[1:]:
        if len(lines[-1]) + 1 + len(piece) > _WIDTH:
            lines.append(piece)
        else:
            lines[-1] += f" {piece}"
    return lines
