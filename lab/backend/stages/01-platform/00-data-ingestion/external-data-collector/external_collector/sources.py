"""The sources, and the stand-ins for their vendors: seeded by the moment, so every poll has fresh, plausible figures."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

Fetch = Callable[[datetime], "list[dict[str, Any]]"]
SEED = 20251006


@dataclass(frozen=True)
class Source:
    name: str
    every_seconds: int  # of real life; the lab's time scale makes it shorter
    fetch: Fetch


def dice(name: str, now: datetime) -> random.Random:
    return random.Random(f"{SEED}:{name}:{int(now.timestamp())}")


def wave(now: datetime, period: float, phase: float = 0.0) -> float:
    return math.sin(2 * math.pi * (now.timestamp() / period + phase))


COINS = (
    ("bitcoin", "Bitcoin", "btc", 120_000.0, 1),
    ("ethereum", "Ethereum", "eth", 4_500.0, 2),
    ("ripple", "XRP", "xrp", 2.9, 3),
    ("solana", "Solana", "sol", 230.0, 6),
    ("cardano", "Cardano", "ada", 0.85, 10),
)


def crypto_sentiment(now: datetime) -> list[dict[str, Any]]:
    rng = dice("crypto", now)
    return [
        {
            "coin_id": coin,
            "name": name,
            "symbol": symbol,
            "price_usd": round(base * (1 + 0.04 * wave(now, 86_400, rank / 7) + rng.gauss(0, 0.001)), 6),
            "price_change_24h": round(4 * wave(now, 86_400, rank / 7 + 0.25) + rng.gauss(0, 0.3), 4),
            "market_cap_rank": rank,
            "sentiment_votes_up": round(
                min(max(70 + 15 * wave(now, 40_000, rank / 5) + rng.gauss(0, 2), 0), 100), 2
            ),
            "community_score": round(min(max(60 + rng.gauss(0, 5), 0), 100), 2),
            "twitter_followers": 1_000_000 * (12 - rank) + rng.randint(0, 5_000),
            "reddit_subscribers": 500_000 * (12 - rank) + rng.randint(0, 2_000),
            "source": "coingecko",
        }
        for coin, name, symbol, base, rank in COINS
    ]


GRADES = ((25, "Extreme Fear"), (45, "Fear"), (55, "Neutral"), (75, "Greed"), (101, "Extreme Greed"))


def fear_greed_index(now: datetime) -> list[dict[str, Any]]:
    value = round(min(max(50 + 35 * wave(now, 50_000) + dice("fear", now).gauss(0, 3), 0), 100))
    grade = next(name for limit, name in GRADES if value < limit)
    return [
        {
            "value": value,
            "classification": grade,
            "sentiment_score": round((value - 50) / 50, 4),
            "index_timestamp": now.astimezone(timezone.utc).isoformat(timespec="seconds"),
            "source": "alternative.me",
        }
    ]


SOURCES = {
    source.name: source
    for source in (
        Source("crypto_sentiment", 1800, crypto_sentiment),
        Source("fear_greed_index", 3600, fear_greed_index),
    )
}
