"""After the rollback the old state is back, and not one row is lost."""

from __future__ import annotations

import hashlib
import json

import pytest
from lab_facts import EXTERNAL_TABLES, QUARANTINE, missing_bars, missing_polls


@pytest.fixture(scope="module")
def before(lab):
    return json.loads(lab.remembered.read_text())


@pytest.fixture(scope="module")
def rows(lab):
    return json.loads((lab.folder / "rows.json").read_text())


def test_the_compose_file_is_byte_identical(lab, before):
    assert hashlib.sha256(lab.compose_file.read_bytes()).hexdigest() == before["files"]["docker-compose.yml"]


def test_the_old_images_run(lab, before):
    now = lab.containers()
    assert set(now) == set(before["containers"])
    for name, (_id, image, _started) in before["containers"].items():
        assert now[name]["Image"] == image, name
    for name in ("data-bridge", "external-collector"):
        assert lab.inspect(name)["State"]["Status"] == "running"


def test_containers_that_no_release_named_were_never_touched(lab, before):
    now = lab.containers()
    swapped = {lab.container("data-bridge"), lab.container("external-collector")}
    for name, (container_id, _image, started) in before["containers"].items():
        if name not in swapped:
            assert [now[name]["Id"], now[name]["State"]["StartedAt"]] == [container_id, started], name


def test_the_old_schema_is_back(lab, before):
    now = {name: ddl for name, ddl in lab.fingerprint()["schema"].items() if not name.startswith(QUARANTINE)}
    assert now == before["schema"]


@pytest.mark.parametrize("table", EXTERNAL_TABLES)
def test_the_quarantine_holds_every_row_of_a_new_table(lab, rows, table):
    (kept,) = [name for name in lab.tables(QUARANTINE) if name.startswith(f"{table}__")]
    assert lab.count(f"{QUARANTINE}.`{kept}`") >= rows[table]


def test_the_quarantine_holds_every_value_of_the_column(lab, rows):
    (kept,) = [name for name in lab.tables(QUARANTINE) if name.startswith("aggregates__indicators__")]
    assert lab.count(f"{QUARANTINE}.`{kept}`", "indicators != ''") >= rows["indicators"]


def test_every_message_of_the_release_is_in_the_quarantine_once(lab, rows):
    """What the broker had taken before the rollback began, message by message."""
    (kept,) = [name for name in lab.tables(QUARANTINE) if name.startswith("aggregates__indicators__")]
    bars = lab.published("BARS", rows["sequences"]["BARS"])
    found = lab.query(
        f"SELECT symbol, timeframe, toUnixTimestamp64Milli(timestamp), indicators FROM {QUARANTINE}.`{kept}`"
    )
    assert missing_bars(bars, found) == []
    polls = lab.published("EXTERNAL", rows["sequences"]["EXTERNAL"])
    for table in EXTERNAL_TABLES:
        (kept,) = [name for name in lab.tables(QUARANTINE) if name.startswith(f"{table}__")]
        found = lab.query(
            f"SELECT toUnixTimestamp(collected_at), count() FROM {QUARANTINE}.`{kept}` GROUP BY 1"
        )
        assert missing_polls(polls, table, found) == []


def test_no_bar_is_lost(lab, rows):
    assert lab.count("aggregates") >= rows["aggregates"]


def test_the_report_says_what_needs_a_deploy_again(lab):
    found = json.loads((lab.reports / "latest/report.json").read_text())
    assert found["meta"]["operation"] == "rollback"
    after = {one["service"]: one["action"] for one in found["audit_after"]["services"]}
    assert after["data-bridge"] == "REBUILD", after
    assert "tick-aggregator" not in after


def test_the_record_says_that_the_release_was_rolled_back(lab):
    (release,) = (lab.state / "releases").glob("*")
    assert json.loads((release / "manifest.json").read_text())["status"] == "rolled_back"
    assert not (lab.state / "current").is_symlink()
