# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a number of rounds say about a platform: whether it is decided already, and how.

The rules are those of progressive delivery: a number of failed rounds that is borne, a number of rounds in a row that could not be
measured, and rounds that prove nothing, which are counted and never taken for a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ..checks.result import ERROR, FAIL, INCONCLUSIVE, PASS, CheckResult, not_passed
from .store import RoundRecord


@dataclass(frozen=True)
class Limits:
    """How much of what is not a pass is borne. Each is a number of rounds."""

    failures: int = 0
    errors_in_a_row: int = 1
    inconclusive: int = 0

    def check(self) -> None:
        """Raise ValueError that names the limit that is no number of rounds."""
        for name, value in vars(self).items():
            if value < 0:
                raise ValueError(f"limit {name} is {value}, expected 0 or more rounds")


@dataclass(frozen=True)
class Standing:
    """``verdict`` is that of the rounds so far; ``decided`` says that no further round could change it."""

    verdict: str
    decided: bool
    reason: str = ""


def reasons(results: Sequence[CheckResult], most: int = 5) -> list[str]:
    """What did not pass in one round, in a line each; ``most`` of them, and how many more there are.

    The first ones of each group: a stopped writer fails all that is asked of its tables, and must not hide what the broker says of it.
    """
    bad = not_passed(results)
    of_group: Counter[str] = Counter()
    turns = []
    for place, one in enumerate(bad):
        turns.append((of_group[one.group], place))
        of_group[one.group] += 1
    shown = sorted(place for _turn, place in sorted(turns)[:most])
    lines = [f"{bad[place].name}: {bad[place].reason}" for place in shown]
    return [*lines, f"and {len(bad) - most} more"] if len(bad) > most else lines


def hard_failures(results: Sequence[CheckResult]) -> list[str]:
    """Names of failures after which it makes no sense to monitor on, whatever the limits are."""
    return [one.name for one in results if one.hard and one.verdict == FAIL]


def standing(rounds: Sequence[RoundRecord], planned: int, limits: Limits) -> Standing:
    """Judge the rounds so far (each with number, verdict, hard); ``planned`` is how many there are to be."""
    if not rounds:
        return Standing(INCONCLUSIVE, False, "no round has ended yet")
    last = rounds[-1]
    of = {
        kind: [one for one in rounds if one["verdict"] == kind] for kind in (PASS, FAIL, ERROR, INCONCLUSIVE)
    }
    if last.get("hard"):
        return Standing(FAIL, True, f"round {last['number']} of {planned}: {', '.join(last['hard'])}")
    if len(of[FAIL]) > limits.failures:
        return Standing(FAIL, True, f"{_which(of[FAIL])} failed, {limits.failures or 'none'} may")
    row = _in_a_row(rounds)
    if len(row) > limits.errors_in_a_row:
        text = f"{_which(row)} could not be measured, {limits.errors_in_a_row or 'none'} in a row may"
        return Standing(ERROR, True, text)
    return _at_the_end(of, len(rounds) >= planned, limits)


def _at_the_end(of: dict[str, list[RoundRecord]], ended: bool, limits: Limits) -> Standing:
    """No limit was broken: what is left is whether enough was proved."""
    doubtful = [*of[INCONCLUSIVE], *of[ERROR]]
    if not of[PASS]:
        return Standing(INCONCLUSIVE, ended, "no round has passed")
    if len(of[INCONCLUSIVE]) > limits.inconclusive:
        text = f"{_which(of[INCONCLUSIVE])} proved nothing, {limits.inconclusive or 'none'} may"
        return Standing(INCONCLUSIVE, ended, text)
    borne = sorted([*of[FAIL], *doubtful], key=lambda one: int(one["number"]))
    return Standing(PASS, ended, f"{_which(borne)} did not pass, within the limits" if borne else "")


def _in_a_row(rounds: Sequence[RoundRecord]) -> list[RoundRecord]:
    """The rounds at the end that could not be measured."""
    row: list[RoundRecord] = []
    for one in reversed(rounds):
        if one["verdict"] != ERROR:
            break
        row.insert(0, one)
    return row


def _which(rounds: Sequence[RoundRecord]) -> str:
    numbers = ", ".join(str(one["number"]) for one in rounds)
    return f"round{'s' if len(rounds) > 1 else ''} {numbers}"
