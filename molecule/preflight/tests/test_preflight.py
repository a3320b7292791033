"""The plan says what the audit's state lacks; refusals name every finding at once; approvals hold for one plan."""

from __future__ import annotations

import hashlib
import json

import pytest
from lab_facts import EXTERNAL_TABLES, PROJECT

SERVICES = ["data-bridge", "external-data-collector", "tick-aggregator"]


@pytest.fixture(scope="module")
def kept(lab):
    return json.loads((lab.folder / "plan.json").read_text())


@pytest.fixture(scope="module")
def attempts(lab):
    return json.loads((lab.folder / "attempts.json").read_text())


def test_the_platform_is_described_for_every_role(kept):
    """From the defaults of the role `platform`, and from the inventory where that says otherwise."""
    assert kept["order"] == SERVICES
    assert kept["network"] == "suho-trading-network"
    assert kept["environment"] == "lab"


def test_the_plan_names_what_the_schema_lacks(lab, kept):
    steps = {step["object"].partition(".")[2]: step for step in kept["plan"]["schema"]["steps"]}
    assert set(steps) == {"aggregates", *EXTERNAL_TABLES}
    assert set(EXTERNAL_TABLES).isdisjoint(lab.tables())
    assert "ADD COLUMN `indicators`" in steps["aggregates"]["statement"]
    assert kept["plan"]["schema"]["refused"] == []


def test_the_plan_names_services_and_compose_file(lab, kept):
    plan = kept["plan"]
    assert plan["build"] == plan["recreate"] == SERVICES
    assert plan["compose"]["changed"]
    assert plan["compose"]["sha256_before"] == hashlib.sha256(lab.compose_file.read_bytes()).hexdigest()
    assert "tick-aggregator:" in plan["compose"]["block"]
    # Two services run and will be away for a moment; the third one is new and missed by nobody.
    assert plan["expected_downtime_seconds"] == 20


def test_all_checks_ran_and_found_nothing(kept):
    assert len(kept["checks"]["checks"]) >= 8
    assert kept["checks"]["findings"] == []


def test_one_run_names_every_finding(lab, role, tmp_path):
    """Four faults of four kinds, one error that has all of them."""
    before = lab.fingerprint()
    done = role(
        "preflight",
        preflight_new_services={"tick-aggregator": {"image": "any"}},
        preflight_min_free_gib=1000000,
        platform_clickhouse_password="wr0ng-secret",
        platform_schema_dir=str(tmp_path),
        platform_services={"data-brigde": {"container": "x", "expect_logs": []}, "tick-aggregator": {}},
    )
    files = [path.name for path in (PROJECT / "files/schemas/clickhouse").glob("*.sql")]
    assert len(files) == 7
    done.assert_refused(
        f"{len(files) + 3} finding(s) before the first change",
        "data-brigde",
        "no such service",
        "GiB free",
        "at least 1000000.00 GiB",
        "wrong user or password",
        *files,
    )
    assert "wr0ng-secret" not in done.said
    assert done.changed == 0
    assert lab.fingerprint() == before


def test_a_folder_that_is_no_backend_is_one_finding_and_no_traceback(role, tmp_path):
    done = role("preflight", preflight_new_services={}, platform_project_dir=str(tmp_path))
    done.assert_refused("1 finding(s)", "[compose file]", str(tmp_path / "docker-compose.yml"))


@pytest.mark.parametrize("attempt", ["this plan", "any plan"])
def test_a_plan_that_was_read_is_approved(attempts, attempt):
    assert attempts[attempt] == "approved"


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        ("nothing said", "Not approved: nothing was changed"),
        ("another plan", "0123456789ab is not the plan as of now"),
    ],
)
def test_anything_else_is_refused(attempts, kept, attempt, words):
    assert words in attempts[attempt]
    assert kept["plan"]["hash"][:12] in attempts[attempt]


def test_a_hash_that_is_too_short_is_refused(attempts):
    assert "is not the plan as of now" in attempts["too few digits"]


def test_uncommitted_code_is_refused(lab, play):
    extra = lab.backend / "02-data-processing/data-bridge/data_bridge/uncommitted.py"
    extra.write_text("x = 1\n")
    before = lab.fingerprint()
    try:
        done = play("molecule/preflight/converge.yml")
    finally:
        extra.unlink()
    done.assert_refused("02-data-processing/data-bridge/data_bridge/uncommitted.py")
    assert lab.fingerprint()["containers"] == before["containers"]
