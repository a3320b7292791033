"""Buckets, bars, indicators and ticks of the lab's platform."""

from __future__ import annotations

import json
import math
from datetime import datetime, timezone

import lab_tree  # noqa: F401 - makes the services importable
import pytest
import seed_timescaledb
from historical_downloader import history as past
from hypothesis import given
from hypothesis import strategies as st
from live_collector import ticks as live
from suho_shared import bars, markets, timeframes
from suho_shared.bars import Bar
from tick_aggregator import indicators

FACTS_KEYS = [
    "sma_7",
    "sma_14",
    "sma_21",
    "sma_50",
    "sma_200",
    "ema_7",
    "ema_14",
    "ema_21",
    "ema_50",
    "ema_200",
    "rsi",
    "macd",
    "macd_signal",
    "macd_histogram",
    "stoch_k",
    "stoch_d",
    "bb_upper",
    "bb_middle",
    "bb_lower",
    "bb_width",
    "atr",
    "mfi",
    "obv",
    "adl",
    "cci",
    "vwap",
]
NOW = 1_760_000_000_123


def series(count: int, flat: bool = False) -> list[Bar]:
    found = []
    for n in range(count):
        base = 100.0 if flat else 100 + 5 * math.sin(n / 9) + (n * 7919 % 13) / 10
        high, low = (base, base) if flat else (base + 0.7, base - 0.4)
        found.append(Bar("EURUSD", "5m", n * 5000, n * 5000 + 5000, base, high, low, base, 10 + n % 7, base))
    return found


@given(
    st.integers(0, 4_102_444_800_000),
    st.sampled_from(list(timeframes.TIMEFRAMES)),
    st.sampled_from([1, 10, 60, 300]),
)
def test_every_moment_is_in_exactly_one_bucket(moment: int, timeframe: str, scale: int) -> None:
    start, width = timeframes.bucket_start(moment, timeframe, scale), timeframes.bucket_ms(timeframe, scale)
    assert start <= moment < start + width
    assert timeframes.bucket_start(start, timeframe, scale) == start
    assert timeframes.bucket_start(start + width, timeframe, scale) == start + width


def test_scale_shortens_bars_and_weeks_begin_on_monday() -> None:
    assert timeframes.bucket_ms("5m", 60) == 5000
    start = timeframes.bucket_start(NOW, "1w", 1)
    assert datetime.fromtimestamp(start / 1000, tz=timezone.utc).strftime("%a %H:%M") == "Mon 00:00"


@pytest.mark.parametrize(("timeframe", "scale"), [("7m", 1), ("5m", 0), ("5m", 7), ("5m", 300_001)])
def test_impossible_buckets_are_refused(timeframe: str, scale: int) -> None:
    with pytest.raises(ValueError, match=r"found .*, expected"):
        timeframes.bucket_ms(timeframe, scale)


def test_quotes_depend_on_time_alone() -> None:
    assert markets.quote("EURUSD", NOW) == markets.quote("EURUSD", NOW)
    assert markets.quote("EURUSD", NOW) != markets.quote("EURUSD", NOW + 1)
    for symbol, market in markets.MARKETS.items():
        quotes = [markets.quote(symbol, NOW + k * 3_600_000) for k in range(200)]
        assert all(q.bid < q.ask and q.volume > 0 for q in quotes)
        assert all(abs(q.bid / market.base - 1) < 0.1 for q in quotes)


def test_bar_of_quotes() -> None:
    quotes = [
        markets.Quote("EURUSD", ms, price, price, volume)
        for ms, price, volume in [(0, 2, 1), (1, 4, 3), (2, 1, 1), (3, 3, 0)]
    ]
    bar = bars.from_quotes(quotes, "5m", 0, 5000)
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.vwap) == (2, 4, 1, 3, 5, 3.0)
    body = bars.message(bar, "here")
    assert (body["range_pips"], body["body_pips"]) == (30000.0, 10000.0)
    assert body["start_time"] == "1970-01-01T00:00:00.000+00:00"
    assert bars.message_id(body) == "here:EURUSD:5m:0"
    with pytest.raises(ValueError, match="expected at least one"):
        bars.from_quotes([], "5m", 0, 5000)


