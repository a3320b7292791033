# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Do the rounds of a monitoring run, one after the other, from wherever it stands, and say where it stands."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypedDict

from ..checks.result import ERROR
from ..common.secrets import mask_text
from ..common.times import unix_seconds, utc_now
from .store import (
    DONE,
    OPEN,
    STOPPED,
    Carried,
    MonitoringHead,
    MonitoringPlan,
    MonitoringRun,
    RoundRecord,
)
from .verdict import Limits, standing

#: Does a round: its number and the record of the one before it (for the first one, what the plan says of it); returns its record.
DoRound = Callable[[int, "Carried | None"], RoundRecord]
STOP = "stop"
_NAP = 1.0


class MonitoringReport(TypedDict):
    """Where a monitoring run stands, as monitoring_run_info returns it."""

    id: str
    status: str
    began: str
    ended: str
    collected: bool
    plan: MonitoringPlan
    rounds_done: int
    verdict: str  # so far
    reason: str
    at_work: bool
    seconds_left: float  # until the last round begins


def due(head: MonitoringHead, rounds: Sequence[RoundRecord]) -> float:
    """When the next round is due. It sees the time since the last one, which is never shorter than the interval."""
    last = rounds[-1]["began"] if rounds else head["began"]
    return (unix_seconds(last) or 0) + float(head["plan"]["interval"])


def limits_of(plan: MonitoringPlan) -> Limits:
    """The limits that a plan holds."""
    return Limits(**plan["limits"])


def report(run: MonitoringRun, now: float | None = None) -> MonitoringReport:
    """Where the monitoring run stands: its head, how many rounds have ended, the verdict so far, and seconds to the next round and to the end."""
    head, rounds = run.head(), run.rounds()
    moment = time.time() if now is None else now
    planned, interval = int(head["plan"]["rounds"]), float(head["plan"]["interval"])
    found = standing(rounds, planned, limits_of(head["plan"]))
    left = 0.0
    if head["status"] == OPEN and not found.decided:
        left = max(0.0, due(head, rounds) - moment) + max(0, planned - len(rounds) - 1) * interval
    return {
        "id": head.get("id", ""),
        "status": head["status"],
        "began": head.get("began", ""),
        "ended": head.get("ended", ""),
        "collected": bool(head.get("collected")),
        "plan": head["plan"],
        "rounds_done": len(rounds),
        "verdict": head.get("verdict") or found.verdict,
        "reason": head.get("reason") or found.reason,
        "at_work": run.is_at_work(),
        "seconds_left": round(left, 1),
    }


def run_rounds(
    run: MonitoringRun,
    plan: MonitoringPlan,
    do_round: DoRound,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], None] = time.sleep,
) -> MonitoringReport:
    """Begin the monitoring run or go on with it until it is decided, and return its report.

    What was planned when it began holds for all of its rounds. Raises MonitoringError if another process is at it.
    """
    if not run.exists:
        run.begin(plan)
    with run.at_work():
        head = run.head()
        while head["status"] == OPEN:
            rounds = run.rounds()
            found = standing(rounds, int(head["plan"]["rounds"]), limits_of(head["plan"]))
            if found.decided:
                head = run.update(status=DONE, ended=utc_now(), verdict=found.verdict, reason=found.reason)
            elif not _wait(run, due(head, rounds), now, sleep):
                head = run.update(
                    status=STOPPED,
                    ended=utc_now(),
                    verdict=found.verdict,
                    reason="it was stopped before its end",
                )
            else:
                before: Carried | None = rounds[-1] if rounds else head["plan"].get("first")
                run.add(_one(len(rounds) + 1, before, do_round))
    return report(run)


def stop(run: MonitoringRun) -> None:
    """Ask whoever does the rounds to end before the next one; where nobody does them, the monitoring run is ended here."""
    (run.folder / STOP).touch(mode=0o600)
    if run.head()["status"] == OPEN and not run.is_at_work():
        run.update(status=STOPPED, ended=utc_now(), reason="it was stopped before its end")


def _wait(run: MonitoringRun, until: float, now: Callable[[], float], sleep: Callable[[float], None]) -> bool:
    """Wait for a moment; False if the monitoring run was stopped."""
    while True:
        if (run.folder / STOP).exists():
            return False
        left = until - now()
        if left <= 0:
            return True
        sleep(min(left, _NAP))


def _one(number: int, before: Carried | None, do_round: DoRound) -> RoundRecord:
    """A round, whatever comes of it: nobody looks at this process, so what it cannot do has to stand in the record."""
    began = utc_now()
    try:
        return do_round(number, before)
    except Exception as error:  # the record is the only place where anybody would see it
        reason = mask_text(f"the round could not be done: {type(error).__name__}: {error}")
        known: Carried = before or {}
        return {
            "number": number,
            "began": began,
            "ended": utc_now(),
            "verdict": ERROR,
            "reasons": [reason],
            "hard": [],
            "assertions": [],
            "findings": [],
            "cursors": known.get("cursors") or {},
            "containers": known.get("containers") or {},
            "samples": {},
        }
