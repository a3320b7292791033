# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of monitoring runs on the target: ``<state_dir>/bakes/<id>/`` with ``bake.json`` and a line for each round in ``rounds.jsonl``.

A monitoring run outlives the controller that began it, and the process that does its rounds may die as well: all that is needed to go on lies
here, written before anybody hears of it. No secret is written. The process holds a lock (flock) as long as it lives, so whether
somebody does the rounds is asked of the kernel.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypedDict, cast

from ..common.errors import PlatformError
from ..common.files import DamagedLine, append_lines, read_lines, replace_file
from ..common.times import utc_now

OPEN, DONE, STOPPED = "open", "done", "stopped"
# As version 0.1.0 named them: a monitoring run goes on while the collection is updated.
FOLDER, HEAD = "bakes", "bake.json"
ROUNDS, LOCK = "rounds.jsonl", "lock"
_ID = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")


class Carried(TypedDict, total=False):
    """What a round hands on to the next one."""

    cursors: dict[str, str]  # by container: from where on its log is read
    containers: dict[
        str, dict[str, Any]
    ]  # by container: its id, and how often it had been restarted when the run began


class RoundRecord(Carried):
    """A round that has ended, as its line in the record and as reports read it. Times are RFC 3339, UTC."""

    number: int
    began: str
    ended: str
    verdict: str
    reasons: list[str]  # what did not pass, in a line each
    hard: list[str]  # names of the checks after whose failure it makes no sense to monitor on
    assertions: list[dict[str, Any]]  # the results, each as CheckResult.to_dict() writes it
    findings: list[dict[str, Any]]  # error lines of logs
    samples: dict[str, Any]  # numbers that a chart shows


class MonitoringPlan(TypedDict, total=False):
    """What was planned when a monitoring run began. It holds for all of its rounds."""

    rounds: int
    interval: float  # seconds from the beginning of one round to that of the next
    grace: float  # seconds that a round waits for what should arrive
    release: str  # that is monitored
    limits: dict[str, int]  # monitor.verdict.Limits
    first: Carried  # in place of the round before the first one


class MonitoringHead(TypedDict, total=False):
    """The file ``HEAD``: what was planned and what became of it. Times are RFC 3339, UTC."""

    id: str
    status: str  # open, done, stopped
    began: str
    ended: str
    plan: MonitoringPlan
    verdict: str
    reason: str
    collected: bool  # its result was seen


class MonitoringError(PlatformError):
    """A monitoring run that cannot be begun, gone on with or read, with a text for the user."""


class MonitoringRun:
    """One monitoring run. Nothing is written before :meth:`begin`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.id = folder.name

    @property
    def exists(self) -> bool:
        return (self.folder / HEAD).is_file()

    def head(self) -> MonitoringHead:
        """What was planned and what became of it; raises :class:`MonitoringError` where it is damaged."""
        path = self.folder / HEAD
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise MonitoringError(f"{path} cannot be read: {error}") from error
        if not isinstance(found, dict) or found.get("status") not in (OPEN, DONE, STOPPED):
            raise MonitoringError(
                f"{path} holds no monitoring run, expected a status of {OPEN}, {DONE} or {STOPPED}"
            )
        return cast("MonitoringHead", found)

    def write_head(self, head: MonitoringHead) -> None:
        """Replace the head; it is on the disk when this returns."""
        replace_file(self.folder / HEAD, (json.dumps(dict(head), indent=1, sort_keys=True) + "\n").encode())

    def update(self, **more: Any) -> MonitoringHead:
        """Change some of the head and return it."""
        head = cast("MonitoringHead", {**self.head(), **more})
        self.write_head(head)
        return head

    def begin(self, plan: MonitoringPlan) -> None:
        """Make the folder and the head. ``plan`` is what the rounds are, without secrets."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.write_head({"id": self.id, "status": OPEN, "began": utc_now(), "ended": "", "plan": plan})

    def rounds(self) -> list[RoundRecord]:
        """The rounds that have ended, in their order. A line that a crash has left incomplete is as if it had not been written."""
        try:
            return cast("list[RoundRecord]", read_lines(self.folder / ROUNDS))
        except (OSError, DamagedLine) as error:
            raise MonitoringError(
                f"the rounds of monitoring run {self.id} cannot be read: {error}"
            ) from error

    def add(self, one: RoundRecord) -> None:
        """Write the line of a round; it is on the disk when this returns."""
        append_lines(self.folder / ROUNDS, [one])

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the lock while the rounds are done; raises :class:`MonitoringError` where another process holds it."""
        handle = self._lock()
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise MonitoringError(
                f"monitoring run {self.id}: another process does its rounds already"
            ) from error
        try:
            yield
        finally:
            os.close(handle)

    def is_at_work(self) -> bool:
        """Whether a process does the rounds just now."""
        if not (self.folder / LOCK).exists():
            return False
        handle = self._lock()
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        else:
            return False
        finally:
            os.close(handle)

    def _lock(self) -> int:
        return os.open(self.folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


class MonitoringStore:
    """All monitoring runs below one state directory."""

    def __init__(self, state_dir: str) -> None:
        self.folder = Path(state_dir) / FOLDER

    def run(self, run_id: str) -> MonitoringRun:
        """The monitoring run of that name, which need not exist; a name that is none is a :class:`MonitoringError`."""
        if not _ID.match(run_id):
            raise MonitoringError(
                f"monitoring run {run_id!r}: expected a name of letters, digits, '_', '.' and '-'"
            )
        return MonitoringRun(self.folder / run_id)

    def all(self) -> list[MonitoringRun]:
        """All monitoring runs, the one that began last at the end."""
        try:
            found = [MonitoringRun(path) for path in self.folder.iterdir() if (path / HEAD).is_file()]
        except FileNotFoundError:
            return []
        return sorted(found, key=lambda one: (str(one.head().get("began", "")), one.id))

    def keep(self, most: int) -> list[str]:
        """Remove all but the latest ``most`` monitoring runs, never an open one; returns the names of the removed ones."""
        old = [one for one in self.all() if one.head()["status"] != OPEN]
        gone = old[: max(0, len(old) - most)]
        for one in gone:
            shutil.rmtree(one.folder)
        return [one.id for one in gone]
