# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one wait of a verification: all sets of checks look side by side, until all pass, nothing can change any more, or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from .result import PASS, CheckResult, overall

_SHORTEST = 0.05  # seconds between two looks


class Look(NamedTuple):
    """What one look of a set of checks gave.

    :param settled: looking again cannot change it
    :param ended: nothing can become good any more, so nobody has to wait (a container has exited for good)
    :param patience: seconds from the beginning that the verdict needs, whatever the time limit is (a check that compares two moments)
    """

    results: list[CheckResult]
    settled: bool = False
    ended: bool = False
    patience: float = 0.0


class CheckSet(Protocol):
    """Checks of one group that look together."""

    #: Whether it looks on while others wait, though it has passed: containers may exit meanwhile.
    looks_on: bool
    #: Whether it looks once more when all others are done, though it has passed: logs may have got an error line meanwhile.
    looks_last: bool

    def look(self) -> Look: ...

    def extra(self) -> dict[str, Any]:
        """What a module returns of it beside the results."""

    def close(self) -> None:
        """End what it holds open. It may look again afterwards."""


class Waited(NamedTuple):
    """The last results of all sets, each with its group; how often was looked, and for how many seconds was waited."""

    results: list[CheckResult]
    attempts: int
    seconds: float


def wait_for_pass(
    sets: Mapping[str, CheckSet],
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Waited:
    """Look with all ``sets`` (by group) at the same time, and again with those that have not passed, for at most ``timeout`` seconds.

    There is always one look, and always one after the last sleep, so a thing that becomes true just before the end is seen.
    Closes the sets, whatever happens.
    """
    start = clock()
    looks: dict[str, Look] = {}
    attempts = 0
    due = dict(sets)
    try:
        while True:
            attempts += 1
            looks.update(_look_with(due))
            elapsed = clock() - start
            if any(look.ended for look in looks.values()):
                break
            limits = {
                group: max(timeout, look.patience) for group, look in looks.items() if not _is_done(look)
            }
            waiting = [group for group, limit in limits.items() if elapsed < limit]
            if not waiting:
                # What passed before the others were done is as old as its last look.
                late = {group: one for group, one in sets.items() if group not in due and one.looks_last}
                looks.update(_look_with(late))
                break
            sleep(min(max(interval, _SHORTEST), max(limits[group] for group in waiting) - elapsed))
            due = {group: one for group, one in sets.items() if group in waiting or one.looks_on}
    finally:
        for one in sets.values():
            one.close()
    results = [replace(found, group=group) for group in sets for found in looks[group].results]
    return Waited(results, attempts, clock() - start)


def _is_done(look: Look) -> bool:
    return look.settled or overall(look.results) == PASS


def _look_with(sets: Mapping[str, CheckSet]) -> dict[str, Look]:
    """One look of each, at the same time."""
    if len(sets) < 2:
        return {group: one.look() for group, one in sets.items()}
    with ThreadPoolExecutor(len(sets)) as pool:
        found = pool.map(lambda one: one.look(), sets.values())
        return dict(zip(sets, found))
