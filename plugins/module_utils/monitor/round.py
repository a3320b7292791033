# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of a bake: every probe once, over exactly the time since the round before.

What one round has to know of the one before stands in that round's record: from where on each log is read, and how often each
container had been restarted when the bake began. So another process can do the next round.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..checks.clickhouse.base import Assertion as ClickhouseAssertion
from ..checks.clickhouse.run import Session, run
from ..checks.containers import ContainerAssertions, Inspector, Wish
from ..checks.jetstream import StreamAssertions
from ..checks.log_spec import Check
from ..checks.logs import LogAssertions, LogSource
from ..checks.result import ERROR, FAIL, PASS, Assertion, assertion, overall, wait_for_pass
from ..clickhouse.client import ClickhouseError
from ..common.command import CommandError
from ..common.times import utc_now, utc_today
from .verdict import hard_failures, reasons

#: Returns for each container the memory that it uses and the most that it may use, in bytes.
Memory = Callable[[Sequence[str]], Mapping[str, tuple[int, int]]]


@dataclass
class Probes:
    """What a round looks at. An empty part is not looked at."""

    engine: Inspector
    log_source: LogSource
    containers: Sequence[Wish] = ()
    logs: Sequence[Check] = ()
    levels: Sequence[str] = ()
    max_lines: int = 50000
    assertions: Callable[[], list[ClickhouseAssertion]] = list
    sessions: Sequence[Session] = ()
    streams: Callable[[], StreamAssertions] | None = None
    memory: Memory | None = None
    memory_percent: float = 90.0
    disks: Sequence[str] = ()
    disk_percent_free: float = 10.0
    statvfs: Callable[[str], Any] = field(default=os.statvfs)


