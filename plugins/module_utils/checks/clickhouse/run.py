# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ask a ClickHouse server what a set of checks has to know, in sessions that ask at the same time."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...clickhouse.client import (
    READONLY,
    Answer,
    ClickhouseError,
    Connection,
    Login,
    login_from,
    open_connection,
)
from ..result import ERROR, PASS, CheckNotValid, CheckResult, compared
from ..wait import CheckSet, Look
from .base import SHARED_SQL, ServerCheck
from .compare import Judgement
from .kinds import build

CLICKHOUSE = "ClickHouse"
CONNECTIONS = 4  # more of them do not make a set of checks faster on a server with a few cores
MOST_CONNECTIONS = 16

# After these the session cannot be used again.
_BROKEN = ("unreachable", "timeout", "protocol", "tls")


@dataclass
class Evaluation:
    """The last evaluation of one check; ``seconds`` is how long it took."""

    check: ServerCheck
    observed: Any = None
    judgement: Judgement = field(default_factory=lambda: Judgement(ERROR, "not evaluated"))
    rows_read: int | None = None
    bytes_read: int | None = None
    seconds: float = 0.0
    attempts: int = 0
    rows_per_second: float | None = None

    @property
    def passed(self) -> bool:
        return self.judgement.verdict == PASS

    def result(self) -> CheckResult:
        """Return it as the result of a check. Where the comparison says all, what was observed is the reason."""
        reason = self.judgement.reason
        if not self.passed and not reason:
            reason = compared(self.observed, self.check.expected)
        return CheckResult(
            self.check.name,
            self.check.kind,
            self.judgement.verdict,
            self.observed,
            self.check.expected,
            reason,
            self.seconds,
            facts={
                "query": self.check.sql,
                "rows_read": self.rows_read,
                "bytes_read": self.bytes_read,
                "attempts": self.attempts,
                "table": str(self.check.spec.get("table") or ""),
                "rows_per_second": None if self.rows_per_second is None else round(self.rows_per_second, 6),
            },
        )


class Shared:
    """Answers about tables that several checks of one look need: the first one asks, the others wait for it."""

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

    def evaluate(self, found: Evaluation, now: float, shared: Shared) -> None:
        """Let the check ask once what it has to know, and store what came of it."""
        started = time.monotonic()
        found.attempts += 1
        found.rows_read = found.bytes_read = found.rows_per_second = None

        def ask(sql: str, params: Mapping[str, Any]) -> Answer:
            def query() -> Answer:
                return self.open().query(sql, params)

            key = (sql, *params.values())
            answer, own = shared.answer(key, query) if sql in SHARED_SQL else (query(), True)
            found.rows_read = _sum(found.rows_read, answer.rows_read, own)
            found.bytes_read = _sum(found.bytes_read, answer.bytes_read, own)
            return answer

        try:
            found.observed, found.judgement, found.rows_per_second = found.check.evaluate(ask, now)
        except ClickhouseError as error:
            found.observed, found.judgement = None, Judgement(ERROR, str(error))
            if error.kind in _BROKEN:
                self.close()
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            # An answer that has another form than the kind expects is an error of that check alone.
            found.observed = None
            found.judgement = Judgement(ERROR, f"the answer cannot be judged: {error}")
        found.seconds = time.monotonic() - started

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _sum(before: int | None, count: int | None, own: bool) -> int | None:
    """What the server says that it read so far; None if it never said anything."""
    if count is None:
        return before
    return (before or 0) + (count if own else 0)


class ServerChecks:
    """Checks of one server. Only what has not passed is asked again, the sessions share it, and ask at the same time.

    A server that does not answer at the first look is an error of every check, and is not waited for.
    """

    looks_on = looks_last = False

    def __init__(
        self,
        sessions: Sequence[Session],
        checks: Sequence[ServerCheck],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._began = False
        self.found = [Evaluation(check) for check in checks]

    def look(self) -> Look:
        if not self._began:
            try:
                self._sessions[0].open()
            except ClickhouseError as error:
                for one in self.found:
                    one.judgement = Judgement(ERROR, str(error))
                return Look([one.result() for one in self.found], settled=True)
            self._began = True
        left: queue.SimpleQueue[Evaluation] = queue.SimpleQueue()
        for one in self.found:
            if not one.passed:
                left.put(one)
        with ThreadPoolExecutor(len(self._sessions)) as pool:
            list(pool.map(partial(_empty, left, self._clock, Shared()), self._sessions))
        patience = max([0.0, *(one.check.patience for one in self.found if not one.passed)])
        return Look([one.result() for one in self.found], patience=patience)

    def extra(self) -> dict[str, Any]:
        passed = sum(one.passed for one in self.found)
        return {"passed": passed, "failures": len(self.found) - passed}

    def close(self) -> None:
        for session in self._sessions:
            session.close()


def _empty(
    left: queue.SimpleQueue[Evaluation], clock: Callable[[], float], shared: Shared, session: Session
) -> None:
    """Evaluate what nobody has taken yet, until nothing is left."""
    while True:
        try:
            one = left.get_nowait()
        except queue.Empty:
            return
        session.evaluate(one, clock(), shared)


def server_options() -> dict[str, Any]:
    """The argument_spec of how much a server is asked."""
    return {
        "max_rows_to_read": {"type": "int", "default": 0},
        "connections": {"type": "int", "default": CONNECTIONS},
    }


def server_checks(params: Mapping[str, Any]) -> dict[str, CheckSet]:
    """Return the checks of a module's options ``assertions`` and ``login_*`` by group; raises CheckNotValid for bad input."""
    login = login_from(params)
    checks = build(params["assertions"], login.database)
    wanted = params.get("connections", CONNECTIONS)
    if not 1 <= wanted <= MOST_CONNECTIONS:
        raise CheckNotValid(f"connections: expected 1 to {MOST_CONNECTIONS}, found {wanted}")
    sessions = [
        Session(login, params.get("max_rows_to_read", 0)) for _number in range(min(wanted, len(checks)))
    ]
    return {CLICKHOUSE: ServerChecks(sessions, checks)}
