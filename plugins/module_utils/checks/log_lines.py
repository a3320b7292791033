# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Understand log lines: their level, Python tracebacks in them, and a fingerprint that repeats.

A line's level is read from the place where a logger writes it. A line that only mentions the word "error"
somewhere in its text is no error line.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ..common.secrets import mask_text
from ..common.text import plain

# How loggers spell the levels, and the name that is used here.
LEVELS = {
    "TRACE": "TRACE",
    "DEBUG": "DEBUG",
    "DBG": "DEBUG",
    "INFO": "INFO",
    "INF": "INFO",
    "INFORMATION": "INFO",
    "LOG": "INFO",
    "NOTICE": "INFO",
    "WARN": "WARNING",
    "WRN": "WARNING",
    "WARNING": "WARNING",
    "ERROR": "ERROR",
    "ERR": "ERROR",
    "SEVERE": "ERROR",
    "CRITICAL": "CRITICAL",
    "CRIT": "CRITICAL",
    "FATAL": "FATAL",
    "FTL": "FATAL",
    "PANIC": "FATAL",
    "EMERG": "FATAL",
    "ALERT": "FATAL",
}
TRACEBACK = "TRACEBACK"

# Numeric levels of JSON loggers (bunyan, pino).
_NUMERIC = {10: "TRACE", 20: "DEBUG", 30: "INFO", 40: "WARNING", 50: "ERROR", 60: "FATAL"}
_JSON_LEVEL_KEYS = ("level", "levelname", "severity", "log.level", "lvl", "loglevel")

_WORDS = "|".join(sorted(LEVELS, key=len, reverse=True))

# What may stand before the level: dates, times, numbers, anything in brackets, and separators.
_HEADER = re.compile(
    r"""^(?:
        \d[\d:.,/TZ+-]*(?:\s+(?:UTC|GMT|[AP]M|[+-]\d{4}))?   # date, time, process number
      | \[[^\]]*\] | \{[^}]*\} | \([^)]*\)                   # [main], {request id}, (pid)
      | [-|:]+
    )(?:\s+|$)""",
    re.VERBOSE,
)
_BRACKETED = re.compile(rf"^[\[<(]\s*({_WORDS})\s*[\]>)]", re.IGNORECASE)
_LABEL = re.compile(rf"^({_WORDS}):(?:\s|$)", re.IGNORECASE)
_BARE = re.compile(rf"^({_WORDS})(?=[\s:|,\]-]|$)")
# "name - ERROR - text", "name | ERROR | text", "name: ERROR: text", "name [ERROR] text" after the time
_AFTER_NAME = re.compile(
    rf"^[\w.:/-]+?(?:\s+[-|]\s+({_WORDS})\s+[-|]\s|:\s*({_WORDS}):\s|\s+[\[<]({_WORDS})[\]>]|\s+({_WORDS})[\s:])"
)
_LOGFMT = re.compile(rf"(?:^|\s)(?:level|lvl|severity)=\"?({_WORDS})\"?(?:\s|$)", re.IGNORECASE)

_TRACEBACK_HEAD = re.compile(r"^\s*(?:\+ Exception Group )?Traceback \(most recent call last\):")
_CHAINED = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)
_LONGEST_TRACEBACK = 1000

_VARYING = (
    (re.compile(r"\b\d{4}[-/.]\d\d[-/.]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b0x[0-9a-f]+\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"(?<![A-Za-z])[-+]?\d+(?:[.,]\d+)*(?:e[-+]?\d+)?", re.IGNORECASE), "<n>"),
)


@dataclass
class Line:
    """One log line as the container wrote it, with the time at which the engine received it."""

    time: str
    text: str


# As the engine writes it before each line.
TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$")


def log_lines(text: str) -> list[Line]:
    """Read what ``docker logs --timestamps`` has written."""
    found: list[Line] = []
    for raw in text.split("\n"):
        if not raw.strip():
            continue
        time, _blank, rest = raw.partition(" ")
        if TIME.match(time):
            found.append(Line(time, rest))
        else:  # the rest of a line that the engine had to split
            found.append(Line(found[-1].time if found else "", raw))
    return found


@dataclass
class Event:
    """One thing that a log reports at one of the wanted levels; a traceback is one event."""

    time: str
    level: str
    text: str
    detail: str = ""

    @property
    def full_text(self) -> str:
        return f"{self.text}\n{self.detail}" if self.detail else self.text


def fingerprint(level: str, text: str) -> str:
    """Return a short name for the kind of error: equal for lines that differ in numbers and ids only."""
    normal = mask_text(text)
    for pattern, replacement in _VARYING:
        normal = pattern.sub(replacement, normal)
    normal = " ".join(normal.split())
    return hashlib.sha256(f"{level} {normal}".encode("utf-8", "replace")).hexdigest()[:12]


def _json_level(text: str) -> str | None:
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict):
        return None
    nested = record.get("log")
    candidates: list[Any] = [record.get(key) for key in _JSON_LEVEL_KEYS]
    candidates.append(nested.get("level") if isinstance(nested, dict) else None)
    for value in candidates:
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, (int, float)):
            return _NUMERIC.get(int(value))
        level = LEVELS.get(str(value).strip().upper())
        if level:
            return level
    return None


