"""Each thing that goes wrong turns a bake red within one round, and the bake says what it was."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable

import pytest
from lab_facts import Lab, run, wait_for

INTERVAL, GRACE, LATE = 4, 2, 14
ROUNDS = 8


def signalled(short: str, number: int) -> Callable[[Lab], None]:
    """The process of a service gets a signal that its container knows nothing of."""

    def send(lab: Lab) -> None:
        run("docker", "kill", "--signal", str(number), lab.container(short))

    return send


def write_error(lab: Lab) -> None:
    """A line in the log of the service's own process, as its logger would write it."""
    text = "2026-01-01 00:00:00,000 - data-bridge - ERROR - injected fault, order 4711"
    run("docker", "exec", lab.container("data-bridge"), "sh", "-c", f"echo '{text}' > /proc/1/fd/1")


def crash(lab: Lab) -> None:
    """The process falls over three times; the engine starts it again each time."""
    for _ in range(3):
        before = lab.inspect("data-bridge")["RestartCount"]
        os.kill(wait_for("a process", lambda: lab.inspect("data-bridge")["State"]["Pid"], 20), signal.SIGKILL)
        wait_for("a restart", lambda was=before: lab.inspect("data-bridge")["RestartCount"] > was, 30)


FAULTS = {
    "an error line": (
        write_error,
        lambda _lab: None,
        r"data-bridge: no error lines: 1 error lines since .*injected fault",
    ),
    "a stalled writer": (
        signalled("data-bridge", signal.SIGSTOP),
        signalled("data-bridge", signal.SIGCONT),
        r"messages are pending|delivered but not acknowledged",
    ),
    "a producer that is silent": (
        signalled("tick-aggregator", signal.SIGSTOP),
        signalled("tick-aggregator", signal.SIGCONT),
        r"no row of the last 14 s|0 log lines since",
    ),
    "a crash loop": (crash, lambda _lab: None, r"it restarted \d+ times, at most \d+ expected"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_turns_the_bake_red_within_a_round(lab, play_process, name):
    strike, mend, reason = FAULTS[name]
    process = play_process(
        "molecule/shared/role.yml",
        wanted_role="suho.platform.monitor",
        wanted_entry="main",
        monitor_rounds=ROUNDS,
        monitor_interval=INTERVAL,
        monitor_grace=GRACE,
        platform_aggregates_max_age=LATE,
    )
    said, struck, first = [], 0.0, 0
    try:
        for line in process.stdout:
            said.append(line)
            found = re.search(rf"round (\d+) of {ROUNDS}: PASS", line)
            if found and not struck:
                first = int(found.group(1))
                strike(lab)
                struck = time.monotonic()
        code = process.wait(timeout=60)
    finally:
        mend(lab)
    output = "".join(said)
    assert struck, output
    assert code != 0, output
    assert "Traceback" not in output
    bad = re.search(rf"round (\d+) of {ROUNDS}: FAIL: (.*)", output)
    assert bad, output
    assert re.search(reason, bad.group(2)), output
    # Within the round in which it can be seen at the earliest: data is late only after its time.
    most = first + 2 + (LATE // INTERVAL if name == "a producer that is silent" else 0)
    assert int(bad.group(1)) <= most, output
    # No round after it was done.
    assert f"ended with FAIL after {bad.group(1)} of {ROUNDS} rounds" in output
    wait_for(
        "all is well again",
        lambda: lab.inspect("data-bridge")["State"].get("Health", {}).get("Status") == "healthy",
        60,
    )


def test_a_watched_release_is_taken_back_when_its_bake_fails(lab, play_process):
    """The one thing that a bake may change, and only if it was told to."""
    process = play_process(
        "playbooks/monitor.yml",
        monitor_rounds=ROUNDS,
        monitor_interval=INTERVAL,
        monitor_grace=GRACE,
        monitor_on_failure="rollback",
    )
    said, struck = [], False
    for line in process.stdout:
        said.append(line)
        if re.search(rf"round \d+ of {ROUNDS}: PASS", line) and not struck:
            struck = True
            write_error(lab)
    code = process.wait(timeout=120)
    output = "".join(said)
    assert struck, output
    assert code != 0, output
    assert "ended with FAIL" in output
    assert "was taken back, and the state of before it was verified" in output
    assert "indicators" not in lab.columns("aggregates")
    assert lab.container("tick-aggregator") not in lab.containers()
    assert not (lab.state / "lock.json").exists()
