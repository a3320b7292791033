# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for reports: text tables, JUnit, the terminal summary, redaction, the page's model, metrics."""

from __future__ import annotations

from typing import Any, Callable

from ..module_utils.common.secrets import redact
from ..module_utils.common.text import table
from ..module_utils.report.junit import junit
from ..module_utils.report.metrics import run_metrics
from ..module_utils.report.page import page
from ..module_utils.report.summary import summary
from ..plugin_utils.filters import guarded


def _list_of_dicts(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, dict) for item in value):
        raise TypeError(f"the input is a {type(value).__name__}, expected a list of dicts")
    return list(value)


def _table(rows: Any, columns: Any = None, empty: str = "(nothing)", width: int = 60) -> str:
    return table(_list_of_dicts(rows), columns, empty, width)


def _junit(assertions: Any, name: str = "suho.platform", **kwargs: Any) -> str:
    return junit(_list_of_dicts(assertions), name, **kwargs)


class FilterModule:
    """Filters of suho.platform for reports."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        functions: dict[str, Callable[..., Any]] = {
            "table": _table,
            "junit": _junit,
            "summary": summary,
            "redact": redact,
            "report_page": page,
            "run_metrics": run_metrics,
        }
        return {name: guarded(name, function) for name, function in functions.items()}
