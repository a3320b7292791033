"""NATS and JetStream: connect, make sure that the streams are there, publish with an acknowledgement."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from suho_shared.lifecycle import Backoff, pause
from suho_shared.logs import brief
from suho_shared.settings import Value

BARS = "BARS"
EXTERNAL = "EXTERNAL"
DEFAULTS: dict[str, Value] = {"nats.url": "nats://nats:4222"}
# What a broker that is away, or comes back without its streams, can raise.
TROUBLE = (NatsError, OSError, asyncio.TimeoutError)

# Limits keep the newest messages; at least the last one of every subject always stays, and it is the publishers'
# memory of how far they got. Every publisher and the reader make the same streams, so that nothing is lost when a
# publisher comes first.
STREAMS = {
    BARS: StreamConfig(
        name=BARS,
        subjects=["bars.>"],
        max_msgs_per_subject=10_000,
        max_bytes=512 * 1024 * 1024,
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        duplicate_window=120,
    ),
    EXTERNAL: StreamConfig(
        name=EXTERNAL,
        subjects=["market.external.>"],
        max_msgs_per_subject=20_000,
        max_bytes=256 * 1024 * 1024,
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.OLD,
        duplicate_window=120,
    ),
}


async def attempt(url: str, name: str, log: logging.Logger) -> Client:
    """Connect once. From then on the client connects again by itself, for ever."""
    client = Client()

    async def lost() -> None:
        if not client.is_closed:
            log.warning("NATS %s: connection lost, reconnecting", url)

    async def back() -> None:
        log.info("NATS %s: connected again", url)

    async def quiet(_error: Exception) -> None:
        """Errors reach the caller of the request; here they would be said twice."""

    try:
        await asyncio.wait_for(
            client.connect(
                url,
                name=name,
                connect_timeout=3,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=0.5,
                ping_interval=5,
                max_outstanding_pings=2,
                disconnected_cb=lost,
                reconnected_cb=back,
                error_cb=quiet,
            ),
            timeout=5,
        )
    except BaseException:
        await abandon(client)
        raise
    return client


async def connect(url: str, name: str, stop: asyncio.Event, log: logging.Logger) -> Client | None:
    """Connect, however long it takes; None when the service is asked to stop before."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            client = await attempt(url, name, log)
        except TROUBLE as error:
            seconds = backoff.next()
            log.error("NATS %s: not reachable (%s), next attempt in %.1f s", url, brief(error), seconds)
            await pause(stop, seconds)
        else:
            log.info("NATS %s: connected", url)
            return client
    return None


async def abandon(client: Client) -> None:
    """Close a client whose server may be away."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), timeout=1)


async def ensure_stream(stream: JetStreamContext, name: str) -> None:
    """Make the stream if it is not there; one that is there is left as it is."""
    try:
        await stream.stream_info(name)
    except NotFoundError:
        await stream.add_stream(STREAMS[name])


async def last_json(stream: JetStreamContext, name: str, subject: str) -> tuple[dict[str, Any], int] | None:
    """The newest message of a subject and its sequence: where its publisher stands. None: there is none yet."""
    try:
        message = await stream.get_last_msg(name, subject)
    except NotFoundError:
        return None
    return json.loads(message.data or b"{}"), int(message.seq or 0)
