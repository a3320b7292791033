"""Bars out of the ticks in TimescaleDB; the database does the counting."""

from __future__ import annotations

from datetime import datetime, timezone

import psycopg
from suho_shared.bars import Bar
from suho_shared.timeframes import origin_ms

from tick_aggregator.indicators import WINDOW
from tick_aggregator.series import Series

NEWEST = "SELECT time FROM market_ticks WHERE symbol = %s ORDER BY time DESC LIMIT 1"
OLDEST = "SELECT time FROM market_ticks WHERE symbol = %s ORDER BY time ASC LIMIT 1"
BARS = """
SELECT floor((extract(epoch FROM time) * 1000 - %(origin)s) / %(width)s)::bigint * %(width)s + %(origin)s AS start,
       first(mid, time), max(mid), min(mid), last(mid, time), sum(volume), sum(mid * volume) / nullif(sum(volume), 0)
FROM market_ticks
WHERE symbol = %(symbol)s AND time >= %(begin)s AND time < %(end)s
GROUP BY start
ORDER BY start
"""
# Buckets that are read at once while catching up.
CHUNK = 1000


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, tz=timezone.utc)


async def edge(connection: psycopg.AsyncConnection, query: str, symbol: str) -> int | None:
    """The time of the newest or oldest tick."""
    row = await (await connection.execute(query, (symbol,))).fetchone()
    return None if row is None else int(row[0].timestamp() * 1000)


async def read(connection: psycopg.AsyncConnection, series: Series, begin: int, end: int) -> list[Bar]:
    """The bars whose buckets begin in [begin, end); a bucket without ticks has no bar."""
    if begin >= end:
        return []
    values = {
        "origin": origin_ms(series.timeframe, series.scale),
        "width": series.width,
        "symbol": series.symbol,
        "begin": moment(begin),
        "end": moment(end),
    }
    found = await (await connection.execute(BARS, values)).fetchall()
    return [
        Bar(
            symbol=series.symbol,
            timeframe=series.timeframe,
            start_ms=int(start),
            end_ms=int(start) + series.width,
            open=float(opened),
            high=float(high),
            low=float(low),
            close=float(closed),
            volume=int(volume),
            vwap=round(float(closed if vwap is None else vwap), 5),
        )
        for start, opened, high, low, closed, volume, vwap in found
    ]


async def history(connection: psycopg.AsyncConnection, series: Series, before: int) -> list[Bar]:
    """The last bars before a moment, enough for every indicator if the ticks reach back that far."""
    oldest = await edge(connection, OLDEST, series.symbol)
    span = 2 * WINDOW * series.width
    while True:
        # Gaps (a weekend, a platform that was off) make the look back longer.
        bars = await read(connection, series, before - span, before)
        if len(bars) >= WINDOW or oldest is None or before - span <= oldest:
            return bars[-WINDOW:]
        span *= 4
