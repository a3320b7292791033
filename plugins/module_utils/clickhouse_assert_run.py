# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate a set of assertions in one session, with one bounded wait for the whole set."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .clickhouse_assertions import Assertion
from .clickhouse_client import READONLY, ClickhouseError, Connection, Login, open_connection
from .clickhouse_compare import Finding

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
        }

    def complaint(self) -> str:
        """One line for a person: what was seen, what was expected, why it is not enough."""
        reason = f" ({self.finding.reason})" if self.finding.reason else ""
        if self.finding.verdict == "error":
            return f"{self.assertion.name}: error: {self.finding.reason}; expected {self.assertion.expected}"
        return (
            f"{self.assertion.name}: observed {self.observed!r}, expected {self.assertion.expected}{reason}"
        )


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

    def evaluate(self, result: Result) -> None:
        """Ask the assertion's query once and store what came of it."""
        started = time.monotonic()
        result.attempts += 1
        try:
            answer = self.open().query(result.assertion.sql, result.assertion.params)
        except ClickhouseError as error:
            result.observed, result.finding = None, Finding("error", str(error))
            result.rows_read = result.bytes_read = None
            if error.kind in _BROKEN:
                self.close()
        else:
            result.rows_read, result.bytes_read = answer.rows_read, answer.bytes_read
            result.observed, result.finding = _judge(result.assertion, answer)
        result.milliseconds = (time.monotonic() - started) * 1000

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _judge(assertion: Assertion, answer: Any) -> tuple[Any, Finding]:
    """An answer that has another form than the kind expects is an error of that assertion alone."""
    try:
        outcome = assertion.judge(answer)
    except (TypeError, ValueError, IndexError, ArithmeticError) as error:
        return None, Finding("error", f"the answer cannot be judged: {error}")
    return outcome.observed, outcome.finding


def run(
    session: Session,
    assertions: Sequence[Assertion],
    timeout: float = 0,
    interval: float = 1,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[list[Result], float]:
    """Evaluate until all passed or *timeout* seconds are over. Returns the results and the seconds waited.

    Only what has not passed is asked again. Every assertion is evaluated at least once, and once more
    when the time is up, so that the last verdict is no older than the end of the wait.
    """
    session.open()
    results = [Result(assertion) for assertion in assertions]
    started = clock()
    while True:
        for result in results:
            if not result.passed:
                session.evaluate(result)
        elapsed = clock() - started
        if all(result.passed for result in results) or elapsed >= timeout:
            return results, elapsed
        sleep(max(0.05, min(interval, timeout - elapsed)))


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
