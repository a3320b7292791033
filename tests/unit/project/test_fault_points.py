"""The points of the fault matrix that are lines of a run's output: a task that is renamed must not make one vanish."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
PHASES = ("lock", "preflight", "plan", "verify", "record")

sys.path.insert(0, str(PROJECT / "tests"))

from faults import faults  # noqa: E402 - the folder is no package of this one
from faults.play import Point  # noqa: E402


def tasks(found: Any) -> Iterator[dict[str, Any]]:
    """All tasks below blocks, too."""
    for task in found or ():
        yield task
        for part in ("block", "rescue", "always"):
            yield from tasks(task.get(part))


@cache
def headings() -> list[str]:
    """How Ansible heads each task of each role; one that includes a role has no role's name before it."""
    found = []
    for path in sorted((PROJECT / "roles").glob("*/tasks/**/*.yml")):
        role = path.relative_to(PROJECT / "roles").parts[0]
        for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            bare = "ansible.builtin.include_role" in task or "ansible.builtin.import_role" in task
            name = ("" if bare else f"suho.platform.{role} : ") + str(task.get("name", ""))
            phases = PHASES if "{{" in name else ("",)
            found += [f"TASK [{re.sub('{{.*?}}', phase, name)}]" for phase in phases]
    return found


POINTS = sorted({one for one in vars(faults).values() if isinstance(one, Point) and one.output}, key=str)


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_a_task_has_this_heading(point: Point) -> None:
    assert [one for one in headings() if re.search(point.output, one)] != []


def test_the_points_are_found() -> None:
    assert len(POINTS) > 6
