# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One shape for the result of every check: a plain dict that JSON, JUnit, the page and the terminal all read.

A check that saw nothing has proved nothing: an empty list of assertions is an error here, never a pass.
"""

from __future__ import annotations

import time
from typing import Any, Callable, NamedTuple

Assertion = dict[str, Any]

PASS = "pass"  # noqa: S105 - a verdict
INCONCLUSIVE = "inconclusive"
FAIL = "fail"
ERROR = "error"

# From best to worst: the worst one of a set is the verdict of the set. A check that failed says more than
# one that could not be made.
ORDER = (PASS, INCONCLUSIVE, ERROR, FAIL)


def assertion(
    name: str,
    kind: str,
    *,
    observed: Any,
    expected: Any,
    verdict: str,
    reason: str = "",
    milliseconds: float = 0.0,
    **extra: Any,
) -> Assertion:
    """Return one result in the common shape; ``extra`` holds what only this kind has."""
    if verdict not in ORDER:
        raise ValueError(f"assertion {name!r}: verdict is {verdict!r}, expected one of {', '.join(ORDER)}")
    if verdict != PASS and not reason:
        raise ValueError(f"assertion {name!r}: verdict {verdict} was given without a reason")
    return {
        "name": name,
        "kind": kind,
        "observed": observed,
        "expected": expected,
        "verdict": verdict,
        "reason": reason,
        "milliseconds": round(float(milliseconds), 1),
        **extra,
    }


def judge(reasons: list[str]) -> str:
    """Pass only when nothing speaks against it."""
    return FAIL if reasons else PASS


def worst(verdicts: list[str]) -> str:
    """Return the worst verdict; an unknown word counts as an error, and so does an empty list."""
    if not verdicts:
        return ERROR
    return max((item if item in ORDER else ERROR for item in verdicts), key=ORDER.index)


def overall(assertions: list[Assertion]) -> str:
    """Return the verdict of the whole set. No assertion at all is an error, never a pass."""
    return worst([str(item.get("verdict")) for item in assertions])


def not_passed(assertions: list[Assertion]) -> list[Assertion]:
    return [item for item in assertions if item.get("verdict") != PASS]


def failure_message(subject: str, assertions: list[Assertion]) -> str:
    """Return one message that names everything that did not pass; empty when all passed."""
    if not assertions:
        return f"{subject}: no check was made, so nothing is proved"
    bad = not_passed(assertions)
    if not bad:
        return ""
    lines = [f"{subject}: {len(bad)} of {len(assertions)} checks did not pass"]
    lines += [f"- {item['name']}: {item['verdict']}: {item['reason']}" for item in bad]
    return "\n".join(lines)


class Round(NamedTuple):
    """What one look gave, and whether looking again could still change it."""

    assertions: list[Assertion]
    settled: bool = False


def wait_for_pass(
    look: Callable[[], Round],
    *,
    timeout: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Round, int, float]:
    """Look until all pass, nothing can change any more, or ``timeout`` seconds are over.

    There is always one look, and always one after the last sleep, so a thing that becomes true
    just before the end is seen. Returns the last round, the number of looks and the seconds waited.
    """
    start = clock()
    attempts = 0
    while True:
        attempts += 1
        last = look()
        elapsed = clock() - start
        if last.settled or overall(last.assertions) == PASS or elapsed >= timeout:
            return last, attempts, elapsed
        sleep(min(max(interval, 0.05), timeout - elapsed))
