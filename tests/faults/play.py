"""A playbook as a process that can be watched and killed at a point, and the points themselves."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LONGEST = 600


@dataclass(frozen=True)
class Point:
    """A moment of a run: a line of the release's journal (phase, object, event), or a line of the run's output."""

    name: str
    phase: str = ""
    object: str = ""
    event: str = ""
    output: str = ""

    def is_line(self, entry: Mapping[str, str]) -> bool:
        return (
            bool(self.event)
            and entry.get("phase") == self.phase
            and entry.get("event") == self.event
            and re.search(self.object, entry.get("object", "")) is not None
        )


def second_clone(folder: Path) -> Path:
    """The project once more, as another controller would have it: what is checked out, and nothing of what runs have left."""
    if not folder.exists():
        command = ["git", "checkout-index", "--all", f"--prefix={folder}/"]
        subprocess.run(command, cwd=PROJECT, check=True)
    return folder


def _parents() -> dict[int, int]:
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                found[int(entry.name)] = int((entry / "stat").read_bytes().rpartition(b")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
    return found


def descendants(pid: int) -> list[int]:
    parents = _parents()
    found, new = [], [pid]
    while new:
        new = [child for child, parent in parents.items() if parent in new]
        found += new
    return found


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""


def kill(pids: list[int], number: int = signal.SIGKILL) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


@dataclass
class Play:
    """One run of a playbook."""

    playbook: str
    options: tuple[str, ...] = ()
    project: Path = PROJECT
    lines: list[str] = field(default_factory=list)
    seconds: float = 0.0
    code: int = 0

    def start(
        self,
        points: Sequence[Point] = (),
        fire: Callable[[Play], None] | None = None,
        state: Path | None = None,
    ) -> None:
        """Run it; at the first of the points that comes, ``fire`` is called once, in a thread of its own, and ``hit`` is that point."""
        self.began = time.monotonic()
        self.fired = threading.Event()
        self.hit: Point | None = None
        self.fault_error = ""
        self._fire = fire
        self._points = tuple(points)
        self._state = state
        self._once = threading.Lock()
        self._known = {path: len(lines) for path, lines in journals(state).items()}
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(self.project / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": str(self.project / "collections"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(
            ["ansible-playbook", self.playbook, "-i", "inventories/lab", *self.options],
            cwd=self.project,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if any(point.event for point in self._points):
            threading.Thread(target=self._watch, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip("\n"))
            for point in self._points:
                if point.output and re.search(point.output, line):
                    self._strike(point)

    def _watch(self) -> None:
        """Look at the newest journal until the line is there; a look takes far less than a change."""
        seen: dict[Path, int] = {}
        while self.process.poll() is None and not self.fired.is_set():
            time.sleep(0.005)
            if seen == (now := sizes(self._state)):
                continue
            seen = now
            for path, lines in journals(self._state).items():
                for entry in lines[self._known.get(path, 0) :]:
                    for point in self._points:
                        if point.is_line(entry):
                            self._strike(point)
                            return

    def _strike(self, point: Point) -> None:
        with self._once:
            if self.fired.is_set() or self._fire is None:
                return
            self.hit = point
            self.fired.set()
        try:
            self._fire(self)
        except Exception as error:
            self.fault_error = f"{type(error).__name__}: {error}"

    def wait(self) -> int:
        try:
            self.code = self.process.wait(timeout=LONGEST)
        except subprocess.TimeoutExpired:
            self.kill_everything()
            raise AssertionError(f"{self.playbook} did not end within {LONGEST} s:\n{self.tail()}") from None
        # A module that outlives its run keeps the pipe open; what it says is of no interest.
        self._reader.join(timeout=2)
        self.seconds = time.monotonic() - self.began
        if self.fault_error:
            raise AssertionError(f"the fault itself failed: {self.fault_error}")
        return self.code

    def kill_everything(self) -> None:
        """What a crash of the machine would do to the run: all of its processes, modules too."""
        pids = [self.process.pid, *descendants(self.process.pid)]
        kill(pids, signal.SIGSTOP)  # none may start another one meanwhile
        kill([*pids, *descendants(self.process.pid)])

    def kill_controller(self) -> None:
        """The controller is gone; what it had started on the target goes on to its end."""
        pids = [self.process.pid, *descendants(self.process.pid)]
        kill(
            [
                pid
                for pid in pids
                if "AnsiballZ" not in command_line(pid) and "ansible-playbook" in command_line(pid)
            ]
        )

    def kill_module(self) -> None:
        """The module that is at work on the target is killed, and the run sees that."""
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            modules = [
                pid
                for pid in descendants(self.process.pid)
                if re.match(r"\S*python\S* \S*AnsiballZ_", command_line(pid))
            ]
            if modules:
                kill([*modules, *(child for one in modules for child in descendants(one))])
                return
            time.sleep(0.01)
        raise AssertionError("no module was at work")

    def tail(self, count: int = 40) -> str:
        return "\n".join(self.lines[-count:])

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.lines).split())


def newest_journals(state: Path | None) -> list[Path]:
    return sorted((state / "releases").glob("*/journal.jsonl"))[-2:] if state else []


def sizes(state: Path | None) -> dict[Path, int]:
    """How long the two newest journals of a lab are, in bytes."""
    found = {}
    for path in newest_journals(state):
        with contextlib.suppress(OSError):
            found[path] = path.stat().st_size
    return found


def journals(state: Path | None) -> dict[Path, list[dict[str, str]]]:
    """The lines of the two newest journals of a lab."""
    found: dict[Path, list[dict[str, str]]] = {}
    for path in newest_journals(state):
        found[path] = []
        try:
            text = path.read_text(encoding="utf-8")
        except OSError:
            continue
        for line in text.splitlines():
            try:
                found[path].append(json.loads(line))
            except ValueError:
                continue  # being written just now
    return found
