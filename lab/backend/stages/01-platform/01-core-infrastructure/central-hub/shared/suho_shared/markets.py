"""The stand-in for the vendors' price feeds: a seeded price curve per symbol.

The price is a function of time alone (waves of many lengths, and a small noise that the moment itself seeds), so ticks,
history and restarts fit together without any state, and the same moment always has the same price.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

SEED = 20251006
# Length of each wave in seconds: from bars of seconds up to weeks, so that every timeframe moves.
WAVES = (11, 47, 190, 800, 3_600, 16_000, 70_000, 310_000, 1_400_000)


@dataclass(frozen=True)
class Market:
    symbol: str
    base: float
    swing: float  # amplitude of the longest wave, as a share of the base price
    pip: float
    spread: float


@dataclass(frozen=True)
class Quote:
    symbol: str
    timestamp_ms: int
    bid: float
    ask: float
    volume: int


MARKETS = {
    market.symbol: market
    for market in (
        Market("EURUSD", 1.0850, 0.010, 0.0001, 0.00012),
        Market("GBPUSD", 1.2700, 0.012, 0.0001, 0.00018),
        Market("XAUUSD", 2650.0, 0.020, 0.01, 0.25),
    )
}


def market(symbol: str) -> Market:
    if symbol not in MARKETS:
        raise ValueError(f"symbol: found {symbol!r}, expected one of {', '.join(MARKETS)}")
    return MARKETS[symbol]


def quote(symbol: str, timestamp_ms: int) -> Quote:
    """The quote of a symbol at a moment."""
    m = market(symbol)
    dice = random.Random(f"{SEED}:{symbol}:{timestamp_ms}")
    phase = random.Random(f"{SEED}:{symbol}")
    seconds = timestamp_ms / 1000
    # A short wave is a small wave: amplitudes grow with the root of the length, as a random walk's do.
    wave = sum(
        math.sqrt(length / WAVES[-1]) * math.sin(2 * math.pi * (seconds / length + phase.random()))
        for length in WAVES
    )
    middle = m.base * (1 + m.swing * wave / 2) + m.pip * dice.gauss(0, 0.8)
    half = m.spread * (0.8 + 0.4 * dice.random()) / 2
    return Quote(symbol, timestamp_ms, round(middle - half, 5), round(middle + half, 5), dice.randint(1, 50))
