# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings hold for one query or one session, as the client asked; parameters are values, never SQL."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from ch_clients import Driver, Refused, Shell


def test_max_rows_to_read(any_client: Any, driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    driver.command(f"INSERT INTO {name} SELECT number FROM numbers(50000)")
    sql = f"SELECT sum(n) FROM {name}"
    with pytest.raises(Refused) as caught:
        any_client.query(sql, settings={"max_rows_to_read": 1000})
    assert caught.value.code == 158
    # The limit was the query's, not the connection's.
    assert [str(row[0]) for row in any_client.query(sql)] == ["1249975000"]


def test_readonly(any_client: Any, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    with pytest.raises(Refused) as caught:
        any_client.command(f"DROP TABLE {name}", settings={"readonly": 1})
    assert caught.value.code == 164
    assert [
        str(row[0]) for row in any_client.query(f"SELECT count() FROM {name}", settings={"readonly": 1})
    ] == ["0"]
    any_client.command(f"DROP TABLE {name}")


def test_readonly_refuses_an_insert(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    with pytest.raises(Refused) as caught:
        driver.insert(name, ["n"], [[1]], readonly=1)
    assert caught.value.code == 164
    assert driver.query(f"SELECT count() FROM {name}") == [(0,)]


def test_readonly_leaves_what_changes_between_queries(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    driver.command(f"INSERT INTO {name} SELECT number FROM numbers(50000)")
    sql = f"SELECT sum(n) FROM {name}"
    held = {"readonly": 1, "max_rows_to_read": 100_000}
    assert driver.query(sql, settings=held) == driver.query(sql, settings=held) == [(1249975000,)]
    with pytest.raises(Refused) as caught:
        driver.query(sql, settings={**held, "max_rows_to_read": 1000})
    assert caught.value.code == 158
    assert driver.query(sql, settings=held) == [(1249975000,)]
    driver.insert(name, ["n"], [[1]])
    assert driver.query(sql, settings=held) == [(1249975001,)]
    driver.command("SET max_block_size = 4321")
    assert driver.query("SELECT value FROM system.settings WHERE name = 'max_block_size'", settings=held) == [
        ("4321",)
    ]
    driver.command("USE system")
    assert driver.query("SELECT currentDatabase()", settings=held) == [("system",)]


def test_max_execution_time(driver: Driver) -> None:
    sql = "SELECT count() FROM system.numbers WHERE number % 2 = 3"
    with pytest.raises(Refused) as caught:
        driver.query(sql, settings={"max_execution_time": 1})
    assert caught.value.code == 159


def test_max_result_rows(driver: Driver) -> None:
    with pytest.raises(Refused) as caught:
        driver.query("SELECT number FROM numbers(1000)", settings={"max_result_rows": 10})
    assert caught.value.code == 396


def _value(client: Any, name: str) -> str:
    return str(client.query(f"SELECT value FROM system.settings WHERE name = '{name}'")[0][0])


def test_settings_of_a_query_end_with_it(driver: Driver) -> None:
    before = _value(driver, "max_block_size")
    sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert driver.query(sql, settings={"max_block_size": 1234}) == [("1234",)]
    assert _value(driver, "max_block_size") == before


def test_set_lasts_for_the_session(driver: Driver, connect_to: Callable[..., Any]) -> None:
    driver.command("SET max_block_size = 4321")
    sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert driver.query(sql, settings={"max_block_size": 1234}) == [("1234",)]
    assert _value(driver, "max_block_size") == "4321"
    assert _value(connect_to("driver"), "max_block_size") != "4321"


def test_settings_after_a_failed_query(driver: Driver) -> None:
    with pytest.raises(Refused):
        driver.query("SELECT nothing", settings={"max_block_size": 1234})
    assert _value(driver, "max_block_size") != "1234"


def test_use_lasts_for_the_session(driver: Driver, database: str, connect_to: Callable[..., Any]) -> None:
    driver.command("USE system")
    assert driver.query("SELECT currentDatabase()") == [("system",)]
    assert driver.query("SELECT currentDatabase()", settings={"readonly": 1}) == [("system",)]
    assert connect_to("driver").query("SELECT currentDatabase()") == [(database,)]


def test_temporary_tables_belong_to_the_session(driver: Driver, connect_to: Callable[..., Any]) -> None:
    driver.command("CREATE TEMPORARY TABLE own (n UInt8)")
    driver.insert("own", ["n"], [[5]])
    assert driver.query("SELECT n FROM own", settings={"max_threads": 1}) == [(5,)]
    with pytest.raises(Refused) as caught:
        connect_to("driver").query("SELECT n FROM own")
    assert caught.value.code == 60


def test_external_table_of_a_query(driver: Driver) -> None:
    tables = [
        {"name": "given", "structure": [("n", "UInt64"), ("s", "String")], "data": [{"n": 4, "s": "x"}]}
    ]
    rows = driver.raw.execute("SELECT n + 1, s FROM given", external_tables=tables)
    assert rows == [(5, "x")]
    with pytest.raises(Refused):
        driver.query("SELECT * FROM given")


@pytest.mark.parametrize("important", [True, False])
def test_important_unknown_setting(important: bool, connect_to: Callable[..., Any]) -> None:
    client = connect_to("driver", settings_is_important=important)
    if not important:
        assert client.query("SELECT 1", settings={"no_such_setting": 1}) == [(1,)]
        return
    with pytest.raises(Refused) as caught:
        client.query("SELECT 1", settings={"no_such_setting": 1})
    assert caught.value.code == 115


def test_connect_unknown_setting(connect_to: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as caught:
        connect_to("connect").query("SELECT 1", settings={"no_such_setting": 1})
    assert caught.value.code == 115


def test_debian_client_settings(shell: Shell) -> None:
    rows = shell.query(
        "SELECT value FROM system.settings WHERE name IN ('max_block_size', 'max_threads') ORDER BY name",
        settings={"max_block_size": 777, "max_threads": 2},
    )
    assert rows == [("777",), ("2",)]


def test_deduplication(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n", "SETTINGS non_replicated_deduplication_window = 100")
    for token in ("a", "a", "b"):
        driver.insert(name, ["n"], [[1]], insert_deduplicate=1, insert_deduplication_token=token)
    assert driver.query(f"SELECT count() FROM {name}") == [(2,)]


PARAMETERS = {
    "number": ("UInt64", 2**64 - 1),
    "text": ("String", 'it\'s a "test"; DROP TABLE x -- \\ \t \n é'),
    "date": ("DateTime", datetime(2024, 2, 29, 23, 59, 59)),
    "array": ("Array(String)", ["a", "b'c"]),
}


@pytest.mark.parametrize("case", PARAMETERS)
def test_native_parameters(case: str, connect_to: Callable[..., Any]) -> None:
    kind, value = PARAMETERS[case]
    client = connect_to("driver", settings={"server_side_params": True})
    assert client.query(f"SELECT {{value:{kind}}}", params={"value": value}) == [(value,)]


@pytest.mark.parametrize("case", PARAMETERS)
def test_connect_parameters(case: str, connect_to: Callable[..., Any]) -> None:
    kind, value = PARAMETERS[case]
    rows = connect_to("connect").query(f"SELECT {{value:{kind}}}", params={"value": value})
    assert rows == [(value,)]


def test_native_parameters_of_the_wrong_type(connect_to: Callable[..., Any]) -> None:
    client = connect_to("driver", settings={"server_side_params": True})
    with pytest.raises(Refused) as caught:
        client.query("SELECT {value:UInt8}", params={"value": "many"})
    assert caught.value.code == 457
