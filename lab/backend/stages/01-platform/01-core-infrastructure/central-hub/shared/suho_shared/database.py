"""TimescaleDB: a connection that is made again whenever it breaks."""

from __future__ import annotations

import asyncio
import logging

import psycopg

from suho_shared.lifecycle import Backoff, Fatal, pause
from suho_shared.logs import brief
from suho_shared.settings import Settings, Value

DEFAULTS: dict[str, Value] = {
    "timescaledb.host": "postgresql",
    "timescaledb.port": 5432,
    "timescaledb.db": "market_data",
    "timescaledb.user": "suho_user",
    "timescaledb.password": "",
}
TROUBLE = (psycopg.Error, OSError, asyncio.TimeoutError)


def refused(error: BaseException) -> bool:
    """The server answered and did not like the user or the password (it sends no code while connecting)."""
    text = str(error)
    return "authentication failed" in text or "no password supplied" in text


async def connect(
    settings: Settings, name: str, stop: asyncio.Event, log: logging.Logger
) -> psycopg.AsyncConnection | None:
    """Connect, however long it takes; None when the service is asked to stop before."""
    where = f"{settings.text('timescaledb.host')}:{settings.integer('timescaledb.port')}"
    user, database = settings.text("timescaledb.user"), settings.text("timescaledb.db")
    backoff = Backoff()
    while not stop.is_set():
        try:
            connection = await asyncio.wait_for(
                psycopg.AsyncConnection.connect(
                    host=settings.text("timescaledb.host"),
                    port=settings.integer("timescaledb.port"),
                    dbname=database,
                    user=user,
                    password=settings.text("timescaledb.password"),
                    application_name=name,
                    connect_timeout=3,
                    # A server that vanished without a word is noticed after this time, not after hours.
                    tcp_user_timeout=10_000,
                    options="-c statement_timeout=60000 -c timezone=UTC",
                    autocommit=True,
                ),
                timeout=8,
            )
        except TROUBLE as error:
            if refused(error):
                raise Fatal(f"TimescaleDB {where}: the server refused user {user} or its password") from None
            seconds = backoff.next()
            log.error(
                "TimescaleDB %s: not reachable (%s), next attempt in %.1f s", where, brief(error), seconds
            )
            await pause(stop, seconds)
        else:
            log.info("TimescaleDB %s: connected to %s as %s", where, database, user)
            return connection
    return None
