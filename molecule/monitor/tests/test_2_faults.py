"""Each thing that goes wrong turns a monitoring run red within one round, and the monitoring run says what it was."""

from __future__ import annotations

import math
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
from lab_facts import Lab, wait_for
from runs import rounds_of, runs

# Bars come every five seconds. Data is late after LATE seconds, and never where it is something else that has to tell.
BAR = INTERVAL = 5
GRACE, LATE, NEVER = 10, 14, 3600
ROUNDS = 30
# Rounds that are shorter than a bar see what is no data; then no line is expected of the log in each.
SHORT = 2


def crash_loop(lab: Lab) -> None:
    for _ in range(3):
        lab.crash("data-bridge")


Step = Callable[[Lab], None]


def halted(short: str) -> tuple[Step, Step]:
    """Stop a service's processes, and let them go on."""
    return lambda lab: lab.signal(short, signal.SIGSTOP), lambda lab: lab.signal(short, signal.SIGCONT)


def nothing(_lab: Lab) -> None:
    """It is over when it has struck."""


@dataclass(frozen=True)
class Fault:
    """What strikes, what fixes it, what the monitoring run says of it; the seconds of a round, after how many data is late, until it can be seen."""

    strike: Step
    remedy: Step
    says: str
    interval: int = SHORT
    late: int = NEVER
    seen_after: int = 0
    # Groups of checks that have to find nothing wrong in the round that fails.
    content: frozenset[str] = frozenset()
    more: dict[str, Any] = field(default_factory=dict)


FAULTS = {
    "an error line": Fault(
        lambda lab: lab.log_error("data-bridge"),
        nothing,
        r"data-bridge: no error lines: 1 error lines since .*injected fault",
    ),
    # Everything that looks at data may tell: the first round that misses something may have asked the broker between two bars.
    "a stalled writer": Fault(
        *halted("data-bridge"),
        r"messages are (pending|delivered but not acknowledged)"
        r"|data-bridge: .*\d+ log lines since|no row of the last 14 s",
        interval=INTERVAL,
        late=LATE,
        seen_after=BAR,
    ),
    # Nobody misses a line or a row yet: only the broker can tell.
    "a consumer that lags": Fault(
        *halted("data-bridge"),
        r"/data-bridge-(bars|external): \d+ messages are (pending|delivered but not acknowledged)",
        seen_after=BAR,
        content=frozenset({"containers", "ClickHouse", "logs"}),
    ),
    # What is published is stored, so nothing is wrong with the one who writes it.
    "a table that stops growing": Fault(
        *halted("tick-aggregator"),
        r"every symbol gets new bars: .*no row of the last 14 s",
        late=LATE,
        seen_after=LATE,
        content=frozenset({"logs", "broker"}),
        more={"monitor_assertions": "{{ monitor_growth_assertions }}"},
    ),
    # Between two crashes messages wait, and a round that has looked at the containers before the first one would see only that.
    "a crash loop": Fault(
        crash_loop,
        nothing,
        r"it restarted \d+ times, at most \d+ expected",
        more={"monitor_streams": []},
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_run_red_within_a_round(lab, play_process, name):
    fault = FAULTS[name]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    quiet = {"monitor_logs": [{"container": lab.container("data-bridge"), "min_lines": 0, "since": now}]}
    before = runs(lab)
    process = play_process(
        "molecule/shared/role.yml",
        wanted_role="suho.platform.monitor",
        wanted_entry="main",
        monitor_rounds=ROUNDS,
        monitor_interval=fault.interval,
        monitor_grace=GRACE,
        platform_aggregates_max_age=fault.late,
        **(quiet if fault.interval == SHORT else {}),
        **fault.more,
    )
    said, done, run = [], -1, ""
    try:
        for line in process.stdout:
            said.append(line)
            if done < 0 and re.search(rf"round \d+ of {ROUNDS}: PASS", line):
                (run,) = set(runs(lab)) - set(before)
                fault.strike(lab)
                # What the controller shows may be rounds behind what the target has done.
                done = len(rounds_of(lab, run))
        code = process.wait(timeout=240)
    finally:
        fault.remedy(lab)
    output = " ".join(" ".join(said).split())
    assert done > 0, output
    assert code != 0, output
    assert "Traceback" not in output
    bad = re.search(rf"round (\d+) of {ROUNDS}: FAIL: (.*?) So far FAIL", output)
    assert bad, output
    assert re.search(fault.says, bad.group(2)), output
    # One round may have looked already when it struck, the next one sees it, once there is something to see.
    assert int(bad.group(1)) <= done + 2 + math.ceil(fault.seen_after / fault.interval), output
    assert [one["verdict"] for one in rounds_of(lab, run)] == ["pass"] * (int(bad.group(1)) - 1) + ["fail"]
    last = rounds_of(lab, run)[-1]["assertions"]
    assert fault.content & {one["group"] for one in last if one["verdict"] != "pass"} == set(), output
    assert fault.content <= {one["group"] for one in last}
    # No round after it was done.
    assert f"ended with FAIL after {bad.group(1)} of {ROUNDS} rounds" in output
    wait_for(
        "all is well again",
        lambda: lab.inspect("data-bridge")["State"].get("Health", {}).get("Status") == "healthy",
        60,
    )
