"""Bars as rows of the table aggregates."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from decimal import Decimal, InvalidOperation
from typing import Any

from data_bridge.tables import Row, Table

AGGREGATES = Table(
    name="aggregates",
    columns=(
        "symbol",
        "timeframe",
        "timestamp",
        "timestamp_ms",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "vwap",
        "range_pips",
        "body_pips",
        "start_time",
        "end_time",
        "source",
        "event_type",
    ),
    key=("symbol", "timeframe", "timestamp_ms", "source"),
    moment="timestamp",
)


class Malformed(Exception):
    """A message that no retry can turn into a row."""


def decimal(value: Any) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise ValueError(f"{value!r} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not finite")
    return number.quantize(Decimal("0.00001"))


def moment(value: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(timezone.utc)


def bar(data: bytes) -> tuple[Table, list[Row]]:
    """The row of one bar."""
    try:
        body = json.loads(data)
        row = (
            str(body["symbol"]),
            str(body["timeframe"]),
            datetime.fromtimestamp(body["timestamp_ms"] / 1000, tz=timezone.utc),
            int(body["timestamp_ms"]),
            decimal(body["open"]),
            decimal(body["high"]),
            decimal(body["low"]),
            decimal(body["close"]),
            int(body["volume"]),
            decimal(body.get("vwap", 0)),
            decimal(body["range_pips"]),
            decimal(body["body_pips"]),
            moment(body["start_time"]),
            moment(body["end_time"]),
            str(body["source"]),
            str(body.get("event_type", "ohlcv")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return AGGREGATES, [row]


def describe(_table: Table, rows: list[Row]) -> list[str]:
    """What the log says about rows that were stored."""
    return [f"Writing {len(rows)} aggregates"]
