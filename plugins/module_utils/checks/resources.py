# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the memory of containers and the free space of file systems."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.command import CommandError
from .result import ERROR, FAIL, PASS, CheckResult
from .wait import Look

#: Returns for each container the memory that it uses and the most that it may use, in bytes.
Memory = Callable[[Sequence[str]], Mapping[str, "tuple[int, int]"]]


@dataclass
class ResourceSpec:
    """Limits: memory in percent of a container's limit, disks in percent of a file system that have to be free."""

    memory: Memory | None = None
    memory_percent: float = 90.0
    disks: Sequence[str] = ()
    disk_percent_free: float = 10.0
    statvfs: Callable[[str], Any] = field(default=os.statvfs)


class ResourceChecks:
    """One look; waiting for memory or space would hide what is wrong."""

    looks_on = looks_last = False

    def __init__(self, spec: ResourceSpec, containers: Sequence[str]) -> None:
        self._spec = spec
        self._containers = list(containers)
        self.memory_bytes: dict[str, int] = {}
        self.disk_free_percent: dict[str, float] = {}

    def look(self) -> Look:
        return Look([*self._memory(), *map(self._disk, self._spec.disks)], settled=True)

    def extra(self) -> dict[str, Any]:
        return {"memory_bytes": self.memory_bytes, "disk_free_percent": self.disk_free_percent}

    def close(self) -> None:
        """Nothing is held open."""

    def _memory(self) -> list[CheckResult]:
        if self._spec.memory is None or not self._containers:
            return []
        expected = f"at most {self._spec.memory_percent:g} % of its memory limit"
        try:
            found = self._spec.memory(self._containers)
        except CommandError as error:
            reason = f"memory of the containers: {error}"
            return [
                CheckResult(f"{name}: memory", "memory", ERROR, None, expected, reason)
                for name in self._containers
            ]
        self.memory_bytes = {name: used for name, (used, _limit) in found.items()}
        results = []
        for name, (used, limit) in found.items():
            percent = 100 * used / limit if limit else 0.0
            bad = percent > self._spec.memory_percent
            said = f"{used / 2**20:.0f} MiB of {limit / 2**20:.0f} MiB, {percent:.0f} %"
            reason = f"container {name} uses {said}, {expected} expected" if bad else ""
            results.append(
                CheckResult(f"{name}: memory", "memory", FAIL if bad else PASS, said, expected, reason)
            )
        return results

    def _disk(self, path: str) -> CheckResult:
        expected = f"at least {self._spec.disk_percent_free:g} % free"
        try:
            found = self._spec.statvfs(path)
        except OSError as error:
            reason = f"the file system of {path} cannot be asked: {error.strerror}"
            return CheckResult(f"{path}: disk", "disk", ERROR, None, expected, reason)
        free = round(100 * found.f_bavail / found.f_blocks, 1) if found.f_blocks else 0.0
        self.disk_free_percent[path] = free
        bad = free < self._spec.disk_percent_free
        reason = f"the file system of {path} has {free:g} % free, {expected} expected" if bad else ""
        return CheckResult(
            f"{path}: disk", "disk", FAIL if bad else PASS, f"{free:g} % free", expected, reason
        )
