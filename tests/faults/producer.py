"""A producer that never stops: numbered bars and polls of an external source, each acknowledged by the broker before it counts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import Any

import nats
from lab_facts import DATABASE, INDICATORS, QUARANTINE, Lab

SYMBOL = "FAULTS"
SOURCE = "fault_producer"
POLL_SUBJECT = "market.external.market_sessions"
PAUSE = 0.2
# A publish is tried again until the broker has said that it has it; the id keeps a second attempt from being a second message.
ATTEMPT_SECONDS = 3


def bar(number: int) -> dict[str, Any]:
    at = datetime.fromtimestamp(number / 1000, tz=timezone.utc).isoformat()
    return {
        "symbol": SYMBOL,
        "timeframe": "5m",
        "timestamp_ms": number,
        **dict.fromkeys(("open", "high", "low", "close", "vwap", "range_pips", "body_pips"), 1.0),
        "volume": 1,
        "start_time": at,
        "end_time": at,
        "source": SOURCE,
        "event_type": "ohlcv",
        "indicators": dict.fromkeys(sorted(INDICATORS), 1.0),
    }


def poll(number: int) -> dict[str, Any]:
    row = {
        "current_utc_time": f"{SYMBOL} {number}",
        "active_sessions_count": 1,
        "active_sessions": "[]",
        "liquidity_level": "low",
    }
    return {
        "source": "market_sessions",
        "collected_at": datetime.now(timezone.utc).isoformat(),
        "rows": [row],
    }


class Producer:
    """Publishes in a thread of its own from ``start`` to ``stop``; ``bars`` and ``polls`` are the acknowledged numbers."""

    def __init__(self, lab: Lab) -> None:
        self.url = f"nats://127.0.0.1:{lab.settings['NATS_HOST_PORT']}"
        self.bars: list[int] = []
        self.polls: list[int] = []
        self._ended = threading.Event()

    @contextmanager
    def producing(self) -> Iterator[None]:
        thread = threading.Thread(target=lambda: asyncio.run(self._produce()), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(timeout=30)

    def forget(self) -> None:
        """Count anew: the broker has been made anew."""
        self.bars, self.polls = [], []

    async def _produce(self) -> None:
        # Of today, or the table's TTL would take the rows away; in milliseconds, so that no two runs share a number.
        number = int(time.time() * 1000)
        while not self._ended.is_set():
            with contextlib.suppress(Exception):  # the broker is away: this is what faults are about
                connection = await nats.connect(self.url, connect_timeout=2, max_reconnect_attempts=0)
                try:
                    broker = connection.jetstream()
                    while not self._ended.is_set():
                        await self._say(broker, f"bars.{SYMBOL}.5m", bar(number), f"bar-{number}")
                        self.bars.append(number)
                        await self._say(broker, POLL_SUBJECT, poll(number), f"poll-{number}")
                        self.polls.append(number)
                        number += 1
                        await asyncio.sleep(PAUSE)
                finally:
                    with contextlib.suppress(Exception):
                        await asyncio.wait_for(connection.close(), 2)
            await asyncio.sleep(0.3)

    async def _say(self, broker: Any, subject: str, body: dict[str, Any], name: str) -> None:
        headers = {"Nats-Msg-Id": f"{SOURCE}-{name}"}
        await broker.publish(subject, json.dumps(body).encode(), timeout=ATTEMPT_SECONDS, headers=headers)


def stored_bars(lab: Lab) -> dict[int, int]:
    """Number of each bar of ours to how many rows it has."""
    sql = "SELECT toInt64(timestamp_ms), count() FROM aggregates WHERE symbol = %(symbol)s GROUP BY 1"
    return dict(lab.query(sql, symbol=SYMBOL))


def stored_polls(lab: Lab) -> dict[int, int]:
    """Number of each poll of ours to how many rows it has, in the live table and in what a rollback has set aside."""
    tables = [
        f"{database}.`{name}`"
        for database in (DATABASE, QUARANTINE)
        for name in lab.tables(database)
        if name.startswith("external_market_sessions")
    ]
    found: dict[int, int] = {}
    for table in tables:
        sql = f"SELECT current_utc_time, count() FROM {table} WHERE startsWith(current_utc_time, %(begin)s) GROUP BY 1"
        for text, rows in lab.query(sql, begin=f"{SYMBOL} "):
            number = int(text.rpartition(" ")[2])
            found[number] = found.get(number, 0) + rows
    return found


def published_bars(lab: Lab) -> tuple[dict[int, list[int]], int]:
    """Number of each bar of ours to its sequences in the stream, and the stream's last sequence."""
    held = lab.published("BARS")
    return _numbers(
        {at: body["timestamp_ms"] for at, body in held.items() if body.get("symbol") == SYMBOL}, held
    )


def published_polls(lab: Lab) -> tuple[dict[int, list[int]], int]:
    """Number of each poll of ours likewise."""
    held = lab.published("EXTERNAL")
    said = {at: str((body.get("rows") or [{}])[0].get("current_utc_time", "")) for at, body in held.items()}
    ours = {at: int(text.split()[1]) for at, text in said.items() if text.startswith(f"{SYMBOL} ")}
    return _numbers(ours, held)


def _numbers(ours: dict[int, int], held: dict[int, Any]) -> tuple[dict[int, list[int]], int]:
    found: dict[int, list[int]] = {}
    for at, number in ours.items():
        found.setdefault(number, []).append(at)
    return found, max(held, default=0)
