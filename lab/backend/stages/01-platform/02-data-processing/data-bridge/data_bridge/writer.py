"""ClickHouse: insert rows, and find out which rows are there already."""

from __future__ import annotations

import logging
from datetime import datetime, timezone

from clickhouse_driver import Client
from clickhouse_driver import errors as clickhouse
from suho_shared.lifecycle import Fatal
from suho_shared.logs import brief
from suho_shared.settings import Settings, Value

from data_bridge.tables import Row, Table, comparable, missing

DEFAULTS: dict[str, Value] = {
    "clickhouse.host": "clickhouse",
    "clickhouse.port": 9000,
    "clickhouse.database": "suho_analytics",
    "clickhouse.user": "suho_analytics",
    "clickhouse.password": "",
}
REFUSED = (516, 193, 192)  # wrong password, under its names of several server versions; unknown user


class WriteError(Exception):
    """The rows are not stored, or it is not known whether they are."""


def literal(value: datetime) -> str:
    milliseconds = round(value.astimezone(timezone.utc).timestamp() * 1000)
    return f"fromUnixTimestamp64Milli(toInt64({milliseconds}))"


def plain(text: str) -> str:
    """The server's message in one line, without its stack."""
    first = text.split("Stack trace:")[0].removeprefix("DB::Exception: ")
    return " ".join(first.split())[:300].rstrip(" .")


class Writer:
    """One connection, for one thread at a time. The driver connects again by itself after a break."""

    def __init__(self, settings: Settings, log: logging.Logger) -> None:
        self.log = log
        self.database, self.user = settings.text("clickhouse.database"), settings.text("clickhouse.user")
        self.where = f"{settings.text('clickhouse.host')}:{settings.integer('clickhouse.port')}"
        self.client = Client(
            host=settings.text("clickhouse.host"),
            port=settings.integer("clickhouse.port"),
            database=self.database,
            user=self.user,
            password=settings.text("clickhouse.password"),
            client_name="data-bridge",
            connect_timeout=3,
            # Shorter than the broker's wait for an acknowledgement: no second reader gets a batch that is being written.
            send_receive_timeout=10,
            sync_request_timeout=3,
            compression="lz4",
        )

    def _failed(self, what: str, error: Exception) -> Exception:
        if isinstance(error, clickhouse.ServerException) and error.code in REFUSED:
            return Fatal(
                f"ClickHouse {self.where}: the server refused user {self.user} or its password (code {error.code})"
            )
        if isinstance(error, clickhouse.ServerException):
            return WriteError(f"{what}: code {error.code}: {plain(str(error.message))}")
        # The connection's state is unknown now; the next statement makes a new one.
        self.client.disconnect()
        return WriteError(f"{what}: {brief(error)}")

    def ping(self) -> None:
        try:
            self.client.execute("SELECT 1")
        except (clickhouse.Error, OSError, EOFError) as error:
            raise self._failed(f"ClickHouse {self.where}", error) from None

    def _stored(self, table: Table, rows: list[Row]) -> set[Row]:
        first, last = table.moments(rows)
        found = self.client.execute(
            f"SELECT {', '.join(table.key)} FROM {self.database}.{table.name} "  # noqa: S608 - names are our own
            f"WHERE {table.moment} >= {literal(first)} AND {table.moment} <= {literal(last)}"
        )
        return {comparable(row) for row in found}

    def store(self, table: Table, rows: list[Row]) -> list[Row]:
        """Store the rows that are not there yet, and return them.

        Rows come again: when the last attempt stored them and could not say so, or when a broker that lost its data is
        filled anew. MergeTree would keep both copies, so the bridge looks first; the time range makes that cheap.
        """
        if not rows:
            return []
        try:
            fresh = missing(table, rows, self._stored(table, rows))
            if fresh:
                columns = ", ".join(table.columns)
                self.client.execute(
                    f"INSERT INTO {self.database}.{table.name} ({columns}) VALUES",
                    fresh,
                )
        except (clickhouse.Error, OSError, EOFError) as error:
            raise self._failed(f"table {self.database}.{table.name}", error) from None
        except Exception as error:  # a value that the driver cannot encode, for example
            self.client.disconnect()
            raise WriteError(f"table {self.database}.{table.name}: {brief(error)}") from None
        if len(fresh) < len(rows):
            self.log.info("%d rows that came again are in %s already", len(rows) - len(fresh), table.name)
        return fresh
