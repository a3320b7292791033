# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process runs a playbook, from the kernel's table of processes."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_WORD = b"ansible"


def own_process(proc: Path = _PROC, start: int | None = None) -> int:
    """The oldest ancestor that runs Ansible: workers come and go, it lives as long as the run. 0 if there is none."""
    pid = os.getpid() if start is None else start
    found = 0
    while pid > 1:
        if _runs_ansible(proc, pid):
            found = pid
        pid = _parent(proc, pid)
    return found


def running_processes(proc: Path = _PROC) -> list[int] | None:
    """Every process that runs Ansible; None if that cannot be told."""
    try:
        pids = [int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()]
    except OSError:
        return None
    return sorted(pid for pid in pids if _runs_ansible(proc, pid)) or None


def _runs_ansible(proc: Path, pid: int) -> bool:
    try:
        words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    # The interpreter, its options, and the program: what comes later may name anything.
    return any(_WORD in word.rsplit(b"/", 1)[-1] for word in words[:3])


def _parent(proc: Path, pid: int) -> int:
    try:
        # The name in brackets may hold anything, brackets too.
        return int((proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[1])
    except (OSError, IndexError, ValueError):
        return 0
