"""What the tests of all scenarios share: the lab's facts, and a way to run one role as a play of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lab_facts import PROJECT, Lab

COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Run:
    """How a play ended, and all that it said."""

    code: int
    said: str
    seconds: float

    @property
    def changed(self) -> int:
        (number,) = re.findall(r"changed=(\d+)", self.said)
        return int(number)

    def assert_passed(self, changed: int | None = None) -> None:
        assert self.code == 0, self.said
        if changed is not None:
            assert self.changed == changed, self.said

    def assert_refused(self, *words: str) -> None:
        """The play failed with an error that has these words (line breaks aside), and nobody was shown a traceback."""
        assert self.code != 0, self.said
        one_line = " ".join(self.said.split())
        for word in words:
            assert word in one_line, self.said
        assert "Traceback" not in self.said, self.said


@pytest.fixture(scope="session")
def lab():
    return Lab()


@pytest.fixture(scope="session")
def lab_folder():
    """The folder of the scenario's lab, for scenarios that raise none."""
    return PROJECT / ".lab" / os.environ["LAB_NAME"]


def play_command(playbook: str, variables: dict) -> tuple[list[str], dict]:
    """The command of a play against the lab, and what subprocess takes with it."""
    command = ["ansible-playbook", playbook, "-i", "inventories/lab", "-e", json.dumps(variables)]
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(PROJECT / "ansible.cfg"),
        "ANSIBLE_COLLECTIONS_PATH": str(PROJECT / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
    }
    return command, {"cwd": PROJECT, "env": environment, "text": True, "stdin": subprocess.DEVNULL}


@pytest.fixture(scope="session")
def play():
    """Run a playbook, the path as seen from the project's folder, with options of the command and extra variables."""

    def run(playbook: str, *words: str, **variables) -> Run:
        command, options = play_command(playbook, variables)
        began = time.monotonic()
        done = subprocess.run([*command, *words], check=False, capture_output=True, **options)
        return Run(done.returncode, COLOURS.sub("", done.stdout + done.stderr), time.monotonic() - began)

    return run


def kill_tree(process: subprocess.Popen) -> None:
    """Kill a playbook with everything that it has started, as a machine that is switched off does."""
    # Ansible's workers and their modules are sessions of their own, so a process group does not hold them all.
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    tree = [process.pid]
    for pid in tree:
        tree += children.get(pid, [])
    for pid in tree:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


@pytest.fixture
def play_process():
    """Start a playbook, and leave it to the test to read what it says while it runs."""
    started = []

    def start(playbook: str, **variables) -> subprocess.Popen:
        command, options = play_command(playbook, variables)
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        started.append(subprocess.Popen(command, **pipes, **options))
        return started[-1]

    yield start
    for process in started:
        kill_tree(process)


@pytest.fixture(scope="session")
def role(play):
    """Run one entry point of a role with extra variables."""

    def run(name: str, entry: str = "main", **variables) -> Run:
        wanted = {"wanted_role": f"suho.platform.{name}", "wanted_entry": entry}
        return play("molecule/shared/role.yml", **wanted, **variables)

    return run
