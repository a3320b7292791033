# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQL conditions on the values of a column: what holds nothing of its own, what a change of type would spoil."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ...clickhouse.names import literal, quote
from ..model import SchemaError
from .tokens import NUMBER, STRING, significant, unquote

NOTHING = "0"  # the condition that is never true: no value needs to be read

_INT = re.compile(r"(U?)Int(\d+)\Z")
_DECIMAL = re.compile(r"Decimal\((\d+), ?(\d+)\)\Z")
_FIXED = re.compile(r"FixedString\((\d+)\)\Z")
_SCALAR = re.compile(
    r"(U?Int(8|16|32|64|128|256)|Float(32|64)|Bool|String|FixedString\(\d+\)|Date|Date32|DateTime(64)?(\(.*\))?"
    r"|Decimal\(\d+, ?\d+\)|UUID|IPv[46]|Enum(8|16)\(.*\))\Z",
    re.DOTALL,
)


def as_text(expression: str) -> str:
    """A value as text, with NULL as a text of its own, so that != never yields NULL."""
    return f"ifNull(toString({expression}), '\\\\N')"


def is_default(name: str, column: Mapping[str, Any]) -> str:
    """Condition for rows that hold nothing of their own in the column; *column* is a row of system.columns."""
    if column["default_expression"]:
        default = f"CAST({column['default_expression']} AS {column['type']})"
    else:
        default = f"defaultValueOfTypeName({literal(column['type'])})"
    return f"{as_text(quote(name))} = {as_text(default)}"


class Cast(NamedTuple):
    """Conditions for values that the new type cannot hold, and for those that it holds as something else."""

    lost: str
    changed: str


class Type(NamedTuple):
    name: str  # of the value, without Nullable and LowCardinality
    nullable: bool
    item: Type | None  # of an Array


def read_type(text: str) -> Type:
    text, nullable = text.strip(), False
    for wrapper in ("LowCardinality(", "Nullable("):
        if text.startswith(wrapper):
            text, nullable = text[len(wrapper) : -1].strip(), nullable or wrapper == "Nullable("
    item = read_type(text[len("Array(") : -1]) if text.startswith("Array(") else None
    return Type(text, nullable, item)


def cast_conditions(value: str, old: Type, new: Type, depth: int = 0) -> Cast:
    """Conditions on the expression *value*, which is of type *old* and is to become *new*."""
    if old.item is not None and new.item is not None:
        name = f"item{depth}"
        inner = cast_conditions(name, old.item, new.item, depth + 1)
        return Cast(
            *(part if part == NOTHING else f"arrayExists({name} -> {part}, {value})" for part in inner)
        )
    found = Cast(NOTHING, NOTHING) if _lossless(old.name, new.name) else _scalar(value, old, new)
    if old.nullable and not new.nullable:
        lost = f"isNull({value})" if found.lost == NOTHING else f"(isNull({value}) OR {found.lost})"
        return Cast(lost, found.changed)
    return found


def _scalar(value: str, old: Type, new: Type) -> Cast:
    for name in (old.name, new.name):
        if not _SCALAR.match(name):
            raise SchemaError(f"values of type {name} cannot be checked")
    if new.name.startswith("Enum"):
        return _to_enum(value, old, new)
    if old.name.startswith("Enum"):
        # The engine's accurate casts do not take enums: go by what an enum stands for.
        stands_for = "Int16" if _is_number(new.name) else "String"
        target = f"Nullable({stands_for})" if old.nullable else stands_for
        plain = old._replace(name=stands_for)
        return cast_conditions(f"CAST({value} AS {target})", plain, new._replace(nullable=old.nullable))
    fixed = _FIXED.match(new.name)
    if fixed and (old.name == "String" or _FIXED.match(old.name)):
        # Readers see the zero bytes that fill up a shorter value, although a comparison ignores them.
        size = f"ifNull(length({value}), {fixed.group(1)})"
        return Cast(f"({size} > {fixed.group(1)})", f"({size} < {fixed.group(1)})")
    if old.name == "Float64" and new.name == "Float32":
        # The accurate cast refuses every value that is not exact, and NaN; those are not lost.
        less = f"toFloat32({value})"
        lost = f"ifNull(isInfinite({less}) AND NOT isInfinite({value}), 0)"
        return Cast(lost, f"ifNull(NOT isInfinite({less}) AND NOT isNaN({value}) AND {less} != {value}, 0)")
    cast = f"accurateCastOrNull({value}, {literal(new.name)})"
    back = f"accurateCastOrNull({cast}, {literal(old.name)})"
    changed = f"isNotNull({cast}) AND ifNull({back} != {value}, 1)"
    if old.name.startswith("Decimal") and new.name.startswith("Float"):
        changed += f" AND toString({cast}) != toString({value})"
    return Cast(f"(isNull({cast}) AND isNotNull({value}))", f"({changed})")


