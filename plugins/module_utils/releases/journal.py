# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal of a release as the modules that change something write it: intent before, outcome after each change.

A line that says what is going to be done is on the disk before it is done, so whatever kills a run leaves at most one change of
which nobody knows whether it was done: the one with an intent and no outcome.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, cast

from ..common.processes import is_alive, this_process
from ..common.secrets import mask_text
from .model import JournalLine
from .store import ReleaseError, ReleaseStore

INTENT, DONE, FAILED = "intent", "done", "failed"
#: The phase in which services are recreated.
ROLLOUT = "rollout"
_LONGEST_ERROR = 400


def journal_option() -> dict[str, Any]:
    """The option ``journal`` of a module that changes something."""
    return {
        "journal": {
            "type": "dict",
            "options": {
                "state_dir": {"type": "path", "required": True},
                "release": {"type": "str", "required": True},
            },
        }
    }


class ChangeJournal:
    """Where one module writes its lines. Without a release (None) it writes nothing, and likewise with ``dry``."""

    def __init__(self, option: Mapping[str, str] | None, phase: str, dry: bool = False) -> None:
        self.phase = phase
        self.release = (
            ReleaseStore(option["state_dir"]).release(option["release"]) if option and not dry else None
        )
        if self.release is not None and not self.release.folder.is_dir():
            raise ReleaseError(
                f"release {self.release.id} is not on this host: {self.release.folder} does not exist. Nothing was changed"
            )

    def append(self, event: str, obj: str, **more: str) -> None:
        """Write one line; raises :class:`ReleaseError` if it cannot be written."""
        if self.release is None:
            return
        try:
            line = {"phase": self.phase, "object": obj, "event": event, **more}
            self.release.append([cast("JournalLine", line)])
        except OSError as error:
            raise ReleaseError(
                f"the journal {self.release.journal_path} cannot be written: {error.strerror}"
            ) from error

    @contextmanager
    def change(self, obj: str, undo: str) -> Iterator[dict[str, str]]:
        """Around one change: ``obj`` is what changes, ``undo`` what rolls it back. Errors pass through, and are noted.

        What the change puts into the dictionary that it gets is written with its outcome, and how many seconds it took.
        """
        self.append(INTENT, obj, undo=mask_text(undo), process=this_process())
        outcome: dict[str, str] = {}
        started = time.monotonic()
        try:
            yield outcome
        except Exception as error:
            self.append(FAILED, obj, error=mask_text(str(error)).split("\n", 1)[0][:_LONGEST_ERROR])
            raise
        self.append(DONE, obj, seconds=f"{time.monotonic() - started:.3f}", **outcome)


def in_doubt(entries: Sequence[JournalLine]) -> list[dict[str, str]]:
    """Return the changes whose last word is an intent: phase, object, time and process. Nobody knows whether they were done."""
    last: dict[tuple[str, str], JournalLine] = {}
    for entry in entries:
        if entry.get("event") in (INTENT, DONE, FAILED):
            last[str(entry.get("phase", "")), str(entry.get("object", ""))] = entry
    return [
        {
            "phase": phase,
            "object": obj,
            "time": str(entry.get("time", "")),
            "process": str(entry.get("process", "")),
        }
        for (phase, obj), entry in last.items()
        if entry["event"] == INTENT
    ]


def journaled_images(store: ReleaseStore) -> dict[str, str]:
    """Return for each service the id of the image that its last replacement left it with, by the journals of all releases on the host.

    A service that no release has recreated is not in it, nor one whose last replacement took it away, was interrupted, or has failed.
    What is older than a journal that cannot be read may be out of date, so it counts no more than that one.
    """
    lines: list[JournalLine] = []
    for name in reversed(store.ids()):
        try:
            journal = store.release(name).journal()
        except ReleaseError:
            break
        lines = [line for line in journal if line.get("phase") == ROLLOUT] + lines
    images: dict[str, str] = {}
    for line in sorted(lines, key=lambda one: str(one.get("time", ""))):
        service = str(line.get("object", ""))
        if line.get("event") in (INTENT, FAILED):
            images.pop(service, None)
        elif line.get("event") == DONE and line.get("image"):
            images[service] = str(line["image"])
    return images


# Modules that outlive their run -------------------------------------------------------------------------------


def at_work(store: ReleaseStore) -> list[dict[str, str]]:
    """Return the changes in doubt whose module still runs, though its run is gone: the controller died, the target did not."""
    found = []
    current = store.current()
    # The newest ones, and the one that a rollback rolls back.
    for name in dict.fromkeys([*store.ids()[-2:], *([current.id] if current else [])]):
        found += [one for one in in_doubt(store.release(name).journal()) if is_alive(one["process"])]
    return found


def wait_for_work(store: ReleaseStore, seconds: float) -> None:
    """Wait for such modules to end. Raises :class:`ReleaseError` naming the first that has not ended in time."""
    deadline = time.monotonic() + seconds
    while True:
        left = at_work(store)
        if not left:
            return
        if time.monotonic() > deadline:
            one = left[0]
            raise ReleaseError(
                f"process {one['process'].split()[0]} of an earlier run is still at work on {one['phase']} {one['object']}, since {one['time']}: "
                "wait for its end, or end it. Nothing was changed"
            )
        time.sleep(0.5)
