# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every path that ARCHITECTURE.md and CONTRIBUTING.md name exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
FOLDERS = ".ci bin bench changelogs docs files inventories lab meta molecule playbooks plugins requirements roles scripts tests"
# What a run makes, and what stands for any name.
ELSEWHERE = re.compile(r"[<*]|\bNN[-_]|^(\.venv|\.cache|reports|releases/current)")
_NAME = re.compile(r"(?:[\w.<*-]+/)+[\w.>*-]*|[\w-]+\.(?:py|yml)")


def known() -> set[str]:
    """All files and folders of the project, and the ends of their paths."""
    found = (path for folder in FOLDERS.split() for path in (PROJECT / folder).rglob("*"))
    parts = [path.relative_to(PROJECT).parts for path in found]
    top = {path.name for path in PROJECT.iterdir()}
    return {"/".join(part[start:]) for part in parts for start in range(len(part))} | top


def unknown(text: str, there: set[str]) -> list[str]:
    """The paths in backquotes that are none."""
    names = [name for name in re.findall(r"`([^`\n]+)`", text) if _NAME.fullmatch(name)]
    return [name for name in names if not ELSEWHERE.search(name) and name.rstrip("/") not in there]


@pytest.mark.parametrize("document", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_path_in_a_document_is_there(document: str) -> None:
    assert unknown((PROJECT / document).read_text(encoding="utf-8"), known()) == []


def test_a_path_that_is_not_there_is_told() -> None:
    text = "`plan/nowhere.py` and `gone.yml`, but `schema/plan/`, `clauses.py`, `roles/<role>/x.yml` and `a word`"
    assert unknown(text, known()) == ["plan/nowhere.py", "gone.yml"]
