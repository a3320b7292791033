"""The old schema is back, and the quarantine holds every row that it has no place for."""

from __future__ import annotations

import json

from lab_facts import EXTERNAL_TABLES, QUARANTINE


def test_the_schema_is_the_one_of_before(lab):
    before = json.loads(lab.remembered.read_text())["schema"]
    now = {name: ddl for name, ddl in lab.fingerprint()["schema"].items() if not name.startswith(QUARANTINE)}
    assert now == before


def test_every_new_table_lies_in_the_quarantine_with_its_rows(lab):
    kept = {f"{table}__molecule" for table in EXTERNAL_TABLES}
    assert kept <= lab.tables(QUARANTINE)
    assert lab.count(f"{QUARANTINE}.external_fear_greed_index__molecule") == 777


def test_the_columns_values_lie_in_the_quarantine(lab):
    (kept,) = [name for name in lab.tables(QUARANTINE) if name.startswith("aggregates__indicators__")]
    ((rows, values),) = lab.query(
        f"SELECT count(), uniqExact(timestamp) FROM {QUARANTINE}.`{kept}` WHERE indicators = '{{\"rsi\": 50.5}}'"
    )
    assert rows == values == 333


def test_no_bar_is_lost(lab):
    assert lab.count("aggregates") == json.loads((lab.folder / "rows.json").read_text())["aggregates"]
