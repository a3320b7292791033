# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of a column's type: which of the values that are there would not survive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...clickhouse.names import quote
from ..model import SchemaError
from ..sql.types import NOTHING, Cast, cast_conditions, read_type
from .finding import BLOCKED, OK, Question, finding, require, unknown
from .query import CannotTell, LiveData

# Selecting from any other engine may take messages out of a queue, or ask another server.
_STORES = ("Log", "TinyLog", "StripeLog", "Memory")
_SHOWN = 60


def assess_casts(look: LiveData, checks: Sequence[Question]) -> dict[int, dict[str, Any]]:
    """All type changes of one table in one pass; one by one if the server does not take them together."""
    found: dict[int, dict[str, Any]] = {}
    todo: list[tuple[Question, Cast]] = []
    for check in checks:
        try:
            require(check)
            cast = _conditions(look, check)
        except (CannotTell, SchemaError) as reason:
            found[check.place] = unknown(check, str(reason))
            continue
        if cast == Cast(NOTHING, NOTHING):
            text = f"Every value that {check.object} can hold is a {check.item['type']} too."
            found[check.place] = {**finding(check, OK, [0, 0], [0, 0], text), "examples": []}
        else:
            todo.append((check, cast))
    try:
        found.update(_count(look, todo))
    except CannotTell as reason:
        for number, one in enumerate(todo):
            if reason.final or len(todo) == 1:
                found[one[0].place] = unknown(one[0], str(reason))
                continue
            try:
                found.update(_count(look, [one], parts=len(todo) - number))
            except CannotTell as own_reason:
                found[one[0].place] = unknown(one[0], str(own_reason))
    return found


def _conditions(look: LiveData, check: Question) -> Cast:
    engine = str(look.table(check.item["table"])["engine"])
    if not engine.endswith("MergeTree") and engine not in _STORES:
        raise CannotTell(f"a table with engine {engine} stores no values itself")
    column = look.column(check.item["table"], check.item["column"])
    if column["default_kind"] in ("ALIAS", "EPHEMERAL"):
        return Cast(NOTHING, NOTHING)
    old, new = read_type(str(column["type"])), read_type(check.item["type"])
    return cast_conditions(quote(check.item["column"]), old, new)


def _count(
    look: LiveData, todo: Sequence[tuple[Question, Cast]], parts: int = 1
) -> dict[int, dict[str, Any]]:
    if not todo:
        return {}
    wanted = ["count()"]
    for check, cast in todo:
        value = quote(check.item["column"])
        # Cut as bytes first: a value may be very long, and need not be valid text.
        shown = f"toValidUTF8(substring(ifNull(toString({value}), 'NULL'), 1, {4 * _SHOWN + 4}))"
        wanted += [f"countIf({cast.lost})", f"countIf({cast.changed})"]
        wanted.append(f"groupUniqArrayIf(3)({shown}, {cast.lost} OR {cast.changed})")
    table = look.target(todo[0][0].item["table"])
    rows, *values = look.values(f"SELECT {', '.join(wanted)} FROM {table}", parts)  # noqa: S608 - quoted
    return {
        check.place: _judge(check, int(rows), *values[3 * number : 3 * number + 3])
        for number, (check, _cast) in enumerate(todo)
    }


def _judge(check: Question, rows: int, lost: Any, changed: Any, examples: Any) -> dict[str, Any]:
    lost, changed, wanted = int(lost), int(changed), check.item["type"]
    shown = sorted(_short(str(value)) for value in examples)
    if lost or changed:
        verdict = BLOCKED
        text = (
            f"Of {rows} rows of {check.object}, {lost} hold a value that {wanted} cannot hold and {changed} one "
            f"that would become another, such as {', '.join(shown)}."
        )
    else:
        verdict, text = OK, f"All {rows} values of {check.object} stay the same as {wanted}."
    return {**finding(check, verdict, [lost, changed], [0, 0], text), "examples": shown}


def _short(text: str) -> str:
    text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
