# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the logs of containers: expected lines must be there, error lines must not.

The engine's answers come in through a small reader, so that everything here runs without an engine in tests.
"""

from __future__ import annotations

import dataclasses
import datetime
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..common.text import plain, shown
from ..common.times import next_since
from .log_lines import TRACEBACK, Event, Line, events, fingerprint
from .log_spec import ExpectedLine, LogNotReadable, LogSpec
from .result import ERROR, FAIL, PASS, CheckResult
from .wait import Look

MOST_KINDS = 50  # of error lines per container; the counts stay exact, only further groups are left out


@dataclass
class LogContainer:
    """What the engine says about one container, as far as the log check needs it."""

    state: str
    started: str


@dataclass
class LogText:
    """The lines of one container since a time, oldest first."""

    lines: list[Line]
    cut: bool = False  # there were more than were read


class LogSource(Protocol):
    """Where lines come from; raises LogNotReadable when it cannot answer."""

    def container(self, name: str) -> LogContainer | None: ...

    def read(self, name: str, since: str, max_lines: int) -> LogText: ...


@dataclass
class ErrorLines:
    """All error lines of one kind in one container."""

    container: str
    time: str
    last_time: str
    level: str
    line: str
    fingerprint: str
    count: int = 1
    allowed: bool = False
    allow_reason: str = ""
    new: bool | None = None  # whether the time before had no such line; None if it was not compared

    def short(self) -> str:
        """The line names its level itself, a traceback's last line does not."""
        text = f"traceback: {self.line}" if self.level == TRACEBACK else self.line
        return text if self.new is None else f"({'new' if self.new else 'known from before'}) {text}"


@dataclass
class LogReading:
    """What one reading of one container gave."""

    results: list[CheckResult]
    kinds: list[ErrorLines] = field(default_factory=list)
    window: dict[str, Any] = field(default_factory=dict)
    waiting: bool = False  # looking again may turn it into a pass


def _sort_out(
    spec: LogSpec, found: list[Event], today: datetime.date, known: Collection[str] | None = None
) -> tuple[list[ErrorLines], int, list[str]]:
    """Return the kinds of error lines, the number of events that nothing allows, and why allowances failed.

    ``known`` are the fingerprints of the time before; None compares with nothing.
    """
    hits: dict[int, int] = {}
    owner: list[int | None] = []
    for event in found:
        entry = next((i for i, item in enumerate(spec.allow) if item.pattern.search(event.full_text)), None)
        owner.append(entry)
        if entry is not None:
            hits[entry] = hits.get(entry, 0) + 1
    refused: dict[int, str] = {}
    for number, count in hits.items():
        item = spec.allow[number]
        if item.expired(today):
            refused[number] = f"the allowance for {item.pattern.pattern!r} expired on {item.expires}"
        elif item.maximum is not None and count > item.maximum:
            refused[number] = (
                f"{count} lines match allowed {item.pattern.pattern!r}, at most {item.maximum} may"
            )
    groups: dict[tuple[str, bool], ErrorLines] = {}
    bad = 0
    for event, entry in zip(found, owner):
        by_entry = entry is not None and entry not in refused
        kind = fingerprint(event.level, event.full_text)
        old = known is not None and kind in known
        allowed = by_entry or (old and spec.allow_known)
        bad += not allowed
        key = (kind, allowed)
        if key in groups:
            groups[key].count += 1
            groups[key].last_time = event.time
            continue
        reason = f"known: it was there in the {spec.compare_seconds} s before" if allowed else ""
        reason = spec.allow[entry].reason if by_entry and entry is not None else reason
        groups[key] = ErrorLines(
            spec.container,
            event.time,
            event.time,
            event.level,
            shown(event.full_text),
            key[0],
            1,
            allowed,
            reason,
            None if known is None else not old,
        )
    ordered = sorted(groups.values(), key=lambda item: (item.allowed, -item.count, item.time))
    return ordered, bad, list(refused.values())


def _error_result(
    spec: LogSpec,
    text: LogText,
    kinds: list[ErrorLines],
    bad: int,
    refused: list[str],
    levels: list[str],
    since: str,
) -> CheckResult:
    verdict, reason = PASS, ""
    if bad:
        verdict = FAIL
        worst = [item for item in kinds if not item.allowed]
        examples = "; ".join(f"{item.count}x {item.short()}" for item in worst[:3])
        more = f"; and {len(worst) - 3} more kinds" if len(worst) > 3 else ""
        reason = "; ".join([f"{bad} error lines since {since}: {examples}{more}", *refused])
    elif text.cut:
        verdict = ERROR
        reason = (
            f"more than {len(text.lines)} lines since {since}: the older ones were not read, "
            "which proves nothing; raise max_lines or look at a shorter time"
        )
    elif len(text.lines) < spec.min_lines:
        verdict = FAIL
        reason = (
            f"{len(text.lines)} log lines since {since}, expected at least {spec.min_lines}: "
            "a silent container does not prove that it works"
        )
    return CheckResult(
        f"{spec.container}: no error lines",
        "log_errors",
        verdict,
        f"{bad} error lines in {len(text.lines)} lines",
        f"no line at level {', '.join(levels)} and no traceback",
        reason,
        facts={
            "container": spec.container,
            "errors": bad,
            "allowed": sum(item.count for item in kinds if item.allowed),
            "lines": len(text.lines),
        },
    )


