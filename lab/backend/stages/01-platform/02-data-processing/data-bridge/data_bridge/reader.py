"""A durable reader of one stream: fetch a batch, store it, and only then acknowledge it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from suho_shared import broker
from suho_shared.lifecycle import Backoff, pause
from suho_shared.logs import brief
from suho_shared.settings import Settings, Value

from data_bridge.rows import Malformed
from data_bridge.tables import Row, Table
from data_bridge.writer import WriteError, Writer

DEFAULTS: dict[str, Value] = {"batch.rows": 500, "batch.seconds": 1.0}
ACK_WAIT_SECONDS = 15
LOOK_SECONDS = 5


@dataclass(frozen=True)
class Feed:
    """A stream, its consumer, and how its messages become rows."""

    stream: str
    durable: str
    subject: str
    decode: Callable[[bytes], tuple[Table, list[Row]]]
    describe: Callable[[Table, list[Row]], list[str]]


@dataclass(frozen=True)
class Part:
    """The rows of a batch that go into one table, and the messages that they came with."""

    table: Table
    rows: list[Row]
    messages: list[Msg]


class Reader:
    def __init__(self, feed: Feed, settings: Settings, writer: Writer, log: logging.Logger) -> None:
        self.feed, self.writer, self.log = feed, writer, log
        self.rows, self.seconds = settings.integer("batch.rows"), settings.number("batch.seconds")
        self.backoff = Backoff(first=1.0, maximum=10.0)
        self.good_at = 0.0  # when the last poll succeeded (monotonic clock)

    async def split(self, messages: list[Msg]) -> list[Part]:
        """Sort a batch by table. A message that cannot be read is set aside: it stays in the stream."""
        parts: dict[str, Part] = {}
        for message in messages:
            try:
                table, rows = self.feed.decode(message.data)
            except Malformed as error:
                where = f"{message.subject} (sequence {message.metadata.sequence.stream})"
                self.log.error("message %s is malformed and set aside: %s", where, error)
                await message.term()
                continue
            part = parts.setdefault(table.name, Part(table, [], []))
            part.rows.extend(rows)
            part.messages.append(message)
        return list(parts.values())

    async def store(self, part: Part, wait: float) -> bool:
        """Store and acknowledge, or give the messages back to the broker for a while."""
        try:
            fresh = await asyncio.to_thread(self.writer.store, part.table, part.rows)
        except WriteError as error:
            text = "%d rows not written, the broker keeps them (%s), trying again in %.0f s"
            self.log.error(text, len(part.rows), error, wait)
            for message in part.messages:
                await message.nak(delay=wait)
            return False
        for message in part.messages:
            await message.ack()
        for line in self.feed.describe(part.table, fresh) if fresh else []:
            self.log.info("%s", line)
        return True

    async def subscribe(self, stream: JetStreamContext) -> JetStreamContext.PullSubscription:
        await broker.ensure_stream(stream, self.feed.stream)
        return await stream.pull_subscribe(
            self.feed.subject,
            durable=self.feed.durable,
            stream=self.feed.stream,
            config=ConsumerConfig(
                deliver_policy=DeliverPolicy.ALL,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT_SECONDS,
                max_ack_pending=4 * self.rows,
                filter_subject=self.feed.subject,
            ),
        )

    async def gather(self, subscription: JetStreamContext.PullSubscription, stop: asyncio.Event) -> list[Msg]:
        """A batch: as many messages as come until it is full or its time is over. Few large inserts, not many small."""
        messages: list[Msg] = []
        end = time.monotonic() + self.seconds
        while len(messages) < self.rows and not stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                messages += await subscription.fetch(self.rows - len(messages), timeout=left)
            except asyncio.TimeoutError:
                break
        return messages

    async def poll(self, client: Client, messages: list[Msg]) -> None:
        """Store one batch, table by table."""
        wait = self.backoff.current
        results = [await self.store(part, wait) for part in await self.split(messages)]
        if messages:
            await client.flush(timeout=3)
        if all(results):
            self.backoff.reset()
            if client.is_connected:
                self.good_at = time.monotonic()
        else:
            await asyncio.sleep(min(self.backoff.next(), 2.0))

    async def run(self, client: Client, stop: asyncio.Event) -> None:
        stream = client.jetstream(timeout=5)
        again = Backoff()
        while not stop.is_set():
            try:
                subscription = await self.subscribe(stream)
                self.log.info(
                    "Reading %s of stream %s as %s", self.feed.subject, self.feed.stream, self.feed.durable
                )
                looked_at = time.monotonic()
                while not stop.is_set():
                    await self.poll(client, await self.gather(subscription, stop))
                    again.reset()
                    if time.monotonic() - looked_at > LOOK_SECONDS:
                        # A broker that came back empty answers nothing to a fetch; this raises then.
                        await subscription.consumer_info()
                        looked_at = time.monotonic()
            except broker.TROUBLE as error:
                if stop.is_set():
                    return
                seconds = again.next()
                self.log.warning(
                    "stream %s: %s, trying again in %.1f s", self.feed.stream, brief(error), seconds
                )
                await pause(stop, seconds)
