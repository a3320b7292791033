# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a check: one type for containers, logs, the broker, ClickHouse and resources, and the verdict of many of them.

A check that saw nothing has proved nothing: no result at all is an error here, never a pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.errors import PlatformError

PASS = "pass"  # noqa: S105 - a verdict
INCONCLUSIVE = "inconclusive"
FAIL = "fail"
ERROR = "error"

# From best to worst: the worst one of a set is the verdict of the set. A check that failed says more than
# one that could not be made.
ORDER = (PASS, INCONCLUSIVE, ERROR, FAIL)

_MOST_SHOWN = 300  # characters of what was observed, in a sentence
_MOST_NAMES = 5  # of results that did not pass for the same reason, in a message


class CheckNotValid(PlatformError):
    """A check that is written wrongly: found before anything is asked, and never mistaken for a failing system."""


@dataclass
class CheckResult:
    """What one check found.

    :param name: what was checked; two results of one verification differ in it
    :param kind: ``container``, ``log_errors``, ``log_line``, ``jetstream``, ``memory``, ``disk``, or a kind of ClickHouse check
    :param verdict: one of :data:`ORDER`
    :param reason: why it did not pass; empty if it did
    :param seconds: how long the last look took
    :param details: what was measured, by name
    :param facts: what only this kind says of itself (its container, stream, table, query); beside the common fields in the dict
    :param group: the part of a verification that it belongs to: ``containers``, ``ClickHouse``, ``logs``, ``broker``, ``resources``
    :param round: number of the monitoring round, from 1; None outside of a monitoring run
    :param hard: whether monitoring on makes no sense after this failure, whatever the limits are
    :param borne: whether it did not pass within the limits of a monitoring run that passed

    Raises ValueError for a verdict that is none, and for one that is no pass and has no reason.
    """

    name: str
    kind: str
    verdict: str
    observed: Any
    expected: Any
    reason: str = ""
    seconds: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    group: str = ""
    round: int | None = None
    hard: bool = False
    borne: bool = False

    def __post_init__(self) -> None:
        if self.verdict not in ORDER:
            raise ValueError(
                f"check {self.name!r}: verdict is {self.verdict!r}, expected one of {', '.join(ORDER)}"
            )
        if self.verdict != PASS and not self.reason:
            raise ValueError(f"check {self.name!r}: verdict {self.verdict} was given without a reason")

    @property
    def passed(self) -> bool:
        return self.verdict == PASS

    def to_dict(self) -> dict[str, Any]:
        """Return the result as JSON, reports and playbooks read it. Fields that say nothing are left out."""
        return {
            "name": self.name,
            "kind": self.kind,
            "observed": self.observed,
            "expected": self.expected,
            "verdict": self.verdict,
            "reason": self.reason,
            "seconds": round(self.seconds, 4),
            "milliseconds": round(self.seconds * 1000, 1),
            **self.facts,
            "details": self.details,
            **{
                name: value
                for name, value in (
                    ("group", self.group),
                    ("round", self.round),
                    ("hard", self.hard),
                    ("borne", self.borne),
                )
                if value
            },
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> CheckResult:
        """Read what :meth:`to_dict` wrote, and what version 0.1.0 wrote (``probe`` is the group there).

        A verdict that is none is an error, and what did not pass without a reason gets what was observed as its reason.
        """
        verdict, observed, expected = str(found.get("verdict")), found.get("observed"), found.get("expected")
        reason = str(found.get("reason") or "")
        if verdict not in ORDER:
            verdict, reason = (
                ERROR,
                reason or f"the verdict is {verdict!r}, expected one of {', '.join(ORDER)}",
            )
        seconds = found.get("seconds")
        if seconds is None:
            seconds = float(found.get("milliseconds") or 0) / 1000
        number = found.get("round")
        return cls(
            name=str(found.get("name") or ""),
            kind=str(found.get("kind") or ""),
            verdict=verdict,
            observed=observed,
            expected=expected,
            reason=reason if reason or verdict == PASS else compared(observed, expected),
            seconds=float(seconds),
            details=dict(found.get("details") or {}),
            facts={key: value for key, value in found.items() if key not in _FIELDS},
            group=str(found.get("group") or found.get("probe") or ""),
            round=None if number is None else int(number),
            hard=bool(found.get("hard")),
            borne=bool(found.get("borne")),
        )

    def complaint(self) -> str:
        """Return one line for people: what was observed, what was expected, and why it is not enough."""
        said = compared(self.observed, self.expected)
        reason = "" if self.reason == said else f". {self.reason}"
        return f"{self.name} [{self.verdict}]: {said}{reason}"


_FIELDS = {*CheckResult.__dataclass_fields__, "milliseconds", "probe"} - {"facts"}


def compared(observed: Any, expected: Any) -> str:
    """Return what was observed beside what was expected, cut where it is long."""
    seen = "nothing" if observed is None else str(observed)
    seen = seen if len(seen) <= _MOST_SHOWN else seen[: _MOST_SHOWN - 1] + "…"
    return f"observed {seen}, expected {expected}"


def judge(reasons: Sequence[str]) -> str:
    """Return pass only when nothing speaks against it."""
    return FAIL if reasons else PASS


def worst(verdicts: Sequence[str]) -> str:
    """Return the worst verdict; an unknown word counts as an error, and so does an empty list."""
    if not verdicts:
        return ERROR
    return max((item if item in ORDER else ERROR for item in verdicts), key=ORDER.index)


def overall(results: Iterable[CheckResult]) -> str:
    """Return the verdict of the whole set. No result at all is an error, never a pass."""
    return worst([one.verdict for one in results])


def not_passed(results: Iterable[CheckResult]) -> list[CheckResult]:
    return [one for one in results if not one.passed]


def failure_message(subject: str, results: Sequence[CheckResult]) -> str:
    """Return one message that names everything that did not pass; empty when all passed.

    Checks that could not be made for one and the same reason share a line.
    """
    if not results:
        return f"{subject}: no check was made, so nothing is proved"
    bad = not_passed(results)
    if not bad:
        return ""
    lines = [f"{subject}: {len(bad)} of {len(results)} checks did not pass"]
    shared: dict[str, list[CheckResult]] = {}
    for one in bad:
        shared.setdefault(one.reason if one.verdict == ERROR else one.complaint(), []).append(one)
    for reason, of_reason in shared.items():
        if len(of_reason) == 1:
            lines.append(f"- {of_reason[0].complaint()}")
            continue
        names = ", ".join(one.name for one in of_reason[:_MOST_NAMES])
        more = f" and {len(of_reason) - _MOST_NAMES} more" if len(of_reason) > _MOST_NAMES else ""
        lines.append(f"- {names}{more} [{ERROR}]: {reason}")
    return "\n".join(lines)
