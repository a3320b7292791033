# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what a query returned with what was expected, without ever taking 'nothing' for a pass."""

from __future__ import annotations

import datetime
import math
import operator
import re
from collections.abc import Callable, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from ...common.times import read_time

ORDER_OPS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
SYMBOLS = {"eq": "=", "ne": "!=", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
SCALAR_OPS = ("eq", "ne", "gt", "ge", "lt", "le", "between", "in", "not_in", "matches", "not_matches")
OPS = SCALAR_OPS + tuple(f"each_{name}" for name in SCALAR_OPS)


class Judgement(NamedTuple):
    """Outcome of one comparison: verdict is pass, fail, inconclusive or error."""

    verdict: str
    reason: str


class NotComparable(Exception):
    """Two values that no operator can order; the message says why."""


def plain(value: Any) -> Any:
    """Turn a value of the driver into one that JSON can carry."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    return str(value)


def check_operation(op: Any, value: Any) -> None:
    """Raise ValueError unless *op* exists and *value* is of the form that it needs."""
    if op not in OPS:
        raise ValueError(f"op: expected one of {', '.join(OPS)}; found {op!r}")
    name = op[len("each_") :] if op.startswith("each_") else op
    if name == "between" and not (_is_list(value) and len(value) == 2):
        raise ValueError(f"value: op {op} expects a list of two bounds; found {value!r}")
    if name in ("in", "not_in") and not (_is_list(value) and value):
        raise ValueError(f"value: op {op} expects a list that is not empty; found {value!r}")
    if name in ("matches", "not_matches"):
        if not isinstance(value, str) or not value:
            raise ValueError(f"value: op {op} expects a regular expression; found {value!r}")
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"value: {value!r} is not a regular expression: {error}") from None
    if name in ORDER_OPS and (_is_list(value) or value is None or isinstance(value, dict)):
        raise ValueError(f"value: op {op} expects one value; found {value!r}")


def describe(op: str, value: Any) -> str:
    """Say what is expected, for a person."""
    each = op.startswith("each_")
    name = op[len("each_") :] if each else op
    text = (
        f"{SYMBOLS[name]} {plain(value)!r}"
        if name in SYMBOLS
        else f"{name.replace('_', ' ')} {plain(value)!r}"
    )
    return f"every row {text}" if each else text


def shape(rows: Sequence[Sequence[Any]]) -> Any:
    """One value, one row or a table: what a reader expects to see of the rows."""
    if len(rows) == 1:
        return plain(rows[0][0]) if len(rows[0]) == 1 else [plain(item) for item in rows[0]]
    return [[plain(item) for item in row] for row in rows]


def compare_rows(op: str, rows: Sequence[Sequence[Any]], value: Any) -> Judgement:
    """Compare the rows of a query: one value with a plain op, the last column of every row with each_*."""
    if not rows or not all(len(row) for row in rows):
        return Judgement("inconclusive", "the query returned no rows, so nothing was shown")
    try:
        if op.startswith("each_"):
            return _compare_each(op[len("each_") :], rows, value)
        if op in ("eq", "ne") and _is_list(value):
            return _compare_shape(op, shape(rows), value)
        if len(rows) != 1 or len(rows[0]) != 1:
            return Judgement(
                "error",
                f"op {op} compares one value, the query returned {len(rows)} rows of {len(rows[0])} columns; "
                f"use each_{op} for every row, or eq with a list",
            )
        return compare_value(op, rows[0][0], value)
    except NotComparable as error:
        return Judgement("error", str(error))


def compare_value(op: str, observed: Any, value: Any) -> Judgement:
    if observed is None:
        return Judgement("fail", "the query returned NULL")
    if isinstance(observed, (float, Decimal)) and not math.isfinite(observed):
        return Judgement("fail", f"the query returned {observed}, which is no number")
    if op in ("matches", "not_matches"):
        found = re.search(value, str(plain(observed))) is not None
        held = found if op == "matches" else not found
    elif op == "between":
        low, high = (_ordered(observed, bound) for bound in value)
        held = low[0] >= low[1] and high[0] <= high[1]
    elif op in ("in", "not_in"):
        held = any(_equal(observed, item) for item in value) == (op == "in")
    elif op in ("eq", "ne"):
        held = _equal(observed, value) == (op == "eq")
    else:
        left, right = _ordered(observed, value)
        held = ORDER_OPS[op](left, right)
    return Judgement("pass", "") if held else Judgement("fail", "")


def _compare_each(op: str, rows: Sequence[Sequence[Any]], value: Any) -> Judgement:
    for row in rows:
        judgement = compare_value(op, row[-1], value)
        if judgement.verdict != "pass":
            label = ", ".join(str(plain(item)) for item in row[:-1])
            where = f"row ({label})" if label else "a row"
            why = f": {judgement.reason}" if judgement.reason else ""
            return Judgement(judgement.verdict, f"{where} has {plain(row[-1])!r}{why}")
    return Judgement("pass", "")


def _compare_shape(op: str, observed: Any, value: Any) -> Judgement:
    if not _is_list(observed):
        observed = [observed]
    if op == "ne" and _contains_none(observed):
        return Judgement("fail", "the query returned NULL, which differs from everything")
    held = _same_shape(observed, value) == (op == "eq")
    return Judgement("pass", "") if held else Judgement("fail", "")


def _contains_none(value: Any) -> bool:
    return any(_contains_none(item) for item in value) if _is_list(value) else value is None


def _same_shape(observed: Any, value: Any) -> bool:
    if _is_list(observed) and _is_list(value):
        return len(observed) == len(value) and all(_same_shape(a, b) for a, b in zip(observed, value))
    if _is_list(observed) or _is_list(value):
        return False
    return _equal(observed, value)


def _equal(observed: Any, value: Any) -> bool:
    if observed is None or value is None:
        return observed is None and value is None
    try:
        left, right = _ordered(observed, value)
    except NotComparable:
        return False
    return bool(left == right)


def _ordered(observed: Any, value: Any) -> tuple[Any, Any]:
    """Bring both sides to one type; templates hand over numbers and times as strings."""
    if isinstance(observed, (bool, int, float, Decimal)):
        return Decimal(str(_as_number(observed))), _to_decimal(value, observed)
    if isinstance(observed, datetime.datetime):
        return _naive(observed), _naive(_to_time(value, observed))
    if isinstance(observed, datetime.date):
        return observed, _to_time(value, observed).date()
    if isinstance(observed, str) and isinstance(value, (bool, int, float, Decimal)):
        # JSONExtractString and friends return numbers as text; the playbook says that it means a number.
        return _to_decimal(observed, value), Decimal(str(_as_number(value)))
    return str(plain(observed)), str(plain(value))


def _as_number(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def _to_decimal(value: Any, other: Any) -> Decimal:
    try:
        number = Decimal(str(_as_number(value)).strip())
    except InvalidOperation:
        raise NotComparable(f"{plain(value)!r} is no number, but is compared with {plain(other)!r}") from None
    if not number.is_finite():
        raise NotComparable(f"{plain(value)!r} is not finite, but is compared with {plain(other)!r}")
    return number


def _to_time(value: Any, other: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    if isinstance(value, datetime.date):
        return datetime.datetime(value.year, value.month, value.day)
    text = str(value).strip()
    found = read_time(text if len(text) > len("2026-01-31") else f"{text}T00:00:00")
    if found is None:
        raise NotComparable(f"{plain(value)!r} is no time, but is compared with {plain(other)!r}")
    return found


def _naive(moment: datetime.datetime) -> datetime.datetime:
    """Times without a zone are UTC, as the platform's are."""
    if moment.tzinfo is None:
        return moment
    return moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))
