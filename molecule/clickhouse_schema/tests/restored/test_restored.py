"""After the way back and forth again every row is where it was, and the quarantine keeps nothing of it."""

from __future__ import annotations

import json

from lab_facts import EXTERNAL_TABLES, QUARANTINE


def test_the_tables_are_back_with_their_rows(lab):
    assert set(EXTERNAL_TABLES) <= lab.tables()
    assert lab.count("external_fear_greed_index") == 777
    assert not {name for name in lab.tables(QUARANTINE) if name.startswith("external_")}


def test_the_values_are_back_in_their_rows(lab):
    rows = json.loads((lab.folder / "rows.json").read_text())
    assert lab.columns("aggregates")["indicators"] == "String"
    assert lab.count("aggregates") == rows["aggregates"]
    assert lab.count("aggregates", "indicators != ''") == rows["indicators"]
    assert lab.count("aggregates", "source = 'molecule' AND indicators = '{\"rsi\": 50.5}'") == 333


def test_going_forward_once_more_changes_nothing(lab, role):
    before = lab.fingerprint()["schema"]
    role("clickhouse_schema").assert_passed(changed=0)
    assert lab.fingerprint()["schema"] == before
