# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP sessions: requests with the same session_id share settings and temporary tables."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .engine import Engine
from .errors import DBError
from .session import Session

_DEFAULT_TIMEOUT, _MAX_TIMEOUT = 60, 3600


@dataclass
class _Entry:
    session: Session
    timeout: int
    lock: threading.Lock = field(default_factory=threading.Lock)
    expires: float = 0.0


class HttpSessions:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._entries: dict[tuple[str, str], _Entry] = {}
        self._lock = threading.Lock()

    @contextmanager
    def open(self, user: str, session_id: str, timeout: str, check: bool, database: str) -> Iterator[Session]:
        """The named session, or one for this request alone."""
        if not session_id:
            session = self._engine.session(database)
            try:
                yield session
            finally:
                session.close()
            return
        entry = self._entry((user, session_id), self._seconds(timeout), check)
        if not entry.lock.acquire(blocking=False):
            raise DBError(373, f"Session {session_id} is locked by a concurrent client.")
        try:
            if database and database != entry.session.database:
                entry.session.use(database)
            yield entry.session
        finally:
            entry.expires = time.monotonic() + entry.timeout
            entry.lock.release()

    @staticmethod
    def _seconds(text: str) -> int:
        if not text:
            return _DEFAULT_TIMEOUT
        if not text.isdigit() or int(text) > _MAX_TIMEOUT:
            raise DBError(
                374,
                f"Session timeout '{text}' is not a number up to {_MAX_TIMEOUT}.",
                "INVALID_SESSION_TIMEOUT",
            )
        return int(text)

    def _entry(self, key: tuple[str, str], timeout: int, check: bool) -> _Entry:
        self.sweep()
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                if check:
                    raise DBError(372, f"Session {key[1]} not found.")
                entry = self._entries[key] = _Entry(self._engine.session(), timeout)
            entry.timeout, entry.expires = timeout, time.monotonic() + timeout
            return entry

    def sweep(self, everything: bool = False) -> None:
        """Close the sessions that nobody has used for their timeout."""
        now = time.monotonic()
        with self._lock:
            for key, entry in list(self._entries.items()):
                if (everything or entry.expires < now) and entry.lock.acquire(blocking=False):
                    del self._entries[key]
                    entry.session.close()