def _to_enum(value: str, old: Type, new: Type) -> Cast:
    wanted, key = _enum(new.name), f"toString({value})"
    if _INT.match(old.name):
        kept, key = [str(number) for number in wanted.values()], value
    elif old.name.startswith(("Enum", "String", "FixedString")):
        before = _enum(old.name) if old.name.startswith("Enum") else {}
        kept = [literal(name) for name, number in wanted.items() if before.get(name, number) == number]
    else:
        raise SchemaError(f"a change from {old.name} to {new.name} cannot be checked")
    lost = f"ifNull({key} NOT IN ({', '.join(kept)}), 0)" if kept else f"isNotNull({value})"
    return Cast(lost, NOTHING)


def _enum(name: str) -> dict[str, int]:
    """Names and numbers of an enum, as the engine prints it."""
    result: dict[str, int] = {}
    current, sign = "", 1
    for token in significant(name.partition("(")[2][:-1]):
        if token.kind == STRING:
            current, sign = unquote(token), 1
        elif token.text == "-":
            sign = -1
        elif token.kind == NUMBER:
            result[current] = sign * int(token.text)
    if not result:
        raise SchemaError(f"type {name} cannot be read")
    return result


def _is_number(name: str) -> bool:
    return bool(_INT.match(name) or name.startswith(("Float", "Decimal")))


def _lossless(old: str, new: str) -> bool:
    """Whether every value of the old type has its place in the new one, so that no row has to be read."""
    if old == new or (new == "String" and (_is_number(old) or old.startswith("Enum"))):
        return True
    narrow, wide = _INT.match(old), _INT.match(new)
    if narrow and wide:
        spare = int(wide.group(2)) - int(narrow.group(2))
        if narrow.group(1) == wide.group(1):
            return spare >= 0
        return spare > 0 and narrow.group(1) == "U"
    if narrow and new in ("Float32", "Float64"):
        return int(narrow.group(2)) <= (16 if new == "Float32" else 32)
    first, second = _DECIMAL.match(old), _DECIMAL.match(new)
    if first and second:
        # With more decimals, a value beyond the nominal precision, which the engine stores, may overflow.
        return first.group(2) == second.group(2) and int(first.group(1)) <= int(second.group(1))
    if old.startswith("Enum") and new.startswith("Enum"):
        return _enum(old).items() <= _enum(new).items()
    return (old, new) == ("Float32", "Float64") or _without_zone(old) == _without_zone(new)


def _without_zone(name: str) -> str:
    """A time zone says how a time is printed, not which one it is."""
    return re.sub(r"^(DateTime(?:64\(\d+)?)[(,] ?'[^']*'\)$", r"\1", name).rstrip(")")


# Column of a quarantine table that finds the row again.
ROW = "__row"


def row_hash(columns: Sequence[str]) -> str:
    """Expression that finds a row again by all its other values, where its key may stand for several rows."""
    return f"hex(sipHash128(toString(tuple({', '.join(quote(name) for name in columns)}))))"
