# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which server the conformance suite talks to, and with what.

    pytest tests/conformance --ch-host 127.0.0.1 --ch-port 9000 --ch-http-port 8123 --ch-user u [--ch-profile 18.16]

The password comes from CH_PASSWORD (or --ch-password, which other users of the machine can see). The suite works in
a database of its own, which it makes and drops. Tests that restart the server need --ch-container, its container's
name, and are left out without it.
"""

from __future__ import annotations

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ch_clients import Connect, Driver, Shell, Target, old_client_prefix
from ch_profiles import PROFILES, reason

DATABASE = f"conformance_{uuid.uuid4().hex[:8]}"
NEED_CONTAINER = ("test_ch_container.py", "test_ch_durability.py")
_OPTIONS = {
    "host": ("127.0.0.1", "the server's address"),
    "port": ("9000", "its native port"),
    "http-port": ("8123", "its HTTP port"),
    "user": ("default", "the user"),
    "password": ("", "the user's password"),
    "container": ("", "the server's container, for the tests that kill and restart it"),
    "client-image": (
        "suho-lab/clickhouse-debian:18.16",
        "image with Debian's clickhouse-client, if it is not in PATH",
    ),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("clickhouse", "the ClickHouse server under test")
    for name, (default, text) in _OPTIONS.items():
        variable = "CH_" + name.upper().replace("-", "_")
        group.addoption(
            f"--ch-{name}", default=os.environ.get(variable, default), help=f"{text} ({variable})"
        )
    group.addoption("--ch-profile", default=os.environ.get("CH_PROFILE", "full"), choices=sorted(PROFILES))


def _target(config: pytest.Config) -> Target:
    def option(name: str) -> str:
        return str(config.getoption(f"--ch-{name}"))

    return Target(
        option("host"), int(option("port")), int(option("http-port")), option("user"), option("password")
    )


def pytest_report_header(config: pytest.Config) -> list[str]:
    target, profile = _target(config), config.getoption("--ch-profile")
    lines = [f"clickhouse: {target.host}:{target.port}, http {target.http_port}, profile {profile}"]
    lines += [f"  left out: {pattern}: {why}" for pattern, why in PROFILES[profile].items()]
    if not config.getoption("--ch-container"):
        lines.append(f"  left out: {', '.join(NEED_CONTAINER)}: no --ch-container was given")
    return lines


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    profile, container = config.getoption("--ch-profile"), config.getoption("--ch-container")
    out = [
        item
        for item in items
        if reason(profile, item.nodeid) or (item.path.name in NEED_CONTAINER and not container)
    ]
    config.hook.pytest_deselected(items=out)
    items[:] = [item for item in items if item not in out]


@pytest.fixture(scope="session")
def target(pytestconfig: pytest.Config) -> Target:
    return _target(pytestconfig)


@pytest.fixture(scope="session")
def profile(pytestconfig: pytest.Config) -> str:
    return str(pytestconfig.getoption("--ch-profile"))


@pytest.fixture(scope="session")
def database(target: Target) -> Iterator[str]:
    admin = Driver(target, "")
    admin.command(f"CREATE DATABASE {DATABASE}")
    yield DATABASE
    admin.command(f"DROP DATABASE IF EXISTS {DATABASE}")
    admin.close()


@pytest.fixture(scope="session")
def shell_prefix(pytestconfig: pytest.Config) -> Iterator[list[str]]:
    container = f"ch-conformance-client-{uuid.uuid4().hex[:8]}"
    try:
        prefix = old_client_prefix(str(pytestconfig.getoption("--ch-client-image")), container)
    except RuntimeError as exc:
        pytest.fail(f"Debian's clickhouse-client is missing: {exc}", pytrace=False)
    yield prefix
    if prefix:
        subprocess.run(["docker", "rm", "--force", container], capture_output=True, check=False)


@pytest.fixture
def connect_to(target: Target, database: str) -> Iterator[Callable[..., Any]]:
    """Make a client by name; it is closed after the test."""
    opened: list[Any] = []

    def make(kind: str, **options: Any) -> Any:
        options.setdefault("database", database)
        name = options.pop("database")
        if kind == "driver-lz4":
            opened.append(Driver(target, name, compression="lz4", **options))
        elif kind == "driver":
            opened.append(Driver(target, name, **options))
        else:
            opened.append(Connect(target, name, **options))
        return opened[-1]

    yield make
    for client in opened:
        client.close()


@pytest.fixture(params=["driver", "driver-lz4", "connect"])
def client(request: pytest.FixtureRequest, connect_to: Callable[..., Any]) -> Any:
    return connect_to(request.param)


@pytest.fixture
def driver(connect_to: Callable[..., Any]) -> Driver:
    return connect_to("driver")


@pytest.fixture
def shell(target: Target, database: str, shell_prefix: list[str]) -> Shell:
    return Shell(target, database, shell_prefix)


@pytest.fixture(params=["driver", "connect", "shell"])
def any_client(request: pytest.FixtureRequest, connect_to: Callable[..., Any]) -> Any:
    if request.param == "shell":
        return request.getfixturevalue("shell")
    return connect_to(request.param)


@pytest.fixture
def table(driver: Driver) -> Iterator[Callable[..., str]]:
    """Make a MergeTree table; it is dropped after the test."""
    made: list[str] = []

    def make(columns: str, order: str = "tuple()", more: str = "") -> str:
        name = f"t_{uuid.uuid4().hex[:8]}"
        driver.command(f"CREATE TABLE {name} ({columns}) ENGINE = MergeTree ORDER BY {order} {more}")
        made.append(name)
        return name

    yield make
    for name in made:
        driver.command(f"DROP TABLE IF EXISTS {name}")
