"""The service: readers, each with its own ClickHouse connection, and the sign of life."""

from __future__ import annotations

import asyncio
import logging
import time

from suho_shared import broker, heartbeat, logs
from suho_shared.lifecycle import Backoff, Fatal, pause
from suho_shared.settings import Settings, SettingsError, Value

from data_bridge import reader, writer

SERVICE = "data-bridge"
DEFAULTS: dict[str, Value] = {**broker.DEFAULTS, **writer.DEFAULTS, **reader.DEFAULTS, "log_level": "INFO"}
GOOD_SECONDS = 8
WATCH_SECONDS = 2


async def reach_clickhouse(link: writer.Writer, stop: asyncio.Event, log: logging.Logger) -> bool:
    """Wait for ClickHouse. A refused password ends the process: waiting cannot heal it."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            await asyncio.to_thread(link.ping)
        except writer.WriteError as error:
            seconds = backoff.next()
            log.error("%s, next attempt in %.1f s", error, seconds)
            await pause(stop, seconds)
        else:
            log.info("ClickHouse %s: connected to %s as %s", link.where, link.database, link.user)
            return True
    return False


async def watch(
    readers: list[reader.Reader], link: writer.Writer, stop: asyncio.Event, log: logging.Logger
) -> None:
    """Beat while every reader polls with success and ClickHouse answers."""
    while not stop.is_set():
        try:
            await asyncio.to_thread(link.ping)
        except writer.WriteError as error:
            log.error("%s", error)
        else:
            if all(time.monotonic() - each.good_at < GOOD_SECONDS for each in readers):
                heartbeat.beat()
        await pause(stop, WATCH_SECONDS)


async def serve(feeds: list[reader.Feed], stop: asyncio.Event) -> None:
    try:
        settings = Settings.load(DEFAULTS)
    except SettingsError as error:
        raise Fatal(str(error)) from None
    log = logs.setup(SERVICE, settings.text("log_level"))
    for line in settings.describe() + settings.notes:
        log.info("%s", line)
    link = writer.Writer(settings, log)
    if not await reach_clickhouse(link, stop, log):
        return
    client = await broker.connect(settings.text("nats.url"), SERVICE, stop, log)
    if client is None:
        return
    readers = [reader.Reader(feed, settings, writer.Writer(settings, log), log) for feed in feeds]
    await asyncio.gather(watch(readers, link, stop, log), *(each.run(client, stop) for each in readers))
    await broker.abandon(client)
