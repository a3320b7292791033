# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start, ask and end the planner's process; see worker.py for what it does."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Any, cast

from ...common.processes import is_alive
from ..model import SchemaError

# The worker is imported as a package of its own, because this Python does not know about collections.
_START = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); "
    "from module_utils.schema.rehearsal.worker import serve; serve(sys.argv[1])"
)
_PREFIX = "suho-schema-"
# A file system in memory, and the bytes that have to be free there: each CREATE and ALTER writes files.
_MEMORY, _ROOM = "/dev/shm", 512 * 1024 * 1024  # noqa: S108 - mkdtemp makes a folder of its own there
_PLUGINS = Path(__file__).resolve().parents[3]


def scratch_place(memory: str = _MEMORY) -> str | None:
    """Where scratch data goes: into memory if there is room, else where temporary files go (None, or what TMPDIR says)."""
    if "TMPDIR" in os.environ or not os.access(memory, os.W_OK | os.X_OK):
        return None
    try:
        return memory if shutil.disk_usage(memory).free >= _ROOM else None
    except OSError:
        return None


def sweep(place: str) -> None:
    """Remove what runs of this user that were killed have left: nobody else would, and it may lie in memory."""
    for entry in Path(place).glob(f"{_PREFIX}*-*"):
        pid = entry.name[len(_PREFIX) :].partition("-")[0]
        with contextlib.suppress(OSError):
            if pid.isdigit() and entry.stat().st_uid == os.getuid() and not is_alive(pid):
                shutil.rmtree(entry, ignore_errors=True)


class PlannerProcess:
    """A process with an embedded engine, for a handful of requests. Use it as a context manager."""

    def __init__(self, timeout: float = 120, python: str = sys.executable) -> None:
        self.timeout = timeout
        self.python = python

    def __enter__(self) -> PlannerProcess:
        place = scratch_place()
        sweep(place or tempfile.gettempdir())
        self._directory = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place)
        self._errors = tempfile.TemporaryFile()
        self._answers: queue.Queue[str] = queue.Queue()
        self._process = subprocess.Popen(
            [self.python, "-B", "-c", _START, str(_PLUGINS), self._directory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            cwd=self._directory,
        )
        self._requests = cast(IO[str], self._process.stdin)
        # A thread reads, because a pipe cannot be read with a time limit.
        threading.Thread(target=self._read, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()  # the engine's scratch data is of no value; nothing has to be closed in order
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        shutil.rmtree(self._directory, ignore_errors=True)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request and return its answer; raise SchemaError for whatever prevents one."""
        try:
            self._requests.write(json.dumps(request) + "\n")
            self._requests.flush()
            line = self._answers.get(timeout=self.timeout)
        except BrokenPipeError:
            line = ""
        except queue.Empty:
            self._process.kill()
            raise SchemaError(f"the planner gave no answer within {self.timeout:g} s") from None
        if not line:
            raise SchemaError(f"the planner's process ended: {self._last_words()}")
        result: dict[str, Any] = json.loads(line)
        if not result.pop("ok"):
            raise SchemaError(result["error"], **result.get("details", {}))
        return result

    def _read(self) -> None:
        with contextlib.suppress(ValueError, OSError):  # closed while reading: the process is being ended
            for line in self._process.stdout or ():
                self._answers.put(line)
        self._answers.put("")

    def _last_words(self) -> str:
        code = self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return f"exit code {code}" + (f", {lines[-1][:300]}" if lines else "")
