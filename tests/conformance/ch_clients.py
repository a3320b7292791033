# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three clients behind one small interface, so that a case is written once and run with each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import clickhouse_connect
import clickhouse_driver
from clickhouse_connect.driver.exceptions import ClickHouseError

TIMEOUT = 60
# What clickhouse-driver raises when the server goes away, or is not there yet.
GONE = (OSError, EOFError, clickhouse_driver.errors.NetworkError, clickhouse_driver.errors.SocketTimeoutError)


@dataclass(frozen=True)
class Target:
    """The server under test."""

    host: str
    port: int
    http_port: int
    user: str
    password: str

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.http_port}/"


class Refused(Exception):
    """The server's answer was an error; every client's own exception becomes this one."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"code {code}: {text[:300]}")
        self.code = code
        self.text = text


def error_code(text: str) -> int:
    found = re.search(r"[Cc]ode: (\d+)", text)
    return int(found.group(1)) if found else 0


class Driver:
    """clickhouse-driver: the native protocol."""

    name = "driver"

    def __init__(self, target: Target, database: str, **options: Any) -> None:
        options = {"user": target.user, "password": target.password, **options}
        self.raw = clickhouse_driver.Client(
            target.host, target.port, database=database, send_receive_timeout=TIMEOUT, **options
        )

    def query(
        self, sql: str, settings: dict[str, Any] | None = None, params: Any = None
    ) -> list[tuple[Any, ...]]:
        try:
            return self.raw.execute(sql, params, settings=settings)
        except clickhouse_driver.errors.ServerException as exc:
            raise Refused(exc.code, str(exc)) from exc

    command = query

    def insert(
        self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any
    ) -> None:
        try:
            self.raw.execute(f"INSERT INTO {table} ({', '.join(names)}) VALUES", rows, settings=settings)
        except clickhouse_driver.errors.ServerException as exc:
            raise Refused(exc.code, str(exc)) from exc

    def close(self) -> None:
        self.raw.disconnect()


class Connect:
    """clickhouse-connect: HTTP with the Native format."""

    name = "connect"

    def __init__(self, target: Target, database: str, **options: Any) -> None:
        options = {"username": target.user, "password": target.password, **options}
        try:
            self.raw = clickhouse_connect.get_client(
                host=target.host,
                port=target.http_port,
                database=database,
                send_receive_timeout=TIMEOUT,
                autogenerate_session_id=False,
                **options,
            )
        except ClickHouseError as exc:
            raise Refused(error_code(str(exc)), str(exc)) from exc

    def query(
        self, sql: str, settings: dict[str, Any] | None = None, params: Any = None
    ) -> list[tuple[Any, ...]]:
        try:
            return [
                tuple(row) for row in self.raw.query(sql, parameters=params, settings=settings).result_rows
            ]
        except ClickHouseError as exc:
            raise Refused(error_code(str(exc)), str(exc)) from exc

    def command(self, sql: str, settings: dict[str, Any] | None = None) -> Any:
        try:
            return self.raw.command(sql, settings=settings)
        except ClickHouseError as exc:
            raise Refused(error_code(str(exc)), str(exc)) from exc

    def insert(
        self, table: str, names: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any
    ) -> None:
        try:
            self.raw.insert(table, rows, column_names=names, settings=settings)
        except ClickHouseError as exc:
            raise Refused(error_code(str(exc)), str(exc)) from exc

    def close(self) -> None:
        self.raw.close()


class Shell:
    """Debian's clickhouse-client 18.16: a program, with text in and out. `prefix` says where it runs."""

    name = "shell"

    def __init__(self, target: Target, database: str, prefix: Sequence[str], **options: Any) -> None:
        settings = {"user": target.user, "password": target.password, "database": database, **options}
        self._argv = [*prefix, "clickhouse-client", "--host", target.host, "--port", str(target.port)]
        self._argv += [f"--{name}={value}" for name, value in settings.items() if value]

    def run(self, *words: str, stdin: bytes = b"") -> bytes:
        done = subprocess.run(
            [*self._argv, *words], input=stdin, capture_output=True, timeout=TIMEOUT, check=False
        )
        if done.returncode:
            text = done.stderr.decode("utf-8", "replace")
            raise Refused(error_code(text), text)
        return done.stdout

    def query(self, sql: str, settings: dict[str, Any] | None = None) -> list[tuple[str, ...]]:
        """Rows of text, as the TSV format writes them."""
        words = [f"--{name}={value}" for name, value in (settings or {}).items()]
        lines = self.run(*words, "--query", sql).decode().split("\n")[:-1]
        return [tuple(line.split("\t")) for line in lines]

    command = query

    def close(self) -> None:
        """Nothing stays open."""


def old_client_prefix(image: str, container: str) -> list[str]:
    """How to run Debian's client: from PATH if that is it, else in a container of the given image."""
    if shutil.which("clickhouse-client"):
        version = subprocess.run(
            ["clickhouse-client", "--version"], capture_output=True, text=True, check=False
        )
        if " 18.16" in version.stdout:
            return []
    if not shutil.which("docker"):
        raise RuntimeError("found neither clickhouse-client 18.16 in PATH nor docker to run it with")
    known = subprocess.run(["docker", "image", "inspect", image], capture_output=True, check=False)
    if known.returncode:
        raise RuntimeError(
            f"found neither clickhouse-client 18.16 in PATH nor the image {image}; "
            f"build it: docker build -t {image} tests/conformance/debian"
        )
    argv = ["docker", "run", "--detach", "--rm", "--network", "host", "--name", container, "--label"]
    argv += ["com.suho.lab.conformance=true", "--entrypoint", "sleep", image, "7200"]
    started = subprocess.run(argv, capture_output=True, text=True, check=False)
    if started.returncode:
        raise RuntimeError(f"the client's container did not start: {started.stderr.strip()}")
    return ["docker", "exec", "--interactive", container]
