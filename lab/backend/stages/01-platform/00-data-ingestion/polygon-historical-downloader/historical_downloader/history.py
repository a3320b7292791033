"""The vendor's bars of past days. They are as long as their name says, whatever the lab's time scale is."""

from __future__ import annotations

from collections.abc import Iterator

from suho_shared.bars import Bar, from_quotes
from suho_shared.markets import quote
from suho_shared.timeframes import bucket_ms

DAY_MS = 86_400_000
QUOTES_PER_BAR = 20


def days(now_ms: int, count: int) -> tuple[int, int]:
    """Begin and end of the last whole UTC days."""
    end = now_ms // DAY_MS * DAY_MS
    return end - count * DAY_MS, end


def bars(symbol: str, timeframe: str, start_ms: int, end_ms: int) -> Iterator[Bar]:
    width = bucket_ms(timeframe, 1)
    for start in range(start_ms, end_ms, width):
        moments = range(start, start + width, width // QUOTES_PER_BAR)
        yield from_quotes([quote(symbol, ms) for ms in moments], timeframe, start, start + width)
