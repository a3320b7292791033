"""The work: find closed buckets, compute their bars, publish each once."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import psycopg
from nats.js import JetStreamContext
from nats.js.errors import APIError
from suho_shared import broker
from suho_shared.bars import Bar, iso, message, message_id

from tick_aggregator import indicators, ticks
from tick_aggregator.series import Series

SOURCE = "live_aggregated"
WRONG_LAST_SEQUENCE = 10071


class Aggregator:
    def __init__(
        self, series: list[Series], settle_seconds: float, stop: asyncio.Event, log: logging.Logger
    ) -> None:
        self.series, self.stop, self.log = series, stop, log
        self.settle_ms = int(settle_seconds * 1000)
        self.connected_ms = 0

    def connected(self) -> None:
        """A new connection to the database or the broker: every series finds its place again."""
        self.connected_ms = int(time.time() * 1000)
        for each in self.series:
            each.forget()

    def silent_until(self, now_ms: int) -> int:
        """Buckets that ended before this moment are closed even without a later tick. After a break the collector may
        still deliver what it kept, so the clock counts from the new connection on."""
        return now_ms - self.settle_ms if now_ms - self.connected_ms >= self.settle_ms else 0

    async def begin(
        self, link: psycopg.AsyncConnection, stream: JetStreamContext, each: Series, closed: int
    ) -> None:
        last = await broker.last_json(stream, broker.BARS, each.subject)
        first = each.first_to_publish(last, closed)
        history = await ticks.history(link, each, first)
        each.begin(history, first, last[1] if last else 0)
        self.log.info(
            "%s goes on with the bar of %s, %d bars of history", each.subject, iso(first), len(history)
        )

    async def publish(self, stream: JetStreamContext, each: Series, bar: Bar) -> bool:
        """Publish one bar. False: the broker is further than we thought, so somebody else published."""
        values = indicators.compute(list(each.bars))
        lacking = indicators.missing(values)
        body = {**message(bar, SOURCE), "indicators": values}
        headers = {
            "Nats-Msg-Id": message_id(body),
            "Nats-Expected-Last-Subject-Sequence": str(each.sequence),
        }
        data = json.dumps(body, allow_nan=False).encode()
        try:
            answer = await stream.publish(each.subject, data, stream=broker.BARS, headers=headers)
        except APIError as error:
            if error.err_code != WRONG_LAST_SEQUENCE:
                raise
            self.log.warning("%s: the broker has newer bars than expected, asking it again", each.subject)
            return False
        each.sequence, each.published_until = answer.seq, bar.end_ms
        shown = f"{bar.symbol} {bar.timeframe} {iso(bar.start_ms)}"
        self.log.info("Publishing aggregate with %d indicators: %s", len(values), shown)
        if lacking:
            total = len(indicators.KEYS)
            self.log.warning(
                "indicators incomplete: %d of %d (missing %s): %s",
                len(values),
                total,
                ", ".join(lacking),
                shown,
            )
        return True

    async def advance(
        self, link: psycopg.AsyncConnection, stream: JetStreamContext, each: Series, closed: int
    ) -> None:
        """Publish the bars of one series that have closed since the last round."""
        if each.read_until is None:
            await self.begin(link, stream, each, closed)
        while each.read_until is not None and each.read_until < closed and not self.stop.is_set():
            end = min(closed, each.read_until + ticks.CHUNK * each.width)
            for bar in await ticks.read(link, each, each.read_until, end):
                if self.stop.is_set():
                    return None
                each.bars.append(bar)
                # Counted as read only when it is published: whatever fails in between, the bar comes again.
                if not await self.publish(stream, each, bar):
                    return each.forget()
                each.read_until = bar.end_ms
            each.read_until = end
        return None

    async def round(self, link: psycopg.AsyncConnection, stream: JetStreamContext) -> None:
        """Look at every series once."""
        newest: dict[str, int | None] = {}
        now = int(time.time() * 1000)
        for each in self.series:
            if each.symbol not in newest:
                newest[each.symbol] = await ticks.edge(link, ticks.NEWEST, each.symbol)
            tick = newest[each.symbol]
            if tick is not None and not self.stop.is_set():
                closed = each.closed_until(tick, self.silent_until(now))
                # Nothing can have closed since the last round: no statement, no message.
                if each.read_until is None or each.read_until < closed:
                    await self.advance(link, stream, each, closed)
