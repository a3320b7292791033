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

from .model import DeployPlan, DeployScope
from .parts import SCHEMA, SERVICES


def deploy_plan(
    schema: Mapping[str, Any],
    compose: Mapping[str, Any],
    audit: Mapping[str, Any],
    build: Sequence[str],
    recreate: Sequence[str],
    seconds_per_recreation: float,
    scope: DeployScope | None = None,
    platform: Mapping[str, Mapping[str, Any]] | None = None,
) -> DeployPlan:
    """Put the plan together from the results of the modules clickhouse_schema, compose_entries and service_state.

    ``build`` and ``recreate`` are the services to build and to recreate, in order. ``expected_downtime_seconds`` is the
    sum over the services that run now: one that does not run yet is missed by nobody. ``scope`` is what the tags
    choose (:func:`deploy_scope`; none is all of it) among the services of the ``platform``. What the tags leave out,
    and would be deployed without them, is ``left``; ``harm`` says why it must not be left out.
    """
    services = audit["services"]
    everything: DeployScope = {"schema": True, "services": list(platform or {}), "entries": []}
    left = _left_out(schema, services, scope or everything, platform or {})
    if scope and not scope["schema"]:
        schema = {}
    running = [name for name in recreate if (services[name].get("container") or {}).get("state") == "running"]
    steps = list(schema.get("steps") or [])
    changed = compose["sha256_before"] != compose["sha256_after"]
    refused, restored = list(schema.get("refused") or []), list(schema.get("restored") or [])
    acts = {
        "schema": [step["statement"] for step in steps],
        "restored": restored,
        "compose": compose["sha256_after"],
        "build": {name: services[name].get("source_digest") for name in build},
        "recreate": {name: (services[name].get("container") or {}).get("image_id") for name in recreate},
    }
    return {
        "schema": {
            "steps": steps,
            "refused": refused,
            "restored": restored,
            "findings": list(schema.get("findings") or []),
            "hash": (schema.get("plan") or {}).get("hash", ""),
            "fingerprint": (schema.get("plan") or {}).get("fingerprint", ""),
        },
        "compose": {
            "path": compose.get("path", ""),
            "changed": changed,
            "sha256_before": compose["sha256_before"],
            "sha256_after": compose["sha256_after"],
            "block": compose.get("block") or "",
            "entries": [
                {
                    "service": entry["service"],
                    "inserted": entry["inserted"],
                    "block_sha256": entry["block_sha256"],
                }
                for entry in compose.get("entries") or []
                if entry["changed"]
            ],
        },
        "services": list(audit["rows"]),
        "reasons": dict(audit["reasons"]),
        "build": list(build),
        "recreate": list(recreate),
        "changes": bool(steps or refused or restored or changed or build or recreate),
        "left": left,
        "harm": _deploy_harm(left, recreate, platform or {}),
        "expected_downtime_seconds": len(running) * seconds_per_recreation,
        "hash": hashlib.sha256(json.dumps(acts, sort_keys=True, default=str).encode()).hexdigest(),
    }


def deploy_scope(parts: Sequence[str], platform: Sequence[str], new_services: Sequence[str]) -> DeployScope:
    """Return what a deploy works on: schema (bool), services (names, in their order), entries (names of new services).

    ``parts`` is what the tags name, none is all of it. ``services`` among them are those that are not new.
    """
    wanted = set(parts or [SCHEMA, SERVICES, *new_services])
    if SERVICES in wanted:
        wanted |= set(platform) - set(new_services)
    return {
        "schema": SCHEMA in wanted,
        "services": [name for name in platform if name in wanted],
        "entries": [name for name in new_services if name in wanted],
    }


def _left_out(
    schema: Mapping[str, Any],
    services: Mapping[str, Any],
    scope: DeployScope,
    platform: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """The parts that are not as they should be, and that the tags do not choose."""
    pending = any(schema.get(name) for name in ("steps", "refused", "restored"))
    stale = [name for name in platform if (services.get(name) or {}).get("action", "none") != "none"]
    left = [SCHEMA] if pending and not scope["schema"] else []
    return left + [name for name in stale if name not in scope["services"]]


def _deploy_harm(
    left: Sequence[str], recreate: Sequence[str], platform: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """Why some parts must not be deployed while others are left out."""

    def consumes(name: str) -> bool:
        return bool((platform.get(name) or {}).get("consumes"))

    harm = []
    if SCHEMA in left and recreate:
        harm.append(
            f"the new {', '.join(recreate)} may write into what the schema does not have yet: rows would be refused. "
            f"Deploy it before, or with them: --tags {','.join([SCHEMA, *recreate])}"
        )
    producers = [name for name in recreate if not consumes(name)]
    readers = [name for name in left if consumes(name)]
    if producers and readers:
        harm.append(
            f"the new {', '.join(producers)} may publish what the old {', '.join(readers)} does not store. "
            f"Deploy it before, or with them: --tags {','.join([*readers, *recreate])}"
        )
    return harm
