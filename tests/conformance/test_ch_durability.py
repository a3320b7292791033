# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server is killed and restarted: what it acknowledged is there afterwards. Needs --ch-container."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from ch_clients import GONE, Driver, Target

STOP_SECONDS = 10


@pytest.fixture(scope="session")
def container(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--ch-container"))


def _docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}: {done.stderr.strip()}"
    return done.stdout


def _state(container: str) -> dict[str, Any]:
    return json.loads(_docker("inspect", "--format", "{{json .State}}", container))


def _start(container: str, target: Target) -> None:
    _docker("start", container)
    end = time.monotonic() + 60
    while True:
        client = Driver(target, "")
        try:
            client.query("SELECT 1")
            return
        except GONE:
            assert time.monotonic() < end, f"{container} does not answer after its restart"
            time.sleep(0.2)
        finally:
            client.close()


def _insert_until_killed(target: Target, name: str, acknowledged: list[int]) -> None:
    client = Driver(target, "", compression="lz4")
    try:
        for block in range(100_000):
            client.insert(name, ["block", "n"], [[block, n] for n in range(100)])
            acknowledged.append(block)
    except GONE:
        return
    finally:
        client.close()


@pytest.mark.parametrize("attempt", range(3))
def test_kill_loses_no_acknowledged_insert(
    attempt: int, container: str, target: Target, database: str, table: Callable[..., str], driver: Driver
) -> None:
    name = f"{database}.{table('block UInt32, n UInt32', '(block, n)')}"
    acknowledged: list[int] = []
    writer = threading.Thread(target=_insert_until_killed, args=(target, name, acknowledged), daemon=True)
    writer.start()
    time.sleep(0.7 + attempt / 2)
    _docker("kill", "--signal", "KILL", container)
    writer.join(30)
    driver.close()
    _start(container, target)
    assert acknowledged, "no insert was acknowledged before the kill: the test says nothing"
    client = Driver(target, "")
    rows = client.query(f"SELECT block, count(), uniqExact(n) FROM {name} GROUP BY block ORDER BY block")
    found = {block: (count, distinct) for block, count, distinct in rows}
    lost = [block for block in acknowledged if found.get(block) != (100, 100)]
    assert lost == []
    # One more may have been written without its answer having come through, and none in parts.
    assert set(found.values()) == {(100, 100)}
    assert len(found) <= len(acknowledged) + 1
    client.close()


def test_kill_keeps_tables_and_alters(container: str, target: Target, database: str, driver: Driver) -> None:
    name = f"{database}.kept"
    driver.command(f"CREATE TABLE {name} (n UInt64) ENGINE = MergeTree ORDER BY n")
    driver.insert(name, ["n"], [[1], [2]])
    driver.command(f"ALTER TABLE {name} ADD COLUMN s String DEFAULT 'x'")
    _docker("kill", "--signal", "KILL", container)
    driver.close()
    _start(container, target)
    client = Driver(target, "")
    assert client.query(f"SELECT n, s FROM {name} ORDER BY n") == [(1, "x"), (2, "x")]
    client.command(f"DROP TABLE {name}")
    client.close()


def test_clean_stop(container: str, target: Target, connect_to: Callable[..., Any], driver: Driver) -> None:
    """SIGTERM while a query runs that would never end: it is cancelled, and the server leaves with status 0 in time."""
    busy = connect_to("driver")
    sql = "SELECT count() FROM system.numbers WHERE cityHash64(number) = 98700009"
    progress = busy.raw.execute_with_progress(sql, settings={"max_threads": 1, "max_execution_time": 40})
    next(iter(progress))
    start = time.monotonic()
    _docker("stop", "--time", str(STOP_SECONDS), container)
    seconds = time.monotonic() - start
    state = _state(container)
    driver.close()
    busy.close()
    _start(container, target)
    assert state["ExitCode"] == 0
    assert seconds < STOP_SECONDS
