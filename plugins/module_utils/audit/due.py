# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What follows from an audit: which services are built and which are recreated, and which must not be deployed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypedDict

from .judge import UNKNOWN


class Due(TypedDict):
    """Names of services, in the order in which they are deployed."""

    build: list[str]
    recreate: list[str]


def services_due(audit: Mapping[str, Any], services: Sequence[str], force: Sequence[str] = ()) -> Due:
    """Return which of the services are to be built, and which are to be recreated (after that, or without it).

    ``audit`` is what service_state has returned; ``force`` names those that are built and recreated in any case.
    """
    forced = [force] if isinstance(force, str) else list(force)
    actions = {name: str(found["action"]) for name, found in audit["services"].items()}
    return {
        "build": [name for name in services if name in forced or actions.get(name, "").startswith("build")],
        "recreate": [name for name in services if name in forced or actions.get(name, "none") != "none"],
    }


def deploy_refusals(audit: Mapping[str, Any], services: Sequence[str], recreate: Sequence[str]) -> list[str]:
    """Return why the audited services must not be deployed as they are, in sentences; none if they may.

    ``recreate`` are those that are recreated, by the audit or by force: of them it is known what becomes of them.
    """
    known = audit["services"]
    return [*_dirty(known, services), *_unknown(known, services, recreate)]


def _dirty(known: Mapping[str, Any], services: Sequence[str]) -> Iterator[str]:
    paths = {
        name: (known[name].get("code") or {}).get("dirty_paths") or [] for name in services if name in known
    }
    dirty = [name for name in paths if paths[name]]
    if dirty:
        listed = ", ".join(dict.fromkeys(path for name in dirty for path in paths[name]))
        yield (
            f"Uncommitted code would be built into {', '.join(dirty)}: {listed}. "
            "Commit or stash it; what is deployed must be what git knows."
        )


def _unknown(known: Mapping[str, Any], services: Sequence[str], recreate: Sequence[str]) -> Iterator[str]:
    found = [
        f"{name}: {'; '.join(reason['text'] for reason in one['reasons'])}."
        for name, one in known.items()
        if name in services and name not in recreate and one["verdict"] == UNKNOWN
    ]
    if found:
        yield (
            f"{' '.join(found)} Fix that, or build them anew with "
            """-e '{"service_build_force": ["<service>"]}'."""
        )
