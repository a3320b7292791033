"""Bar lengths and bucket borders, in milliseconds, at any time scale.

The scale makes bars shorter and leaves the clock alone: at scale 60 a "5m" bar covers five real seconds.
"""

from __future__ import annotations

MINUTE_MS = 60_000
TIMEFRAMES = {
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": 60 * MINUTE_MS,
    "4h": 240 * MINUTE_MS,
    "1d": 1440 * MINUTE_MS,
    "1w": 7 * 1440 * MINUTE_MS,
}
# The epoch was a Thursday; trading weeks begin on Monday.
MONDAY_MS = 4 * 1440 * MINUTE_MS


def bucket_ms(timeframe: str, scale: int) -> int:
    """Length of one bar."""
    if timeframe not in TIMEFRAMES:
        raise ValueError(f"timeframe: found {timeframe!r}, expected one of {', '.join(TIMEFRAMES)}")
    if scale < 1 or TIMEFRAMES["5m"] % scale:
        raise ValueError(
            f"time scale: found {scale}, expected a whole number that divides {TIMEFRAMES['5m']}"
        )
    return TIMEFRAMES[timeframe] // scale


def origin_ms(timeframe: str, scale: int) -> int:
    """A moment at which a bar of this timeframe begins."""
    return MONDAY_MS // scale if timeframe == "1w" else 0


def bucket_start(moment_ms: int, timeframe: str, scale: int) -> int:
    """Begin of the bar that holds the moment."""
    width, origin = bucket_ms(timeframe, scale), origin_ms(timeframe, scale)
    return (moment_ms - origin) // width * width + origin
