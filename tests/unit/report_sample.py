# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A report with everything in it, and hostile text wherever text can be."""

from __future__ import annotations

import copy
from typing import Any

HOSTILE = "</td></script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>\x00\x1b[31m\ud800{{ 7*7 }}{% raw %}&amp;"

SAMPLE: dict[str, Any] = {
    "meta": {
        "environment": "lab",
        "host": "h1",
        "release_id": "20260615T100000Z-ab12",
        "operation": "deploy",
        "verdict": "pass",
        "started": "2026-06-15T10:00:00Z",
        "finished": "2026-06-15T10:03:07Z",
        "user": "ops",
        "backend_revision": "4f1c2d3e",
    },
    "phases": [
        {"name": "checks", "started": "2026-06-15T10:00:00Z", "seconds": 10, "status": "done"},
        {
            "name": "schema",
            "started": "2026-06-15T10:00:10Z",
            "finished": "2026-06-15T10:00:40Z",
            "status": "done",
        },
        {"name": "verify", "seconds": 60, "status": "failed"},
    ],
    "plan": {
        "hash": "0123abcd",
        "schema": {
            "steps": [
                {"object": "aggregates", "class": "additive", "statement": "ALTER TABLE a ADD COLUMN b"}
            ],
            "refused": [{"object": "aggregates.ttl", "found": "3650 days", "expected": "365 days"}],
            "restored": [{"object": "db.last_week"}],
        },
        "services": [
            {"service": "data-bridge", "verdict": "stale", "reasons": ["code is newer", "digest differs"]}
        ],
        "reasons": {"data-bridge": ["code 20h newer than the image"]},
        "compose": {"changed": True, "diff": "+  tick-aggregator:\n"},
    },
    "audit_after": {
        "services": [{"service": "data-bridge", "verdict": "stale again", "action": "none"}],
        "reasons": {"data-bridge": ["somebody has edited main.py meanwhile"]},
    },
    "executed": {
        "statements": [{"statement": "ALTER TABLE a ADD COLUMN b", "seconds": 0.042}],
        "images": [
            {
                "service": "data-bridge",
                "before": "sha256:0123456789abcdef",
                "after": "sha256:fedcba9876543210",
            },
            {"service": "tick-aggregator", "before": "", "after": "sha256:00aa11bb22cc33dd"},
        ],
        "quarantined": [
            {"object": "db.a.b", "quarantine": "db_q.a__b__r1", "rows": 4711},
            {"object": "db.kept", "quarantine": "", "rows": 3, "kept": "it stays, by the policy keep"},
        ],
        "restored": [{"object": "db.n", "quarantine": "db_q.n__r0", "rows": 12, "without_row": 2}],
    },
    "downtime": [
        {"service": "data-bridge", "seconds": 6.3, "budget": 60},
        {"service": "external", "seconds": 71, "budget": 60},
        {"service": "tick", "budget": 60},
    ],
    "assertions": [
        {
            "name": "26 keys",
            "kind": "json_keys",
            "observed": "26 keys in 120 rows",
            "expected": 26,
            "verdict": "pass",
            "reason": "",
            "milliseconds": 12.9,
            "query": "SELECT 1",
            "rows_read": 8192,
        }
    ],
    "monitoring": {
        "head": {"id": "20260615T100100Z", "reason": "round 2 failed, none may"},
        "rounds": [
            {
                "number": 1,
                "began": "2026-06-15T10:01:00Z",
                "ended": "2026-06-15T10:01:05Z",
                "verdict": "pass",
                "reasons": [],
                "samples": {"rows": {"every symbol": {"EURUSD": 12}}, "pending": {"BARS": 0}},
            },
            {
                "number": 2,
                "began": "2026-06-15T10:02:00Z",
                "ended": "2026-06-15T10:02:05Z",
                "verdict": "fail",
                "reasons": ["every symbol: EURUSD: no row of the last 60 s"],
                "samples": {"rows": {"every symbol": {"EURUSD": 0}}, "pending": {"BARS": 7}},
            },
        ],
    },
    "findings": [
        {
            "container": "suho-nats",
            "time": "2026-06-15T10:00:30Z",
            "last_time": "2026-06-15T10:00:30Z",
            "level": "ERROR",
            "line": "[ERR] slow consumer",
            "fingerprint": "aa",
            "count": 2,
            "allowed": True,
            "allow_reason": "known",
        }
    ],
}
ERROR = {
    "phase": "Verification",
    "object": "suho-data-bridge",
    "message": "it restarted 3 times",
    "rollback_command": "ansible-playbook playbooks/rollback.yml -i inventories/lab",
}


def sample(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(SAMPLE), **changes}


def hostile(value: Any, key: str = "") -> Any:
    """Return the sample with hostile text in every text that does not name a folder."""
    if isinstance(value, dict):
        return {name: hostile(item, name) for name, item in value.items()}
    if isinstance(value, list):
        return [hostile(item) for item in value]
    if isinstance(value, str) and key not in ("environment", "host", "release_id"):
        return value + HOSTILE
    return value
