# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a run, for its report: phases, failure, downtimes, results of checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.result import ERROR, PASS, assertion


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
    """Return service, seconds and budget for each swap that happened, from the results of service_rollout."""
    return [
        {"service": one["service"], "seconds": one["downtime"], "budget": one.get("max_downtime") or None}
        for one in results
        if one.get("changed") and one.get("downtime") is not None
    ]


def probe_results(probe: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return what a probe's task registered as assertions.

    A task that was skipped was not asked for anything. One that ran and brought no assertions is an error of
    its own: a probe that saw nothing has proved nothing.
    """
    if probe.get("skipped"):
        return []
    found = probe.get("assertions")
    if found:
        return [{**one, "probe": name} for one in found]
    reason = str(probe.get("msg") or "the probe gave no result")
    result = assertion(name, "probe", observed="no result", expected="results", verdict=ERROR, reason=reason)
    return [{**result, "probe": name}]


def in_round(results: Sequence[Mapping[str, Any]], number: int) -> list[dict[str, Any]]:
    """Return results with the round that they belong to in their names."""
    return [{**one, "round": number, "name": f"round {number}: {one['name']}"} for one in results]


def round_results(rounds: Sequence[Mapping[str, Any]], verdict: str) -> list[dict[str, Any]]:
    """Return the results of all rounds of a bake as one list. A round that could not be done at all is a result of its own.

    What did not pass in a bake that has passed (``verdict``) was within its limits, and says so with ``borne``.
    """
    found: list[dict[str, Any]] = []
    for one in rounds:
        results = list(one["assertions"])
        if not results:
            reason = "; ".join(one["reasons"]) or "nothing was looked at"
            results = [
                {
                    **assertion(
                        "the round",
                        "round",
                        observed="no result",
                        expected="results",
                        verdict=ERROR,
                        reason=reason,
                    ),
                    "probe": "bake",
                }
            ]
        found += in_round(results, int(one["number"]))
    return [{**one, "borne": True} if verdict == PASS and one["verdict"] != PASS else one for one in found]
