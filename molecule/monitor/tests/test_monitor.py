"""Every round looked at everything; the round in which a service stopped is the last one."""

from __future__ import annotations

import json
import re
from collections import defaultdict

from lab_facts import run

SERVICES = ("data-bridge", "external-collector", "tick-aggregator")
ROUNDS = 6
PASSED = "Keep the round's results"


def test_two_rounds_looked_at_everything_and_passed(lab):
    rounds = defaultdict(list)
    for one in json.loads((lab.folder / "monitor.json").read_text()):
        rounds[one["round"]].append(one)
    assert set(rounds) == {1, 2}
    for results in rounds.values():
        assert {one["verdict"] for one in results} == {"pass"}
        assert {one["probe"] for one in results} == {"containers", "ClickHouse", "logs", "broker"}
        names = " ".join(one["name"] for one in results)
        assert all(lab.container(service) in names for service in SERVICES)
    assert len(rounds[1]) == len(rounds[2])


def test_no_service_was_restarted_meanwhile(lab):
    assert [lab.inspect(service)["RestartCount"] for service in SERVICES] == [0, 0, 0]


def test_the_watch_ends_with_the_first_round_that_fails(lab, play_process):
    """The data-bridge is stopped when the first round has passed; of six rounds the third one never begins."""
    process = play_process(
        "molecule/shared/role.yml",
        wanted_role="suho.platform.monitor",
        wanted_entry="main",
        monitor_duration=ROUNDS * 5,
        monitor_interval=5,
        monitor_grace=3,
    )
    said = []
    stopped = False
    for line in process.stdout:
        said.append(line)
        if PASSED in line and not stopped:
            stopped = True
            run("docker", "stop", "--time", "2", lab.container("data-bridge"))
    code = process.wait(timeout=60)
    output = "".join(said)
    assert stopped, output
    assert code != 0, output
    assert lab.container("data-bridge") in output
    assert "probes did not pass" in output
    assert "Traceback" not in output
    # One round passed, one failed, and the other four were not begun.
    assert len(re.findall(r"TASK \[.*" + re.escape(PASSED), output)) == 1, output
    assert len(re.findall(r"TASK \[.*Let the round pass", output)) == 2, output
