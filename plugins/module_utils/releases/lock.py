# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of one target: one deploy or rollback at a time, and everybody sees whose it is.

The lock is a file, ``<state_dir>/lock.json``, since a run is many modules and no process of it lives on the target. Two runs that
look at the same time are kept apart by the kernel (flock). A run renews its lock as it goes along. A lock is stale if it was
not renewed for a time, or if its run is known to be dead: nobody takes it over without saying so.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..common.files import replace_file
from ..common.times import unix_seconds, utc_now
from .store import ReleaseError

LOCK_NAME = "lock.json"


@dataclass(frozen=True)
class Owner:
    """Who holds a lock. ``run`` tells one run from every other; ``pid`` is the process on the controller."""

    run: str
    user: str
    controller: str
    pid: int
    reason: str
    taken: str = ""
    renewed: str = ""

    def text(self) -> str:
        return (
            f"{self.user} on {self.controller} (process {self.pid}), for {self.reason}, since {self.taken}, "
            f"last seen {self.renewed}"
        )


#: Says why a run is known to be over, "" if that is not known.
Death = Callable[[Owner], str]


def _unknown(_owner: Owner) -> str:
    return ""


class Held(ReleaseError):
    """Somebody else holds the lock."""

    def __init__(self, owner: Owner, path: Path, stale: str) -> None:
        if stale:
            advice = (
                f"That run is over ({stale}), and left its work unfinished. Take the lock over with "
                "-e release_take_over=true: a deploy goes on with that release, a rollback rolls it back"
            )
        else:
            advice = "Wait until it has ended"
        super().__init__(f"{path} is held by {owner.text()}. {advice}. Nothing was changed.")
        self.owner = owner
        self.stale = stale


class Lock:
    """The lock below one state directory."""

    def __init__(self, state_dir: str, stale_after: float) -> None:
        self.path = Path(state_dir) / LOCK_NAME
        self.stale_after = stale_after

    def holder(self) -> Owner | None:
        """The owner that the lock names; None if it is free. A lock that cannot be read is nobody's to break."""
        try:
            found = json.loads(self.path.read_text(encoding="utf-8"))
            return Owner(**{name: found[name] for name in Owner.__dataclass_fields__})
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ReleaseError(
                f"the lock {self.path} cannot be read ({type(error).__name__}: {error}): see that no run is at work, "
                "then remove the file. Nothing was changed."
            ) from error

    def stale(self, owner: Owner, dead: Death = _unknown, busy: Callable[[], bool] = bool) -> str:
        """Why the lock is stale, "" if it is not. ``dead``: what is known of the end of its run. ``busy``: whether its work goes on."""
        known = dead(owner)
        if known:
            return known
        age = time.time() - (unix_seconds(owner.renewed) or 0)
        if age <= self.stale_after or busy():
            return ""
        return f"not seen for {age:.0f} s, after {self.stale_after:.0f} s it counts as over"

    def take(
        self,
        owner: Owner,
        take_over: bool = False,
        dead: Death = _unknown,
        busy: Callable[[], bool] = bool,
    ) -> Owner | None:
        """Take the lock, or renew one's own; gives the owner whose stale lock was taken over.

        Raises :class:`Held` if somebody else has it. ``dead`` and ``busy`` are asked of the owner that is found while nobody else can take it.
        """
        now = utc_now()
        with self._guarded():
            found = self.holder()
            if found is not None and found.run == owner.run:
                self._write(replace(found, renewed=now))
                return None
            if found is not None:
                stale = self.stale(found, dead, busy)
                if not (stale and take_over):
                    raise Held(found, self.path, stale)
            self._write(replace(owner, taken=now, renewed=now))
            return found

    def renew(self, run: str) -> None:
        """Say that the run lives. Raises if the lock is no longer its own: then somebody else is at work."""
        with self._guarded():
            found = self.holder()
            if found is None or found.run != run:
                whose = f"held by {found.text()}" if found else "gone"
                raise ReleaseError(
                    f"the lock {self.path} of this run is {whose}: somebody took it over, so this run must not go on"
                )
            self._write(replace(found, renewed=utc_now()))

    def return_to(self, run: str, before: Owner) -> None:
        """Write the owner again whose lock was taken over: nothing was done with it."""
        with self._guarded():
            found = self.holder()
            if found is not None and found.run == run:
                self._write(before)

    def free(self, run: str) -> bool:
        """Free the lock if it is the run's own; False if it is not."""
        with self._guarded():
            found = self.holder()
            if found is None or found.run != run:
                return False
            self.path.unlink()
            return True

    def _write(self, owner: Owner) -> None:
        replace_file(self.path, json.dumps(asdict(owner)).encode())

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """One process at a time looks at the lock and changes it; the kernel frees this when a process dies."""
        import fcntl

        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self.path.with_name(".lock.guard"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)


def owner_from(params: dict[str, Any]) -> Owner:
    """The owner that a module's options describe."""
    return Owner(
        run=params["run"],
        user=params["user"],
        controller=params["controller"],
        pid=params["pid"],
        reason=params["reason"],
    )
