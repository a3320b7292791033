# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on the fact ``run_state``: what happens to it, and what is decided on it. The role run uses them."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Callable

from ..module_utils.report import current_run
from ..plugin_utils.filters import guarded

NAMES = (
    "begin_run",
    "update_run",
    "enter_phase",
    "phase_due",
    "record_failure",
    "record_unwritten",
    "record_undone",
    "undo_due",
    "failure_text",
    "reportable",
    "report_data",
    "messages",
)


def preloaded(text: str) -> str:
    """Return *text*; the process that asks has loaded then what the filters of this collection import.

    Ansible runs each task in a process of its own, forked from the controller's. The name of a task is rendered before that, so a filter in a name
    is loaded once for all tasks that follow, where it would be loaded, and compiled, in each of their processes.
    """
    for name in ("plan", "report"):
        import_module(f"ansible_collections.suho.platform.plugins.filter.{name}")
    return text


class FilterModule:
    """Filters of suho.platform for the run of a playbook."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        functions = {name: getattr(current_run, name) for name in NAMES}
        return {name: guarded(name, one) for name, one in {**functions, "preloaded": preloaded}.items()}
