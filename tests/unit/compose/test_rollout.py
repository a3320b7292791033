"""Swapping a service: when it is needed, what the events say of the downtime, and when a start has failed."""

from __future__ import annotations

import dataclasses
import json

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandResult
from ansible_collections.suho.platform.plugins.module_utils.compose import rollout
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Container

SECOND = 1_000_000_000


def container(name="suho-bridge", **changes):
    made = Container(
        id=f"id-{name}", name=name, image_id="sha256:new", image_ref="x", state="running", exit_code=0,
        started_at="t0", health="", restart_count=0,
        labels={"com.docker.compose.service": "bridge", "com.docker.compose.config-hash": "h"},
    )  # fmt: skip
    return dataclasses.replace(made, **changes)


def test_what_a_swap_that_was_cut_off_has_left_is_known_by_its_name():
    labels = {"com.docker.compose.replace": "0123456789abcdef"}
    assert rollout.is_replacement(container("0123456789ab_suho-bridge", labels=labels))
    # The label stays when the replacement has ended, the name does not.
    assert not rollout.is_replacement(container(labels=labels))
    assert not rollout.is_replacement(container("0123456789ab_suho-bridge"))


def test_a_container_that_is_what_it_should_be_is_left_alone():
    assert rollout.differs([container()], "sha256:new", "h") == ""


@pytest.mark.parametrize(
    ("own", "reason"),
    [
        ([], "there is no container"),
        ([container(image_id="sha256:old")], "runs image old, the tag names new"),
        ([container(labels={})], "compose configuration has changed"),
        ([container(state="exited")], "exited, expected running"),
    ],
)
def test_every_difference_has_its_reason(own, reason):
    assert reason in rollout.differs(own, "sha256:new", "h")


def test_downtime_runs_from_the_end_of_the_old_to_the_start_of_the_new_container():
    events = [
        {"id": "old", "Action": "kill", "timeNano": 9 * SECOND},
        {"id": "old", "Action": "die", "timeNano": 10 * SECOND},
        {"id": "new", "Action": "start", "timeNano": 12 * SECOND},
        {"id": "new", "Action": "health_status: healthy", "timeNano": 15 * SECOND},
    ]
    assert rollout.downtime(events, "old", "new") == rollout.Downtime(2.0, 5.0)


def test_without_a_healthcheck_readiness_is_unknown():
    events = [
        {"id": "old", "Action": "die", "timeNano": 10 * SECOND},
        {"id": "new", "Action": "start", "timeNano": 11 * SECOND},
    ]
    assert rollout.downtime(events, "old", "new") == rollout.Downtime(1.0, None)


def test_a_service_that_did_not_run_before_has_no_downtime():
    assert (
        rollout.downtime([{"id": "new", "Action": "start", "timeNano": 1}], None, "new") == rollout.Downtime()
    )


def test_events_that_the_engine_has_forgotten_are_not_taken_for_no_downtime():
    start = {"id": "new", "Action": "start", "timeNano": 11 * SECOND}
    die = {"id": "old", "Action": "die", "timeNano": 10 * SECOND}
    assert rollout.downtime([start], "old", "new") == rollout.Downtime(None, None)
    assert rollout.downtime([die], "old", "new") == rollout.Downtime(None, None)


def other(**changes):
    return container("suho-db", labels={"com.docker.compose.service": "db"}, **changes)


def test_containers_of_other_services_must_keep_id_and_start_time():
    assert rollout.disturbed([other()], [other()], "bridge") == []
    assert rollout.disturbed([other()], [other(id="x")], "bridge") == ["suho-db was replaced"]
    assert rollout.disturbed([other()], [], "bridge") == ["suho-db was replaced"]
    assert rollout.disturbed([other()], [other(started_at="t1")], "bridge") == ["suho-db was restarted"]


def test_a_restart_by_the_containers_own_policy_is_not_counted():
    assert rollout.disturbed([other()], [other(started_at="t1", restart_count=1)], "bridge") == []


def test_the_swapped_service_itself_may_change():
    assert rollout.disturbed([container()], [container(id="x")], "bridge") == []


def test_the_health_limit_comes_from_the_healthchecks_own_numbers():
    check = {"Interval": 3 * SECOND, "Timeout": SECOND, "Retries": 5, "StartPeriod": 20 * SECOND}
    assert rollout.health_seconds(check) == 20 + 4 * 6
    assert rollout.health_seconds(None) == 240


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0

    def monotonic(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


class Reader:
    def __init__(self, states):
        self.engine = self
        self.states = list(states)

    def containers(self, project, service):
        return [self.states.pop(0) if len(self.states) > 1 else self.states[0]]

    def run(self, arguments, **_):
        if arguments[0] == "logs":
            return CommandResult("line 1\n", "password refused\n")
        if arguments[0] == "events":
            died = {"id": "id-suho-bridge", "Action": "die", "Actor": {"Attributes": {"exitCode": "3"}}}
            return CommandResult(json.dumps(died) + "\n", "")
        return CommandResult(json.dumps({"Interval": SECOND, "Timeout": SECOND, "Retries": 1}), "")


def wait(states, **options):
    swap = rollout.ServiceRollout(Reader(states), "p", "bridge")
    return swap.wait_until_up(options.get("timeout"), options.get("settle", 3), Clock())


def test_healthy_ends_the_wait():
    assert wait([container(health="starting"), container(health="healthy")]).health == "healthy"


def test_without_healthcheck_the_container_must_settle():
    swap = rollout.ServiceRollout(Reader([container()]), "p", "bridge")
    clock = Clock()
    swap.wait_until_up(None, 3, clock)
    assert clock.now >= 3


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (container(state="exited", exit_code=1), "did not stay up"),
        (container(state="restarting", restart_count=2), "2 restarts"),
        (container(restart_count=1), "did not stay up .state running, exit code 3, 1 restarts"),
        (container(health="unhealthy"), "is unhealthy"),
        (container(health="starting"), "was not healthy within 4 s"),
    ],
)
def test_a_container_that_does_not_come_up_fails_with_its_last_lines(bad, words):
    with pytest.raises(rollout.RolloutError, match=words) as caught:
        wait([container(health=bad.health and "starting"), bad], settle=100)
    assert "password refused" in str(caught.value)


def test_a_service_that_runs_once_may_end_well():
    done = container(state="exited", exit_code=0)
    swap = rollout.ServiceRollout(Reader([done]), "p", "bridge")
    assert swap.wait_until_up(None, 5, Clock(), ends=True) is done


@pytest.mark.parametrize(("ends", "code"), [(True, 1), (False, 0)])
def test_any_other_end_is_a_failure(ends, code):
    swap = rollout.ServiceRollout(Reader([container(state="exited", exit_code=code)]), "p", "bridge")
    with pytest.raises(rollout.RolloutError, match="did not stay up"):
        swap.wait_until_up(None, 5, Clock(), ends=ends)


def test_the_log_of_the_container_that_was_there_first_stays(tmp_path):
    folder = tmp_path / "logs/before"
    swap = rollout.ServiceRollout(Reader([container()]), "p", "bridge")
    swap.keep_log(container(), str(folder))
    kept = folder / rollout.replaced_log("bridge")
    assert kept.read_text() == "line 1\npassword refused\n"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text("as it was\n")
    swap.keep_log(container(), str(folder))
    assert kept.read_text() == "as it was\n"
    swap.keep_log(container(), None)
    assert [path.name for path in folder.iterdir()] == [kept.name]
