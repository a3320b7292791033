# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system tables and the DDL that a deployment reads and writes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ch_clients import Driver, Shell

# The shape of the platform's largest table.
PLATFORM = """
CREATE TABLE {name} (
    symbol String, timeframe String, timestamp DateTime64(3, 'UTC'), timestamp_ms UInt64,
    open Decimal(18, 5), close Decimal(18, 5), volume UInt64, vwap Decimal(18, 5) DEFAULT 0,
    range_pips Decimal(10, 5), source String, event_type String DEFAULT 'ohlcv', indicators String DEFAULT '',
    ingested_at DateTime64(3, 'UTC') DEFAULT now64(3),
    INDEX idx_symbol symbol TYPE set(0) GRANULARITY 1,
    INDEX idx_volume volume TYPE minmax GRANULARITY 1
) ENGINE = MergeTree PARTITION BY (symbol, toYYYYMM(timestamp)) ORDER BY (symbol, timeframe, timestamp)
TTL toDateTime(timestamp) + INTERVAL 3650 DAY SETTINGS index_granularity = 8192
"""


@pytest.fixture
def platform_table(driver: Driver, database: str) -> Iterator[str]:
    name = f"{database}.aggregates"
    driver.command(PLATFORM.format(name=name))
    yield name
    driver.command(f"DROP TABLE IF EXISTS {name}")


def test_version_is_the_engines(any_client: Any) -> None:
    version = str(any_client.query("SELECT version()")[0][0])
    assert all(part.isdigit() for part in version.split("."))


def test_platform_table_is_described(platform_table: str, driver: Driver, database: str) -> None:
    where = f"database = '{database}' AND table = 'aggregates'"
    columns = dict(driver.query(f"SELECT name, type FROM system.columns WHERE {where}"))
    assert columns["timestamp"] == "DateTime64(3, 'UTC')"
    assert columns["range_pips"] == "Decimal(10, 5)"
    indexes = driver.query(f"SELECT name, type FROM system.data_skipping_indices WHERE {where} ORDER BY name")
    assert indexes == [("idx_symbol", "set"), ("idx_volume", "minmax")]
    assert "TTL" in driver.query(f"SHOW CREATE TABLE {platform_table}")[0][0]


def test_platform_table_column_comes_and_goes(platform_table: str, driver: Driver) -> None:
    insert = f"INSERT INTO {platform_table} (symbol, timeframe, timestamp, indicators) VALUES"
    driver.raw.execute(insert + " ('EURUSD', '5m', now64(3), '{\"rsi\":50}')")
    driver.command(f"ALTER TABLE {platform_table} DROP COLUMN indicators")
    driver.command(f"ALTER TABLE {platform_table} ADD COLUMN indicators String DEFAULT '' AFTER event_type")
    assert driver.query(f"SELECT symbol, indicators FROM {platform_table}") == [("EURUSD", "")]


def test_tables_columns_and_parts(driver: Driver, database: str, table: Callable[..., str]) -> None:
    name = table("n UInt64, s String DEFAULT 'x'", "n")
    driver.insert(name, ["n"], [[1], [2]])
    where = f"database = '{database}' AND name = '{name}'"
    assert driver.query(f"SELECT engine FROM system.tables WHERE {where}") == [("MergeTree",)]
    where = f"database = '{database}' AND table = '{name}'"
    columns = driver.query(f"SELECT name, type, default_kind FROM system.columns WHERE {where} ORDER BY name")
    assert columns == [("n", "UInt64", ""), ("s", "String", "DEFAULT")]
    assert driver.query(f"SELECT sum(rows) FROM system.parts WHERE {where} AND active") == [(2,)]
    assert f"{name}" in driver.query(f"SHOW CREATE TABLE {name}")[0][0]
    assert (name,) in driver.query("SHOW TABLES")


def test_mutation_is_seen(driver: Driver, database: str, table: Callable[..., str]) -> None:
    name = table("n UInt64, s String", "n")
    driver.insert(name, ["n", "s"], [[1, "a"], [2, "b"]])
    driver.query(f"ALTER TABLE {name} DELETE WHERE n = 1", settings={"mutations_sync": 1})
    where = f"database = '{database}' AND table = '{name}'"
    assert driver.query(f"SELECT is_done FROM system.mutations WHERE {where}") == [(1,)]
    assert driver.query(f"SELECT n FROM {name}") == [(2,)]


def test_rename_between_databases(driver: Driver, database: str, table: Callable[..., str]) -> None:
    """What a quarantine needs: the table moves with its rows."""
    name = table("n UInt64", "n")
    driver.insert(name, ["n"], [[1], [2]])
    other = f"{database}_quarantine"
    driver.command(f"CREATE DATABASE {other}")
    try:
        driver.command(f"RENAME TABLE {database}.{name} TO {other}.{name}")
        assert driver.query(f"SELECT sum(n) FROM {other}.{name}") == [(3,)]
        driver.command(f"RENAME TABLE {other}.{name} TO {database}.{name}")
        assert driver.query(f"SELECT sum(n) FROM {name}") == [(3,)]
    finally:
        driver.command(f"DROP DATABASE {other}")


def test_materialized_view(driver: Driver, table: Callable[..., str]) -> None:
    source, sink = table("n UInt64", "n"), table("n UInt64, twice UInt64", "n")
    driver.command(
        f"CREATE MATERIALIZED VIEW {source}_mv TO {sink} AS SELECT n, n * 2 AS twice FROM {source}"
    )
    try:
        driver.insert(source, ["n"], [[1], [2]])
        assert driver.query(f"SELECT n, twice FROM {sink} ORDER BY n") == [(1, 2), (2, 4)]
    finally:
        driver.command(f"DROP TABLE {source}_mv")


def test_kill_query(driver: Driver, connect_to: Callable[..., Any]) -> None:
    """The client's own query id finds its query."""
    victim = connect_to("driver")
    endless = "SELECT count() FROM system.numbers WHERE cityHash64(number) = 1"
    progress = victim.raw.execute_with_progress(
        endless, query_id="conformance-kill", settings={"max_threads": 1}
    )
    next(iter(progress))
    driver.command("KILL QUERY WHERE query_id = 'conformance-kill' ASYNC")
    start = time.monotonic()
    with pytest.raises(Exception, match=r"cancelled|394"):
        progress.get_result()
    assert time.monotonic() - start < 10


def test_debian_client_many_statements(shell: Shell, driver: Driver, database: str) -> None:
    """A file of statements, as a deployment plan feeds it."""
    script = b"""
    -- a comment; with a semicolon
    CREATE TABLE plan_a (n UInt8, s String DEFAULT ';') ENGINE = MergeTree ORDER BY n;
    CREATE TABLE plan_b (n UInt8) ENGINE = MergeTree ORDER BY n;
    """
    try:
        shell.run("--multiquery", stdin=script)
        assert driver.query(
            f"SELECT count() FROM system.tables WHERE database = '{database}' AND name LIKE 'plan_%'"
        ) == [(2,)]
    finally:
        driver.command("DROP TABLE IF EXISTS plan_a")
        driver.command("DROP TABLE IF EXISTS plan_b")
