"""The fact `run`: what happens to it, and each decision that is made on it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.report import current_run as r

FACTS = {
    "operation": "deploy",
    "environment": "lab",
    "host": "one",
    "user": "jane",
    "started": 1_767_225_600.0,
    "rollback_playbook": "ansible-playbook playbooks/rollback.yml -i inventories/lab",
}
RELEASE = "20260101T000000Z-abc"
NO_PLAN = {
    "changes": False,
    "schema": {"steps": [], "refused": [], "restored": []},
    "compose": {"changed": False},
    "build": [],
    "recreate": [],
}
RESULT = {"msg": "it broke", "item": "data-bridge", "failed": True}
WATCH = {"release": RELEASE, "verdict": "fail", "on_failure": "rollback"}


def begun(operation: str = "deploy", **values: Any) -> dict[str, Any]:
    facts = {**FACTS, "operation": operation, **values}
    return r.enter_phase(r.begin_run(facts), "first", FACTS["started"] + 1)


def failed(operation: str = "deploy", release: str = "", **options: Any) -> dict[str, Any]:
    run = r.update_run(begun(operation), release=release)
    return r.record_failure(run, RESULT, "a task", **options)


def due(run: dict[str, Any], check_mode: bool = False, **plan: Any) -> list[str]:
    phases = ["lock", "plan", "release", "schema", "build", "compose", "rollout", "verify", "prune"]
    return [name for name in phases if r.phase_due(run, name, check_mode, {**NO_PLAN, **plan})]


def test_a_run_survives_its_way_through_a_fact() -> None:
    run = r.record_failure(r.update_run(begun(parts=["schema"]), release=RELEASE), RESULT, "a task")
    assert r.Run.from_dict(run).to_dict() == run
    assert run["phases"] == [{"name": "first", "started": FACTS["started"] + 1}]
    assert (run["phase"], run["parts"], run["report_id"]) == ("first", ["schema"], RELEASE)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"operation": "dance"}, "found operation 'dance', expected one of audit, deploy"),
        ({"colour": "red"}, "found colour, expected some of"),
        ({"undo": "maybe"}, "found undo 'maybe'"),
    ],
)
def test_a_fact_that_is_none_is_named(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(r.RunError, match=said):
        r.begin_run({**FACTS, **wrong})
    with pytest.raises(r.RunError, match=r"has no host, user; the entry point begin"):
        r.begin_run({name: value for name, value in FACTS.items() if name not in ("host", "user")})
    with pytest.raises(r.RunError, match="found operation, expected release"):
        r.update_run(begun(), operation="audit")


def test_a_deploy_without_a_change_has_no_phase_that_changes() -> None:
    assert due(begun()) == ["lock", "plan", "verify"]
    # What an earlier run has left is verified, closed, and tidied up after.
    assert due(r.update_run(begun(), release=RELEASE)) == ["lock", "plan", "verify", "prune"]


@pytest.mark.parametrize(
    ("plan", "phases"),
    [
        ({"schema": {"steps": ["s"], "refused": [], "restored": []}}, ["schema"]),
        ({"schema": {"steps": [], "refused": ["s"], "restored": []}}, ["schema"]),
        ({"schema": {"steps": [], "refused": [], "restored": ["s"]}}, ["schema"]),
        ({"build": ["a"], "recreate": ["a"]}, ["build", "rollout"]),
        ({"recreate": ["a"]}, ["build", "rollout"]),
        ({"compose": {"changed": True}}, ["compose"]),
    ],
)
def test_each_change_has_its_phases(plan: dict[str, Any], phases: list[str]) -> None:
    assert due(begun(), changes=True, **plan) == ["lock", "plan", "release", *phases, "verify"]
    # What still lacks something cannot be verified.
    assert due(begun(), True, changes=True, **plan) == ["lock", "plan", "release", *phases]


def test_a_rollback_without_a_release_ends_with_its_record() -> None:
    phases = ["lock", "record", "compose", "services", "schema", "verify"]
    run = begun("rollback")
    assert [name for name in phases if r.phase_due(run, name, False)] == ["lock", "record"]
    run = r.update_run(run, release=RELEASE)
    assert [name for name in phases if r.phase_due(run, name, False)] == phases
    assert [name for name in phases if r.phase_due(run, name, True)] == phases[:-1]
    undoing = r.update_run(begun("deploy"), release=RELEASE, undo="begun")
    assert [name for name in phases if r.phase_due(undoing, name, False, NO_PLAN)] == phases


def test_what_failed_names_phase_object_and_the_command_that_undoes_it() -> None:
    run = failed(release=RELEASE)
    assert run["error"] == {
        "phase": "first",
        "object": "data-bridge",
        "message": "it broke",
        "rollback_command": f"{FACTS['rollback_playbook']} -e rollback_release={RELEASE}",
    }
    assert r.failure_text(run).splitlines() == [
        "Deploy failed in phase first, object data-bridge:",
        "it broke",
        f"Undo it with: {FACTS['rollback_playbook']} -e rollback_release={RELEASE}",
    ]
    assert r.failure_text(failed()).endswith("it broke\nNothing was changed.")
    refused = r.record_failure(begun(), {"msg": "No. Nothing was changed."}, "a task")
    assert r.failure_text(refused).endswith("a task:\nNo. Nothing was changed.")
    assert "rollback_command" not in failed(release=RELEASE, check_mode=True)["error"]
    assert r.failure_text(begun()) == ""


def test_a_rollback_that_failed_is_called_again_as_it_was() -> None:
    run = r.update_run(begun("rollback", parts=["schema", "tick-aggregator"]), release=RELEASE)
    told = r.record_failure(run, RESULT, "a task", target="none")["error"]["rollback_command"]
    assert told.endswith("-e release_to=none --tags schema,tick-aggregator")
    # What a deploy of a part has changed is rolled back as a whole.
    run = r.update_run(begun("deploy", parts=["schema"]), release=RELEASE)
    assert "--tags" not in r.record_failure(run, RESULT, "a task")["error"]["rollback_command"]


def test_a_monitoring_run_names_the_release_that_it_monitored_only_if_that_failed() -> None:
    assert failed("monitor", monitoring=WATCH)["error"]["rollback_command"].endswith(
        f"rollback_release={RELEASE}"
    )
    for verdict in ("error", "inconclusive", ""):
        assert "rollback_command" not in failed("monitor", monitoring={**WATCH, "verdict": verdict})["error"]
    assert "rollback_command" not in failed("verify", monitoring=WATCH)["error"]


@pytest.mark.parametrize(
    ("run", "check_mode", "automatic", "watch", "undone"),
    [
        (failed(release=RELEASE), False, "on", None, True),
        (failed(release=RELEASE), False, True, None, True),
        (failed(release=RELEASE), False, "off", None, False),
        (failed(release=RELEASE), True, "on", None, False),
        (failed(), False, "on", None, False),
        (r.update_run(begun(), release=RELEASE), False, "on", None, False),
        (failed("rollback", release=RELEASE), False, "on", WATCH, False),
        (failed("verify"), False, "on", WATCH, False),
        (failed("monitor"), False, "on", WATCH, True),
        (failed("monitor"), False, "on", {**WATCH, "on_failure": "notify"}, False),
        (failed("monitor"), False, "on", {**WATCH, "verdict": "error"}, False),
        (failed("monitor"), True, "on", WATCH, False),
    ],
)
def test_who_is_rolled_back(
    run: dict[str, Any], check_mode: bool, automatic: Any, watch: dict[str, Any] | None, undone: bool
) -> None:
    assert r.undo_due(run, check_mode, automatic, watch) is undone


def test_both_stories_are_told() -> None:
    undoing = r.update_run(failed(release=RELEASE), undo="begun")
    undone = r.record_undone(undoing, "/state/releases/x")
    assert undone["undo"] == "done"
    assert "rollback_command" not in undone["error"]
    text = r.failure_text(undone)
    assert text.startswith("Deploy failed in phase first, object data-bridge:\nit broke\nWhat release")
    assert "was rolled back, and the previous state was verified" in text
    assert "stays in /state/releases/x." in text
    assert "Undo it with" not in text
    second = r.record_failure(r.enter_phase(undoing, "schema", 5.0), {"msg": "so did this"}, "another task")
    assert second["error"]["message"] == (
        "it broke\nRolling it back failed, too, in phase schema, object another task: so did this"
    )
    assert "rollback_command" in second["error"]
    refused = r.record_failure(failed("monitor"), {"msg": "No release"}, "a task")
    assert refused["error"]["message"] == "it broke\nThe release was not rolled back: No release"
    unwritten = r.record_unwritten(failed(release=RELEASE), {"msg": "disk full"}, "a task")
    assert unwritten["error"]["message"] == "it broke\nAnd it could not be written down: disk full"
    with pytest.raises(r.RunError, match="nothing failed"):
        r.record_undone(begun(), "/x")


def ended(run: dict[str, Any]) -> dict[str, Any]:
    return r.update_run(run, finished=FACTS["started"] + 11)


def test_the_data_of_a_report() -> None:
    run = ended(r.enter_phase(r.update_run(begun(), release=RELEASE), "second", FACTS["started"] + 3))
    seen = {
        "plan": {"hash": "h"},
        "checks": {"revision": "rev"},
        "executed": {"statements": [1]},
        "recreations": [{"service": "a", "changed": True, "downtime": 0.5}],
        "results": [{"name": "a check"}],
        "findings": [{"line": "a line"}],
    }
    data = r.report_data(run, seen, False)
    assert data["meta"] == {
        "environment": "lab",
        "host": "one",
        "operation": "deploy",
        "release_id": RELEASE,
        "started": "2026-01-01T00:00:00.000Z",
        "finished": "2026-01-01T00:00:11.000Z",
        "seconds": 10.0,
        "user": "jane",
        "backend_revision": "rev",
        "monitored_release": "",
        "rollback_command": f"{FACTS['rollback_playbook']} -e rollback_release={RELEASE}",
        "verdict": "pass",
    }
    assert [(one["name"], one["seconds"], one["status"]) for one in data["phases"]] == [
        ("first", 2.0, "ok"),
        ("second", 8.0, "ok"),
    ]
    assert (data["plan"], data["assertions"], data["findings"]) == (
        {"hash": "h"},
        [{"name": "a check"}],
        [{"line": "a line"}],
    )
    assert data["downtime"] == [{"service": "a", "seconds": 0.5, "budget": None}]
    assert (data["monitoring"], data["error"], data["executed"]) == ({}, {}, {"statements": [1]})
    assert r.report_data(run, {}, True)["meta"]["operation"] == "audit"
    with pytest.raises(r.RunError, match="it has not ended"):
        r.report_data(begun(), {}, False)


@pytest.mark.parametrize(
    ("operation", "release", "name"),
    [
        ("deploy", RELEASE, RELEASE),
        ("rollback", RELEASE, f"{RELEASE}-rollback"),
        ("monitor", RELEASE, f"{RELEASE}-monitor"),
        ("verify", "", "20260101T000000Z-verify"),
    ],
)
def test_a_report_is_named_after_the_release_or_the_run(operation: str, release: str, name: str) -> None:
    assert r.update_run(begun(operation), release=release)["report_id"] == name


def test_a_monitoring_run_reports_its_rounds() -> None:
    monitor = {
        "release": RELEASE,
        "revision": "rev",
        "verdict": "inconclusive",
        "results": [{"name": "of a round"}],
        "findings": [],
        "run": {"id": "b"},
        "rounds": [{"number": 1, "assertions": [1], "findings": [2]}],
    }
    seen = {"results": [{"name": "of the rollback's verification"}], "monitor": monitor}
    data = r.report_data(ended(failed("monitor")), seen, False)
    assert data["assertions"] == [{"name": "of a round"}]
    assert data["monitoring"] == {
        "head": {"id": "b"},
        "rounds": [{"number": 1, "assertions": [], "findings": []}],
    }
    assert data["meta"]["verdict"] == "inconclusive"
    assert (data["meta"]["monitored_release"], data["meta"]["backend_revision"]) == (RELEASE, "rev")
    for verdict in ("pass", "fail", ""):
        broken = {"monitor": {**monitor, "verdict": verdict}}
        assert r.report_data(ended(failed("monitor")), broken, False)["meta"]["verdict"] == "fail"
    assert r.report_data(ended(begun("monitor")), seen, False)["meta"]["verdict"] == "pass"


def test_what_has_come_to_nothing_has_no_report() -> None:
    assert r.reportable(begun("deploy"), {})
    assert not r.reportable(begun("rollback"), {})
    assert r.reportable(r.update_run(begun("rollback"), release=RELEASE), {})
    assert r.reportable(failed("rollback"), {})
    assert not r.reportable(begun("monitor"), {"monitor": {"results": None}})
    assert r.reportable(begun("monitor"), {"monitor": {"results": []}})


def events(run: dict[str, Any], **options: Any) -> list[str]:
    return [one["event"] for one in r.messages(run, **options)]


def test_what_changes_the_platform_is_announced() -> None:
    (told,) = r.messages(begun("deploy"))
    assert (told["event"], told["text"]) == ("start", "deploy of lab on one: begins")
    assert told["facts"] == {"operation": "deploy", "environment": "lab", "host": "one", "user": "jane"}
    assert events(begun("rollback")) == ["start"]
    assert [events(begun(name)) for name in ("audit", "verify", "monitor")] == [[], [], []]


def test_each_end_is_told_to_those_that_it_is_for() -> None:
    undone = ended(r.record_undone(r.update_run(failed(release=RELEASE), undo="begun"), "/x"))
    assert events(ended(begun("deploy")), verdict="pass") == ["verdict"]
    assert events(undone, verdict="fail") == ["verdict", "rollback"]
    assert events(ended(begun("rollback")), verdict="pass") == ["rollback"]
    assert events(ended(begun("monitor")), verdict="pass", on_failure="nothing") == ["monitoring"]
    assert events(ended(failed("monitor")), verdict="fail", on_failure="nothing") == []
    assert events(ended(failed("monitor")), verdict="fail") == ["monitoring"]
    told = r.messages(undone, "fail", revision="rev")[0]
    assert told["text"] == (
        f"deploy of lab on one: FAIL ({RELEASE}), stopped in phase first, its changes were rolled back"
    )
    assert told["facts"] == {
        "operation": "deploy",
        "environment": "lab",
        "host": "one",
        "user": "jane",
        "release": RELEASE,
        "verdict": "fail",
        "seconds": 11.0,
        "backend_revision": "rev",
        "error": {"phase": "first", "object": "data-bridge"},
        "rolled_back": True,
    }
    assert "it broke" not in str(told)
