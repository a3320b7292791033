# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a deploy: what the three comparisons (schema, compose file, services) found, as one document.

The hash covers all that the deploy would do and nothing that changes by itself, so an approval of a hash
holds as long as the world stays as it was.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any


def deploy_plan(
    schema: Mapping[str, Any],
    compose: Mapping[str, Any],
    audit: Mapping[str, Any],
    build: Sequence[str],
    swap: Sequence[str],
    seconds_per_swap: float,
) -> dict[str, Any]:
    """Put the plan together from the results of the modules clickhouse_schema, compose_service and service_state.

    ``build`` and ``swap`` are the services to build and to swap, in order. ``expected_downtime_seconds`` is the
    sum over the services that run now: one that does not run yet is missed by nobody.
    """
    services = audit["services"]
    running = [name for name in swap if (services[name].get("container") or {}).get("state") == "running"]
    steps = list(schema.get("steps") or [])
    changed = compose["sha256_before"] != compose["sha256_after"]
    refused, restored = list(schema.get("refused") or []), list(schema.get("restored") or [])
    acts = {
        "schema": [step["statement"] for step in steps],
        "restored": restored,
        "compose": compose["sha256_after"],
        "build": {name: services[name].get("source_digest") for name in build},
        "swap": {name: (services[name].get("container") or {}).get("image_id") for name in swap},
    }
    return {
        "schema": {
            "steps": steps,
            "refused": refused,
            "restored": restored,
            "findings": list(schema.get("findings") or []),
        },
        "compose": {
            "path": compose.get("path", ""),
            "changed": changed,
            "sha256_before": compose["sha256_before"],
            "sha256_after": compose["sha256_after"],
            "block": compose.get("block") or "",
            "inserted": compose.get("inserted") or "",
            "block_sha256": compose.get("block_sha256") or "",
        },
        "services": list(audit["rows"]),
        "reasons": dict(audit["reasons"]),
        "build": list(build),
        "swap": list(swap),
        "changes": bool(steps or refused or restored or changed or build or swap),
        "expected_downtime_seconds": len(running) * seconds_per_swap,
        "hash": hashlib.sha256(json.dumps(acts, sort_keys=True, default=str).encode()).hexdigest(),
    }


def _was_up(container: Mapping[str, Any]) -> bool:
    """Whether a container worked before the release, so that it has to work after its rollback; a job that has ended well did."""
    state, code = container.get("state"), container.get("exit_code")
    return (state == "running" and container.get("health") != "unhealthy") or (
        state == "exited" and code == 0
    )


def release_manifest(plan: Mapping[str, Any], audit: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a release records before it changes anything: enough to take every step back."""
    services: dict[str, Any] = {}
    for order, name in enumerate(plan["swap"]):
        found = audit["services"][name]
        container = found.get("container") or {}
        services[name] = {
            "tag": (found.get("image") or {}).get("ref") or found["build"]["tag"],
            "order": order,
            "existed": bool(container),
            "image_before": container.get("image_id") or "",
            "container_before": container.get("id") or "",
            "up_before": not container or _was_up(container),
        }
    return {
        "plan": plan["hash"],
        "compose": {
            name: plan["compose"].get(name, "")
            for name in ("path", "sha256_before", "sha256_after", "inserted", "block_sha256")
        },
        "schema": {"steps": plan["schema"]["steps"]},
        "services": services,
    }


def release_intents(plan: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the journal's first entries: each change that the release plans, before the modules write what they do."""
    entries = [
        {"phase": "schema", "object": str(step["object"]), "reverse": str(step.get("reverse", ""))}
        for step in plan["schema"]["steps"]
    ]
    entries += [
        {"phase": "build", "object": name, "reverse": "none: a tag is moved"} for name in plan["build"]
    ]
    if plan["compose"]["changed"]:
        entries.append(
            {"phase": "compose", "object": plan["compose"]["path"], "reverse": "backup/docker-compose.yml"}
        )
    entries += [{"phase": "rollout", "object": name, "reverse": "image_before"} for name in plan["swap"]]
    return [{**entry, "event": "planned"} for entry in entries]


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
