# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a check of a schema step is, and what is found by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .query import CannotTell

OK, RISK, BLOCKED, UNKNOWN = "ok", "risk", "blocked", "unknown"
_FIELDS: Mapping[str, Sequence[str]] = {
    "ttl": ("table", "ttl"),
    "column_ttl": ("table", "column", "ttl"),
    "cast": ("table", "column", "type"),
    "rewrite_bytes": ("table",),
    "readers": ("table", "column"),
    "rebuild_space": ("table",),
}


class Question(NamedTuple):
    """One check of one step, and where its finding belongs."""

    place: int
    step: str
    kind: str
    object: str
    item: Mapping[str, Any]


def require(check: Question) -> None:
    for field in _FIELDS.get(check.kind, ()):
        if not isinstance(check.item.get(field), str):
            raise CannotTell(f"the check has no {field}")


def unknown(check: Question, reason: str) -> dict[str, Any]:
    text = f"What step {check.step} does to {check.object} is not known ({check.kind}): {reason}"
    return finding(check, UNKNOWN, None, None, text + ("" if text.endswith(".") else "."))


def finding(check: Question, verdict: str, observed: Any, limit: Any, text: str) -> dict[str, Any]:
    return {
        "step": check.step,
        "check": check.kind,
        "object": check.object,
        "observed": observed,
        "limit": limit,
        "verdict": verdict,
        "text": text,
    }


def is_blocking(finding: Mapping[str, Any]) -> bool:
    """Whether the step must not run: it would do harm, or nobody could tell that it does not."""
    if finding["verdict"] == UNKNOWN:
        return finding["check"] not in ("ttl", "column_ttl", "rewrite_bytes")
    return bool(finding["verdict"] == BLOCKED)
