"""Bars as rows of the table aggregates."""

from __future__ import annotations

import json
import math
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
        "indicators",
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


def indicators(values: Any) -> str:
    """The indicators as a JSON object of finite numbers; a bar that brings none has the empty string."""
    if not values:
        return ""
    for name, value in values.items():
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
            raise ValueError(f"indicator {name} is {value!r}, expected a finite number")
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


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
            indicators(body.get("indicators")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return AGGREGATES, [row]


def describe(table: Table, rows: list[Row]) -> list[str]:
    """What the log says about rows that were stored."""
    place = table.columns.index("indicators")
    rich = sum(1 for row in rows if row[place])
    lines = [f"Writing {rich} aggregates with indicators"] if rich else []
    if rich < len(rows):
        lines.append(f"Writing {len(rows) - rich} aggregates without indicators")
    return lines
