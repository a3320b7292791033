# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters for reports: text tables, JUnit, the terminal summary, redaction, the page's model, metrics."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils.common.secrets import redact
from ..module_utils.common.text import MissingLibrary, table
from ..module_utils.report.junit import junit
from ..module_utils.report.metrics import run_metrics
from ..module_utils.report.page import ReportError, page
from ..module_utils.report.summary import summary


def _list_of_dicts(name: str, value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(item, dict) for item in value):
        raise AnsibleFilterError(
            f"suho.platform.{name}: the input is a {type(value).__name__}, expected a list of dicts"
        )
    return list(value)


def _guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that users can cause into the filter error that Ansible shows without a traceback."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (ReportError, MissingLibrary, TypeError, KeyError, AttributeError) as exc:
            raise AnsibleFilterError(f"suho.platform.{name}: {exc}") from exc

    return run


def _table(rows: Any, columns: Any = None, empty: str = "(nothing)", width: int = 60) -> str:
    return table(_list_of_dicts("table", rows), columns, empty, width)


def _junit(assertions: Any, name: str = "suho.platform", **kwargs: Any) -> str:
    return junit(_list_of_dicts("junit", assertions), name, **kwargs)


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
        return {name: _guarded(name, function) for name, function in functions.items()}
