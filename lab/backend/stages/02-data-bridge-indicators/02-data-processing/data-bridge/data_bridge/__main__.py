"""Bars and external data from the broker into ClickHouse."""

from __future__ import annotations

import asyncio
import os

from data_bridge import external, rows
from data_bridge.reader import Feed
from data_bridge.service import SERVICE, serve
from suho_shared import broker, logs
from suho_shared.lifecycle import run

FEEDS = [
    Feed(broker.BARS, "data-bridge-bars", "bars.>", rows.bar, rows.describe),
    Feed(broker.EXTERNAL, "data-bridge-external", "market.external.>", external.poll, external.describe),
]


async def main(stop: asyncio.Event) -> None:
    await serve(FEEDS, stop)


if __name__ == "__main__":
    run(main, logs.setup(SERVICE, os.environ.get("LOG_LEVEL", "INFO")))