def _expected_result(spec: LogSpec, wanted: ExpectedLine, text: LogText, since: str) -> CheckResult:
    matching = [line for line in text.lines if wanted.pattern.search(plain(line.text))]
    verdict, reason = PASS, ""
    if len(matching) < wanted.minimum:
        verdict = ERROR if text.cut else FAIL
        where = f"in the newest {len(text.lines)} lines" if text.cut else f"in {len(text.lines)} lines"
        reason = (
            f"{len(matching)} lines match {wanted.pattern.pattern!r} {where} since {since}, "
            f"expected at least {wanted.minimum}"
        )
    return CheckResult(
        f"{spec.container}: {wanted.name}",
        "log_line",
        verdict,
        len(matching),
        f"at least {wanted.minimum} lines match {wanted.pattern.pattern!r}",
        reason,
        facts={
            "container": spec.container,
            "line": shown(plain(matching[-1].text)) if matching else "",
            "lines": len(text.lines),
        },
    )


def _unreadable(spec: LogSpec, levels: list[str], verdict: str, observed: str, reason: str) -> LogReading:
    """Everything that is expected of this container gets the same reason: none of it could be checked."""
    names = [("no error lines", "log_errors", "no line at level " + ", ".join(levels))]
    names += [(wanted.name, "log_line", f"at least {wanted.minimum} lines") for wanted in spec.expect]
    facts = {"container": spec.container, "lines": 0}
    return LogReading(
        [
            CheckResult(
                f"{spec.container}: {name}", kind, verdict, observed, expected, reason, facts=dict(facts)
            )
            for name, kind, expected in names
        ]
    )


class LogChecks:
    """All specs of one call. The start of each window is fixed at the first look."""

    looks_on = False
    looks_last = True

    def __init__(
        self,
        source: LogSource,
        specs: list[LogSpec],
        levels: list[str],
        *,
        max_lines: int,
        today: datetime.date,
        baseline: Callable[[LogSpec, str], set[str]] = lambda _spec, _since: set(),
    ) -> None:
        """``baseline`` returns the fingerprints of what a spec's container wrote before a time."""
        self._source = source
        self._specs = specs
        self._levels = levels
        self._max_lines = max_lines
        self._today = today
        self._baseline = baseline
        self._since: dict[int, str] = {}
        self._before: dict[int, set[str]] = {}
        self.kinds: list[ErrorLines] = []
        self.windows: list[dict[str, Any]] = []

    def look(self) -> Look:
        readings = [self._one(number, spec) for number, spec in enumerate(self._specs)]
        self.kinds = [item for reading in readings for item in reading.kinds[:MOST_KINDS]]
        self.windows = [reading.window for reading in readings if reading.window]
        waiting = any(reading.waiting for reading in readings)
        return Look([item for reading in readings for item in reading.results], settled=not waiting)

    def extra(self) -> dict[str, Any]:
        return {"findings": [dataclasses.asdict(item) for item in self.kinds], "windows": self.windows}

    def close(self) -> None:
        """Nothing is held open."""

    def _one(self, number: int, spec: LogSpec) -> LogReading:
        started = time.monotonic()
        reading = self._judge(number, spec)
        spent = time.monotonic() - started
        for item in reading.results:  # the log is read once for all of them
            item.seconds = spent
        return reading

    def _judge(self, number: int, spec: LogSpec) -> LogReading:
        try:
            found = self._source.container(spec.container)
            if found is None:
                return _unreadable(
                    spec,
                    self._levels,
                    FAIL,
                    "no such container",
                    f"container {spec.container} does not exist, expected it to be running",
                )
            if spec.running and found.state != "running":
                return self._stopped(spec, found)
            start = self._since.setdefault(
                number, {"start": found.started, "created": ""}.get(spec.since, spec.since)
            )
            text = self._source.read(spec.container, start, self._max_lines)
            errors = list(events(text.lines, self._levels))
            known = self._known(number, spec, start) if errors and spec.compare_seconds else None
        except LogNotReadable as exc:
            return _unreadable(
                spec, self._levels, ERROR, "not readable", f"container {spec.container}: {exc}"
            )
        since = start or "it was created"
        kinds, bad, refused = _sort_out(spec, errors, self._today, known)
        results = [_error_result(spec, text, kinds, bad, refused, self._levels, since)]
        results += [_expected_result(spec, wanted, text, since) for wanted in spec.expect]
        last = text.lines[-1].time if text.lines else ""
        window = {
            "container": spec.container,
            "since": start,
            "last_line": last,
            "next_since": next_since(last) if last else start,
            "lines": len(text.lines),
            "cut": text.cut,
            "error_kinds": len(kinds),
        }
        # Only missing lines may still come: an error line that was written stays written.
        waiting = any(not item.passed and not item.facts.get("errors") for item in results)
        return LogReading(results, kinds, window, waiting)

    def _known(self, number: int, spec: LogSpec, start: str) -> set[str]:
        """The time before does not change any more, so it is read once."""
        if number not in self._before:
            self._before[number] = self._baseline(spec, start)
        return self._before[number]

    def _stopped(self, spec: LogSpec, found: LogContainer) -> LogReading:
        """A container that does not run fails everything that is expected; its last words are shown, for they say why."""
        reason = f"container {spec.container} is {found.state}, expected running"
        kinds: list[ErrorLines] = []
        try:
            text = self._source.read(spec.container, "", self._max_lines)
        except LogNotReadable as exc:
            reason += f"; its log is not readable: {exc}"
        else:
            kinds, _bad, _refused = _sort_out(spec, list(events(text.lines, self._levels)), self._today)
            last = max(kinds, key=lambda item: item.last_time).short() if kinds else ""
            if not last and text.lines:
                last = shown(plain(text.lines[-1].text))
            reason += f"; its log says: {last}" if last else "; its log is empty"
        reading = _unreadable(spec, self._levels, FAIL, found.state, reason)
        reading.kinds = kinds
        return reading
