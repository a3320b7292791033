"""Polls of external sources as rows of the six external tables."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from datetime import date
from typing import Any

from data_bridge.rows import Malformed, moment
from data_bridge.tables import Row, Table


def number(value: Any) -> float:
    result = float(value)
    if not math.isfinite(result):
        raise ValueError(f"{value!r} is not finite")
    return result


def optional(value: Any) -> str | None:
    return None if value is None else str(value)


Fields = dict[str, Callable[[Any], Any]]
FIELDS: dict[str, Fields] = {
    "economic_calendar": {
        "date": date.fromisoformat,
        "time": str,
        "currency": str,
        "event": str,
        "forecast": optional,
        "previous": optional,
        "actual": optional,
        "impact": str,
        "source": str,
    },
    "fred_economic": {
        "series_id": str,
        "value": number,
        "observation_date": date.fromisoformat,
        "source": str,
    },
    "crypto_sentiment": {
        "coin_id": str,
        "name": str,
        "symbol": str,
        "price_usd": number,
        "price_change_24h": number,
        "market_cap_rank": int,
        "sentiment_votes_up": number,
        "community_score": number,
        "twitter_followers": int,
        "reddit_subscribers": int,
        "source": str,
    },
    "fear_greed_index": {
        "value": int,
        "classification": str,
        "sentiment_score": number,
        "index_timestamp": moment,
        "source": str,
    },
    "commodity_prices": {
        "symbol": str,
        "name": str,
        "currency": str,
        "price": number,
        "previous_close": number,
        "change": number,
        "change_percent": number,
        "volume": int,
        "source": str,
    },
    "market_sessions": {
        "current_utc_time": str,
        "active_sessions_count": int,
        "active_sessions": str,
        "liquidity_level": str,
    },
}
KEYS = {
    "economic_calendar": ("date", "time", "currency", "event"),
    "fred_economic": ("series_id", "observation_date"),
    "crypto_sentiment": ("coin_id",),
    "fear_greed_index": ("index_timestamp",),
    "commodity_prices": ("symbol",),
    "market_sessions": ("current_utc_time",),
}
TABLES = {
    source: Table(
        name=f"external_{source}",
        columns=(*fields, "collected_at"),
        key=(*KEYS[source], "collected_at"),
        moment="collected_at",
    )
    for source, fields in FIELDS.items()
}


def poll(data: bytes) -> tuple[Table, list[Row]]:
    """The rows of one poll of one source."""
    try:
        body = json.loads(data)
        source = body["source"]
        if source not in FIELDS:
            raise ValueError(f"source {source!r}, expected one of {', '.join(FIELDS)}")
        collected = moment(body["collected_at"])
        rows = [
            (*(read(item[name]) for name, read in FIELDS[source].items()), collected) for item in body["rows"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Malformed(f"{type(error).__name__}: {error}") from None
    return TABLES[source], rows


def describe(table: Table, rows: list[Row]) -> list[str]:
    """What the log says about rows that were stored."""
    return [f"Writing {len(rows)} rows to {table.name}"]
