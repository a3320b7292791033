# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The first task of a run loads what the filters import once, for the processes of all tasks that follow."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from playbook_run import PROJECT, run_play

HEAVY = "ansible_collections.suho.platform.plugins.module_utils.report.page"
# A filter of the play's own folder says what the process of its task has loaded before it was asked.
LOOK = f"""
import sys
class FilterModule:
    def filters(self):
        return {{"loaded": lambda text: {HEAVY!r} in sys.modules}}
"""


def first_name() -> str:
    (first, *_rest) = yaml.safe_load((PROJECT / "roles/run/tasks/begin.yml").read_text(encoding="utf-8"))
    return str(first["name"])


@pytest.mark.parametrize(("name", "loaded"), [(first_name(), "true"), ("Begin the run", "false")])
def test_later_tasks_find_it_loaded(tmp_path: Path, name: str, loaded: str) -> None:
    (tmp_path / "filter_plugins").mkdir()
    (tmp_path / "filter_plugins/look.py").write_text(LOOK, encoding="utf-8")
    tasks = [
        {"name": name, "ansible.builtin.debug": {"msg": "-"}},
        {"name": "Look", "ansible.builtin.debug": {"msg": "{{ '' | loaded }}"}},
    ]
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    done = run_play(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # The name is shown without the filter.
    assert "TASK [Begin the run]" in done.stdout
    assert re.findall(r"msg: (true|false)", done.stdout) == [loaded]
