# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`docker exec <container> clickhouse-client`, as a deployment plan uses it. Needs --ch-container."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest
from ch_clients import Driver, Target

Exec = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def client(pytestconfig: pytest.Config) -> Exec:
    """The container's own client, with what the container's environment tells it."""
    container = str(pytestconfig.getoption("--ch-container"))

    def run(*words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        argv = ["docker", "exec", "--interactive", container, "clickhouse-client", *words]
        return subprocess.run(argv, input=stdin, capture_output=True, timeout=60, check=False)

    return run


def test_query(client: Exec) -> None:
    done = client("--query", "SELECT 1 AS a, 'x' AS b")
    assert (done.returncode, done.stdout) == (0, b"1\tx\n")


def test_format_and_database(client: Exec, database: str) -> None:
    done = client(
        "--database", database, "--format", "JSONEachRow", "--query", "SELECT currentDatabase() AS d"
    )
    assert done.stdout == b'{"d":"%s"}\n' % database.encode()
    assert client("--query", "SELECT 1 AS a FORMAT CSVWithNames").stdout == b'"a"\n1\n'


def test_schema_file_from_standard_input(client: Exec, database: str, driver: Driver) -> None:
    script = b"""
    -- the first table; its comment has a semicolon
    CREATE TABLE IF NOT EXISTS plan_one (n UInt8, s String DEFAULT ';') ENGINE = MergeTree ORDER BY n;
    /* and a second; */
    CREATE TABLE IF NOT EXISTS plan_two (n UInt8) ENGINE = MergeTree ORDER BY n;
    INSERT INTO plan_one (n) VALUES (1), (2);
    """
    done = client("--database", database, "--multiquery", stdin=script)
    assert (done.returncode, done.stderr) == (0, b"")
    assert driver.query("SELECT n, s FROM plan_one ORDER BY n") == [(1, ";"), (2, ";")]
    driver.command("DROP TABLE plan_one")
    driver.command("DROP TABLE plan_two")


def test_script_stops_at_the_first_error(client: Exec, database: str, driver: Driver) -> None:
    script = b"CREATE TABLE half (n UInt8) ENGINE = Memory; CREATE NONSENSE; CREATE TABLE other (n UInt8) ENGINE = Memory"
    done = client("--database", database, "--multiquery", stdin=script)
    assert done.returncode == 62
    assert b"Code: 62" in done.stderr
    assert driver.query("EXISTS TABLE other") == [(0,)]
    assert driver.query("EXISTS TABLE half") == [(1,)]
    driver.command("DROP TABLE half")


def test_statements_of_one_script_share_a_session(client: Exec) -> None:
    script = b"CREATE TEMPORARY TABLE own (n UInt8); INSERT INTO own VALUES (7); USE system; SELECT n, currentDatabase() FROM own"
    assert client("--multiquery", stdin=script).stdout == b"7\tsystem\n"


def test_insert_from_standard_input(
    client: Exec, database: str, driver: Driver, table: Callable[..., str]
) -> None:
    name = table("n UInt64, s String", "n")
    data = b"".join(b"%d\tx\n" % n for n in range(10_000))
    done = client("--query", f"INSERT INTO {database}.{name} FORMAT TSV", stdin=data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert driver.query(f"SELECT count(), sum(n) FROM {name}") == [(10_000, 49_995_000)]


def test_settings_as_options(client: Exec) -> None:
    sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert client("--max_block_size=1234", "--query", sql).stdout == b"1234\n"


def test_wrong_password(client: Exec, target: Target) -> None:
    done = client("--user", target.user, "--password", "wrong", "--query", "SELECT 1")
    assert done.returncode == 516 & 0xFF
    assert b"Code: 516" in done.stderr
    assert target.password.encode() not in done.stderr


def test_the_password_is_in_no_process_list_and_no_log(
    pytestconfig: pytest.Config, target: Target, client: Exec
) -> None:
    container = str(pytestconfig.getoption("--ch-container"))
    assert client("--query", "SELECT 1").returncode == 0
    for argv in (["docker", "top", container, "-eo", "pid,args"], ["docker", "logs", container]):
        seen = subprocess.run(argv, capture_output=True, timeout=30, check=True)
        assert target.password.encode() not in seen.stdout + seen.stderr
