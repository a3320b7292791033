# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the one dictionary that describes the services to what is checked of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..compose.rollout import replaced_log


def container_specs(
    services: Mapping[str, Mapping[str, Any]], min_uptime: float, current_image: bool = False
) -> list[dict[str, Any]]:
    """Return the option ``containers`` of container_assert; ``min_uptime`` is in seconds."""
    return [
        {"container": service["container"], "min_uptime": min_uptime, "current_image": current_image}
        for service in services.values()
    ]


def log_specs(
    services: Mapping[str, Mapping[str, Any]],
    since: str,
    allow: Sequence[Mapping[str, Any]],
    compare: Mapping[str, Any] | None = None,
) -> list[dict[str, Any]]:
    """Return the option ``containers`` of log_assert; ``allow`` holds for every service.

    ``compare`` says what error lines are compared with: ``seconds`` before ``since``, the ``folder`` with the logs of replaced containers
    (or none), and whether previous ones are ``known`` to ``fail`` or to be ``allow``-ed. Without it nothing is compared.
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


def by_role(
    recorded: Mapping[str, Mapping[str, Any]], services: Mapping[str, Mapping[str, Any]], consumes: bool
) -> dict[str, Mapping[str, Any]]:
    """Return the recorded services that read from the broker (``consumes``), or those that do not."""
    return {
        name: was
        for name, was in recorded.items()
        if bool((services.get(name) or {}).get("consumes")) == consumes
    }
