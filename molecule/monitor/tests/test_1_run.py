"""A monitoring run that passes has looked at everything in every round, whoever watches it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

from conftest import kill_tree
from lab_facts import wait_for
from runs import rounds_of, runs

SERVICES = ("data-bridge", "external-collector", "tick-aggregator")
# What should arrive is waited for so long only where it does not: on a busy machine a second is nothing.
ROUNDS, INTERVAL, GRACE = 10, 3, 30


def head_of(lab, run: str) -> dict:
    return json.loads((lab.state / "bakes" / run / "bake.json").read_text())


def log_lines(container: str, since: str, until: str) -> int:
    """How many lines the engine has of a container, from one moment up to another, which is left out."""
    command = ["docker", "logs", "--timestamps", "--since", since, container]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    times = [line.split(" ", 1)[0] for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return sum(one < until for one in times)


def test_two_rounds_looked_at_everything_and_passed(lab):
    rounds = defaultdict(list)
    for one in json.loads((lab.folder / "monitor.json").read_text()):
        rounds[one["round"]].append(one)
    assert set(rounds) == {1, 2}
    for results in rounds.values():
        assert {one["verdict"] for one in results} == {"pass"}
        assert {one["group"] for one in results} == {
            "containers",
            "ClickHouse",
            "logs",
            "broker",
            "resources",
        }
        names = " ".join(one["name"] for one in results)
        assert all(lab.container(service) in names for service in SERVICES)
        assert "what only this inventory asks" in names
        # Every symbol of the lab is told apart, and has new rows.
        growth = next(one for one in results if one["kind"] == "steady")
        assert len(growth["observed"]["rows_of"]) > 1
        assert all(growth["observed"]["rows_of"].values())
    assert len(rounds[1]) == len(rounds[2])


def test_no_service_was_restarted_meanwhile(lab):
    assert [lab.inspect(service)["RestartCount"] for service in SERVICES] == [0, 0, 0]


def test_the_same_run_goes_on_when_its_controller_and_its_process_die(lab, play_process, role):
    """The controller is killed in round 3, the process on the target after round 5; the call after that makes ten rounds of it."""
    before = runs(lab)
    # Rounds that are shorter than the time between two bars cannot demand a line for each.
    logs = [{"container": lab.container(service), "min_lines": 0} for service in SERVICES]
    since = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    options = {
        "monitor_rounds": ROUNDS,
        "monitor_interval": INTERVAL,
        "monitor_grace": GRACE,
        "monitor_logs": [{**one, "since": since} for one in logs],
    }
    process = play_process(
        "molecule/shared/role.yml", wanted_role="suho.platform.monitor", wanted_entry="main", **options
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if f"round 3 of {ROUNDS}" in line and "PASS" in line:
            break
    assert process.poll() is None, "".join(said)
    kill_tree(process)
    (run,) = set(runs(lab)) - set(before)
    folder = lab.state / "bakes" / run

    # Nobody watches it now, and it goes on.
    wait_for("five rounds", lambda: len(rounds_of(lab, run)) >= 5, 240)
    os.kill(wait_for("a process at work", lambda: holder_of(folder / "lock"), 60), signal.SIGKILL)
    wait_for("the process is gone", lambda: not holder_of(folder / "lock"), 60)

    again = role("monitor", **options)
    assert again.code == 0, again.said
    assert f"round {ROUNDS} of {ROUNDS}: PASS" in again.said
    assert set(runs(lab)) - set(before) == {run}
    rounds = rounds_of(lab, run)
    assert [one["number"] for one in rounds] == list(range(1, ROUNDS + 1))
    assert {one["verdict"] for one in rounds} == {"pass"}
    head = head_of(lab, run)
    assert (head["status"], head["verdict"], head["collected"]) == ("done", "pass", True)

    # What the rounds have read, line by line, is what the engine has for that time: no gap, nothing twice.
    for service in SERVICES:
        name = lab.container(service)
        first, last = head["plan"]["first"]["cursors"][name], rounds[-1]["cursors"][name]
        read = [
            one["lines"]
            for found in rounds
            for one in found["assertions"]
            if one["kind"] == "log_errors" and one["container"] == name
        ]
        assert len(read) == ROUNDS
        assert sum(read) == log_lines(name, first, last)
    password = lab.settings["CLICKHOUSE_PASSWORD"]
    assert not [path for path in folder.iterdir() if password in path.read_text()]


def test_a_detached_run_is_collected_by_a_later_call(lab, role):
    options = {"monitor_rounds": 2, "monitor_interval": 5, "monitor_grace": GRACE, "monitor_mode": "detached"}
    before = runs(lab)
    first = role("monitor", **options)
    assert first.code == 0, first.said
    assert "goes on on lab without this controller: 2 rounds" in first.said
    (run,) = set(runs(lab)) - set(before)
    wait_for("the end of the monitoring run", lambda: head_of(lab, run)["status"] == "done", 240)
    second = role("monitor", **options)
    assert second.code == 0, second.said
    assert set(runs(lab)) - set(before) == {run}
    assert head_of(lab, run)["collected"] is True


def test_one_round_at_once_leaves_no_trace(lab, role):
    before = runs(lab)
    found = role("monitor", monitor_once=True, monitor_interval=20, monitor_grace=GRACE)
    assert found.code == 0, found.said
    assert runs(lab) == before


def test_bad_input_is_told_though_the_target_does_the_rounds(lab, role):
    before = runs(lab)
    found = role("monitor", monitor_containers=[{"container": "no name"}], monitor_rounds=1)
    assert found.code != 0
    assert "container 'no name': expected a name of letters" in found.said
    assert runs(lab) == before


def holder_of(lock) -> int:
    """The process that holds a lock (flock) on a file, 0 if none does."""
    inode = lock.stat().st_ino
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[3] == "WRITE" and int(words[5].rsplit(":", 1)[1]) == inode:
            return int(words[4])
    return 0
