"""Bars from the broker into ClickHouse."""

from __future__ import annotations

import asyncio
import os

from suho_shared import broker, logs
from suho_shared.lifecycle import run

from data_bridge import rows
from data_bridge.reader import Feed
from data_bridge.service import SERVICE, serve

FEEDS = [Feed(broker.BARS, "data-bridge-bars", "bars.>", rows.bar, rows.describe)]


async def main(stop: asyncio.Event) -> None:
    await serve(FEEDS, stop)


if __name__ == "__main__":
    run(main, logs.setup(SERVICE, os.environ.get("LOG_LEVEL", "INFO")))
