"""Each thing that goes wrong turns a bake red within one round, and the bake says what it was."""

from __future__ import annotations

import re
import signal
from datetime import datetime, timezone

import pytest
from bakes import bakes, rounds_of
from lab_facts import Lab, wait_for

# Bars come every five seconds.
INTERVAL, GRACE, LATE = 5, 10, 14
ROUNDS = 30


def crash_loop(lab: Lab) -> None:
    for _ in range(3):
        lab.crash("data-bridge")


# What strikes, what mends it, what the bake says of it, and whether it can be seen in rounds that are shorter than a bar.
FAULTS = {
    "an error line": (
        lambda lab: lab.log_error("data-bridge"),
        lambda _lab: None,
        r"data-bridge: no error lines: 1 error lines since .*injected fault",
        True,
    ),
    "a stalled writer": (
        lambda lab: lab.signal("data-bridge", signal.SIGSTOP),
        lambda lab: lab.signal("data-bridge", signal.SIGCONT),
        r"messages are pending|delivered but not acknowledged",
        False,
    ),
    "a producer that is silent": (
        lambda lab: lab.signal("tick-aggregator", signal.SIGSTOP),
        lambda lab: lab.signal("tick-aggregator", signal.SIGCONT),
        r"no row of the last 14 s|0 log lines since",
        False,
    ),
    "a crash loop": (crash_loop, lambda _lab: None, r"it restarted \d+ times, at most \d+ expected", True),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_bake_red_within_a_round(lab, play_process, name):
    strike, mend, reason, quick = FAULTS[name]
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    more = (
        {
            "monitor_interval": 2,
            "monitor_logs": [{"container": lab.container("data-bridge"), "min_lines": 0, "since": now}],
        }
        if quick
        else {"monitor_interval": INTERVAL}
    )
    before = bakes(lab)
    process = play_process(
        "molecule/shared/role.yml",
        wanted_role="suho.platform.monitor",
        wanted_entry="main",
        monitor_rounds=ROUNDS,
        monitor_grace=GRACE,
        platform_aggregates_max_age=LATE,
        **more,
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
    assert re.search(reason, bad.group(2)), output
    # One round may have looked already when it struck, the next one sees it: data is late only after its time.
    most = done + 2 + (LATE // INTERVAL if name == "a producer that is silent" else 0)
    assert int(bad.group(1)) <= most, output
    assert [one["verdict"] for one in rounds_of(lab, bake)] == ["pass"] * (int(bad.group(1)) - 1) + ["fail"]
    # No round after it was done.
    assert f"ended with FAIL after {bad.group(1)} of {ROUNDS} rounds" in output
    wait_for(
        "all is well again",
        lambda: lab.inspect("data-bridge")["State"].get("Health", {}).get("Status") == "healthy",
        60,
    )
