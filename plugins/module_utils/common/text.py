# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text for people at a terminal: durations, cells, tables. Nothing in it can move a terminal's cursor."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Any, Callable

from .errors import PlatformError
from .secrets import mask_text

_tabulate: Callable[..., str] | None
try:
    from tabulate import tabulate

    _tabulate = tabulate
except ImportError:  # only on the controller, and only where a table is printed
    _tabulate = None


class MissingLibrary(PlatformError):
    """A Python library of the controller is not there."""


def human_duration(seconds: Any) -> str:
    """Return seconds as people say them: 0.4 s, 12 s, 3 min 04 s, 1 h 02 min. Not measured is '-'."""
    if seconds is None or isinstance(seconds, bool):
        return "-"
    try:
        value = float(seconds)
    except (TypeError, ValueError):
        return "-"
    if not math.isfinite(value):
        return "-"
    sign = "-" if value < 0 else ""
    value = abs(value)
    if value < 9.95:
        return f"{sign}{value:.1f} s"
    whole = round(value)
    if whole < 60:
        return f"{sign}{whole} s"
    if whole < 3600:
        return f"{sign}{whole // 60} min {whole % 60:02d} s"
    minutes = round(value / 60)
    return f"{sign}{minutes // 60} h {minutes % 60:02d} min"


def cell(value: Any) -> str:
    """Return any value as one line of text without control characters."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple)) and all(not isinstance(item, (dict, list, tuple)) for item in value):
        return ", ".join(cell(item) for item in value) or "-"
    if isinstance(value, (dict, list, tuple)):
        value = json.dumps(value, default=str, ensure_ascii=False, sort_keys=True)
    return plain(" ".join(str(value).split()))


def block(value: Any) -> str:
    """Return a text of several lines without control characters."""
    return "\n".join(plain(line) for line in str("" if value is None else value).splitlines())


def table(
    rows: Sequence[dict[str, Any]],
    columns: Sequence[Any] | None = None,
    empty: str = "(nothing)",
    width: int = 60,
) -> str:
    """Return an aligned text table.

    ``columns`` are keys, or dicts of ``key``, ``title`` and ``width``; by default all keys in their order.
    """
    if _tabulate is None:
        raise MissingLibrary(
            "the Python library 'tabulate' is not installed on the controller: pip install tabulate"
        )
    if not rows:
        return empty
    wanted = columns or list(dict.fromkeys(key for row in rows for key in row))
    specs = [item if isinstance(item, dict) else {"key": item} for item in wanted]
    body = [[cell(row.get(spec["key"])) for spec in specs] for row in rows]
    return str(
        _tabulate(
            body,
            headers=[str(spec.get("title", spec["key"])) for spec in specs],
            tablefmt="simple",
            disable_numparse=True,  # an id such as 12e34567 is no number
            maxcolwidths=[int(spec.get("width") or width) for spec in specs],
        )
    )


LONGEST_LINE = 300


_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b.")


# Control characters, halves of surrogate pairs, and what turns the direction of text around.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]"
)


def plain(text: str) -> str:
    """Remove terminal colours and control characters."""
    return _CONTROL.sub("", _ANSI.sub("", text.rstrip("\r\n")))


def shown(text: str, longest: int = LONGEST_LINE) -> str:
    """Return the text as it may leave the target: masked, one line, not longer than ``longest``."""
    # Masking comes first: a cut in the middle of a URL would hide the "@" by which a password is known.
    masked = mask_text(text[: longest * 20]).replace("\n", " | ")
    return masked if len(masked) <= longest else masked[: longest - 1] + "…"
