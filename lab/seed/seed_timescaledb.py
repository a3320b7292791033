"""Ticks for TimescaleDB: dense lately, sparse long ago, so that few rows carry a long history of every timeframe."""

from __future__ import annotations

import os
import time
from pathlib import Path

import psycopg
from suho_shared.markets import MARKETS, quote
from suho_shared.timeframes import TIMEFRAMES, bucket_ms, bucket_start

SCHEMA = Path("/app/shared/schemas/timescaledb/01_market_ticks.sql")
# More bars than the longest window of the aggregation (300), so that a restart sees the same window.
BUCKETS = 320
TICKS_PER_BUCKET = 4
COPY = "COPY market_ticks (time, symbol, bid, ask, mid, spread, volume) FROM STDIN"


def moments(now_ms: int, scale: int) -> list[int]:
    """Tick moments before now: for every timeframe several in each of its last buckets."""
    found: set[int] = set()
    for timeframe in TIMEFRAMES:
        width = bucket_ms(timeframe, scale)
        end = bucket_start(now_ms, timeframe, scale) + width
        for start in range(end - BUCKETS * width, end, width):
            found.update(
                start + (2 * k + 1) * width // (2 * TICKS_PER_BUCKET) for k in range(TICKS_PER_BUCKET)
            )
    return sorted(ms for ms in found if ms < now_ms)


def run() -> str:
    began = time.monotonic()
    scale = int(os.environ.get("SUHO_TIME_SCALE") or 1)
    now_ms = int(time.time() * 1000)
    ticks = [quote(symbol, ms) for ms in moments(now_ms, scale) for symbol in MARKETS]
    try:
        with psycopg.connect(
            host=os.environ.get("TIMESCALEDB_HOST", "postgresql"),
            port=os.environ.get("TIMESCALEDB_PORT", "5432"),
            dbname=os.environ.get("TIMESCALEDB_DB", "market_data"),
            user=os.environ.get("TIMESCALEDB_USER", "suho_user"),
            password=os.environ["TIMESCALEDB_PASSWORD"],
            connect_timeout=10,
        ) as connection:
            connection.execute("DROP TABLE IF EXISTS market_ticks")
            connection.execute(SCHEMA.read_text(encoding="utf-8"))
            with connection.cursor().copy(COPY) as copy:
                for q in ticks:
                    seconds = f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime(q.timestamp_ms // 1000))}.{q.timestamp_ms % 1000:03d}+00"
                    middle, spread = round((q.bid + q.ask) / 2, 5), round(q.ask - q.bid, 5)
                    copy.write_row((seconds, q.symbol, q.bid, q.ask, middle, spread, q.volume))
            connection.execute("ANALYZE market_ticks")
    except psycopg.Error as error:
        raise RuntimeError(error) from None
    return f"timescaledb: {len(ticks)} ticks of {len(MARKETS)} symbols, {time.monotonic() - began:.1f} s"
