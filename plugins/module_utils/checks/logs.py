# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the logs of containers: expected lines must be there, error lines must not.

The engine's answers come in through a small reader, so that everything here runs without an engine in tests.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..common.text import plain, shown
from ..common.times import next_since
from .log_lines import TRACEBACK, Event, Line, events, fingerprint
from .log_spec import Check, Expected, LogCheckError
from .result import ERROR, FAIL, PASS, Assertion, Round, assertion

MOST_FINDINGS = 50  # per container; the counts stay exact, only further groups are left out


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
    """Where lines come from; raises LogCheckError with a text when it cannot answer."""

    def container(self, name: str) -> LogContainer | None: ...

    def read(self, name: str, since: str, max_lines: int) -> LogText: ...


@dataclass
class Finding:
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
class Result:
    """What one reading of one container gave."""

    assertions: list[Assertion]
    findings: list[Finding] = field(default_factory=list)
    window: dict[str, Any] = field(default_factory=dict)
    waiting: bool = False  # looking again may turn it into a pass


def _sort_out(
    check: Check, found: list[Event], today: datetime.date, known: Collection[str] | None = None
) -> tuple[list[Finding], int, list[str]]:
    """Return the findings, the number of events that nothing allows, and why allowances failed.

    ``known`` are the fingerprints of the time before; None compares with nothing.
    """
    hits: dict[int, int] = {}
    owner: list[int | None] = []
    for event in found:
        entry = next((i for i, item in enumerate(check.allow) if item.pattern.search(event.full_text)), None)
        owner.append(entry)
        if entry is not None:
            hits[entry] = hits.get(entry, 0) + 1
    refused: dict[int, str] = {}
    for number, count in hits.items():
        item = check.allow[number]
        if item.expired(today):
            refused[number] = f"the allowance for {item.pattern.pattern!r} expired on {item.expires}"
        elif item.maximum is not None and count > item.maximum:
            refused[number] = (
                f"{count} lines match allowed {item.pattern.pattern!r}, at most {item.maximum} may"
            )
    groups: dict[tuple[str, bool], Finding] = {}
    bad = 0
    for event, entry in zip(found, owner):
        by_entry = entry is not None and entry not in refused
        kind = fingerprint(event.level, event.full_text)
        old = known is not None and kind in known
        allowed = by_entry or (old and check.allow_known)
        bad += not allowed
        key = (kind, allowed)
        if key in groups:
            groups[key].count += 1
            groups[key].last_time = event.time
            continue
        reason = f"known: it was there in the {check.compare_seconds} s before" if allowed else ""
        reason = check.allow[entry].reason if by_entry and entry is not None else reason
        groups[key] = Finding(
            check.container,
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


def _error_assertion(
    check: Check,
    text: LogText,
    findings: list[Finding],
    bad: int,
    refused: list[str],
    levels: list[str],
    since: str,
) -> Assertion:
    expected = "no line at level " + ", ".join(levels) + " and no traceback"
    verdict, reason = PASS, ""
    if bad:
        verdict = FAIL
        worst = [item for item in findings if not item.allowed]
        examples = "; ".join(f"{item.count}x {item.short()}" for item in worst[:3])
        more = f"; and {len(worst) - 3} more kinds" if len(worst) > 3 else ""
        reason = "; ".join([f"{bad} error lines since {since}: {examples}{more}", *refused])
    elif text.cut:
        verdict = ERROR
        reason = (
            f"more than {len(text.lines)} lines since {since}: the older ones were not read, "
            "which proves nothing; raise max_lines or look at a shorter time"
        )
    elif len(text.lines) < check.min_lines:
        verdict = FAIL
        reason = (
            f"{len(text.lines)} log lines since {since}, expected at least {check.min_lines}: "
            "a silent container does not prove that it works"
        )
    return assertion(
        f"{check.container}: no error lines",
        "log_errors",
        observed=f"{bad} error lines in {len(text.lines)} lines",
        expected=expected,
        verdict=verdict,
        reason=reason,
        container=check.container,
        errors=bad,
        allowed=sum(item.count for item in findings if item.allowed),
        lines=len(text.lines),
    )


def _expected_assertion(check: Check, wish: Expected, text: LogText, since: str) -> Assertion:
    matching = [line for line in text.lines if wish.pattern.search(plain(line.text))]
    enough = len(matching) >= wish.minimum
    verdict, reason = PASS, ""
    if not enough:
        verdict = ERROR if text.cut else FAIL
        where = f"in the newest {len(text.lines)} lines" if text.cut else f"in {len(text.lines)} lines"
        reason = (
            f"{len(matching)} lines match {wish.pattern.pattern!r} {where} since {since}, "
            f"expected at least {wish.minimum}"
        )
    return assertion(
        f"{check.container}: {wish.name}",
        "log_line",
        observed=len(matching),
        expected=f"at least {wish.minimum} lines match {wish.pattern.pattern!r}",
        verdict=verdict,
        reason=reason,
        container=check.container,
        line=shown(plain(matching[-1].text)) if matching else "",
        lines=len(text.lines),
    )


def _unreadable(check: Check, levels: list[str], verdict: str, observed: str, reason: str) -> Result:
    """Every wish of this container gets the same reason: none of them could be checked."""
    names = [("no error lines", "log_errors", "no line at level " + ", ".join(levels))]
    names += [(wish.name, "log_line", f"at least {wish.minimum} lines") for wish in check.expect]
    return Result(
        [
            assertion(
                f"{check.container}: {name}",
                kind,
                observed=observed,
                expected=expected,
                verdict=verdict,
                reason=reason,
                container=check.container,
                lines=0,
            )
            for name, kind, expected in names
        ]
    )


class LogAssertions:
    """All checks of one module call. The start of each window is fixed at the first look."""

    def __init__(
        self,
        source: LogSource,
        checks: list[Check],
        levels: list[str],
        *,
        max_lines: int,
        today: datetime.date,
        baseline: Callable[[Check, str], set[str]] = lambda _check, _since: set(),
    ) -> None:
        """``baseline`` returns the fingerprints of what a check's container wrote before a time."""
        self._source = source
        self._checks = checks
        self._levels = levels
        self._max_lines = max_lines
        self._today = today
        self._baseline = baseline
        self._since: dict[int, str] = {}
        self._before: dict[int, set[str]] = {}
        self.findings: list[Finding] = []
        self.windows: list[dict[str, Any]] = []

    def look(self) -> Round:
        results = [self._one(number, check) for number, check in enumerate(self._checks)]
        self.findings = [item for result in results for item in result.findings[:MOST_FINDINGS]]
        self.windows = [result.window for result in results if result.window]
        waiting = any(result.waiting for result in results)
        return Round([item for result in results for item in result.assertions], settled=not waiting)

    def _one(self, number: int, check: Check) -> Result:
        started = time.monotonic()
        result = self._judge(number, check)
        spent = round((time.monotonic() - started) * 1000, 1)
        for item in result.assertions:  # the log is read once for all of them
            item["milliseconds"] = spent
        return result

    def _judge(self, number: int, check: Check) -> Result:
        try:
            found = self._source.container(check.container)
            if found is None:
                return _unreadable(
                    check,
                    self._levels,
                    FAIL,
                    "no such container",
                    f"container {check.container} does not exist, expected it to be running",
                )
            if check.running and found.state != "running":
                return self._stopped(check, found)
            start = self._since.setdefault(
                number, {"start": found.started, "created": ""}.get(check.since, check.since)
            )
            text = self._source.read(check.container, start, self._max_lines)
            errors = list(events(text.lines, self._levels))
            known = self._known(number, check, start) if errors and check.compare_seconds else None
        except LogCheckError as exc:
            return _unreadable(
                check, self._levels, ERROR, "not readable", f"container {check.container}: {exc}"
            )
        since = start or "it was created"
        findings, bad, refused = _sort_out(check, errors, self._today, known)
        assertions = [_error_assertion(check, text, findings, bad, refused, self._levels, since)]
        assertions += [_expected_assertion(check, wish, text, since) for wish in check.expect]
        last = text.lines[-1].time if text.lines else ""
        window = {
            "container": check.container,
            "since": start,
            "last_line": last,
            "next_since": next_since(last) if last else start,
            "lines": len(text.lines),
            "cut": text.cut,
            "error_kinds": len(findings),
        }
        # Only missing lines may still come: an error line that was written stays written.
        waiting = any(item["verdict"] != PASS and not item.get("errors") for item in assertions)
        return Result(assertions, findings, window, waiting)

    def _known(self, number: int, check: Check, start: str) -> set[str]:
        """The time before does not change any more, so it is read once."""
        if number not in self._before:
            self._before[number] = self._baseline(check, start)
        return self._before[number]

    def _stopped(self, check: Check, found: LogContainer) -> Result:
        """A container that does not run fails every wish; its last words are shown, for they say why."""
        reason = f"container {check.container} is {found.state}, expected running"
        findings: list[Finding] = []
        try:
            text = self._source.read(check.container, "", self._max_lines)
        except LogCheckError as exc:
            reason += f"; its log is not readable: {exc}"
        else:
            findings, _bad, _refused = _sort_out(check, list(events(text.lines, self._levels)), self._today)
            last = max(findings, key=lambda item: item.last_time).short() if findings else ""
            if not last and text.lines:
                last = shown(plain(text.lines[-1].text))
            reason += f"; its log says: {last}" if last else "; its log is empty"
        result = _unreadable(check, self._levels, FAIL, found.state, reason)
        result.findings = findings
        return result
