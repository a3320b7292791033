# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of one host as a table for people: who, when, what, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.secrets import mask_text
from .store import ReleaseError, ReleaseStore

_VERDICTS = {
    "open": "not finished",
    "failed": "failed",
    "closed": "deployed",
    "rolling_back": "rollback not finished",
    "rolled_back": "rolled back",
    "partly_rolled_back": "partly rolled back",
}


def release_history(store: ReleaseStore, limit: int) -> list[dict[str, Any]]:
    """One row for each release, the newest first; a record that cannot be read is a row that says so.

    ``limit`` is the greatest number of rows, 0 for all.
    """
    ids = list(reversed(store.ids()))
    try:
        current = store.current()
    except ReleaseError:
        current = None  # the link is damaged; the rows are there all the same
    rows = []
    for name in ids[:limit] if limit else ids:
        row = {"release": name, "current": current is not None and current.id == name}
        try:
            rows.append({**row, **_known(store.release(name).manifest())})
        except ReleaseError as error:
            rows.append({**row, **_unknown(str(error))})
    return rows


def _known(manifest: Mapping[str, Any]) -> dict[str, Any]:
    status = str(manifest.get("status", ""))
    error = manifest.get("error") or {}
    downtime = [item for item in manifest.get("downtime") or [] if isinstance(item, Mapping)]
    return {
        "who": f"{manifest.get('user', 'unknown')} on {manifest.get('controller', 'unknown')}",
        "opened": str(manifest.get("opened", "")),
        "closed": str(manifest.get("closed", "")),
        "revision": str(manifest.get("backend_revision", ""))[:12],
        "changed": changes(manifest),
        "verdict": _VERDICTS.get(status, status or "unknown")
        + (
            f" ({', '.join(manifest.get('rolled_back') or manifest.get('taken_back') or [])})"
            if status == "partly_rolled_back"
            else ""
        ),
        "reason": mask_text(str(error.get("message", "")).split("\n", 1)[0]) if status == "failed" else "",
        "downtime": round(sum(float(item.get("seconds") or 0) for item in downtime), 3) if downtime else None,
        "error": "",
    }


def _unknown(error: str) -> dict[str, Any]:
    names = ("who", "opened", "closed", "revision", "changed", "reason")
    return {**dict.fromkeys(names, ""), "verdict": "unreadable", "downtime": None, "error": error}


def changes(manifest: Mapping[str, Any]) -> str:
    """What a release has changed, in a few words."""
    parts = []
    steps: Sequence[Mapping[str, Any]] = (manifest.get("schema") or {}).get("steps") or []
    if steps:
        parts.append(f"{len(steps)} schema step{'s' if len(steps) > 1 else ''}")
    services = manifest.get("services") or {}
    if services:
        parts.append("services " + ", ".join(sorted(services)))
    compose = manifest.get("compose") or {}
    if compose.get("sha256_before") != compose.get("sha256_after"):
        parts.append("compose file")
    return "; ".join(parts) or "nothing"