def test_the_26_keys() -> None:
    assert list(indicators.KEYS) == FACTS_KEYS
    assert len(set(FACTS_KEYS)) == 26


def test_all_indicators_are_finite_with_enough_history() -> None:
    values = indicators.compute(series(200))
    assert list(values) == FACTS_KEYS
    assert all(isinstance(v, float) and math.isfinite(v) for v in values.values())
    assert not indicators.missing(values)


def test_values_against_plain_arithmetic() -> None:
    data = series(220)
    close = [bar.close for bar in data]
    values = indicators.compute(data)
    assert values["sma_200"] == pytest.approx(sum(close[-200:]) / 200)
    mean = sum(close[-20:]) / 20
    deviation = math.sqrt(sum((c - mean) ** 2 for c in close[-20:]) / 20)
    assert values["bb_upper"] == pytest.approx(mean + 2 * deviation)
    assert values["bb_width"] == pytest.approx(4 * deviation / mean, rel=1e-6)
    assert values["macd_histogram"] == pytest.approx(values["macd"] - values["macd_signal"], abs=1e-7)
    last = data[-14:]
    volume = sum(bar.volume for bar in last)
    assert values["vwap"] == pytest.approx(
        sum((b.high + b.low + b.close) / 3 * b.volume for b in last) / volume
    )
    assert 0 <= values["rsi"] <= 100


@pytest.mark.parametrize("count", [0, 1, 14, 40, 199])
def test_short_history_leaves_keys_out(count: int) -> None:
    values = indicators.compute(series(count))
    assert all(math.isfinite(v) for v in values.values())
    assert {"sma_200", "ema_200"} <= set(indicators.missing(values))
    assert ("sma_14" in values) == (count >= 14)
    json.dumps(values, allow_nan=False)


def test_a_flat_market_has_no_nan() -> None:
    values = indicators.compute(series(250, flat=True))
    assert list(values) == FACTS_KEYS
    assert all(math.isfinite(v) for v in values.values())


def test_nothing_traded_leaves_vwap_out() -> None:
    silent = [
        Bar(b.symbol, b.timeframe, b.start_ms, b.end_ms, b.open, b.high, b.low, b.close, 0, b.vwap)
        for b in series(220)
    ]
    assert "vwap" in indicators.missing(indicators.compute(silent))


def test_only_the_window_counts() -> None:
    data = series(400)
    assert indicators.compute(data) == indicators.compute(data[-indicators.WINDOW :])


def test_seed_gives_every_timeframe_its_history() -> None:
    for scale in (1, 60):
        moments = seed_timescaledb.moments(NOW, scale)
        assert max(moments) < NOW
        for timeframe in timeframes.TIMEFRAMES:
            open_bucket = timeframes.bucket_start(NOW, timeframe, scale)
            counts: dict[int, int] = {}
            for ms in moments:
                start = timeframes.bucket_start(ms, timeframe, scale)
                counts[start] = counts.get(start, 0) + 1
            width = timeframes.bucket_ms(timeframe, scale)
            closed = [counts.get(open_bucket - k * width, 0) for k in range(1, indicators.WINDOW + 1)]
            assert min(closed) >= 4, (scale, timeframe)
        assert len(moments) < 10_000


def test_live_ticks_have_no_gap_and_no_double() -> None:
    moments = [ms for a, b in ((0, 400), (400, 900), (900, 1300)) for ms in live.moments(a, b, 333)]
    assert moments == [333, 666, 999]
    rows, lost = live.due(["EURUSD", "XAUUSD"], NOW, NOW + 1000, 4)
    assert len(rows) == 8
    assert lost == 0
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_live_collector_keeps_a_bounded_buffer() -> None:
    rows, lost = live.due(["EURUSD"], NOW - 2 * live.BUFFER_MS, NOW, 1)
    assert lost == live.BUFFER_MS
    assert len(rows) == live.BUFFER_MS // 1000


def test_history_is_whole_days_without_gap() -> None:
    start, end = past.days(NOW, 1)
    assert end <= NOW < end + past.DAY_MS
    found = list(past.bars("GBPUSD", "15m", start, end))
    assert len(found) == 96
    assert (found[0].start_ms, found[-1].end_ms) == (start, end)
    assert all(a.end_ms == b.start_ms for a, b in zip(found, found[1:], strict=False))
