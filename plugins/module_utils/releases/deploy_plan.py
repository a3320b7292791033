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
            "hash": (schema.get("plan") or {}).get("hash", ""),
            "fingerprint": (schema.get("plan") or {}).get("fingerprint", ""),
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
