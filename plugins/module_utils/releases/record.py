# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a release records before it changes anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .model import DeployPlan, JournalLine, Manifest, ServiceRecord


def _was_up(container: Mapping[str, Any]) -> bool:
    """Whether a container worked before the release, so that it has to work after its rollback; a job that has ended well did."""
    state, code = container.get("state"), container.get("exit_code")
    return (state == "running" and container.get("health") != "unhealthy") or (
        state == "exited" and code == 0
    )


def release_manifest(plan: DeployPlan, audit: Mapping[str, Any]) -> Manifest:
    """Return what a release records before it changes anything: enough to roll every step back."""
    services: dict[str, ServiceRecord] = {}
    for order, name in enumerate(plan["recreate"]):
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
            "path": plan["compose"].get("path", ""),
            "sha256_before": plan["compose"].get("sha256_before", ""),
            "sha256_after": plan["compose"].get("sha256_after", ""),
            "entries": plan["compose"].get("entries", []),
        },
        "schema": {
            "steps": plan["schema"]["steps"],
            "hash": plan["schema"].get("hash", ""),
            "fingerprint": plan["schema"].get("fingerprint", ""),
        },
        "services": services,
    }


def release_intents(plan: DeployPlan) -> list[JournalLine]:
    """Return the journal's first entries: each change that the release plans, before the modules write what they do."""
    entries: list[JournalLine] = [
        {"phase": "schema", "object": str(step["object"]), "undo": str(step.get("rollback_sql", ""))}
        for step in plan["schema"]["steps"]
    ]
    entries += [{"phase": "build", "object": name, "undo": "none: a tag is moved"} for name in plan["build"]]
    if plan["compose"]["changed"]:
        entries.append(
            {"phase": "compose", "object": plan["compose"]["path"], "undo": "backup/docker-compose.yml"}
        )
    entries += [{"phase": "rollout", "object": name, "undo": "image_before"} for name in plan["recreate"]]
    return [{**entry, "event": "planned"} for entry in entries]
