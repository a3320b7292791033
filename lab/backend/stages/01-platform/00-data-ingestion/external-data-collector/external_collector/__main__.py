"""Poll every source at its own pace and publish what it says."""

from __future__ import annotations

import asyncio
import logging
import os
from datetime import datetime, timezone

from nats.js import JetStreamContext
from suho_shared import broker, heartbeat, logs
from suho_shared.lifecycle import Backoff, Fatal, pause, run
from suho_shared.settings import Settings, SettingsError, Value

from external_collector.polling import interval, message, subject
from external_collector.sources import SOURCES, Source

SERVICE = "external-data-collector"
DEFAULTS: dict[str, Value] = {
    **broker.DEFAULTS,
    "collector.sources": list(SOURCES),
    "suho_time_scale": 1,
    "log_level": "INFO",
}


async def publish(stream: JetStreamContext, source: Source, log: logging.Logger) -> None:
    """One poll. The stream is made if a broker came back without it."""
    number, data, rows = message(source, datetime.now(tz=timezone.utc))
    await broker.ensure_stream(stream, broker.EXTERNAL)
    await stream.publish(subject(source), data, stream=broker.EXTERNAL, headers={"Nats-Msg-Id": number})
    heartbeat.beat()
    log.info("Published %d rows of %s", rows, source.name)


async def follow(
    stream: JetStreamContext, source: Source, scale: int, stop: asyncio.Event, log: logging.Logger
) -> None:
    """Poll one source: at once, then at its rate; a poll that could not be published is repeated."""
    backoff = Backoff()
    while not stop.is_set():
        try:
            await publish(stream, source, log)
        except broker.TROUBLE as error:
            seconds = backoff.next()
            text = "%s not published (%s), trying again in %.1f s"
            log.error(text, source.name, logs.brief(error), seconds)
            await pause(stop, seconds)
        else:
            backoff.reset()
            await pause(stop, interval(source, scale))


async def main(stop: asyncio.Event) -> None:
    try:
        settings = Settings.load(DEFAULTS)
    except SettingsError as error:
        raise Fatal(str(error)) from None
    log = logs.setup(SERVICE, settings.text("log_level"))
    for line in settings.describe() + settings.notes:
        log.info("%s", line)
    chosen = settings.names("collector.sources")
    unknown = [name for name in chosen if name not in SOURCES]
    if unknown:
        raise Fatal(
            f"setting collector.sources: found {', '.join(unknown)}, expected of {', '.join(SOURCES)}"
        )
    client = await broker.connect(settings.text("nats.url"), SERVICE, stop, log)
    if client is None:
        return
    stream, scale = client.jetstream(timeout=5), settings.integer("suho_time_scale")
    await asyncio.gather(*(follow(stream, SOURCES[name], scale, stop, log) for name in chosen))
    await broker.abandon(client)


if __name__ == "__main__":
    run(main, logs.setup(SERVICE, os.environ.get("LOG_LEVEL", "INFO")))
