"""Each thing that goes wrong turns a bake red within one round, and the bake says what it was."""

from __future__ import annotations

import math
import re
import signal
from datetime import datetime, timezone

import pytest
from bakes import bakes, rounds_of
from lab_facts import Lab, wait_for

# Bars come every five seconds. Data is late after LATE seconds, and never where it is something else that has to tell.
BAR = INTERVAL = 5
GRACE, LATE, NEVER = 10, 14, 3600
ROUNDS = 30
# Rounds that are shorter than a bar see what is no data; then no line is expected of the log in each.
SHORT = 2


def crash_loop(lab: Lab) -> None:
    for _ in range(3):
        lab.crash("data-bridge")


def stop(short: str):
    return lambda lab: lab.signal(short, signal.SIGSTOP)


def go_on(short: str):
    return lambda lab: lab.signal(short, signal.SIGCONT)


# What strikes, what mends it, what the bake says of it, the seconds of a round, and after how many data is late.
FAULTS = {
    "an error line": (
        lambda lab: lab.log_error("data-bridge"),
        lambda _lab: None,
        [r"data-bridge: no error lines: 1 error lines since .*injected fault"],
        SHORT,
        NEVER,
    ),
    "a stalled writer": (
        stop("data-bridge"),
        go_on("data-bridge"),
        [r"messages are pending|delivered but not acknowledged"],
        INTERVAL,
        LATE,
    ),
    # Its log and its tables are as they should be: only the broker can tell.
    "a consumer that lags": (
        stop("data-bridge"),
        go_on("data-bridge"),
        [r"BARS/data-bridge-bars: \d+ messages are (pending|delivered but not acknowledged)"],
        SHORT,
        NEVER,
    ),
    # Nothing is wrong with the one who writes it: what is published is stored.
    "a table that stops growing": (
        stop("tick-aggregator"),
        go_on("tick-aggregator"),
        [r"bars arrive: no row within 14 s", r"every symbol gets new bars: .*no row of the last 14 s"],
        SHORT,
        LATE,
    ),
    "a crash loop": (
        crash_loop,
        lambda _lab: None,
        [r"it restarted \d+ times, at most \d+ expected"],
        SHORT,
        NEVER,
    ),
}


# Seconds until it can be seen at all: the next bar has to come, or the last one has to be late.
SEEN_AFTER = {"a stalled writer": BAR, "a consumer that lags": BAR, "a table that stops growing": LATE}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_bake_red_within_a_round(lab, play_process, name):
    strike, mend, reasons, interval, late = FAULTS[name]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    quiet = {"monitor_logs": [{"container": lab.container("data-bridge"), "min_lines": 0, "since": now}]}
    before = bakes(lab)
    process = play_process(
        "molecule/shared/role.yml",
        wanted_role="suho.platform.monitor",
        wanted_entry="main",
        monitor_rounds=ROUNDS,
        monitor_interval=interval,
        monitor_grace=GRACE,
        platform_aggregates_max_age=late,
        **(quiet if interval == SHORT else {}),
    )
    said, done, bake = [], -1, ""
    try:
        for line in process.stdout:
            said.append(line)
            if done < 0 and re.search(rf"round \d+ of {ROUNDS}: PASS", line):
                (bake,) = set(bakes(lab)) - set(before)
                strike(lab)
                # What the controller shows may be rounds behind what the target has done.
                done = len(rounds_of(lab, bake))
        code = process.wait(timeout=60)
    finally:
        mend(lab)
    output = " ".join(" ".join(said).split())
    assert done > 0, output
    assert code != 0, output
    assert "Traceback" not in output
    bad = re.search(rf"round (\d+) of {ROUNDS}: FAIL: (.*?) So far FAIL", output)
    assert bad, output
    assert [reason for reason in reasons if not re.search(reason, bad.group(2))] == [], output
    # One round may have looked already when it struck, the next one sees it, once there is something to see.
    assert int(bad.group(1)) <= done + 2 + math.ceil(SEEN_AFTER.get(name, 0) / interval), output
    assert [one["verdict"] for one in rounds_of(lab, bake)] == ["pass"] * (int(bad.group(1)) - 1) + ["fail"]
    # No round after it was done.
    assert f"ended with FAIL after {bad.group(1)} of {ROUNDS} rounds" in output
    wait_for(
        "all is well again",
        lambda: lab.inspect("data-bridge")["State"].get("Health", {}).get("Status") == "healthy",
        60,
    )
