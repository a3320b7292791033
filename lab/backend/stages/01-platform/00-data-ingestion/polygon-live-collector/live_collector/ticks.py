"""Which ticks are due, and their rows."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from suho_shared.markets import Quote, quote

# A feed keeps what it could not deliver for this long; older ticks are lost, as with a real vendor.
BUFFER_MS = 300_000
INSERT = (
    "INSERT INTO market_ticks (time, symbol, bid, ask, mid, spread, volume) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


def moments(after_ms: int, until_ms: int, step_ms: int) -> list[int]:
    """The tick moments in (after, until]: multiples of the step."""
    first = after_ms // step_ms * step_ms + step_ms
    return list(range(first, until_ms + 1, step_ms))


def row(tick: Quote) -> tuple[Any, ...]:
    time = datetime.fromtimestamp(tick.timestamp_ms / 1000, tz=timezone.utc)
    middle, spread = round((tick.bid + tick.ask) / 2, 5), round(tick.ask - tick.bid, 5)
    return time, tick.symbol, tick.bid, tick.ask, middle, spread, tick.volume


def due(symbols: list[str], after_ms: int, until_ms: int, rate: float) -> tuple[list[tuple[Any, ...]], int]:
    """Rows of all ticks in (after, until], oldest first, and how many milliseconds were too old to keep."""
    lost = max(0, until_ms - BUFFER_MS - after_ms)
    step = max(1, round(1000 / rate))
    rows = [row(quote(symbol, ms)) for ms in moments(after_ms + lost, until_ms, step) for symbol in symbols]
    return rows, lost
