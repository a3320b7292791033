# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters on the fact ``run_state``: what happens to it, and what is decided on it. The role run uses them."""

from __future__ import annotations

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


class FilterModule:
    """Filters of suho.platform for the run of a playbook."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {name: guarded(name, getattr(current_run, name)) for name in NAMES}
