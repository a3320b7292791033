# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a release: the schema, and each service by its name.

Version 0.1.0 knew three parts, and its records name them: ``schema``, ``services`` (those that ran before the release) and
``tick_aggregator`` (what the release has added to the compose file).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .model import EntryRecord

SCHEMA, SERVICES = "schema", "services"
#: The names of all parts of 0.1.0: a rollback of everything.
OLD_PARTS = frozenset(("schema", "services", "tick_aggregator"))
_ADDED = "tick_aggregator"
#: The one service that version 0.1.0 could add.
_ADDED_SERVICE = "tick-aggregator"


def manifest_entries(manifest: Mapping[str, Any]) -> list[EntryRecord]:
    """Return what a release has done to the compose file: for each service that it gave an entry service, inserted and block_sha256."""
    compose = manifest.get("compose") or {}
    if compose.get("sha256_before") == compose.get("sha256_after"):
        return []
    if "entries" in compose:
        return list(compose["entries"])
    inserted = compose.get("inserted") or ""
    return [
        {
            "service": inserted or _ADDED_SERVICE,
            "inserted": bool(inserted),
            "block_sha256": compose.get("block_sha256") or "",
        }
    ]


def touched_parts(manifest: Mapping[str, Any]) -> list[str]:
    """Return what a release has changed something of: ``schema``, and names of services."""
    names = [*(manifest.get("services") or {}), *(entry["service"] for entry in manifest_entries(manifest))]
    schema = [SCHEMA] if (manifest.get("schema") or {}).get("steps") else []
    return schema + list(dict.fromkeys(names))


def expanded(parts: Sequence[str], manifest: Mapping[str, Any]) -> set[str]:
    """Return the parts with each group replaced by the services that it means for a release."""
    services = manifest.get("services") or {}
    found = set(parts)
    if SERVICES in found:
        found |= {name for name, was in services.items() if was["existed"]}
    if _ADDED in found:
        found |= {name for name, was in services.items() if not was["existed"]}
        found |= {entry["service"] for entry in manifest_entries(manifest)}
    return found - {SERVICES, _ADDED}


def rolled_back_parts(manifest: Mapping[str, Any]) -> set[str]:
    """Return the parts of a release that an earlier rollback has rolled back."""
    return expanded(manifest.get("rolled_back") or manifest.get("taken_back") or (), manifest)


def tags_of(parts: Iterable[str], manifest: Mapping[str, Any]) -> str:
    """Return the parts as a value of ``--tags``: the services that ran before as one word if all of them are meant."""
    names = set(parts)
    existing = expanded([SERVICES], manifest)
    words = []
    if existing and existing <= names:
        names -= existing
        words.append(SERVICES)
    order = [*(manifest.get("services") or {})]
    words += sorted(
        names - {SCHEMA}, key=lambda name: (order.index(name) if name in order else len(order), name)
    )
    return ",".join([*words, *([SCHEMA] if SCHEMA in names else [])])
