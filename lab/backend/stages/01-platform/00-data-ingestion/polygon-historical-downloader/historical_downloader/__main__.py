"""Publish the bars that the broker does not have yet, then end."""

from __future__ import annotations

import asyncio
import json
import os
import time

from nats.js import JetStreamContext
from suho_shared import broker, logs
from suho_shared.bars import message, message_id
from suho_shared.lifecycle import Fatal, run
from suho_shared.settings import Settings, SettingsError, Value
from suho_shared.timeframes import TIMEFRAMES

from historical_downloader.history import bars, days

SERVICE = "polygon-historical-downloader"
SOURCE = "polygon_historical"
DEFAULTS: dict[str, Value] = {
    **broker.DEFAULTS,
    "download.symbols": ["EURUSD", "GBPUSD", "XAUUSD"],
    "download.timeframe": "15m",
    "download.days": 1,
    "log_level": "INFO",
}


async def download(stream: JetStreamContext, symbol: str, settings: Settings, stop: asyncio.Event) -> int:
    """Publish one symbol's bars after the last one that the broker holds."""
    timeframe = settings.text("download.timeframe")
    start, end = days(int(time.time() * 1000), settings.integer("download.days"))
    # A subject of its own, so that the live bars' last message keeps saying how far the live bars are.
    subject = f"bars.{symbol}.{timeframe}.historical"
    last = await broker.last_json(stream, broker.BARS, subject)
    if last is not None:
        start = max(start, int(last[0]["timestamp_ms"]) + TIMEFRAMES[timeframe])
    count = 0
    for bar in bars(symbol, timeframe, start, end):
        if stop.is_set():
            break
        body = message(bar, SOURCE)
        await stream.publish(
            subject, json.dumps(body).encode(), stream=broker.BARS, headers={"Nats-Msg-Id": message_id(body)}
        )
        count += 1
    return count


async def main(stop: asyncio.Event) -> None:
    try:
        settings = Settings.load(DEFAULTS)
    except SettingsError as error:
        raise Fatal(str(error)) from None
    log = logs.setup(SERVICE, settings.text("log_level"))
    for line in settings.describe() + settings.notes:
        log.info("%s", line)
    if settings.text("download.timeframe") not in TIMEFRAMES:
        found = settings.text("download.timeframe")
        raise Fatal(f"setting download.timeframe: found {found!r}, expected one of {', '.join(TIMEFRAMES)}")
    client = await broker.connect(settings.text("nats.url"), SERVICE, stop, log)
    if client is None:
        return
    stream = client.jetstream(timeout=5)
    try:
        await broker.ensure_stream(stream, broker.BARS)
        for symbol in settings.names("download.symbols"):
            count = await download(stream, symbol, settings, stop)
            log.info("Published %d historical bars of %s", count, symbol)
    except broker.TROUBLE as error:
        # Ending with an error is right here: it runs once, and a second run publishes only what is missing.
        raise Fatal(f"download broken off: {logs.brief(error)}") from None
    finally:
        await broker.abandon(client)


if __name__ == "__main__":
    run(main, logs.setup(SERVICE, os.environ.get("LOG_LEVEL", "INFO")))
