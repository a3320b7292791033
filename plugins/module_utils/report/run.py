# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a run, for its report: phases, failure, downtimes, results of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..checks.result import ERROR, PASS, CheckResult


def timed_phases(phases: Sequence[Mapping[str, Any]], finished: float, failed: bool) -> list[dict[str, Any]]:
    """Return the phases with their durations: each ends where the next one begins, the last one at ``finished``.

    Times are Unix seconds. With ``failed`` the last phase is the one that failed.
    """
    ends = [float(phase["started"]) for phase in phases[1:]] + [finished]
    return [
        {
            "name": phase["name"],
            "started": phase["started"],
            "finished": end,
            "seconds": round(max(0.0, end - float(phase["started"])), 2),
            "status": "failed" if failed and number == len(phases) else "ok",
        }
        for number, (phase, end) in enumerate(zip(phases, ends), start=1)
    ]


def failure(result: Mapping[str, Any], task: str, phase: str) -> dict[str, Any]:
    """Say what failed, from ``ansible_failed_result`` and the failed task's name.

    Of a loop, the first item that failed is the object; else it is the task. Returns phase, object and message.
    """
    found: Mapping[str, Any] = result
    for item in result.get("results") or []:
        if item.get("failed") or item.get("unreachable"):
            found = item
            break
    item_name = found.get("item")
    if isinstance(item_name, Mapping):
        item_name = item_name.get("key") or item_name.get("name")
    message = found.get("msg") or found.get("stderr") or found.get("exception") or "no message"
    return {"phase": phase, "object": str(item_name or task), "message": str(message).strip()}


def downtimes(results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return service, seconds and budget for each replacement that happened, from the results of service_rollout."""
    return [
        {"service": one["service"], "seconds": one["downtime"], "budget": one.get("max_downtime") or None}
        for one in results
        if one.get("changed") and one.get("downtime") is not None
    ]


def check_results(registered: Mapping[str, Any], group: str) -> list[dict[str, Any]]:
    """Return what a task that checks something has registered, as results.

    A task that was skipped was not asked for anything. One that ran and brought no results is an error of its own, in ``group``: a check
    that saw nothing has proved nothing.
    """
    if registered.get("skipped"):
        return []
    found = [CheckResult.from_dict(one) for one in registered.get("assertions") or []]
    if not found:
        reason = str(registered.get("msg") or "no result came of it")
        found = [CheckResult(group, "check", ERROR, "no result", "results", reason, group=group)]
    return [replace(one, group=one.group or group).to_dict() for one in found]


def in_round(results: Sequence[Mapping[str, Any]], number: int) -> list[dict[str, Any]]:
    """Return results with the monitoring round that they belong to."""
    return [replace(CheckResult.from_dict(one), round=number).to_dict() for one in results]


def round_results(rounds: Sequence[Mapping[str, Any]], verdict: str) -> list[dict[str, Any]]:
    """Return the results of all rounds of a monitoring run as one list. A round that could not be done at all is a result of its own.

    What did not pass in a run that has passed (``verdict``) was within its limits, and says so with ``borne``.
    """
    found: list[CheckResult] = []
    for one in rounds:
        results = [CheckResult.from_dict(result) for result in one["assertions"]]
        if not results:
            reason = "; ".join(one["reasons"]) or "nothing was looked at"
            results = [
                CheckResult("the round", "round", ERROR, "no result", "results", reason, group="round")
            ]
        found += [replace(result, round=int(one["number"])) for result in results]
    return [replace(one, borne=verdict == PASS and not one.passed).to_dict() for one in found]


def shown_name(result: Mapping[str, Any]) -> str:
    """Return the name of a result as reports show it: with its round, if it has one."""
    number = result.get("round")
    return str(result.get("name")) if number is None else f"{result.get('name')} (round {number})"
