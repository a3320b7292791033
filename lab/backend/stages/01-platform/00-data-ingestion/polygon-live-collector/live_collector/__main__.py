"""Write the ticks that are due, twice a second, until asked to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import time

import psycopg
from suho_shared import database, heartbeat, logs
from suho_shared.lifecycle import Backoff, Fatal, pause, run
from suho_shared.settings import Settings, SettingsError, Value

from live_collector.ticks import INSERT, due

DEFAULTS: dict[str, Value] = {
    **database.DEFAULTS,
    "collector.symbols": ["EURUSD", "GBPUSD", "XAUUSD"],
    "collector.rate": 3.0,
    "collector.interval_ms": 500,
    "log_level": "INFO",
}
SUMMARY_SECONDS = 30


class Collector:
    def __init__(self, settings: Settings, log: logging.Logger) -> None:
        self.settings, self.log = settings, log
        self.sent_until = int(time.time() * 1000)
        self.written, self.said_at = 0, time.monotonic()

    async def write_due(self, connection: psycopg.AsyncConnection) -> None:
        now = int(time.time() * 1000)
        rows, lost = due(
            self.settings.names("collector.symbols"),
            self.sent_until,
            now,
            self.settings.number("collector.rate"),
        )
        if lost:
            self.log.warning("%.0f s of ticks are older than the buffer and lost", lost / 1000)
        if rows:
            # One transaction: whoever sees a tick sees all earlier ones too.
            async with connection.transaction(), connection.cursor() as cursor:
                await cursor.executemany(INSERT, rows)
        self.sent_until = max(self.sent_until, now)
        self.written += len(rows)
        heartbeat.beat()
        if time.monotonic() - self.said_at >= SUMMARY_SECONDS:
            self.log.info("Wrote %d ticks in the last %d s", self.written, SUMMARY_SECONDS)
            self.written, self.said_at = 0, time.monotonic()

    async def work(self, stop: asyncio.Event) -> None:
        backoff = Backoff()
        while not stop.is_set():
            connection = await database.connect(self.settings, "live-collector", stop, self.log)
            if connection is None:
                return
            try:
                while not stop.is_set():
                    await self.write_due(connection)
                    backoff.reset()
                    await pause(stop, self.settings.number("collector.interval_ms") / 1000)
            except database.TROUBLE as error:
                seconds = backoff.next()
                self.log.error("ticks not written (%s), trying again in %.1f s", logs.brief(error), seconds)
                await pause(stop, seconds)
            finally:
                await connection.close()


async def main(stop: asyncio.Event) -> None:
    try:
        settings = Settings.load(DEFAULTS)
    except SettingsError as error:
        raise Fatal(str(error)) from None
    log = logs.setup("live-collector", settings.text("log_level"))
    for line in settings.describe() + settings.notes:
        log.info("%s", line)
    await Collector(settings, log).work(stop)


if __name__ == "__main__":
    run(main, logs.setup("live-collector", os.environ.get("LOG_LEVEL", "INFO")))
