"""One series: the bars of a symbol and timeframe, how far they are read, and how far they are published."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from suho_shared.bars import Bar
from suho_shared.timeframes import bucket_ms, bucket_start

from tick_aggregator.indicators import WINDOW


@dataclass
class Series:
    symbol: str
    timeframe: str
    scale: int
    bars: deque[Bar] = field(default_factory=lambda: deque(maxlen=WINDOW))
    read_until: int | None = None  # begin of the first bucket that is not read yet; None: not started
    published_until: int | None = None  # end of the last bar that this process published
    sequence: int = 0  # the broker's sequence of the last published bar; 0: the subject is empty

    @property
    def width(self) -> int:
        return bucket_ms(self.timeframe, self.scale)

    @property
    def subject(self) -> str:
        return f"bars.{self.symbol}.{self.timeframe}"

    def closed_until(self, newest_tick_ms: int, silent_until_ms: int) -> int:
        """Begin of the first bucket that is still open.

        A bucket is closed when a tick of a later bucket is there: ticks arrive in the order of time. Where the market
        is silent, it is closed when it ended before the given moment.
        """
        return bucket_start(max(newest_tick_ms, silent_until_ms), self.timeframe, self.scale)

    def first_to_publish(self, last: tuple[dict[str, Any], int] | None, closed_until: int) -> int:
        """Begin of the first bucket that is to be published.

        It follows the last bar that the broker has. Where the broker has none, it follows the last bar of this process
        (the broker lost its data), and a new series begins with the newest closed bar, so that every timeframe has one
        at once.
        """
        if last is None:
            return closed_until - self.width if self.published_until is None else self.published_until
        return bucket_start(int(last[0]["timestamp_ms"]), self.timeframe, self.scale) + self.width

    def begin(self, history: list[Bar], first: int, sequence: int) -> None:
        self.bars = deque(history, maxlen=WINDOW)
        self.read_until, self.sequence = first, sequence

    def forget(self) -> None:
        """After any doubt: the next round asks the broker again where this series stands."""
        self.bars.clear()
        self.read_until = None
