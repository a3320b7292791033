# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many clients at once; nobody waits for somebody else's query, and a client that dies harms no other."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.request import urlopen

import pytest
from ch_clients import Driver, Target

CLIENTS = 20
# Run until they are stopped, on one core. The number makes each one known in system.processes.
COMPUTING = "SELECT count() FROM system.numbers WHERE cityHash64(number) = {mark}"
SENDING = "SELECT number FROM system.numbers WHERE number != {mark}"


def _wait_until(check: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if check():
            return True
        time.sleep(0.05)
    return check()


def _running(driver: Driver, mark: int) -> int:
    sql = f"SELECT count() FROM system.processes WHERE query LIKE '%{mark}%' AND query NOT LIKE '%system.processes%'"
    return int(driver.query(sql)[0][0])


def test_twenty_parallel_clients(target: Target, database: str) -> None:
    """All are connected at the same time, and each gets its own answers."""
    together = threading.Barrier(CLIENTS)

    def work(n: int) -> list[int]:
        client = Driver(target, database, compression="lz4" if n % 2 else False)
        try:
            client.query("SELECT 1")
            together.wait(30)
            return [
                int(client.query(f"SELECT {n} * 1000 + {i} + sum(number) FROM numbers(3)")[0][0])
                for i in range(10)
            ]
        finally:
            client.close()

    with ThreadPoolExecutor(CLIENTS) as pool:
        results = list(pool.map(work, range(CLIENTS)))
    assert results == [[n * 1000 + i + 3 for i in range(10)] for n in range(CLIENTS)]


def test_connect_twenty_parallel_clients(connect_to: Callable[..., Any]) -> None:
    clients = [connect_to("connect") for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        results = list(
            pool.map(lambda n: clients[n].query(f"SELECT {n}, sum(number) FROM numbers(10)"), range(CLIENTS))
        )
    assert results == [[(n, 45)] for n in range(CLIENTS)]


def _in_background(client: Driver, sql: str, **settings: Any) -> threading.Thread:
    def run() -> None:
        try:
            client.query(sql, settings=settings)
        except Exception as exc:
            ended.append(exc)

    ended: list[Exception] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_long_query_blocks_nobody(
    target: Target, database: str, driver: Driver, connect_to: Callable[..., Any]
) -> None:
    """While one client computes: others connect, ping and query, on both protocols."""
    busy = connect_to("driver")
    thread = _in_background(busy, COMPUTING.format(mark=98700001), max_execution_time=60, max_threads=1)
    assert _wait_until(lambda: _running(driver, 98700001) == 1)
    for _ in range(10):
        other = Driver(target, database)
        assert other.query("SELECT 1") == [(1,)]
        assert other.raw.connection.ping()
        other.close()
        with urlopen(f"{target.url}ping", timeout=5) as answer:
            assert answer.read() == b"Ok.\n"
    assert thread.is_alive(), "the others were answered only when the long query had ended"
    driver.command("KILL QUERY WHERE query LIKE '%98700001%' AND query NOT LIKE 'KILL%' ASYNC")
    thread.join(15)
    assert not thread.is_alive()


def test_sleeping_queries_run_side_by_side(target: Target, database: str) -> None:
    def sleep(_: int) -> None:
        client = Driver(target, database)
        client.query("SELECT sleep(2)")
        client.close()

    start = time.monotonic()
    with ThreadPoolExecutor(5) as pool:
        list(pool.map(sleep, range(5)))
    assert time.monotonic() - start < 8  # one after the other they take 10 s


def test_cancel(driver: Driver, connect_to: Callable[..., Any]) -> None:
    """A Cancel packet stops the query on the server, and the connection goes on."""
    client = connect_to("driver")
    progress = client.raw.execute_with_progress(COMPUTING.format(mark=98700002), settings={"max_threads": 1})
    next(iter(progress))
    assert _running(driver, 98700002) == 1
    client.raw.cancel()  # the query would never end by itself
    assert _wait_until(lambda: _running(driver, 98700002) == 0)
    assert client.query("SELECT 1") == [(1,)]


_VICTIM = """
import sys, clickhouse_driver
host, port, user, password, sql = sys.stdin.read().split("\\0")
client = clickhouse_driver.Client(host, int(port), user=user, password=password)
# The limit is for a server that does not notice: the test fails long before.
client.execute(sql, settings={"max_threads": 1, "max_execution_time": 40})
"""


def _victim(script: str, target: Target, text: str) -> subprocess.Popen[bytes]:
    """A client in a process of its own. What it must know comes through a pipe, so that no password is in its name."""
    victim = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert victim.stdin is not None
    words = (target.host, str(target.port), target.user, target.password, text)
    victim.stdin.write("\0".join(words).encode())
    victim.stdin.close()
    victim.stdin = None
    return victim


@pytest.mark.parametrize("sql", [COMPUTING, SENDING], ids=["computing", "sending"])
def test_killed_client(sql: str, target: Target, driver: Driver) -> None:
    """A client that dies in the middle of its query: the query ends, the server is well."""
    mark = 98700000 + len(sql)
    victim = _victim(_VICTIM, target, sql.format(mark=mark))
    assert _wait_until(lambda: _running(driver, mark) == 1)
    victim.kill()
    victim.communicate(timeout=10)
    assert _wait_until(lambda: _running(driver, mark) == 0, 15), "the dead client's query still runs"
    assert driver.query("SELECT 1") == [(1,)]


_INSERTING_VICTIM = """
import sys, time, clickhouse_driver
host, port, user, password, table = sys.stdin.read().split("\\0")
client = clickhouse_driver.Client(host, int(port), user=user, password=password)
def rows():
    yield from ([n] for n in range(2000))
    print("half", flush=True)
    time.sleep(600)
client.execute(f"INSERT INTO {table} (n) VALUES", rows(), settings={"insert_block_size": 1000})
"""


def test_killed_client_in_an_insert(
    target: Target, driver: Driver, table: Callable[..., str], database: str
) -> None:
    """An INSERT that never ended: whole blocks or nothing are there, and the table can be used on."""
    name = table("n UInt64", "n")
    victim = _victim(_INSERTING_VICTIM, target, f"{database}.{name}")
    assert victim.stdout is not None
    assert victim.stdout.readline() == b"half\n"
    victim.kill()
    victim.communicate(timeout=10)
    driver.insert(name, ["n"], [[5000]])
    sql = f"SELECT countIf(n < 5000) % 1000, countIf(n = 5000) FROM {name}"
    assert driver.query(sql) == [(0, 1)]
    assert driver.query("SELECT 1") == [(1,)]


@pytest.mark.parametrize(
    "noise",
    [b"\x00\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x07" * 1000, bytes(range(256)) * 40, b"\x00\x03abc"],
    ids=["long name", "unknown packet", "noise", "cut off"],
)
def test_noise_on_the_native_port(noise: bytes, target: Target, driver: Driver) -> None:
    """What is no client is sent away; nobody else notices."""
    with socket.create_connection((target.host, target.port), timeout=10) as raw:
        raw.sendall(noise)
        raw.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            while raw.recv(4096):
                pass
    assert driver.query("SELECT 1") == [(1,)]


def test_inserts_and_selects_together(target: Target, database: str, table: Callable[..., str]) -> None:
    """Readers see whole inserts only, never fewer than before; at the end every row is there once."""
    writers, inserts, rows = 4, 15, 500
    name = table("w UInt8, i UInt32, n UInt32", "(w, i, n)")
    done = threading.Event()

    def write(w: int) -> None:
        client = Driver(target, database, compression="lz4" if w % 2 else False)
        for i in range(inserts):
            client.insert(name, ["w", "i", "n"], [[w, i, n] for n in range(rows)])
        client.close()

    def read(_: int) -> list[int]:
        client = Driver(target, database)
        seen = []
        while not done.is_set():
            seen.append(int(client.query(f"SELECT count() FROM {name}")[0][0]))
        client.close()
        return seen

    with ThreadPoolExecutor(writers + 3) as pool:
        readers = [pool.submit(read, n) for n in range(3)]
        for writer in [pool.submit(write, w) for w in range(writers)]:
            writer.result()
        done.set()
        for reader in readers:
            seen = reader.result()
            assert seen == sorted(seen)
            assert all(count % rows == 0 for count in seen)
    total = writers * inserts * rows
    client = Driver(target, database)
    assert client.query(f"SELECT count(), uniqExact(w, i, n) FROM {name}") == [(total, total)]
    client.close()
