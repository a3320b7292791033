# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One round of a monitoring run: every check once, over exactly the time since the round before.

What one round has to know of the one before stands in that round's record: from where on each log is read, and how often each
container had been restarted when the run began. So another process can do the next round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from ..checks.containers import CONTAINERS, ContainerChecks, ContainerSpec, Inspector, container_spec
from ..checks.docker_logs import LOGS, DockerLogs
from ..checks.jetstream import BROKER
from ..checks.log_spec import LOG_OPTIONS, LogSpec, check_levels, log_spec
from ..checks.logs import LogChecks, LogSource
from ..checks.platform import PARTS, with_entries
from ..checks.resources import ResourceChecks, ResourceSpec
from ..checks.result import FAIL, CheckResult, overall
from ..checks.wait import CheckSet, wait_for_pass
from ..common.command import CommandError
from ..common.times import utc_now, utc_today
from ..docker.engine import engine_from
from .store import Carried, RoundRecord
from .verdict import hard_failures, reasons

RESOURCES = "resources"


@dataclass
class RoundSpec:
    """What a round looks at. An empty part is not looked at. ``others`` make the checks of one round anew, for some of them
    remember what they saw first.
    """

    engine: Inspector
    log_source: LogSource
    containers: Sequence[ContainerSpec] = ()
    logs: Sequence[LogSpec] = ()
    levels: Sequence[str] = ()
    max_lines: int = 50000
    others: Sequence[Callable[[], dict[str, CheckSet]]] = ()
    resources: ResourceSpec = field(default_factory=ResourceSpec)


class RoundRunner:
    """Does rounds. ``grace`` is how long (seconds) what should arrive may take before it is missing."""

    def __init__(self, spec: RoundSpec, grace: float, interval: float = 1.0) -> None:
        self.spec = spec
        self.grace = grace
        self.interval = interval

    def round(self, number: int, before: Carried | None) -> RoundRecord:
        """Do one round and return its record; ``before`` is the record of the round before it."""
        began = utc_now()
        carried: Carried = before or {}
        known = carried.get("containers") or {}
        cursors = dict(carried.get("cursors") or {})
        seen = self._seen(known)
        specs = [
            replace(one, max_restarts=one.max_restarts + seen[one.container]["restarts"])
            if one.container in seen
            else one
            for one in self.spec.containers
        ]
        logs = self._logs(cursors)
        resources = ResourceChecks(self.spec.resources, [one.container for one in specs])
        sets: dict[str, CheckSet] = {}
        if specs:
            sets[CONTAINERS] = ContainerChecks(self.spec.engine, specs)
        for make in self.spec.others:
            sets |= make()
        if self.spec.logs:
            sets[LOGS] = logs
        sets[RESOURCES] = resources
        results = wait_for_pass(sets, timeout=self.grace, interval=self.interval).results
        for one in results:
            if one.group == CONTAINERS:
                _judge_container(one, known, seen, specs)
            one.round = number
        cursors.update({window["container"]: window["next_since"] for window in logs.windows})
        return {
            "number": number,
            "began": began,
            "ended": utc_now(),
            "verdict": overall(results),
            "reasons": reasons(results),
            "hard": hard_failures(results),
            "assertions": [one.to_dict() for one in results],
            "findings": logs.extra()["findings"],
            "cursors": cursors,
            "containers": {**{name: dict(was) for name, was in known.items()}, **seen},
            "samples": {**_samples(results), **resources.extra()},
        }

    def _seen(self, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """The containers that are there now. Restarts count from the beginning of the run, or of the container."""
        names = [one.container for one in self.spec.containers]
        try:
            found = self.spec.engine.inspect_containers(names) if names else []
        except CommandError:
            return {}  # the look of the round says why
        return {
            one.name: {
                "id": one.id,
                "restarts": known[one.name]["restarts"]
                if known.get(one.name, {}).get("id") == one.id
                else one.restart_count,
            }
            for one in found
        }

    def _logs(self, cursors: Mapping[str, str]) -> LogChecks:
        """Read on from where the round before has ended, so that no line is left out or read twice."""
        return LogChecks(
            self.spec.log_source,
            [replace(one, since=cursors.get(one.container, one.since)) for one in self.spec.logs],
            list(self.spec.levels),
            max_lines=self.spec.max_lines,
            today=utc_today(),
        )


def _judge_container(
    result: CheckResult,
    known: Mapping[str, Any],
    seen: Mapping[str, Mapping[str, Any]],
    specs: Sequence[ContainerSpec],
) -> None:
    """Fail a container that differs from the one of the round before, and say what makes it senseless to monitor on."""
    name = str(result.facts["container"])
    if name in known and name in seen and known[name].get("id") != seen[name]["id"]:
        result.reason = (
            f"container {name} was replaced since the round before: {result.reason or 'its id differs'}"
        )
        result.verdict = FAIL
    # What restarts again and again, or is not there, does not become better with time.
    restarts = result.details.get("restarts")
    allowed = next(one.max_restarts for one in specs if one.container == name)
    gone = result.verdict == FAIL and not result.details
    result.hard = gone or (restarts is not None and restarts > allowed)


def _samples(results: Sequence[CheckResult]) -> dict[str, Any]:
    """Numbers that a chart shows: rows by check and group, and what waits in the broker."""
    return {
        "rows": {
            one.name: one.observed["rows_of"]
            for one in results
            if isinstance(one.observed, dict) and "rows_of" in one.observed
        },
        "pending": {
            one.name: one.details["pending"]
            for one in results
            if one.group == BROKER and "pending" in one.details
        },
    }


def round_spec(params: Mapping[str, Any]) -> RoundSpec:
    """Read all that a round has to know from a module's options; raises PlatformError for bad input, before anything is asked."""
    known = with_entries(params, LOG_OPTIONS)
    engine = engine_from(known)
    # A round makes the checks of containers and logs itself, from what the round before has left.
    others = [
        partial(part.checks, known)
        for name, part in PARTS.items()
        if name not in (CONTAINERS, LOGS) and known[name]
    ]
    for make in others:
        make()
    return RoundSpec(
        engine,
        DockerLogs(engine),
        [container_spec(entry) for entry in known["containers"]],
        [log_spec(entry) for entry in known["logs"]],
        check_levels(known["error_levels"]),
        known["max_lines"],
        others,
        ResourceSpec(
            engine.memory if known["memory_max_percent"] > 0 else None,
            known["memory_max_percent"],
            known["disks"],
            known["disk_min_free_percent"],
        ),
    )
