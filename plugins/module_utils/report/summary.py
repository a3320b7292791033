# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary of a run for the terminal."""

from __future__ import annotations

from typing import Any

from ..checks.result import ORDER, PASS
from ..common.text import cell, human_duration, table
from ..common.times import seconds_of
from .executed import executed_lines
from .page import WORDS, counts, downtime_rows, final_verdict, require_meta, timeline
from .run import shown_name

# As wide as a terminal usually is.
_CHECK_COLUMNS = (
    {"key": "verdict", "title": "verdict", "width": 12},
    {"key": "name", "title": "check", "width": 34},
    {"key": "observed", "title": "observed", "width": 30},
    {"key": "expected", "title": "expected", "width": 30},
)


def _counted(results: list[dict[str, Any]]) -> str:
    numbers = counts(results)
    parts = [f"{numbers[verdict]} {WORDS[verdict]}" for verdict in ORDER if numbers[verdict]]
    return f"{len(results)} checks: {', '.join(parts)}"


def summary(data: dict[str, Any], path: str = "") -> str:
    """Return verdict, phases, checks, downtime, the error with its rollback command, and where the report is."""
    meta = require_meta(data)
    verdict, reason = final_verdict(data)
    word = WORDS.get(verdict, verdict).upper()
    head = (
        f"{cell(meta['operation']).upper()} {cell(meta['environment'])} on {cell(meta['host'])}: {cell(word)}"
    )
    if reason:
        head += f" ({reason})"
    lines = [head, f"release {cell(meta['release_id'])}, {human_duration(seconds_of(meta))}"]

    phases = timeline(data.get("phases") or [])
    if phases:
        lines += ["", "Phases", table(phases, [{"key": "name", "title": "phase"}, "status", "duration"])]

    results = data.get("assertions") or []
    lines += [
        "",
        f"Verification: {_counted(results)}" if results else "Verification: no check was made",
    ]
    if results:
        lines.append(table([{**item, "name": shown_name(item)} for item in results], _CHECK_COLUMNS))
        lines += [
            f"  {cell(item.get('verdict'))}: {cell(shown_name(item))}: {cell(item.get('reason'))}"
            for item in results
            if item.get("verdict") != PASS
        ]

    lines += executed_lines(data.get("executed") or {})

    down = downtime_rows(data.get("downtime") or [])
    if down:
        columns = ["service", {"key": "duration", "title": "downtime"}, "budget", "status"]
        lines += ["", "Downtime", table(down, columns)]

    error = data.get("error") or {}
    if error:
        lines += ["", f"Failed in phase {cell(error.get('phase'))}, object {cell(error.get('object'))}:"]
        lines.append(f"  {cell(error.get('message'))}")
        if error.get("rollback_command"):
            lines.append(f"Undo it with:\n  {cell(error['rollback_command'])}")
    if path:
        lines += ["", f"Report: {cell(path)}"]
    return "\n".join(lines)
