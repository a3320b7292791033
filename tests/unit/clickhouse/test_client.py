# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connection: every way to fail is one clear error, and the password is in none of them."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.clickhouse import client as clickhouse_client
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import (
    ClickhouseError,
    Connection,
    Login,
    connect,
    login_from,
    login_options,
)
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.names import (
    NameNotValid,
    check_identifier,
    check_name,
    check_release,
    literal,
    quote,
    split_table,
)
from clickhouse_driver import errors

SECRET = "a-very-secret-word"


@contextlib.contextmanager
def server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    """A real socket that does to every client what *behave* does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _address = listener.accept()
                    with client, contextlib.suppress(OSError):
                        behave(client)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def failure(**login: Any) -> ClickhouseError:
    base = {"password": SECRET, "user": "me", "connect_timeout": 1, "receive_timeout": 1, "host": "127.0.0.1"}
    with pytest.raises(ClickhouseError) as caught, connect(Login(**{**base, **login})):
        pass
    assert SECRET not in str(caught.value)
    return caught.value


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def test_refused() -> None:
    error = failure(port=closed_port())
    assert error.kind == "unreachable"
    assert "refused the connection" in str(error)


def test_name_that_does_not_resolve() -> None:
    error = failure(host="no-such-host.invalid")
    assert error.kind == "unreachable"
    assert "no-such-host.invalid" in str(error)


def test_silence_is_a_timeout() -> None:
    with server(lambda client: threading.Event().wait(3)) as port:
        error = failure(port=port)
    assert error.kind == "timeout"
    assert "did not answer in time" in str(error)


def test_a_server_that_hangs_up() -> None:
    with server(lambda client: client.recv(1000)) as port:
        error = failure(port=port)
    assert error.kind in ("protocol", "unreachable")
    assert str(port) in str(error)


def test_a_server_that_speaks_http() -> None:
    with server(lambda client: client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = failure(port=port)
    assert error.kind in ("protocol", "unreachable")


def test_tls_with_a_server_that_has_none() -> None:
    with server(lambda client: client.sendall(b"not tls at all")) as port:
        error = failure(port=port, secure=True)
    assert error.kind in ("tls", "unreachable")


class Client:
    """The driver's client where only what it raises matters."""

    def __init__(self, error: BaseException) -> None:
        self.error = error
        self.disconnected = False

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error

    def disconnect(self) -> None:
        self.disconnected = True
        raise OSError("broken already")


@pytest.mark.parametrize(
    ("raised", "kind", "code", "words"),
    [
        (errors.ServerException(f"DB::Exception: {SECRET}", 516), "authentication", 516, "refused user 'me'"),
        (
            errors.ServerException("DB::Exception: Database d does not exist", 81),
            "unknown_database",
            81,
            "'d'",
        ),
        (errors.ServerException("DB::Exception: other\nStack trace:\n0. x", 60), "server", 60, "code 60"),
        (errors.SocketTimeoutError("x"), "timeout", None, "did not answer"),
        (errors.NetworkError(f"{SECRET} lost"), "unreachable", None, "cannot be reached"),
        (errors.UnknownPacketFromServerError(f"{SECRET}"), "protocol", None, "cannot be read"),
        (ssl.SSLError(1, f"certificate of {SECRET}"), "tls", None, "TLS"),
        (EOFError("x"), "protocol", None, "closed the connection"),
        (ConnectionResetError("reset"), "unreachable", None, "cannot be reached"),
        (UnicodeDecodeError("utf-8", b"x", 0, 1, SECRET), "protocol", None, "cannot be read"),
        (KeyError(SECRET), "protocol", None, "cannot be read"),
    ],
)
def test_everything_the_driver_raises_is_one_error(
    monkeypatch: pytest.MonkeyPatch, raised: BaseException, kind: str, code: int | None, words: str
) -> None:
    client = Client(raised)
    monkeypatch.setattr(clickhouse_client.clickhouse_driver, "Client", lambda **options: client)
    with pytest.raises(ClickhouseError) as caught, connect(Login(user="me", password=SECRET, database="d")):
        pass
    error = caught.value
    assert (error.kind, error.code) == (kind, code)
    assert words in str(error)
    assert SECRET not in str(error)
    assert "Stack trace" not in str(error)
    assert error.__cause__ is None
    assert client.disconnected


def test_the_connection_is_ended_when_the_work_fails() -> None:
    client = Client(EOFError())
    connection = Connection(client, Login())
    with pytest.raises(ClickhouseError):
        connection.query("SELECT 1")
    connection.close()
    assert client.disconnected


def test_a_missing_driver_names_package_and_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clickhouse_client, "DRIVER_ERROR", "No module named 'clickhouse_driver'")
    error = failure()
    assert error.kind == "driver"
    assert "clickhouse-driver" in str(error)
    assert clickhouse_client.sys.executable in str(error)


def test_the_password_is_in_no_representation() -> None:
    assert SECRET not in repr(Login(password=SECRET))
    options = login_options()
    assert options["login_password"]["no_log"] is True
    params = {name: option.get("default") for name, option in options.items()}
    assert login_from({**params, "login_password": SECRET}).password == SECRET
    assert login_from({**params, "login_password": None}).password == ""


# Names ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", None, 5, "a b", "a;b", "1a", "a`", "ä", "a" * 128, "a\n"])
def test_names_of_a_playbook_are_letters_digits_and_underscores(name: Any) -> None:
    with pytest.raises(NameNotValid, match=r"^what: expected"):
        check_identifier(name, "what")


@pytest.mark.parametrize(
    "release", ["", None, "a b", "a__b", "-a", ".a", "a~1", "a/b", "a'b", "a" * 64, "a\n"]
)
def test_release_ids_that_are_refused(release: Any) -> None:
    with pytest.raises(NameNotValid, match=r"^release: expected"):
        check_release(release)


@pytest.mark.parametrize(
    "release", ["r1", "2025-10-06T22.05.00Z", "20251006T220500Z-a1b2c3", "a_b", "a" * 63]
)
def test_release_ids_that_are_taken(release: str) -> None:
    assert check_release(release) == release


def test_quoting() -> None:
    assert quote("a`b\\c") == "`a\\`b\\\\c`"
    assert literal("it's \\ x") == "'it\\'s \\\\ x'"
    assert check_name("any name's `good`") == "any name's `good`"
    assert split_table("t", "d").quoted() == "`d`.`t`"
    assert str(split_table("x.t", "d")) == "x.t"
