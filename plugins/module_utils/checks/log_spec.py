# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user may ask of a container's log, read from plain options with every mistake named."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import PlatformError
from ..common.times import read_date
from .log_lines import LEVELS, TIME
from .result import CheckNotValid

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")


EXPECT = {
    "name": {"type": "str", "required": True},
    "pattern": {"type": "str", "required": True},
    "min": {"type": "int", "default": 1},
}
ALLOW = {
    "pattern": {"type": "str", "required": True},
    "reason": {"type": "str", "required": True},
    "max": {"type": "int"},
    "expires": {"type": "str"},
}
#: The suboptions of one entry of the module's option.
LOG_OPTIONS = {
    "container": {"type": "str", "required": True},
    "since": {"type": "str", "default": "start"},
    "expect": {"type": "list", "elements": "dict", "default": [], "options": EXPECT},
    "allow": {"type": "list", "elements": "dict", "default": [], "options": ALLOW},
    "min_lines": {"type": "int", "default": 1},
    "running": {"type": "bool", "default": True},
}
#: What only a single look can be asked for: to tell new kinds of error lines from those that were there before.
COMPARE_OPTIONS = {
    "compare_seconds": {"type": "int", "default": 0},
    "compare_file": {"type": "path"},
    "known": {"type": "str", "choices": ["fail", "allow"], "default": "fail"},
}


class LogNotReadable(PlatformError):
    """A log that the engine does not give, with a text for the user."""


@dataclass
class ExpectedLine:
    name: str
    pattern: re.Pattern[str]
    minimum: int = 1


@dataclass
class AllowedLine:
    pattern: re.Pattern[str]
    reason: str
    maximum: int | None = None
    expires: datetime.date | None = None

    def expired(self, today: datetime.date) -> bool:
        return self.expires is not None and today > self.expires


@dataclass
class LogSpec:
    """What is expected of the log of one container."""

    container: str
    since: str = "start"
    expect: list[ExpectedLine] = field(default_factory=list)
    allow: list[AllowedLine] = field(default_factory=list)
    min_lines: int = 1
    running: bool = True
    compare_seconds: int = 0  # 0 compares with nothing
    compare_file: str = ""
    allow_known: bool = False


def _pattern(text: str, where: str) -> re.Pattern[str]:
    if not text:
        raise CheckNotValid(
            f"{where}: the pattern is empty, which every line matches; expected a regular expression"
        )
    try:
        return re.compile(text)
    except re.error as exc:
        raise CheckNotValid(f"{where}: {text!r} is no regular expression: {exc}") from exc


def _date(text: str | None, where: str) -> datetime.date | None:
    if not text:
        return None
    found = read_date(str(text))
    if found is None:
        raise CheckNotValid(f"{where}: expires is {text!r}, expected a date like 2026-01-31")
    return found


def log_spec(options: dict[str, Any]) -> LogSpec:
    """Turn one entry of the module's ``containers`` option into a spec; every mistake is a CheckNotValid."""
    name = str(options["container"])
    if not _NAME.match(name):
        raise CheckNotValid(f"container {name!r}: expected a name of letters, digits, '_', '.' and '-'")
    since = str(options.get("since") or "start")
    if since not in ("start", "created") and not TIME.match(since):
        raise CheckNotValid(
            f"container {name}: since is {since!r}, "
            "expected 'start', 'created' or a time like 2026-01-31T12:00:00Z"
        )
    expect = []
    for entry in options.get("expect") or []:
        where = f"container {name}, expected line {entry['name']!r}"
        minimum = 1 if entry.get("min") is None else int(entry["min"])
        if minimum < 1:
            raise CheckNotValid(
                f"{where}: min is {minimum}, expected 1 or more (nothing at all proves nothing)"
            )
        expect.append(ExpectedLine(str(entry["name"]), _pattern(str(entry["pattern"]), where), minimum))
    allow = []
    for entry in options.get("allow") or []:
        where = f"container {name}, allowed pattern {entry['pattern']!r}"
        maximum = entry.get("max")
        if not str(entry["reason"]).strip():
            raise CheckNotValid(f"{where}: the reason is empty, expected why these lines are no problem")
        allow.append(
            AllowedLine(
                _pattern(str(entry["pattern"]), where),
                str(entry["reason"]),
                None if maximum is None else int(maximum),
                _date(entry.get("expires"), where),
            )
        )
    least = options.get("min_lines")
    running = options.get("running")
    seconds = int(options.get("compare_seconds") or 0)
    allow_known = options.get("known") == "allow"
    if seconds < 0 or (allow_known and not seconds):
        raise CheckNotValid(
            f"container {name}: compare_seconds is {seconds}, expected "
            + ("1 or more, for known is 'allow'" if allow_known else "0 or more")
        )
    return LogSpec(
        name,
        since,
        expect,
        allow,
        1 if least is None else int(least),
        True if running is None else running,
        seconds,
        str(options.get("compare_file") or ""),
        allow_known,
    )


def level_options() -> dict[str, Any]:
    """The argument_spec that belongs to the section logs of the documentation fragment suho.platform.checks."""
    return {
        "error_levels": {"type": "list", "elements": "str", "default": ["ERROR", "CRITICAL", "FATAL"]},
        "max_lines": {"type": "int", "default": 50000},
    }


def check_levels(levels: Iterable[str]) -> list[str]:
    chosen = [str(level).upper() for level in levels]
    unknown = [level for level in chosen if level not in LEVELS]
    if unknown or not chosen:
        raise CheckNotValid(
            f"error_levels is {', '.join(unknown) or 'empty'}, expected some of {', '.join(sorted(LEVELS))}"
        )
    return chosen
