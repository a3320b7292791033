"""The 26 indicators of the last bar of a series, computed by TA-Lib; only the VWAP is our own arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy
import talib
from suho_shared.bars import Bar

PERIODS = (7, 14, 21, 50, 200)
VWAP_PERIOD = 14
KEYS = (
    *(f"sma_{n}" for n in PERIODS),
    *(f"ema_{n}" for n in PERIODS),
    *("rsi", "macd", "macd_signal", "macd_histogram", "stoch_k", "stoch_d"),
    *("bb_upper", "bb_middle", "bb_lower", "bb_width"),
    *("atr", "mfi", "obv", "adl", "cci", "vwap"),
)
# A fixed window: values that depend on where the series begins (EMA, OBV, ADL) are then the same after a restart.
WINDOW = 300
DIGITS = 8


def rolling_vwap(bars: Sequence[Bar]) -> float:
    """Volume-weighted typical price of the last bars; not a number where nothing was traded."""
    last = bars[-VWAP_PERIOD:]
    volume = sum(bar.volume for bar in last)
    if len(last) < VWAP_PERIOD or not volume:
        return math.nan
    return sum((bar.high + bar.low + bar.close) / 3 * bar.volume for bar in last) / volume


def compute(bars: Sequence[Bar]) -> dict[str, float]:
    """Indicators of the last bar. A value that the history is too short for is left out: never NaN, never infinite."""
    bars = bars[-WINDOW:]
    if not bars:
        return {}
    high, low, close, volume = (
        numpy.array([getattr(bar, name) for bar in bars], dtype=float)
        for name in ("high", "low", "close", "volume")
    )
    values = {f"sma_{n}": talib.SMA(close, n)[-1] for n in PERIODS}
    values |= {f"ema_{n}": talib.EMA(close, n)[-1] for n in PERIODS}
    values["rsi"] = talib.RSI(close, 14)[-1]
    macd = talib.MACD(close, 12, 26, 9)
    values |= dict(zip(("macd", "macd_signal", "macd_histogram"), (line[-1] for line in macd)))
    stochastic = talib.STOCH(high, low, close, 14, 3, 0, 3, 0)
    values |= dict(zip(("stoch_k", "stoch_d"), (line[-1] for line in stochastic)))
    upper, middle, lower = (line[-1] for line in talib.BBANDS(close, 20, 2, 2, 0))
    values |= {
        "bb_upper": upper,
        "bb_middle": middle,
        "bb_lower": lower,
        "bb_width": (upper - lower) / middle,
    }
    values["atr"] = talib.ATR(high, low, close, 14)[-1]
    values["mfi"] = talib.MFI(high, low, close, volume, 14)[-1]
    values["obv"] = talib.OBV(close, volume)[-1]
    values["adl"] = talib.AD(high, low, close, volume)[-1]
    values["cci"] = talib.CCI(high, low, close, 14)[-1]
    values["vwap"] = rolling_vwap(bars)
    return {key: round(float(values[key]), DIGITS) for key in KEYS if math.isfinite(values[key])}


def missing(values: dict[str, float]) -> list[str]:
    return [key for key in KEYS if key not in values]
