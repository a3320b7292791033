# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One connection to a ClickHouse server, and one kind of error for all that can go wrong with it."""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common.errors import PlatformError

# Else the driver works out four centuries of dates while it is imported, half of the time of a short call.
os.environ.setdefault("CLICKHOUSE_DRIVER_LASY_DATE_LUT", "1970-01-01:1970-01-01")

try:
    import clickhouse_driver
    from clickhouse_driver import errors as driver_errors

    DRIVER_ERROR: str | None = None
except ImportError as import_error:
    DRIVER_ERROR = str(import_error)

# The driver writes a traceback to standard error for a host that it cannot reach; we say it ourselves.
logging.getLogger("clickhouse_driver").addHandler(logging.NullHandler())
logging.getLogger("clickhouse_driver").propagate = False

AUTHENTICATION_FAILED = 516
UNKNOWN_USER = 192
WRONG_PASSWORD = 193
UNKNOWN_DATABASE = 81
READONLY = 164

_LOGIN_CODES = (AUTHENTICATION_FAILED, UNKNOWN_USER, WRONG_PASSWORD)


class ClickhouseError(PlatformError):
    """Whatever went wrong between us and the server, said so that a person can act on it.

    kind is one of: driver, unreachable, timeout, tls, protocol, authentication, unknown_database, server.
    """

    def __init__(self, message: str, kind: str, code: int | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.code = code


@dataclass(frozen=True)
class Login:
    """How to reach the server. The password is kept out of repr()."""

    host: str = "127.0.0.1"
    port: int = 9000
    user: str = "default"
    password: str = ""
    database: str = ""
    secure: bool = False
    verify_cert: bool = True
    ca_cert: str | None = None
    connect_timeout: int = 10
    receive_timeout: int = 300

    def __repr__(self) -> str:
        return f"Login({self.user}@{self.host}:{self.port})"

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    def mask(self, text: str) -> str:
        """Take the password out of a text that the server or the driver wrote."""
        return text.replace(self.password, "********") if self.password else text


@dataclass(frozen=True)
class Answer:
    """Rows of one statement with what they cost."""

    rows: list[tuple[Any, ...]]
    columns: list[tuple[str, str]]
    rows_read: int | None = None
    bytes_read: int | None = None

    def dicts(self) -> list[dict[str, Any]]:
        names = [name for name, _type in self.columns]
        return [dict(zip(names, row)) for row in self.rows]


class Connection:
    """A live session. Made by connect(), which also ends it."""

    def __init__(self, client: Any, login: Login) -> None:
        self._client = client
        self.login = login
        self.server_version = ""

    def query(
        self,
        sql: str,
        params: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Run one statement; *params* are bound with the driver's %(name)s placeholders."""
        with _explained(self.login):
            result = self._client.execute(
                sql, dict(params) if params else None, with_column_types=True, settings=dict(settings or {})
            )
        rows, columns = result if isinstance(result, tuple) else ([], [])
        progress = getattr(getattr(self._client, "last_query", None), "progress", None)
        return Answer(
            rows=[tuple(row) for row in rows],
            columns=[(str(name), str(type_)) for name, type_ in columns],
            rows_read=getattr(progress, "rows", None),
            bytes_read=getattr(progress, "bytes", None),
        )

    def scalar(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        rows = self.query(sql, params).rows
        if not rows or not rows[0]:
            raise ClickhouseError(f"{self.login.address}: no value came back for: {sql}", "protocol")
        return rows[0][0]

    def run(self, statement: str, settings: Mapping[str, Any] | None = None) -> None:
        """Run a statement whose rows, if any, do not matter."""
        self.query(statement, settings=settings)

    def close(self) -> None:
        # The connection may be broken already; there is nothing to save in it.
        with contextlib.suppress(Exception):
            self._client.disconnect()


def require_driver() -> None:
    if DRIVER_ERROR is not None:
        raise ClickhouseError(
            f"the Python package clickhouse-driver is missing for {sys.executable} "
            f"({DRIVER_ERROR}); install it with: {sys.executable} -m pip install clickhouse-driver",
            "driver",
        )


@contextlib.contextmanager
def connect(login: Login, settings: Mapping[str, Any] | None = None) -> Iterator[Connection]:
    """Open a session, prove that it works, and end it whatever happens inside."""
    connection = open_connection(login, settings)
    try:
        yield connection
    finally:
        connection.close()


def open_connection(login: Login, settings: Mapping[str, Any] | None = None) -> Connection:
    """Like connect(), for callers that reconnect by themselves; they must close()."""
    require_driver()
    with _explained(login):
        client = clickhouse_driver.Client(
            host=login.host,
            port=login.port,
            user=login.user,
            password=login.password,
            database=login.database,
            secure=login.secure,
            verify=login.verify_cert,
            ca_certs=login.ca_cert,
            connect_timeout=login.connect_timeout,
            send_receive_timeout=login.receive_timeout,
            sync_request_timeout=login.connect_timeout,
            client_name="suho.platform",
            settings=dict(settings or {}),
        )
    connection = Connection(client, login)
    try:
        connection.server_version = str(connection.scalar("SELECT version()"))
    except ClickhouseError:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def _explained(login: Login) -> Iterator[None]:
    """Turn everything that the driver raises into a ClickhouseError."""
    try:
        yield
    except ClickhouseError:
        raise
    except driver_errors.ServerException as error:
        raise _server_error(login, error) from None
    except ssl.SSLError as error:
        raise ClickhouseError(f"TLS with {login.address} failed: {login.mask(str(error))}", "tls") from None
    except (driver_errors.SocketTimeoutError, socket.timeout, TimeoutError):
        raise ClickhouseError(
            f"{login.address} did not answer in time (connect_timeout {login.connect_timeout} s, "
            f"receive_timeout {login.receive_timeout} s)",
            "timeout",
        ) from None
    except EOFError:
        raise ClickhouseError(
            f"{login.address} closed the connection; is it the native port of a ClickHouse server"
            f"{' with TLS' if login.secure else ''}?",
            "protocol",
        ) from None
    except (driver_errors.NetworkError, OSError) as error:
        raise _network_error(login, error) from None
    except Exception as error:
        # The driver also raises plain KeyError, ValueError or UnicodeDecodeError on bytes it cannot read.
        text = login.mask(f"{type(error).__name__}: {error}")
        raise ClickhouseError(f"{login.address} sent what cannot be read ({text})", "protocol") from None


def _network_error(login: Login, error: BaseException) -> ClickhouseError:
    text = login.mask(str(error))
    lowered = text.lower()
    if "certificate" in lowered or "ssl" in lowered:
        return ClickhouseError(f"TLS with {login.address} failed: {text}", "tls")
    if "refused" in lowered:
        return ClickhouseError(
            f"{login.address} refused the connection: nothing listens there; is the server up?",
            "unreachable",
        )
    if "name or service not known" in lowered or "name resolution" in lowered or "nodename" in lowered:
        return ClickhouseError(f"the host name {login.host!r} does not resolve", "unreachable")
    return ClickhouseError(f"{login.address} cannot be reached: {text}", "unreachable")


def _server_error(login: Login, error: Any) -> ClickhouseError:
    code = int(error.code)
    # The driver appends the server's stack trace, which says nothing to the reader.
    text = login.mask(str(error.message).split("Stack trace:", 1)[0].replace("DB::Exception: ", "").strip())
    if code in _LOGIN_CODES:
        return ClickhouseError(
            f"{login.address} refused user {login.user!r} (code {code}): wrong user or password",
            "authentication",
            code,
        )
    if code == UNKNOWN_DATABASE and login.database and login.database in text:
        return ClickhouseError(
            f"{login.address} has no database {login.database!r} (code {code})", "unknown_database", code
        )
    return ClickhouseError(f"{login.address} answered with code {code}: {text}", "server", code)


def login_from(params: Mapping[str, Any]) -> Login:
    """Build a Login from the module parameters that login_options() describes."""
    return Login(
        host=params["login_host"],
        port=params["login_port"],
        user=params["login_user"],
        password=params["login_password"] or "",
        database=params["login_db"] or "",
        secure=params["secure"],
        verify_cert=params["verify_cert"],
        ca_cert=params["ca_cert"],
        connect_timeout=params["connect_timeout"],
        receive_timeout=params["receive_timeout"],
    )


def login_options() -> dict[str, Any]:
    """The argument_spec that belongs to the documentation fragment suho.platform.clickhouse."""
    return {
        "login_host": {"type": "str", "default": "127.0.0.1"},
        "login_port": {"type": "int", "default": 9000},
        "login_user": {"type": "str", "default": "default"},
        "login_password": {"type": "str", "default": "", "no_log": True},
        "login_db": {"type": "str", "default": ""},
        "secure": {"type": "bool", "default": False},
        "verify_cert": {"type": "bool", "default": True},
        "ca_cert": {"type": "path"},
        "connect_timeout": {"type": "int", "default": 10},
        "receive_timeout": {"type": "int", "default": 300},
    }


LOGIN_NAMES: Sequence[str] = tuple(login_options())
