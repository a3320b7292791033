# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which process this is, which one runs the playbook, and whether one still lives, from the kernel's table of processes."""

from __future__ import annotations

import os
from pathlib import Path

_PROC = Path("/proc")
_WORD = b"ansible"


def ansible_process(proc: Path = _PROC, start: int | None = None) -> int:
    """The oldest ancestor that runs Ansible: workers come and go, it lives as long as the run. 0 if there is none."""
    pid = os.getpid() if start is None else start
    found = 0
    while pid > 1:
        if _runs_ansible(proc, pid):
            found = pid
        pid = _parent(proc, pid)
    return found


def running_processes(proc: Path = _PROC) -> list[int] | None:
    """Every process that runs Ansible; None if that is unknown."""
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


def this_process(proc: Path = _PROC) -> str:
    """This process as pid and the time of its start in the kernel's ticks: numbers of processes are used again."""
    return f"{os.getpid()} {_start(proc, os.getpid())}"


def is_alive(process: str, proc: Path = _PROC) -> bool:
    """Whether a process is still there: one that this_process() named, or a pid alone (then another process may have it by now).

    False where that is unknown.
    """
    pid, _space, start = process.partition(" ")
    if not pid.isdigit():
        return False
    if start:
        return _start(proc, int(pid)) == start
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _start(proc: Path, pid: int) -> str:
    try:
        # The name in brackets may hold anything, brackets too. Then follow the state and the fields from the fourth on.
        fields = (proc / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return ""
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()
