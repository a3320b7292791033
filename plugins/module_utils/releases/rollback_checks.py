# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that prove a rollback: what the release changed is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def containers_after_rollback(
    manifest: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return for container_assert: every service that a release recreated runs the previous image again, if it ran at all."""
    return [
        {"container": services[name]["container"], "image": was["image_before"]}
        for name, was in manifest["services"].items()
        if was["existed"] and was["image_before"] and was.get("up_before", True)
    ]
