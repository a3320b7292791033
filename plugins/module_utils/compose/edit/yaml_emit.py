# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data written as YAML lines in the layout of a file that is already there.

A small writer of its own, because general dumpers decide about quotes, line width and key order in ways that
differ between versions; what stands in a person's file has to be predictable to the byte.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...common.errors import PlatformError

# Words that a YAML 1.1 or 1.2 reader takes for a boolean or null.
_WORDS = frozenset(("", "~", "null", "true", "false", "yes", "no", "on", "off", "y", "n", "<<", "="))
# Everything that some reader may take for a number, a date, or (22:22) a number to the base 60.
_NUMBER_LIKE = re.compile(
    r"[-+]?(?:0[xob][0-9a-f_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:e[-+]?[0-9]*)?|\.inf|\.nan)"
    r"|[-+]?[0-9]+(?::[0-9]+)+(?:\.[0-9_]*)?|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*",
    re.IGNORECASE,
)
_NOT_FIRST = "!&*|>%@`\"'#,[]{}"
_PRINTABLE = re.compile("[\x20-\x7e\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_LINE_BREAKS = ("\n", "\r", "\x85", "\u2028", "\u2029")


class EmitError(PlatformError):
    """The data holds something that YAML text of a compose file cannot hold."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out: spaces per level, and how far a list's dash stands behind its key."""

    step: int = 2
    dash: int = 2


def entry_lines(name: str, value: Any, column: int, layout: Layout) -> list[str]:
    """``name: value`` as lines without line ends, the key in the given column."""
    return _entry(str(name), value, column, layout, f"{name}")


def _entry(name: str, value: Any, column: int, layout: Layout, path: str) -> list[str]:
    prefix = " " * column + scalar(name, path) + ":"
    if isinstance(value, Mapping) and value:
        return [prefix, *_mapping(value, column + layout.step, layout, path)]
    if isinstance(value, (list, tuple)) and value:
        return [prefix, *_sequence(value, column + layout.dash, layout, path)]
    if value is None:
        return [prefix]
    first, *rest = _leaf(value, column + layout.step, path)
    return [f"{prefix} {first}", *rest]


def _mapping(value: Mapping[Any, Any], column: int, layout: Layout, path: str) -> list[str]:
    lines: list[str] = []
    for key, inner in value.items():
        if not isinstance(key, (str, int, float)) or isinstance(key, bool):
            raise EmitError(f"{path}: the key {key!r} is a {type(key).__name__}, expected a string")
        lines += _entry(str(key), inner, column, layout, f"{path}.{key}")
    return lines


def _sequence(value: list[Any] | tuple[Any, ...], column: int, layout: Layout, path: str) -> list[str]:
    lines: list[str] = []
    for number, inner in enumerate(value):
        place = f"{path}[{number}]"
        if isinstance(inner, Mapping) and inner:
            # "- a: 1": the inner lines stand two columns behind the dash, where the dash's text begins.
            nested = _mapping(inner, column + 2, layout, place)
        elif isinstance(inner, (list, tuple)) and inner:
            nested = _sequence(inner, column + 2, layout, place)
        else:
            nested = _leaf(inner, column + 2, place)
            nested[0] = " " * (column + 2) + nested[0]
        lines.append(" " * column + "- " + nested[0][column + 2 :])
        lines += nested[1:]
    return lines


def _leaf(value: Any, column: int, path: str) -> list[str]:
    """A value without children: one line, or the header and lines of a block scalar."""
    if isinstance(value, str) and "\n" in value.rstrip("\n") and _fits_block(value):
        body = value[:-1] if value.endswith("\n") else value
        return ["|" if value.endswith("\n") else "|-"] + [
            " " * column + line if line else "" for line in body.split("\n")
        ]
    return [scalar(value, path)]


def _fits_block(value: str) -> bool:
    """Block style only where it needs neither an indentation hint nor "+", and loses nothing."""
    if value.endswith("\n\n") or value[0] in " \t\n" or any(sign in value for sign in _LINE_BREAKS[1:]):
        return False
    lines = value.split("\n")
    return all(_PRINTABLE.fullmatch(line) and line == line.rstrip() for line in lines)


def scalar(value: Any, path: str = "value") -> str:
    """A value without children on one line; strings are quoted only where they need it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if not math.isfinite(value):
            raise EmitError(f"{path}: the number {value} has no place in a compose file")
        return repr(float(value))
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, (list, tuple)):
        return "[]"
    if isinstance(value, str):
        return str(value) if _is_plain(value) else _quoted(value)
    raise EmitError(f"{path}: found a {type(value).__name__}, expected text, a number, a list or a mapping")


def _is_plain(value: str) -> bool:
    if value.lower() in _WORDS or value != value.strip() or _NUMBER_LIKE.fullmatch(value):
        return False
    if value[0] in _NOT_FIRST or value.startswith(("---", "...")):
        return False
    if value[0] in "-?:" and (len(value) == 1 or value[1].isspace()):
        return False
    if ": " in value or " #" in value or value.endswith(":") or ":\t" in value or "\t#" in value:
        return False
    return not any(sign in value for sign in _LINE_BREAKS) and bool(_PRINTABLE.fullmatch(value))


def _quoted(value: str) -> str:
    # JSON's escapes are a subset of YAML's, but for DEL, C1, surrogates and the YAML line breaks.
    text = json.dumps(value, ensure_ascii=False)
    return "".join(
        sign if _PRINTABLE.fullmatch(sign) and sign not in _LINE_BREAKS else f"\\u{ord(sign):04x}"
        for sign in text
    )
