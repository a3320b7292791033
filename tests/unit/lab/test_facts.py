"""The counting that the scenarios rely on must see a lost, a doubled and a changed row."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lab_facts import missing_bars, missing_polls

BARS = {
    1: {"symbol": "EURUSD", "timeframe": "5m", "timestamp_ms": 1000, "indicators": {"rsi": 50.5}},
    2: {"symbol": "EURUSD", "timeframe": "15m", "timestamp_ms": 1000},
}
STORED = ("EURUSD", "5m", 1000, '{"rsi":50.5}')
POLLS = {
    1: {"source": "fred_economic", "collected_at": "1970-01-01T00:00:10+00:00", "rows": [1, 2]},
    2: {"source": "market_sessions", "collected_at": "1970-01-01T00:00:10+00:00", "rows": [1]},
}


def test_what_is_stored_once_is_not_missing():
    assert missing_bars(BARS, [STORED]) == []
    assert missing_polls(POLLS, "external_fred_economic", [(10, 2)]) == []


def test_lost_doubled_and_changed_bars_are_seen():
    for rows in (
        [],
        [STORED, STORED],
        [("EURUSD", "5m", 1000, '{"rsi":50.4}')],
        [("EURUSD", "5m", 1000, "")],
    ):
        assert len(missing_bars(BARS, rows)) == 1


def test_lost_and_doubled_rows_of_a_poll_are_seen():
    for rows in ([], [(10, 1)], [(10, 4)], [(11, 2)]):
        assert len(missing_polls(POLLS, "external_fred_economic", rows)) == 1
