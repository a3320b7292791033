"""What passed was really looked at, and each kind of fault turns its own probes red in one run."""

from __future__ import annotations

import json
import re
import time
from contextlib import contextmanager

import pytest
from lab_facts import EXTERNAL_TABLES, run

SERVICES = ("data-bridge", "external-collector", "tick-aggregator")
QUICK = {"verify_timeout": 4, "verify_interval": 1}


@pytest.fixture(scope="module")
def results(lab):
    return json.loads((lab.folder / "verify.json").read_text())


def red(done):
    """Names of the probes that a run showed as not passed, with their verdicts."""
    return dict(re.findall(r"^ *- (.+?) \[(fail|error|inconclusive)\]: observed ", done.said, re.MULTILINE))


@contextmanager
def stopped(lab, service):
    run("docker", "stop", "--time", "2", lab.container(service))
    try:
        yield
    finally:
        run("docker", "start", lab.container(service))


@contextmanager
def renamed(lab, table):
    """As if the table had got lost; its rows come back with its name."""
    lab.query(f"RENAME TABLE {table} TO {table}_molecule")
    try:
        yield
    finally:
        lab.query(f"DROP TABLE IF EXISTS {table}")
        lab.query(f"RENAME TABLE {table}_molecule TO {table}")


def test_every_kind_of_probe_passed_on_the_deployed_lab(lab, results):
    assert {one["verdict"] for one in results} == {"pass"}
    assert {one["probe"] for one in results} == {"containers", "ClickHouse", "logs", "broker"}
    names = " ".join(one["name"] for one in results)
    for service in SERVICES:
        assert lab.container(service) in names
    assert len([one for one in results if one["probe"] == "ClickHouse"]) == 4 + len(EXTERNAL_TABLES)


def test_what_it_saw_of_the_tables_is_true(lab):
    assert all(lab.count(table, "collected_at >= now() - INTERVAL 300 SECOND") for table in EXTERNAL_TABLES)
    assert lab.count("aggregates", "source = 'live_aggregated' AND isValidJSON(indicators)") > 0


def test_a_stopped_tick_aggregator_is_seen_at_once(lab, role):
    with stopped(lab, "tick-aggregator"):
        done = role("verify", **QUICK)
    done.assert_refused(lab.container("tick-aggregator"), "expected")
    failed = red(done)
    assert any(lab.container("tick-aggregator") in name for name in failed)
    assert not any(lab.container("external-collector") in name for name in failed)
    assert done.changed == 0


def test_a_service_that_does_not_exist_is_seen(lab, role):
    services = {"ghost": {"container": f"{lab.name}-ghost", "expect_logs": []}}
    done = role("verify", **QUICK, platform_services=services)
    done.assert_refused(f"{lab.name}-ghost")


def test_an_expected_line_that_never_comes_is_seen(lab, role):
    line = {"name": "says what it never says", "pattern": "molecule never says this"}
    services = {"data-bridge": {"container": lab.container("data-bridge"), "expect_logs": [line]}}
    done = role("verify", **QUICK, platform_services=services)
    done.assert_refused("says what it never says")
    assert red(done)[f"{lab.container('data-bridge')}: says what it never says"] == "fail"


def test_looking_at_nothing_is_no_pass(role):
    nothing = {f"verify_{kind}": [] for kind in ("containers", "logs", "streams", "assertions")}
    role("verify", **QUICK, **nothing).assert_refused("verify_results | length > 0")


def test_a_table_that_is_gone_is_seen_at_once(lab, role):
    with renamed(lab, "external_fred_economic"):
        done = role("verify", **QUICK)
    done.assert_refused("external_fred_economic")
    failed = red(done)
    assert failed["fred economic arrives"] in ("fail", "error")
    assert not {"economic calendar arrives", "bars arrive", "crypto sentiment arrives"} & set(failed)


def test_after_the_faults_it_passes_again(role):
    """Logs count from here on: the data-bridge may rightly have complained about the table that was gone."""
    time.sleep(1)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    role("verify", verify_timeout=90, verify_interval=1, verify_log_since=since).assert_passed(changed=0)
