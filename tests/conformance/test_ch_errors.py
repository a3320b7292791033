# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's errors reach every client with their codes, and the connection can be used on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ch_clients import Connect, Driver, Refused, Shell, Target

ERRORS = {
    "syntax": ("SELECT FROM WHERE", 62),
    "unknown_table": ("SELECT * FROM there_is_no_such_table", 60),
    "unknown_column": ("SELECT no_such_column FROM system.one", 47),
    "unknown_function": ("SELECT no_such_function(1)", 46),
    "types_of_arguments": ("SELECT 1 + 'a'", 43),
    "type_mismatch": ("SELECT toUInt8('abc')", 6),
    "unknown_database": ("SELECT * FROM no_such_database.t", 81),
    "unknown_setting": ("SELECT 1 SETTINGS no_such_setting = 1", 115),
}


@pytest.mark.parametrize("case", ERRORS)
def test_error_code(case: str, any_client: Any) -> None:
    sql, code = ERRORS[case]
    with pytest.raises(Refused) as caught:
        any_client.query(sql)
    assert caught.value.code == code
    assert [str(row[0]) for row in any_client.query("SELECT 1")] == ["1"]


def test_error_text_is_the_engines(driver: Driver) -> None:
    with pytest.raises(Refused, match="there_is_no_such_table"):
        driver.query("SELECT * FROM there_is_no_such_table")


def test_error_in_the_middle_of_a_result(client: Any) -> None:
    """Blocks have been sent when the query fails: the client must still hear the error, not a short result."""
    with pytest.raises(Refused) as caught:
        client.query(
            "SELECT number, throwIf(number = 1500000) FROM numbers(3000000)", settings={"max_threads": 1}
        )
    assert caught.value.code == 395
    assert [row[0] for row in client.query("SELECT 1")] == [1]


@pytest.mark.parametrize("kind", ["driver", "connect"])
@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}], ids=["password", "user"])
def test_wrong_credentials(kind: str, wrong: dict[str, str], target: Target) -> None:
    make = Driver if kind == "driver" else Connect
    options = {("username" if kind == "connect" and name == "user" else name): v for name, v in wrong.items()}
    with pytest.raises(Refused) as caught:
        make(target, "", **options).query("SELECT 1")
    assert caught.value.code == 516
    assert target.password not in caught.value.text


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"user": "nobody"}], ids=["password", "user"])
def test_refused_by_name_or_password(wrong: dict[str, str], target: Target) -> None:
    with pytest.raises(Refused) as caught:
        Driver(target, "", **wrong).query("SELECT 1")
    assert caught.value.code in (192, 193, 516)


def test_debian_client_wrong_password(target: Target, shell_prefix: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        Shell(target, "", shell_prefix, password="wrong").query("SELECT 1")
    assert caught.value.code in (192, 193, 516)


@pytest.mark.parametrize("kind", ["driver", "connect"])
def test_unknown_database_of_the_connection(kind: str, connect_to: Callable[..., Any]) -> None:
    with pytest.raises(Refused) as caught:
        connect_to(kind, database="no_such_database").query("SELECT 1")
    assert caught.value.code == 81


def test_debian_client_unknown_database(target: Target, shell_prefix: list[str]) -> None:
    with pytest.raises(Refused) as caught:
        Shell(target, "no_such_database", shell_prefix).query("SELECT 1")
    assert caught.value.code == 81


def test_insert_into_an_unknown_table(driver: Driver) -> None:
    with pytest.raises(Refused) as caught:
        driver.insert("there_is_no_such_table", ["a"], [[1]])
    assert caught.value.code == 60


def test_insert_into_an_unknown_column(driver: Driver, table: Callable[..., str]) -> None:
    with pytest.raises(Refused) as caught:
        driver.insert(table("a UInt8", "a"), ["b"], [[1]])
    assert caught.value.code == 16


def test_failed_insert_leaves_nothing(shell: Shell, driver: Driver, table: Callable[..., str]) -> None:
    """A value that does not parse fails the INSERT as a whole."""
    name = table("a UInt8", "a")
    with pytest.raises(Refused):
        shell.run("--query", f"INSERT INTO {name} FORMAT TSV", stdin=b"1\n2\nthree\n")
    assert driver.query(f"SELECT count() FROM {name}") == [(0,)]


def test_several_statements_are_refused(driver: Driver) -> None:
    with pytest.raises(Refused) as caught:
        driver.query("SELECT 1; SELECT 2")
    assert caught.value.code == 62
