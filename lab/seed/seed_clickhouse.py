"""The state of ClickHouse before the deployment, made by statements that run on the server."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path

from clickhouse_driver import Client
from clickhouse_driver import errors as clickhouse

DATABASE = "suho_analytics"
DAY = 86_400
DAYS = int(os.environ.get("LAB_HISTORY_DAYS") or 732)
TIMEFRAMES = {"5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "4h": 14_400, "1d": DAY, "1w": 7 * DAY}
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def statements(sql: str) -> list[str]:
    """Statements of a file; a semicolon at the end of a line ends one."""
    return [part.strip() for part in re.split(r";\s*$", sql, flags=re.MULTILINE) if part.strip()]


def fill(template: str, **values: object) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", str(value))
    return template


def history_end(now: float) -> int:
    """Begin of yesterday in UTC: the historical downloader brings yesterday itself."""
    return int(now) // DAY * DAY - DAY


def history(template: str, end: int) -> Iterator[str]:
    """One insert per timeframe, the rows in the order of the table, so that a block meets few partitions."""
    for timeframe, seconds in TIMEFRAMES.items():
        # Whole bars: a week's bars begin on Mondays.
        last = end if timeframe != "1w" else (end - 4 * DAY) // seconds * seconds + 4 * DAY
        yield fill(template, timeframe=timeframe, seconds=seconds, count=DAYS * DAY // seconds, end=last)


def drop_all(client: Client) -> None:
    """Empty the database, views first. Dropping the objects leaves grants on the database alone."""
    query = "SELECT name, endsWith(engine, 'View') AS view FROM system.tables WHERE database = %(database)s ORDER BY view DESC, name"
    for name, view in client.execute(query, {"database": DATABASE}):
        if not name.startswith("."):
            client.execute(f"DROP {'VIEW' if view else 'TABLE'} IF EXISTS {DATABASE}.`{name}` SYNC")


def run(folder: Path, drop_databases: list[str]) -> str:
    began = time.monotonic()
    client = Client(
        host=os.environ.get("CLICKHOUSE_HOST", "clickhouse"),
        port=int(os.environ.get("CLICKHOUSE_PORT") or 9000),
        database="",  # the statements name their database; it may not be there yet
        user=os.environ.get("CLICKHOUSE_USER", "suho_analytics"),
        password=os.environ["CLICKHOUSE_PASSWORD"],
        connect_timeout=10,
    )
    end = history_end(time.time())
    texts = {
        name: (folder / f"{name}.sql").read_text(encoding="utf-8") for name in ("tables", "history", "ticks")
    }
    try:
        for name in drop_databases:
            if not NAME.fullmatch(name) or name == DATABASE:
                raise RuntimeError(
                    f"database to drop: found {name!r}, expected a plain name other than {DATABASE}"
                )
            client.execute(f"DROP DATABASE IF EXISTS {name} SYNC")
        drop_all(client)
        for statement in [
            *statements(texts["tables"]),
            *history(texts["history"], end),
            fill(texts["ticks"], end=end),
        ]:
            client.execute(statement.rstrip().rstrip(";"))
        [(rows,)] = client.execute(f"SELECT count() FROM {DATABASE}.aggregates")  # noqa: S608
    except (clickhouse.Error, EOFError) as error:
        raise RuntimeError(str(getattr(error, "message", error)).split("Stack trace")[0]) from None
    finally:
        client.disconnect()
    return f"clickhouse: {rows} rows of aggregates, {time.monotonic() - began:.1f} s"
