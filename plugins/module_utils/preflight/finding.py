# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a check before the first change has to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True)
class Finding:
    """Something that is in the way of a deploy (``error``), or that a person should know (``warning``)."""

    check: str
    object: str
    found: str
    expected: str
    remedy: str
    severity: str = ERROR

    def text(self) -> str:
        return f"[{self.check}] {self.object}: found {self.found}, expected {self.expected}. {self.remedy}"


def as_findings(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return findings as plain dictionaries, each with its sentence under ``text``; errors first."""
    ordered = sorted(findings, key=lambda one: one.severity != ERROR)
    return [{**asdict(finding), "text": finding.text()} for finding in ordered]
