"""The ground rooms are the only ones: what reads a time, replaces a file or runs a program stands in one file of plugins/."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"

# What is called, and the only files that may call it.
ROOMS = {
    "fromisoformat": {"common/times.py"},
    "strptime": set[str](),
    "replace_of_os": {"common/files.py"},
    "fsync": {"common/files.py"},
    "mkstemp": {"common/files.py"},
    "kill_of_os": {"common/processes.py"},
    # The planner's process is talked to while it lives.
    "Popen": {"schema/rehearsal/process.py"},
    "run_of_subprocess": {"common/command.py"},
    "urlopen_of_request": {"preflight/connectivity_inside.py"},
}


def calls(source: str) -> set[str]:
    """The names of what a module calls; of os, subprocess and request with the module that they are of."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        owner = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
        found |= {node.func.attr, f"{node.func.attr}_of_{owner}"}
    return found


@pytest.mark.parametrize("name", sorted(ROOMS))
def test_it_stands_in_its_room_alone(name: str) -> None:
    users = {
        str(path.relative_to(PLUGINS)).replace("module_utils/", "")
        for path in PLUGINS.rglob("*.py")
        if name in calls(path.read_text(encoding="utf-8"))
    }
    assert users <= ROOMS[name]


def test_a_call_is_seen() -> None:
    source = "import os\nos.replace('a', 'b')\ndatetime.datetime.fromisoformat('x')\n'a'.replace('a', 'b')\n"
    assert {"replace_of_os", "fromisoformat"} <= calls(source)
    assert "replace_of_os" not in calls("'a'.replace('a', 'b')")
