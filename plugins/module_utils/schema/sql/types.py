# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether every value of one column type has an equal value in another.

Types come as the engine prints them. What is not known here to hold everything counts as narrowing: then the live
data is asked, and a person.
"""

from __future__ import annotations

import re

from .ddl import split_commas, text_of
from .tokens import significant, unquote

_CALL = re.compile(r"^(\w+)(?:\((.*)\))?$", re.DOTALL)
_NUMBER = re.compile(r"^(U?)Int(\d+)$")
# Bits of an integer that a float holds exactly.
_MANTISSA = {"Float32": 24, "Float64": 53}


def widens(old: str, new: str) -> bool:
    """Whether every value of type *old* can be kept in type *new* unchanged."""
    if old == new:
        return True
    old_name, old_inner = _split(old)
    new_name, new_inner = _split(new)
    if new_name == "LowCardinality":
        return widens(old_inner if old_name == "LowCardinality" else old, new_inner)
    if old_name == "LowCardinality":
        return widens(old_inner, new)
    if new_name == "Nullable":
        return widens(old_inner if old_name == "Nullable" else old, new_inner)
    if old_name == new_name == "Array":
        return widens(old_inner, new_inner)
    if old_name.startswith("Enum") and new_name.startswith("Enum"):
        return _enum(old_inner).items() <= _enum(new_inner).items()
    if old_name == new_name == "Decimal":
        return _decimal(old_inner, new_inner)
    return _number(old_name, new_name) or _time(old_name, old_inner, new_name, new_inner)


def _split(text: str) -> tuple[str, str]:
    match = _CALL.match(text.strip())
    return (match.group(1), (match.group(2) or "").strip()) if match else (text, "")


def _enum(inner: str) -> dict[str, str]:
    items = split_commas(significant(inner))
    return {unquote(item[0]): text_of(inner, item[2:]) for item in items}


def _decimal(old: str, new: str) -> bool:
    digits, scale = (int(part) for part in old.split(","))
    new_digits, new_scale = (int(part) for part in new.split(","))
    return new_scale >= scale and new_digits - new_scale >= digits - scale


def _number(old: str, new: str) -> bool:
    if (old, new) == ("Float32", "Float64"):
        return True
    first, second = _NUMBER.match(old), _NUMBER.match(new)
    if not first:
        return False
    bits = int(first.group(2)) - (not first.group(1))
    if second:
        signed = not second.group(1)
        return (signed or bool(first.group(1))) and int(second.group(2)) - signed >= bits
    return bits <= _MANTISSA.get(new, 0)


def _time(old: str, old_inner: str, new: str, new_inner: str) -> bool:
    if (old, new) == ("Date", "Date32"):
        return True
    if new != "DateTime64" or old not in ("DateTime", "DateTime64"):
        return False
    scale, *zone = (part.strip() for part in new_inner.split(",", 1))
    old_zone = [old_inner] if old == "DateTime" and old_inner else []
    old_scale = "0"
    if old == "DateTime64":
        old_scale, *old_zone = (part.strip() for part in old_inner.split(",", 1))
    # Nanoseconds leave room for fewer years.
    return zone == old_zone and int(old_scale) <= int(scale) <= 8
