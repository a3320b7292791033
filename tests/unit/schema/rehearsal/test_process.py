# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The planner's scratch data lies in memory if it can, and what a killed run has left is swept up by the next one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import (
    PlannerProcess,
    scratch_place,
    sweep,
)


def dead_pid() -> int:
    process = subprocess.Popen(["true"])
    process.wait()
    return process.pid


def test_memory_is_taken_if_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMPDIR", raising=False)
    assert scratch_place(str(tmp_path)) == str(tmp_path)
    assert scratch_place(str(tmp_path / "none")) is None
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=1))
    assert scratch_place(str(tmp_path)) is None


def test_a_place_that_the_user_has_chosen_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert scratch_place(str(tmp_path)) is None


def test_only_what_dead_runs_have_left_is_swept_up(tmp_path: Path) -> None:
    names = [
        f"suho-schema-{dead_pid()}-a",
        f"suho-schema-{os.getpid()}-b",
        "suho-schema-c",
        f"other-{dead_pid()}-d",
    ]
    for name in names:
        (tmp_path / name / "deep").mkdir(parents=True)
    sweep(str(tmp_path))
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(names[1:])
    sweep(str(tmp_path / "nowhere"))


def test_nothing_is_left_of_a_planner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with PlannerProcess(timeout=60) as planner:
        assert len(list(tmp_path.iterdir())) == 1
        assert planner.pid
    assert list(tmp_path.iterdir()) == []