def level_of(text: str) -> str | None:
    """Return the level at which the line was logged, or None when it carries none."""
    text = text.strip()
    if text.startswith("{") and text.endswith("}"):
        return _json_level(text)
    rest, headed = text, False
    for _unused in range(8):
        for pattern in (_BRACKETED, _LABEL, _BARE):
            match = pattern.match(rest)
            if match:
                return LEVELS[match.group(1).upper()]
        header = _HEADER.match(rest)
        if not header:
            break
        headed = True
        rest = rest[header.end() :]
    if headed:
        match = _AFTER_NAME.match(rest)
        if match:
            return LEVELS[next(word for word in match.groups() if word)]
    match = _LOGFMT.search(text)
    return LEVELS[match.group(1).upper()] if match else None


class _Reader:
    """Joins lines to events: an error line and its traceback are one, and so is a chain of tracebacks.

    Lines of other threads that come between the lines of a traceback (known by a level of their own) are read
    on their own.
    """

    def __init__(self, levels: Iterable[str]) -> None:
        self._wanted = {LEVELS.get(level.upper(), level.upper()) for level in levels}
        self._held: Event | None = None  # complete, but a traceback may still belong to it
        self._joins = False  # the held event takes a traceback that begins now
        self._in_trace = False
        self._length = 0
        self._last = ""

    def feed(self, line: Line) -> Iterator[Event]:
        text = plain(line.text)
        if _TRACEBACK_HEAD.match(text):
            yield from self._begin_trace(line.time, text.strip())
        elif self._in_trace and (not text.strip() or text[0].isspace()) and self._length < _LONGEST_TRACEBACK:
            self._length += 1
            self._last = text.strip() or self._last
        else:
            yield from self._outside(line.time, text.strip())

    def finish(self) -> Iterator[Event]:
        if self._in_trace:
            self._end_trace(self._last)
        yield from self._release()

    def _outside(self, time: str, text: str) -> Iterator[Event]:
        level = level_of(text)
        if self._in_trace:
            if level is None:
                self._end_trace(text)
            elif level in self._wanted:
                yield Event(time, level, text)
        elif level is None and self._held is not None and (not text or text in _CHAINED):
            self._joins = self._joins or bool(text)
        else:
            yield from self._release()
            if level in self._wanted:
                self._held, self._joins = Event(time, str(level), text), True

    def _begin_trace(self, time: str, text: str) -> Iterator[Event]:
        if self._in_trace:
            return
        if self._held is None or not self._joins:
            yield from self._release()
            self._held = Event(time, TRACEBACK, text)
        self._in_trace, self._length, self._last = True, 0, ""

    def _end_trace(self, exception: str) -> None:
        """Keep the line that names the exception: it says more than the word Traceback."""
        event = self._held
        if event is not None and exception:
            if event.level == TRACEBACK:
                event.text = exception
            else:
                event.detail = exception
        self._in_trace = self._joins = False

    def _release(self) -> Iterator[Event]:
        if self._held is not None:
            yield self._held
        self._held, self._joins = None, False


def events(lines: Iterable[Line], levels: Iterable[str]) -> Iterator[Event]:
    """Yield what was logged at one of ``levels``; a Python traceback counts whenever it appears."""
    reader = _Reader(levels)
    for line in lines:
        yield from reader.feed(line)
    yield from reader.finish()
