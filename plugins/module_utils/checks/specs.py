# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the one dictionary that describes the services to what each probe wants, and back to one list of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..compose.rollout import replaced_log
from .result import ERROR, PASS, assertion


def container_wishes(
    services: Mapping[str, Mapping[str, Any]], min_uptime: float, current_image: bool = False
) -> list[dict[str, Any]]:
    """Return the option ``containers`` of container_assert; ``min_uptime`` is in seconds."""
    return [
        {"container": service["container"], "min_uptime": min_uptime, "current_image": current_image}
        for service in services.values()
    ]


def log_wishes(
    services: Mapping[str, Mapping[str, Any]],
    since: str,
    allow: Sequence[Mapping[str, Any]],
    compare: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the option ``containers`` of log_assert; ``allow`` holds for every service.

    ``compare`` says what error lines are compared with: ``seconds`` before ``since``, the ``folder`` with the logs of replaced containers
    (or none), and whether those of before are ``known`` to ``fail`` or to be ``allow``-ed. Without it nothing is compared.
    """
    return [
        {
            "container": service["container"],
            "since": since,
            "expect": list(service.get("expect_logs") or []),
            "allow": [*allow, *(service.get("allow_logs") or [])],
            **_compared(name, compare),
        }
        for name, service in services.items()
    ]


def _compared(service: str, compare: Mapping[str, Any] | None) -> dict[str, Any]:
    if not compare:
        return {}
    kept = {"compare_file": f"{compare['folder']}/{replaced_log(service)}"} if compare.get("folder") else {}
    return {"compare_seconds": compare["seconds"], "known": compare.get("known") or "fail", **kept}


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


def restored_containers(
    manifest: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return for container_assert: every service that a release swapped runs the image of before again, if it ran at all."""
    return [
        {"container": services[name]["container"], "image": was["image_before"]}
        for name, was in manifest["services"].items()
        if was["existed"] and was["image_before"] and was.get("up_before", True)
    ]


def restored_assertions(
    manifest: Mapping[str, Any], database: str, policy: str = "quarantine"
) -> list[dict[str, Any]]:
    """Return for clickhouse_assert: what a release added to the schema is out of the way again, or stays by policy.

    The first one stands for itself: whatever a release changed, the database has to answer after its rollback.
    """
    assertions: list[dict[str, Any]] = [
        {
            "name": f"database {database} answers",
            "kind": "query",
            "sql": "SELECT count() FROM system.databases WHERE name = %(database)s",
            "params": {"database": database},
            "value": 1,
        }
    ]
    for step in manifest["schema"]["steps"]:
        for undo in step.get("undo") or []:
            table = undo["table"]
            if undo["action"] == "quarantine_table":
                sql = "SELECT count() FROM system.tables WHERE database = %(database)s AND name = %(table)s"
                name, params = f"table {table} is {'in' if policy == 'keep' else 'out of'} the database", {}
            elif undo["action"] == "drop_column":
                sql = (
                    "SELECT count() FROM system.columns "
                    "WHERE database = %(database)s AND table = %(table)s AND name = %(column)s"
                )
                name = f"column {table}.{undo['column']} {'stays' if policy == 'keep' else 'is gone'}"
                params = {"column": undo["column"]}
            else:
                continue
            params = {**params, "database": database, "table": table}
            assertions.append(
                {"name": name, "kind": "query", "sql": sql, "params": params, "value": int(policy == "keep")}
            )
    return assertions


def by_role(
    recorded: Mapping[str, Mapping[str, Any]], services: Mapping[str, Mapping[str, Any]], consumes: bool
) -> dict[str, Mapping[str, Any]]:
    """Return the recorded services that read from the broker (``consumes``), or those that do not."""
    return {
        name: was
        for name, was in recorded.items()
        if bool((services.get(name) or {}).get("consumes")) == consumes
    }
