"""Ticks to bars with indicators, until asked to stop."""

from __future__ import annotations

import asyncio
import logging
import os

from nats.aio.client import Client
from suho_shared import broker, database, heartbeat, logs
from suho_shared.lifecycle import Backoff, Fatal, pause, run
from suho_shared.markets import MARKETS
from suho_shared.settings import Settings, SettingsError, Value
from suho_shared.timeframes import TIMEFRAMES, bucket_ms

from tick_aggregator.aggregator import Aggregator
from tick_aggregator.series import Series

SERVICE = "tick-aggregator"
DEFAULTS: dict[str, Value] = {
    **database.DEFAULTS,
    **broker.DEFAULTS,
    "aggregation.symbols": ["EURUSD", "GBPUSD", "XAUUSD"],
    "aggregation.timeframes": list(TIMEFRAMES),
    "aggregation.settle_seconds": 15.0,
    "suho_time_scale": 1,
    "instance_id": SERVICE,
    "log_level": "INFO",
}


def make_series(settings: Settings) -> list[Series]:
    scale = settings.integer("suho_time_scale")
    unknown = [name for name in settings.names("aggregation.symbols") if name not in MARKETS]
    if unknown:
        raise Fatal(
            f"setting aggregation.symbols: found {', '.join(unknown)}, expected of {', '.join(MARKETS)}"
        )
    try:
        for timeframe in settings.names("aggregation.timeframes"):
            bucket_ms(timeframe, scale)
    except ValueError as error:
        raise Fatal(str(error)) from None
    return [
        Series(symbol, timeframe, scale)
        for symbol in settings.names("aggregation.symbols")
        for timeframe in settings.names("aggregation.timeframes")
    ]


async def work(
    aggregator: Aggregator, client: Client, settings: Settings, stop: asyncio.Event, log: logging.Logger
) -> None:
    stream, backoff = client.jetstream(timeout=5), Backoff()
    # A bar is published at most a twentieth of the shortest bar after it closed, and never later than five seconds.
    interval = min(5.0, max(0.25, bucket_ms("5m", settings.integer("suho_time_scale")) / 20_000))
    while not stop.is_set():
        link = await database.connect(settings, settings.text("instance_id"), stop, log)
        if link is None:
            return
        try:
            await broker.ensure_stream(stream, broker.BARS)
            aggregator.connected()
            while not stop.is_set():
                await aggregator.round(link, stream)
                if client.is_connected:
                    heartbeat.beat()
                backoff.reset()
                await pause(stop, interval)
        except (*database.TROUBLE, *broker.TROUBLE) as error:
            seconds = backoff.next()
            log.error("round broken off (%s), trying again in %.1f s", logs.brief(error), seconds)
            await pause(stop, seconds)
        finally:
            await link.close()


async def main(stop: asyncio.Event) -> None:
    try:
        settings = Settings.load(DEFAULTS)
    except SettingsError as error:
        raise Fatal(str(error)) from None
    log = logs.setup(SERVICE, settings.text("log_level"))
    for line in settings.describe() + settings.notes:
        log.info("%s", line)
    aggregator = Aggregator(make_series(settings), settings.number("aggregation.settle_seconds"), stop, log)
    client = await broker.connect(settings.text("nats.url"), SERVICE, stop, log)
    if client is None:
        return
    await work(aggregator, client, settings, stop, log)
    await broker.abandon(client)


if __name__ == "__main__":
    run(main, logs.setup(SERVICE, os.environ.get("LOG_LEVEL", "INFO")))
