# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Column types: how the values of one fit into another, and which of the values that are there would not.

Types come as the engine prints them. One lattice answers both questions: ``fit`` says what holds for every value, and where that is not
enough, ``cast_conditions`` says what to ask of the data.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple

from ...clickhouse.names import literal
from ..model import SchemaError
from .tokens import NUMBER, STRING, significant, unquote

NOTHING = "0"  # the condition that is never true: no value needs to be read

_INT = re.compile(r"(U?)Int(\d+)\Z")
_DECIMAL = re.compile(r"Decimal\((\d+), ?(\d+)\)\Z")
_FIXED = re.compile(r"FixedString\((\d+)\)\Z")
_TIME = re.compile(r"(DateTime|DateTime64)(?:\((?:(\d)(?:, ?)?)?('[^']*')?\))?\Z")
_SCALAR = re.compile(
    r"(U?Int(8|16|32|64|128|256)|Float(32|64)|Bool|String|FixedString\(\d+\)|Date|Date32|DateTime(64)?(\(.*\))?"
    r"|Decimal\(\d+, ?\d+\)|UUID|IPv[46]|Enum(8|16)\(.*\))\Z",
    re.DOTALL,
)
# Bits of an integer that a float holds exactly.
_MANTISSA = {"Float32": 24, "Float64": 53}
# Digits that a Decimal may have in each number of bits that it is stored in.
_DECIMAL_BITS = ((9, 32), (18, 64), (38, 128), (76, 256))


class Fit(Enum):
    """What becomes of the values of one type in another."""

    EQUAL = "every value has an equal one"
    NOMINAL = (
        "every value within the type's nominal range has an equal one; the engine may have stored others"
    )
    OTHER = "every value is kept, but reads as something else: as a text, or in another time zone"
    UNKNOWN = "values may be lost or changed: the data has to be asked"


class Type(NamedTuple):
    name: str  # of the value, without Nullable and LowCardinality
    nullable: bool
    item: Type | None  # of an Array


class Cast(NamedTuple):
    """Conditions for values that the new type cannot hold, and for those that it holds as something else."""

    lost: str
    changed: str


def read_type(text: str) -> Type:
    text, nullable = text.strip(), False
    for wrapper in ("LowCardinality(", "Nullable("):
        if text.startswith(wrapper):
            text, nullable = text[len(wrapper) : -1].strip(), nullable or wrapper == "Nullable("
    item = read_type(text[len("Array(") : -1]) if text.startswith("Array(") else None
    return Type(text, nullable, item)


# The lattice -----------------------------------------------------------------------------------------------


def widens(old: str, new: str) -> bool:
    """Whether every value of type *old* has an equal value in type *new*, within the nominal ranges of both."""
    return _widens(read_type(old), read_type(new))


def _widens(old: Type, new: Type) -> bool:
    if old.nullable and not new.nullable:
        return False
    if old.item is not None and new.item is not None:
        return _widens(old.item, new.item)
    return fit(old.name, new.name) in (Fit.EQUAL, Fit.NOMINAL)


def fit(old: str, new: str) -> Fit:
    """What becomes of the values of one plain type in another: no Nullable, LowCardinality or Array around either."""
    if old == new:
        return Fit.EQUAL
    if new == "String" and (_is_number(old) or old.startswith("Enum")):
        return Fit.OTHER
    if old.startswith("Enum") and new.startswith("Enum"):
        return Fit.EQUAL if _enum(old).items() <= _enum(new).items() else Fit.UNKNOWN
    if old.startswith("Enum") and _is_number(new):
        return Fit.OTHER if fit("Int16", new) is Fit.EQUAL else Fit.UNKNOWN
    if (old, new) in (("Float32", "Float64"), ("Date", "Date32")):
        return Fit.EQUAL
    for pattern, compare in ((_INT, _integers), (_DECIMAL, _decimals), (_TIME, _times)):
        narrow, wide = pattern.match(old), pattern.match(new)
        if narrow and wide:
            return compare(narrow, wide)
    narrow = _INT.match(old)
    if narrow and _value_bits(narrow) <= _MANTISSA.get(new, 0):
        return Fit.EQUAL
    return Fit.UNKNOWN


def _value_bits(number: re.Match[str]) -> int:
    return int(number.group(2)) - (not number.group(1))


def _integers(old: re.Match[str], new: re.Match[str]) -> Fit:
    has_sign = bool(new.group(1) == "")
    fits = (has_sign or old.group(1) == "U") and _value_bits(new) >= _value_bits(old)
    return Fit.EQUAL if fits else Fit.UNKNOWN


def _decimals(old: re.Match[str], new: re.Match[str]) -> Fit:
    (digits, scale), (new_digits, new_scale) = ((int(one.group(1)), int(one.group(2))) for one in (old, new))
    if new_scale < scale or new_digits - new_scale < digits - scale:
        return Fit.UNKNOWN
    # The engine may hold more digits than the type has, as many as its bits let it: with more decimals they may overflow.
    bits, new_bits = (
        next(size for most, size in _DECIMAL_BITS if count <= most) for count in (digits, new_digits)
    )
    return Fit.EQUAL if 2 ** (bits - 1) * 10 ** (new_scale - scale) <= 2 ** (new_bits - 1) else Fit.NOMINAL


def _times(old: re.Match[str], new: re.Match[str]) -> Fit:
    (kind, scale, zone), (new_kind, new_scale, new_zone) = (one.groups() for one in (old, new))
    if (kind, scale) == (new_kind, new_scale):
        return Fit.OTHER  # a time zone says how a time is printed, not which one it is
    # Nanoseconds leave room for fewer years.
    if new_kind == "DateTime" or zone != new_zone or not int(scale or 0) <= int(new_scale or 3) <= 8:
        return Fit.UNKNOWN
    return Fit.EQUAL if kind == "DateTime" else Fit.NOMINAL


# Asking the data ------------------------------------------------------------------------------------------


def cast_conditions(value: str, old: Type, new: Type, depth: int = 0) -> Cast:
    """Conditions on the expression *value*, which is of type *old* and is to become *new*."""
    if old.item is not None and new.item is not None:
        name = f"item{depth}"
        inner = cast_conditions(name, old.item, new.item, depth + 1)
        return Cast(
            *(part if part == NOTHING else f"arrayExists({name} -> {part}, {value})" for part in inner)
        )
    kept = fit(old.name, new.name) in (Fit.EQUAL, Fit.OTHER)
    found = Cast(NOTHING, NOTHING) if kept else _scalar(value, old, new)
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
