# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate a set of assertions in one session, with one bounded wait for the whole set."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...clickhouse.client import READONLY, Answer, ClickhouseError, Connection, Login, open_connection
from .base import SHARED_SQL, Assertion
from .compare import Finding

CONNECTIONS = 4  # more of them do not make a set of assertions faster on a server with a few cores
MOST_CONNECTIONS = 16

# After these the session cannot be used again.
_BROKEN = ("unreachable", "timeout", "protocol", "tls")


@dataclass
class Result:
    """The last evaluation of one assertion."""

    assertion: Assertion
    observed: Any = None
    finding: Finding = field(default_factory=lambda: Finding("error", "not evaluated"))
    rows_read: int | None = None
    bytes_read: int | None = None
    milliseconds: float = 0.0
    attempts: int = 0
    rows_per_second: float | None = None

    @property
    def passed(self) -> bool:
        return self.finding.verdict == "pass"

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.assertion.name,
            "kind": self.assertion.kind,
            "query": self.assertion.sql,
            "observed": self.observed,
            "expected": self.assertion.expected,
            "verdict": self.finding.verdict,
            "reason": self.finding.reason,
            "rows_read": self.rows_read,
            "bytes_read": self.bytes_read,
            "milliseconds": round(self.milliseconds, 1),
            "attempts": self.attempts,
            "table": str(self.assertion.spec.get("table") or ""),
            "rows_per_second": None if self.rows_per_second is None else round(self.rows_per_second, 6),
        }

    def complaint(self) -> str:
        """One line for a person: what was seen, what was expected, why it is not enough."""
        reason = f" ({self.finding.reason})" if self.finding.reason else ""
        if self.finding.verdict == "error":
            return f"{self.assertion.name}: error: {self.finding.reason}; expected {self.assertion.expected}"
        return (
            f"{self.assertion.name}: observed {self.observed!r}, expected {self.assertion.expected}{reason}"
        )


class Shared:
    """Answers about tables that several assertions of one round need: the first one asks, the others wait for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[tuple[Any, ...], Future[Answer]] = {}

    def answer(self, key: tuple[Any, ...], ask: Callable[[], Answer]) -> tuple[Answer, bool]:
        """The answer, and whether it was asked for here.

        An error of the server does not decide over those who wait: they ask themselves. A server that does not answer is not asked again.
        """
        with self._lock:
            held = self._held.get(key)
            mine: Future[Answer] = self._held.setdefault(key, Future())
        if held is None:
            try:
                mine.set_result(ask())
            except BaseException as error:
                mine.set_exception(error)
                raise
            return mine.result(), True
        failed = held.exception()
        if failed is None:
            return held.result(), False
        if isinstance(failed, ClickhouseError) and failed.kind in _BROKEN:
            raise failed
        return ask(), True


class Session:
    """A read-only session that is opened again when the server went away during a wait."""

    def __init__(self, login: Login, max_rows_to_read: int = 0) -> None:
        self.login = login
        self._connection: Connection | None = None
        self._settings: dict[str, Any] = {
            "max_execution_time": login.receive_timeout,
            "max_rows_to_read": max_rows_to_read,
            "readonly": 1,
        }

    def open(self) -> Connection:
        if self._connection is None:
            try:
                self._connection = open_connection(self.login, self._settings)
            except ClickhouseError as error:
                if error.code != READONLY:
                    raise
                # The user is read-only on the server already and may not change any setting.
                self._settings = {}
                self._connection = open_connection(self.login)
        return self._connection

    def evaluate(self, result: Result, now: float, shared: Shared) -> None:
        """Let the assertion ask once what it has to know, and store what came of it."""
        started = time.monotonic()
        result.attempts += 1
        result.rows_read = result.bytes_read = result.rows_per_second = None

        def ask(sql: str, params: Mapping[str, Any]) -> Answer:
            def query() -> Answer:
                return self.open().query(sql, params)

            key = (sql, *params.values())
            answer, own = shared.answer(key, query) if sql in SHARED_SQL else (query(), True)
            result.rows_read = _sum(result.rows_read, answer.rows_read, own)
            result.bytes_read = _sum(result.bytes_read, answer.bytes_read, own)
            return answer

        try:
            result.observed, result.finding, result.rows_per_second = result.assertion.evaluate(ask, now)
        except ClickhouseError as error:
            result.observed, result.finding = None, Finding("error", str(error))
            if error.kind in _BROKEN:
                self.close()
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            # An answer that has another form than the kind expects is an error of that assertion alone.
            result.observed, result.finding = (
                None,
                Finding("error", f"the answer cannot be judged: {error}"),
            )
        result.milliseconds = (time.monotonic() - started) * 1000

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _sum(before: int | None, count: int | None, own: bool) -> int | None:
    """What the server says that it read so far; None if it never said anything."""
    if count is None:
        return before
    return (before or 0) + (count if own else 0)


def run(
    sessions: Sequence[Session],
    assertions: Sequence[Assertion],
    timeout: float = 0,
    interval: float = 1,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[Result], float]:
    """Evaluate until all passed or *timeout* seconds are over. Returns the results and the seconds waited.

    The sessions share the assertions and ask at the same time. The wait is at least as long as the assertion needs that
    compares two moments. Only what has not passed is asked again. Every assertion is evaluated at least once, and once more
    when the time is up, so that the last verdict is no older than the end of the wait.
    """
    sessions[0].open()
    results = [Result(assertion) for assertion in assertions]
    started = clock()
    with ThreadPoolExecutor(len(sessions)) as pool:
        while True:
            left: queue.SimpleQueue[Result] = queue.SimpleQueue()
            for result in results:
                if not result.passed:
                    left.put(result)
            list(pool.map(partial(_empty, left, clock, Shared()), sessions))
            elapsed = clock() - started
            waiting = [result.assertion.patience for result in results if not result.passed]
            limit = max([timeout, *waiting])
            if not waiting or elapsed >= limit:
                return results, elapsed
            sleep(max(0.05, min(interval, limit - elapsed)))


def _empty(
    left: queue.SimpleQueue[Result], clock: Callable[[], float], shared: Shared, session: Session
) -> None:
    """Evaluate what nobody has taken yet, until nothing is left."""
    while True:
        try:
            result = left.get_nowait()
        except queue.Empty:
            return
        session.evaluate(result, clock(), shared)


def summary(results: Sequence[Result]) -> dict[str, Any]:
    """What the module returns about the results."""
    return {
        "assertions": [result.to_dict() for result in results],
        "passed": sum(result.passed for result in results),
        "failures": sum(not result.passed for result in results),
    }


def complaint(results: Sequence[Result], waited: float) -> str:
    """One message for all assertions that did not hold, or an empty string."""
    broken = [result for result in results if not result.passed]
    if not broken:
        return ""
    lines = "; ".join(result.complaint() for result in broken)
    return f"{len(broken)} of {len(results)} assertions did not hold after {waited:.0f} s: {lines}"
