"""OHLCV bars and the message that carries one over the broker."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from suho_shared.markets import Quote, market


@dataclass(frozen=True)
class Bar:
    symbol: str
    timeframe: str
    start_ms: int
    end_ms: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    vwap: float


def iso(timestamp_ms: int) -> str:
    return datetime.fromtimestamp(timestamp_ms / 1000, tz=timezone.utc).isoformat(timespec="milliseconds")


def from_quotes(quotes: Sequence[Quote], timeframe: str, start_ms: int, end_ms: int) -> Bar:
    """One bar of the middle prices of quotes in time order."""
    if not quotes:
        raise ValueError(f"bar {timeframe} from {iso(start_ms)}: found no quote, expected at least one")
    prices = [(q.bid + q.ask) / 2 for q in quotes]
    volume = sum(q.volume for q in quotes)
    traded = sum(price * q.volume for price, q in zip(prices, quotes))
    return Bar(
        symbol=quotes[0].symbol,
        timeframe=timeframe,
        start_ms=start_ms,
        end_ms=end_ms,
        open=round(prices[0], 5),
        high=round(max(prices), 5),
        low=round(min(prices), 5),
        close=round(prices[-1], 5),
        volume=volume,
        vwap=round(traded / volume if volume else sum(prices) / len(prices), 5),
    )


def message(bar: Bar, source: str) -> dict[str, Any]:
    """The bar as the broker carries it; ``indicators`` is added by who computes them."""
    pip = market(bar.symbol).pip
    return {
        "symbol": bar.symbol,
        "timeframe": bar.timeframe,
        "timestamp_ms": bar.start_ms,
        "start_time": iso(bar.start_ms),
        "end_time": iso(bar.end_ms),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume,
        "vwap": bar.vwap,
        "range_pips": round((bar.high - bar.low) / pip, 5),
        "body_pips": round(abs(bar.close - bar.open) / pip, 5),
        "source": source,
        "event_type": "ohlcv",
    }


def message_id(body: dict[str, Any]) -> str:
    """The broker drops a second message with the same id: a publish that is repeated stays one bar."""
    return f"{body['source']}:{body['symbol']}:{body['timeframe']}:{body['timestamp_ms']}"