class Watch:
    """Does rounds. ``grace`` is how long (seconds) what should arrive may take before it is missing."""

    def __init__(self, probes: Probes, grace: float, interval: float = 1.0) -> None:
        self.probes = probes
        self.grace = grace
        self.interval = interval

    def round(self, number: int, before: Mapping[str, Any] | None) -> dict[str, Any]:
        """Do one round and return its record; ``before`` is the record of the round before it."""
        began = utc_now()
        containers, seen = self._containers(before)
        logs, findings, cursors = self._logs(before)
        clickhouse = self._clickhouse()
        streams = self._streams()
        memory, used = self._memory()
        disks, free = self._disks()
        probes = {
            "containers": containers,
            "ClickHouse": clickhouse,
            "logs": logs,
            "broker": streams,
            "resources": [*memory, *disks],
        }
        results = [{**one, "probe": name} for name, found in probes.items() for one in found]
        return {
            "number": number,
            "began": began,
            "ended": utc_now(),
            "verdict": overall(results),
            "reasons": reasons(results),
            "hard": hard_failures(results),
            "assertions": results,
            "findings": findings,
            "cursors": cursors,
            "containers": seen,
            "samples": {
                **self._samples(clickhouse, streams),
                "memory_bytes": used,
                "disk_free_percent": free,
            },
        }

    # -- containers ----------------------------------------------------------------------------------------

    def _containers(self, before: Mapping[str, Any] | None) -> tuple[list[Assertion], dict[str, Any]]:
        """Restarts count from the beginning of the bake; a container that is another one than in the round before has not been stable."""
        known: Mapping[str, Any] = (before or {}).get("containers") or {}
        if not self.probes.containers:
            return [], {}
        try:
            names = [wish.container for wish in self.probes.containers]
            found = {one.name: one for one in self.probes.engine.inspect_containers(names)}
        except CommandError:
            found = {}  # the look below says why
        seen: dict[str, dict[str, Any]] = {
            name: {
                "id": one.id,
                "restarts": known[name]["restarts"] if _same(known, name, one.id) else one.restart_count,
            }
            for name, one in found.items()
        }
        wishes = [
            replace(wish, max_restarts=wish.max_restarts + seen[wish.container]["restarts"])
            if wish.container in seen
            else wish
            for wish in self.probes.containers
        ]
        results = wait_for_pass(
            ContainerAssertions(self.probes.engine, wishes).look, timeout=self.grace, interval=self.interval
        )[0].assertions
        for one in results:
            name = one["container"]
            if name in known and name in found and not _same(known, name, found[name].id):
                text = f"container {name} was replaced since the round before: {one['reason'] or 'it is another one'}"
                one.update(verdict=FAIL, reason=text)
            # What restarts again and again, or is not there, does not become better by watching.
            restarts = (one.get("details") or {}).get("restarts")
            gone = one["verdict"] == FAIL and not one.get("details")
            one["hard"] = gone or (restarts is not None and restarts > _allowed(wishes, name))
        return results, {**{name: dict(was) for name, was in known.items()}, **seen}

    # -- logs ----------------------------------------------------------------------------------------------

    def _logs(
        self, before: Mapping[str, Any] | None
    ) -> tuple[list[Assertion], list[dict[str, Any]], dict[str, str]]:
        """Read on from where the round before has ended, so that no line is left out or read twice."""
        cursors: dict[str, str] = dict((before or {}).get("cursors") or {})
        if not self.probes.logs:
            return [], [], cursors
        checks = [replace(one, since=cursors.get(one.container, one.since)) for one in self.probes.logs]
        today = utc_today()
        logs = LogAssertions(
            self.probes.log_source,
            checks,
            list(self.probes.levels),
            max_lines=self.probes.max_lines,
            today=today,
        )
        results = wait_for_pass(logs.look, timeout=self.grace, interval=self.interval)[0].assertions
        for window in logs.windows:
            cursors[window["container"]] = window["next_since"]
        return results, [dataclasses.asdict(one) for one in logs.findings], cursors

    # -- the server, the broker ------------------------------------------------------------------------------

    def _clickhouse(self) -> list[Assertion]:
        assertions = self.probes.assertions()
        if not assertions:
            return []
        try:
            results, _waited = run(self.probes.sessions, assertions, self.grace, self.interval)
        except ClickhouseError as error:
            return [
                assertion(
                    one.name, one.kind, observed=None, expected=one.expected, verdict=ERROR, reason=str(error)
                )
                for one in assertions
            ]
        finally:
            # Nothing stays open between two rounds, which may be far apart.
            for session in self.probes.sessions:
                session.close()
        return [one.to_dict() for one in results]

    def _streams(self) -> list[Assertion]:
        if self.probes.streams is None:
            return []
        return wait_for_pass(self.probes.streams().look, timeout=self.grace, interval=self.interval)[
            0
        ].assertions

    def _samples(self, clickhouse: Sequence[Assertion], streams: Sequence[Assertion]) -> dict[str, Any]:
        """Numbers that a chart shows: rows by table and group, and what waits in the broker."""
        rows = {
            one["name"]: one["observed"]["rows_of"]
            for one in clickhouse
            if isinstance(one["observed"], dict) and "rows_of" in one["observed"]
        }
        pending = {one["name"]: one["details"]["pending"] for one in streams if "pending" in one["details"]}
        return {"rows": rows, "pending": pending}

    # -- resources -----------------------------------------------------------------------------------------

    def _memory(self) -> tuple[list[Assertion], dict[str, int]]:
        names = [wish.container for wish in self.probes.containers]
        if self.probes.memory is None or not names:
            return [], {}
        expected = f"at most {self.probes.memory_percent:g} % of its memory limit"
        try:
            found = self.probes.memory(names)
        except CommandError as error:
            reason = f"memory of the containers: {error}"
            return [
                assertion(
                    f"{name}: memory",
                    "memory",
                    observed=None,
                    expected=expected,
                    verdict=ERROR,
                    reason=reason,
                )
                for name in names
            ], {}
        results = []
        for name, (used, limit) in found.items():
            percent = 100 * used / limit if limit else 0.0
            bad = percent > self.probes.memory_percent
            said = f"{used / 2**20:.0f} MiB of {limit / 2**20:.0f} MiB, {percent:.0f} %"
            reason = f"container {name} uses {said}, {expected} expected" if bad else ""
            results.append(
                assertion(
                    f"{name}: memory",
                    "memory",
                    observed=said,
                    expected=expected,
                    verdict=FAIL if bad else PASS,
                    reason=reason,
                )
            )
        return results, {name: used for name, (used, _limit) in found.items()}

    def _disks(self) -> tuple[list[Assertion], dict[str, float]]:
        results, numbers = [], {}
        expected = f"at least {self.probes.disk_percent_free:g} % free"
        for path in self.probes.disks:
            try:
                found = self.probes.statvfs(path)
            except OSError as error:
                reason = f"the file system of {path} cannot be asked: {error.strerror}"
                verdict, observed = ERROR, None
            else:
                free = numbers[path] = (
                    round(100 * found.f_bavail / found.f_blocks, 1) if found.f_blocks else 0.0
                )
                observed = f"{free:g} % free"
                verdict = PASS if free >= self.probes.disk_percent_free else FAIL
                reason = (
                    f"the file system of {path} has {observed}, {expected} expected"
                    if verdict == FAIL
                    else ""
                )
            results.append(
                assertion(
                    f"{path}: disk",
                    "disk",
                    observed=observed,
                    expected=expected,
                    verdict=verdict,
                    reason=reason,
                )
            )
        return results, numbers


def _same(known: Mapping[str, Any], name: str, container_id: str) -> bool:
    return name in known and known[name].get("id") == container_id


def _allowed(wishes: Sequence[Wish], name: str) -> int:
    return next(wish.max_restarts for wish in wishes if wish.container == name)
