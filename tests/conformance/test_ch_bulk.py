# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many rows, many blocks, both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ch_clients import Driver, Shell

MILLION = 1_000_000
MANY = 100_000
READ = f"SELECT number, toString(number * 7) FROM numbers({MILLION})"


def test_read_a_million_rows(client: Any) -> None:
    rows = client.query(READ)
    assert len(rows) == MILLION
    assert rows[0] == (0, "0")
    assert rows[-1] == (MILLION - 1, str((MILLION - 1) * 7))
    assert sum(row[0] for row in rows) == MILLION * (MILLION - 1) // 2
    assert all(row[1] == str(row[0] * 7) for row in rows[:: MILLION // 1000])


def test_debian_client_reads_a_million_rows(shell: Shell) -> None:
    lines = shell.run("--query", READ).split(b"\n")[:-1]
    assert len(lines) == MILLION
    assert lines[0] == b"0\t0"
    assert lines[-1] == b"999999\t6999993"
    assert all(line == b"%d\t%d" % (n, n * 7) for n, line in enumerate(lines))


def test_result_comes_in_many_blocks(driver: Driver) -> None:
    driver.query("SELECT number FROM numbers(100000)", settings={"max_block_size": 1000})
    assert driver.raw.last_query.profile_info.blocks >= 90
    assert driver.raw.last_query.profile_info.rows == 100_000


def test_rows_stream_in_while_the_query_runs(driver: Driver) -> None:
    """The first rows of a result that would never end."""
    rows = driver.raw.execute_iter("SELECT number FROM system.numbers", settings={"max_block_size": 1000})
    seen = [next(rows)[0] for _ in range(5000)]
    assert seen == list(range(5000))
    driver.raw.cancel()
    assert driver.query("SELECT 1") == [(1,)]


def test_connect_streams_blocks(connect_to: Callable[..., Any]) -> None:
    total = blocks = 0
    with connect_to("connect").raw.query_row_block_stream(READ) as stream:
        for block in stream:
            blocks += 1
            total += len(block)
    assert total == MILLION
    assert blocks > 1


def _rows() -> list[list[Any]]:
    return [[n, f"row {n}", None if n % 3 else f"note {n}", n * 0.5] for n in range(MANY)]


def _expect_all(driver: Driver, name: str) -> None:
    sql = f"SELECT count(), uniqExact(n), sum(n), countIf(s = concat('row ', toString(n))), count(note), sum(f) FROM {name}"
    total = MANY * (MANY - 1) // 2
    assert driver.query(sql) == [(MANY, MANY, total, MANY, (MANY + 2) // 3, total / 2)]


COLUMNS = "n UInt64, s String, note Nullable(String), f Float64"


def test_insert_100000_rows(client: Any, driver: Driver, table: Callable[..., str]) -> None:
    name = table(COLUMNS, "n")
    client.insert(name, ["n", "s", "note", "f"], _rows())
    _expect_all(driver, name)


def test_insert_in_many_blocks(connect_to: Callable[..., Any], table: Callable[..., str]) -> None:
    driver = connect_to("driver-lz4", settings={"insert_block_size": 2500})
    name = table(COLUMNS, "n")
    driver.insert(name, ["n", "s", "note", "f"], _rows())
    _expect_all(driver, name)


def test_debian_client_inserts_100000_rows(shell: Shell, driver: Driver, table: Callable[..., str]) -> None:
    name = table(COLUMNS, "n")
    lines = ["\t".join((str(n), s, "\\N" if note is None else note, str(f))) for n, s, note, f in _rows()]
    data = ("\n".join(lines) + "\n").encode()
    shell.run("--query", f"INSERT INTO {name} FORMAT TSV", stdin=data)
    _expect_all(driver, name)


@pytest.mark.parametrize("compression", ["0", "1"], ids=["plain", "lz4"])
def test_debian_client_compression(
    compression: str, shell: Shell, driver: Driver, table: Callable[..., str]
) -> None:
    name = table("n UInt64, s String", "n")
    data = b"".join(b"%d\tx\n" % n for n in range(5000))
    shell.run("--compression", compression, "--query", f"INSERT INTO {name} FORMAT TSV", stdin=data)
    counted = shell.run("--compression", compression, "--query", f"SELECT count(), sum(n) FROM {name}")
    assert counted == b"5000\t12497500\n"


def test_insert_select(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64, s String", "n")
    driver.command(f"INSERT INTO {name} SELECT number, toString(number) FROM numbers({MANY})")
    assert driver.query(f"SELECT count(), sum(n) FROM {name}") == [(MANY, MANY * (MANY - 1) // 2)]


def test_insert_with_values_in_the_text(client: Any, shell: Shell, table: Callable[..., str]) -> None:
    name = table("n UInt64, s String", "n")
    shell.command(f"INSERT INTO {name} VALUES (1, 'a'), (2, 'b;c')")
    client.command(f"INSERT INTO {name} SELECT 3, 'd'")
    assert client.query(f"SELECT n, s FROM {name} ORDER BY n") == [(1, "a"), (2, "b;c"), (3, "d")]


def test_insert_of_no_rows(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    driver.insert(name, ["n"], [])
    assert driver.query(f"SELECT count() FROM {name}") == [(0,)]


def test_columns_left_out_get_their_defaults(client: Any, table: Callable[..., str]) -> None:
    name = table("n UInt64, s String DEFAULT concat('n', toString(n)), u UInt8 DEFAULT 7", "n")
    client.insert(name, ["n"], [[1], [2]])
    assert client.query(f"SELECT n, s, u FROM {name} ORDER BY n") == [(1, "n1", 7), (2, "n2", 7)]


def test_rows_read_are_reported(driver: Driver, table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    driver.command(f"INSERT INTO {name} SELECT number FROM numbers(50000)")
    driver.query(f"SELECT sum(n) FROM {name} WHERE n % 2 = 0")
    assert driver.raw.last_query.progress.rows == 50_000
    assert driver.raw.last_query.profile_info.rows == 1
