"""The deploy after a rollback brings back what the quarantine kept, message by message."""

from __future__ import annotations

import json

import pytest
from lab_facts import EXTERNAL_TABLES, missing_bars, missing_polls


@pytest.fixture(scope="module")
def sequences(lab):
    return json.loads((lab.folder / "rows.json").read_text())["sequences"]


def test_every_bar_has_its_indicators_again(lab, sequences):
    rows = lab.query(
        "SELECT symbol, timeframe, timestamp_ms, indicators FROM aggregates WHERE source = 'live_aggregated'"
    )
    bars = lab.published("BARS", sequences["BARS"])
    assert any(body.get("indicators") for body in bars.values())
    assert missing_bars(bars, rows) == []


def test_every_external_row_is_back(lab, sequences):
    polls = lab.published("EXTERNAL", sequences["EXTERNAL"])
    for table in EXTERNAL_TABLES:
        rows = lab.query(f"SELECT toUnixTimestamp(collected_at), count() FROM {table} GROUP BY 1")
        assert missing_polls(polls, table, rows) == []
