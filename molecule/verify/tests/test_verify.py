"""What passed was really looked at, and nothing to look at is no pass."""

from __future__ import annotations

import json

import pytest
from lab_facts import EXTERNAL_TABLES

SERVICES = ("data-bridge", "external-collector", "tick-aggregator")
QUICK = {"verify_timeout": 4, "verify_interval": 1}


@pytest.fixture(scope="module")
def results(lab):
    return json.loads((lab.folder / "verify.json").read_text())


def test_every_kind_of_check_passed_on_the_deployed_lab(lab, results):
    assert {one["verdict"] for one in results} == {"pass"}
    assert {one["group"] for one in results} == {"containers", "ClickHouse", "logs", "broker"}
    names = " ".join(one["name"] for one in results)
    for service in SERVICES:
        assert lab.container(service) in names
    assert len([one for one in results if one["group"] == "ClickHouse"]) == 4 + len(EXTERNAL_TABLES)


def test_what_it_saw_of_the_tables_is_true(lab):
    assert all(lab.count(table, "collected_at >= now() - INTERVAL 300 SECOND") for table in EXTERNAL_TABLES)
    assert lab.count("aggregates", "source = 'live_aggregated' AND isValidJSON(indicators)") > 0


def test_a_service_that_does_not_exist_is_seen(lab, role):
    services = {"ghost": {"container": f"{lab.name}-ghost", "expect_logs": []}}
    done = role("verify", **QUICK, platform_services=services)
    done.assert_refused(f"{lab.name}-ghost")


def test_looking_at_nothing_is_no_pass(role):
    nothing = {f"verify_{kind}": [] for kind in ("containers", "logs", "streams", "assertions")}
    role("verify", **QUICK, **nothing).assert_refused("verify_results | length > 0")
