"""The rounds one after the other, with a clock of our own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.monitor import run as monitoring_run
from ansible_collections.suho.platform.plugins.module_utils.monitor import store as monitoring_store
from ansible_collections.suho.platform.plugins.module_utils.monitor.run import report, run_rounds, stop
from ansible_collections.suho.platform.plugins.module_utils.monitor.store import (
    MonitoringError,
    MonitoringRun,
    MonitoringStore,
)

PLAN = {
    "rounds": 4,
    "interval": 60.0,
    "grace": 5.0,
    "release": "r1",
    "limits": {"failures": 0, "errors_in_a_row": 1, "inconclusive": 0},
}
START = 1_800_000_000.0


class Clock:
    def __init__(self) -> None:
        self.time = START

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 1
        self.time += seconds

    def utc(self) -> str:
        moment = datetime.fromtimestamp(self.time, timezone.utc)
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(monitoring_run, "utc_now", clock.utc)
    monkeypatch.setattr(monitoring_store, "utc_now", clock.utc)
    return clock


@pytest.fixture
def run(tmp_path: Path) -> MonitoringRun:
    return MonitoringStore(str(tmp_path)).run("one")


class Rounds:
    """Does rounds that come out as they were told to; ``None`` ends the process."""

    def __init__(self, clock: Clock, *verdicts: str | None, took: float = 2) -> None:
        self.clock = clock
        self.verdicts = list(verdicts)
        self.took = took
        self.done: list[tuple[int, float, int | None]] = []

    def __call__(self, number: int, before: Mapping[str, Any] | None) -> dict[str, Any]:
        began = self.clock.utc()
        self.done.append((number, self.clock.time - START, before["number"] if before else None))
        verdict = self.verdicts.pop(0)
        self.clock.time += self.took
        if verdict is None:
            raise KeyboardInterrupt
        if verdict == "bug":
            raise ZeroDivisionError("password=hunter2 of the round")
        return {
            "number": number,
            "began": began,
            "ended": self.clock.utc(),
            "verdict": verdict,
            "reasons": [],
            "hard": [],
            "cursors": {"c": str(number)},
            "containers": {"c": {"id": "x", "restarts": 0}},
        }


def go_on(run: MonitoringRun, clock: Clock, do: Rounds) -> dict[str, Any]:
    return run_rounds(run, PLAN, do, clock.now, clock.sleep)


def test_rounds_begin_an_interval_apart(run: MonitoringRun, clock: Clock) -> None:
    do = Rounds(clock, "pass", "pass", "pass", "pass")
    found = go_on(run, clock, do)
    assert do.done == [(1, 60, None), (2, 120, 1), (3, 180, 2), (4, 240, 3)]
    assert (found["status"], found["verdict"], found["rounds_done"]) == ("done", "pass", 4)
    assert (found["seconds_left"], found["at_work"], found["ended"]) == (0.0, False, clock.utc())


def test_a_failed_round_ends_it(run: MonitoringRun, clock: Clock) -> None:
    do = Rounds(clock, "pass", "fail")
    found = go_on(run, clock, do)
    assert (found["status"], found["verdict"], found["rounds_done"]) == ("done", "fail", 2)
    assert found["reason"] == "round 2 failed, none may"


def test_another_process_goes_on_where_the_first_has_died(run: MonitoringRun, clock: Clock) -> None:
    do = Rounds(clock, "pass", "pass", "pass", None)
    with pytest.raises(KeyboardInterrupt):
        go_on(run, clock, do)
    assert report(run, clock.time)["status"] == "open"
    assert not run.is_at_work()
    clock.time += 1000
    # Overdue for long, it comes at once; the plan is the one of the beginning.
    again = Rounds(clock, "pass")
    found = run_rounds(run, {**PLAN, "rounds": 99}, again, clock.now, clock.sleep)
    assert again.done == [(4, 1242, 3)]
    assert (found["verdict"], found["rounds_done"], found["plan"]) == ("pass", 4, PLAN)
    assert [one["number"] for one in run.rounds()] == [1, 2, 3, 4]


def test_overdue_rounds_are_not_crowded(run: MonitoringRun, clock: Clock) -> None:
    do = Rounds(clock, None)
    with pytest.raises(KeyboardInterrupt):
        go_on(run, clock, do)
    clock.time = START + 1000
    again = Rounds(clock, "pass", "pass", "pass", "pass")
    go_on(run, clock, again)
    assert [moment for _number, moment, _before in again.done] == [1000, 1060, 1120, 1180]


def test_a_round_that_breaks_is_an_error_without_secrets(run: MonitoringRun, clock: Clock) -> None:
    found = go_on(run, clock, Rounds(clock, "pass", "bug", "bug"))
    assert (found["verdict"], found["rounds_done"]) == ("error", 3)
    last = run.rounds()[-1]
    assert "ZeroDivisionError" in last["reasons"][0]
    assert "hunter2" not in (run.folder / "rounds.jsonl").read_text()
    # What the next round has to know is not lost with it.
    assert (last["cursors"], last["containers"]) == ({"c": "1"}, {"c": {"id": "x", "restarts": 0}})


def test_the_first_round_begins_where_the_plan_says(run: MonitoringRun, clock: Clock) -> None:
    first = {"number": 0, "cursors": {"c": "2026-01-01T00:00:00Z"}}
    do = Rounds(clock, "fail")
    run_rounds(run, {**PLAN, "first": first}, do, clock.now, clock.sleep)
    assert do.done == [(1, 60, 0)]


def test_what_has_ended_is_not_done_again(run: MonitoringRun, clock: Clock) -> None:
    first = go_on(run, clock, Rounds(clock, "fail"))
    again = Rounds(clock)
    assert go_on(run, clock, again) == first
    assert again.done == []


def test_two_processes_do_not_do_the_same_rounds(run: MonitoringRun, clock: Clock) -> None:
    run.begin(PLAN)
    with run.at_work(), pytest.raises(MonitoringError, match="another process"):
        go_on(run, clock, Rounds(clock))


def test_a_monitoring_run_is_stopped_before_its_next_round(run: MonitoringRun, clock: Clock) -> None:
    do = Rounds(clock, "pass")
    run.begin(PLAN)
    calls = []

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        calls.append(seconds)
        if len(calls) == 90:
            stop(run)  # the process is at work: it is only told

    found = run_rounds(run, PLAN, do, clock.now, sleep)
    assert (found["status"], found["rounds_done"]) == ("stopped", 1)
    assert found["reason"] == "it was stopped before its end"


def test_nobody_at_work_is_stopped_at_once(run: MonitoringRun, clock: Clock) -> None:
    run.begin(PLAN)
    stop(run)
    assert run.head()["status"] == "stopped"


def test_the_time_that_is_left(run: MonitoringRun, clock: Clock) -> None:
    run.begin(PLAN)
    assert report(run, clock.time)["seconds_left"] == 240
    assert report(run, clock.time + 50)["seconds_left"] == 190
    run.add(Rounds(clock, "pass")(1, None))
    assert report(run, clock.time)["seconds_left"] == 178
