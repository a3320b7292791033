"""The plan as one document: what it says, what its hash covers, and what a release records of it."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.suho.platform.plugins.module_utils.releases.deploy_plan import (
    deploy_plan,
    deploy_scope,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.record import (
    release_intents,
    release_manifest,
)
from ansible_collections.suho.platform.plugins.module_utils.report.run import downtimes, failure, timed_phases

STEP = {
    "name": "alter.aggregates",
    "object": "db.aggregates",
    "statement": "ALTER t",
    "rollback_sql": "ALTER ...",
    "operation": {},
}
SCHEMA = {"steps": [STEP], "pending": ["ALTER ..."], "refused": []}
COMPOSE = {
    "path": "/p/docker-compose.yml",
    "sha256_before": "a",
    "sha256_after": "b",
    "block": "  tick:\n",
    "entries": [
        {
            "service": "tick",
            "changed": True,
            "inserted": True,
            "block_sha256": "sha",
            "line": 3,
            "block": "  tick:\n",
        },
        {
            "service": "same",
            "changed": False,
            "inserted": False,
            "block_sha256": "sha",
            "line": 9,
            "block": "",
        },
    ],
    "diff": {},
}
AUDIT = {
    "rows": [{"service": "bridge", "status": "stale"}],
    "reasons": {"bridge": ["older than its code", "uncommitted changes in x.py"]},
    "services": {
        "bridge": {
            "source_digest": "d1",
            "image": {"ref": "p-bridge:latest"},
            "build": {"tag": "p-bridge:latest"},
            "container": {"id": "c1", "image_id": "sha256:old", "state": "running"},
        },
        "tick": {"source_digest": "d2", "image": {}, "build": {"tag": "p-tick:latest"}, "container": {}},
    },
}


def plan(schema=SCHEMA, compose=COMPOSE, audit=AUDIT, build=("bridge", "tick"), recreate=("bridge", "tick")):
    return deploy_plan(schema, compose, audit, build, recreate, 10)


def test_every_reason_of_a_service_that_is_not_well_is_in_the_plan():
    assert plan()["reasons"] == {"bridge": ["older than its code", "uncommitted changes in x.py"]}


def test_only_services_that_run_now_count_for_the_downtime():
    assert plan()["expected_downtime_seconds"] == 10


@pytest.mark.parametrize(
    "changes",
    [
        {
            "schema": {"steps": [], "refused": []},
            "compose": {**COMPOSE, "sha256_after": "a"},
            "build": (),
            "recreate": (),
        },
    ],
)
def test_a_plan_without_steps_changes_nothing(changes):
    assert plan(**changes)["changes"] is False


@pytest.mark.parametrize("part", ["schema", "compose", "build", "recreate"])
def test_each_part_alone_makes_it_a_change(part):
    nothing = {
        "schema": {"steps": []},
        "compose": {**COMPOSE, "sha256_after": "a"},
        "build": (),
        "recreate": (),
    }
    something = {"schema": SCHEMA, "compose": COMPOSE, "build": ("bridge",), "recreate": ("bridge",)}
    assert plan(**{**nothing, part: something[part]})["changes"] is True


def test_the_hash_is_that_of_the_acts_and_of_nothing_else():
    later = copy.deepcopy(AUDIT)
    later["rows"][0]["code modified"] = "an hour ago"
    assert plan()["hash"] == plan(audit=later)["hash"]
    moved = copy.deepcopy(AUDIT)
    moved["services"]["bridge"]["source_digest"] = "other"
    others = [
        plan(audit=moved),
        plan(schema={"steps": []}),
        plan(compose={**COMPOSE, "sha256_after": "c"}),
        plan(recreate=("bridge",)),
    ]
    assert len({plan()["hash"], *(one["hash"] for one in others)}) == 5


def test_the_record_knows_what_ran_before_and_what_did_not_exist():
    manifest = release_manifest(plan(), AUDIT)
    assert manifest["services"]["bridge"] == {
        "tag": "p-bridge:latest",
        "order": 0,
        "existed": True,
        "image_before": "sha256:old",
        "container_before": "c1",
        "up_before": True,
    }
    assert manifest["services"]["tick"]["existed"] is False
    assert manifest["schema"]["steps"] == [STEP]
    assert manifest["compose"] == {
        "path": "/p/docker-compose.yml",
        "sha256_before": "a",
        "sha256_after": "b",
        "entries": [{"service": "tick", "inserted": True, "block_sha256": "sha"}],
    }


PLATFORM = {"bridge": {"consumes": True}, "collector": {}, "tick": {}, "more": {"consumes": True}}
NEW = ["tick", "more"]


@pytest.mark.parametrize(
    ("parts", "schema", "services", "entries"),
    [
        ([], True, ["bridge", "collector", "tick", "more"], NEW),
        (["schema"], True, [], []),
        (["services"], False, ["bridge", "collector"], []),
        (["tick"], False, ["tick"], ["tick"]),
        (["more", "services", "schema"], True, ["bridge", "collector", "more"], ["more"]),
    ],
)
def test_the_tags_choose_what_a_deploy_works_on(parts, schema, services, entries):
    assert deploy_scope(parts, list(PLATFORM), NEW) == {
        "schema": schema,
        "services": services,
        "entries": entries,
    }


def partial(parts, recreate, stale=("bridge", "tick"), schema=SCHEMA):
    services = {
        name: {**AUDIT["services"]["tick"], "action": "rebuild" if name in stale else "none"}
        for name in PLATFORM
    }
    scope = deploy_scope(parts, list(PLATFORM), NEW)
    audit = {**AUDIT, "services": services}
    return deploy_plan(schema, COMPOSE, audit, recreate, recreate, 10, scope, PLATFORM)


def test_what_the_tags_leave_out_is_named_and_no_part_of_the_plan():
    whole = partial([], ["bridge", "tick"])
    assert (whole["left"], whole["harm"], len(whole["schema"]["steps"])) == ([], [], 1)
    schema = partial(["schema"], [])
    assert (schema["left"], schema["harm"]) == (["bridge", "tick"], [])
    services = partial(["services"], ["bridge"])
    assert (services["left"], services["schema"]["steps"]) == (["schema", "tick"], [])
    # What is as it should be is not left out.
    assert partial(["tick"], ["tick"], stale=("tick",), schema={"steps": []})["left"] == []


def test_new_code_is_not_put_on_an_old_schema():
    (harm,) = partial(["services"], ["bridge"])["harm"]
    assert harm.startswith("the new bridge may write into what the schema does not have yet")
    assert "--tags schema,bridge" in harm
    assert partial(["services"], ["bridge"], schema={"steps": []})["harm"] == []
    assert partial(["services"], [])["harm"] == []


def test_a_new_producer_is_not_put_before_an_old_consumer():
    (harm,) = partial(["tick"], ["tick"], schema={"steps": []})["harm"]
    assert harm.startswith("the new tick may publish what the old bridge does not store")
    assert "--tags bridge,tick" in harm
    assert partial(["tick"], ["tick"], stale=("tick", "collector"), schema={"steps": []})["harm"] == []
    assert partial(["more"], ["more"], stale=("more", "bridge"), schema={"steps": []})["harm"] == []


@pytest.mark.parametrize(
    ("container", "up"),
    [
        ({"state": "running", "health": "healthy"}, True),
        ({"state": "running", "health": ""}, True),
        ({"state": "running", "health": "unhealthy"}, False),
        ({"state": "restarting", "exit_code": 1}, False),
        ({"state": "exited", "exit_code": 137}, False),
        ({"state": "exited", "exit_code": 0}, True),
    ],
)
def test_a_service_that_did_not_work_before_need_not_work_after_the_way_back(container, up):
    services = {**AUDIT["services"]}
    services["bridge"] = {
        **services["bridge"],
        "container": {"id": "c1", "image_id": "sha256:old", **container},
    }
    assert release_manifest(plan(), {**AUDIT, "services": services})["services"]["bridge"]["up_before"] is up


def test_every_change_is_planned_in_the_journal():
    intents = release_intents(plan())
    assert [(one["phase"], one["object"]) for one in intents] == [
        ("schema", "db.aggregates"),
        ("build", "bridge"),
        ("build", "tick"),
        ("compose", "/p/docker-compose.yml"),
        ("rollout", "bridge"),
        ("rollout", "tick"),
    ]
    assert all(one["event"] == "planned" and one["undo"] for one in intents)


def test_a_phase_ends_where_the_next_one_begins():
    phases = timed_phases([{"name": "a", "started": 10.0}, {"name": "b", "started": 12.5}], 13.0, True)
    assert [(one["name"], one["seconds"], one["status"]) for one in phases] == [
        ("a", 2.5, "ok"),
        ("b", 0.5, "failed"),
    ]
    assert timed_phases([], 1.0, False) == []


def test_the_failed_item_of_a_loop_is_the_object():
    result = {
        "msg": "One or more items failed",
        "results": [
            {"item": "a", "failed": False},
            {"item": {"key": "bridge"}, "failed": True, "msg": "it crashed"},
        ],
    }
    assert failure(result, "Recreate the service", "rollout") == {
        "phase": "rollout",
        "object": "bridge",
        "message": "it crashed",
    }


def test_without_a_loop_the_task_is_the_object():
    assert failure({"msg": " no login\n"}, "Plan", "plan") == {
        "phase": "plan",
        "object": "Plan",
        "message": "no login",
    }
    assert failure({}, "Plan", "plan")["message"] == "no message"


def test_only_swaps_that_happened_have_a_downtime():
    results = [
        {"service": "bridge", "changed": True, "downtime": 1.5, "max_downtime": 60},
        {"service": "same", "changed": False, "downtime": 0.0},
        {"service": "planned", "changed": True},
    ]
    assert downtimes(results) == [{"service": "bridge", "seconds": 1.5, "budget": 60}]
    assert downtimes([{**results[0], "max_downtime": 0}])[0]["budget"] is None
