"""The probe tells yes from no and from nothing, in each protocol, and leaves neither containers nor secrets behind."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandError, CommandResult
from ansible_collections.suho.platform.plugins.module_utils.preflight import connectivity, connectivity_inside
from ansible_collections.suho.platform.plugins.module_utils.preflight.connectivity import (
    Connectivity,
    ConnectivityError,
    Target,
)

Talk = Callable[[socket.socket], None]


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], int]]:
    """Serve one connection by a function; gives the port."""
    listeners = []

    def start(talk: Talk) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def run() -> None:
            with contextlib.suppress(OSError):  # closed by a test that nobody called in
                connection, _address = listener.accept()
                with connection:
                    talk(connection)

        threading.Thread(target=run, daemon=True).start()
        return int(listener.getsockname()[1])

    yield start
    for listener in listeners:
        listener.close()


def attempt(way: str, port: int, **more: object) -> dict[str, object]:
    return connectivity_inside.attempt(
        {"way": way, "host": "127.0.0.1", "port": port, "timeout": 2.0, **more}
    )


def packet(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def startup(connection: socket.socket) -> bytes:
    size = struct.unpack("!i", connection.recv(4))[0]
    return connection.recv(size - 4)


def answer(connection: socket.socket) -> bytes:
    assert connection.recv(1) == b"p"
    size = struct.unpack("!i", connection.recv(4))[0]
    return connection.recv(size - 4)


READY = packet(b"R", struct.pack("!i", 0)) + packet(b"S", b"server_version\x0017.2\x00") + packet(b"Z", b"I")


def test_clickhouse_says_hello(serve: Callable[[Talk], int]) -> None:
    asked = []

    def talk(connection: socket.socket) -> None:
        asked.append(connection.recv(4096))
        connection.sendall(b"\x00\x0aClickHouse\x18\x08")

    found = attempt("clickhouse", serve(talk), user="u", password="p", database="d")
    assert (found["ok"], found["said"]) == (True, "ClickHouse 24.8")
    assert asked[0].endswith(b"\x01d\x01u\x01p")


def test_clickhouse_refuses(serve: Callable[[Talk], int]) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"\x02" + struct.pack("<i", 516) + b"\x01E\x0awrong user")

    found = attempt("clickhouse", serve(talk), user="u", password="p")
    assert (found["ok"], found["stage"], found["error"]) == (False, "login", "code 516: wrong user")


def test_postgresql_with_scram(serve: Callable[[Talk], int]) -> None:
    """The server's side of RFC 7677, so that a proof that is wrong would be seen."""

    def talk(connection: socket.socket) -> None:
        assert b"user\x00u\x00database\x00d\x00" in startup(connection)
        connection.sendall(packet(b"R", struct.pack("!i", 10) + b"SCRAM-SHA-256\x00\x00"))
        bare = answer(connection).partition(b"n,,")[2]
        salt, nonce = b"0123456789abcdef", bare.partition(b"r=")[2] + b"xyz"
        challenge = b"r=" + nonce + b",s=" + base64.b64encode(salt) + b",i=4096"
        connection.sendall(packet(b"R", struct.pack("!i", 11) + challenge))
        last, _, proof = answer(connection).partition(b",p=")
        salted = hashlib.pbkdf2_hmac("sha256", b"secret", salt, 4096)
        stored = hashlib.sha256(hmac.new(salted, b"Client Key", hashlib.sha256).digest()).digest()
        signature = hmac.new(stored, b",".join((bare, challenge, last)), hashlib.sha256).digest()
        key = bytes(one ^ two for one, two in zip(base64.b64decode(proof), signature))
        right = hashlib.sha256(key).digest() == stored
        wrong = packet(b"E", b"C28P01\x00Mpassword authentication failed\x00\x00")
        connection.sendall(packet(b"R", struct.pack("!i", 12) + b"v=x") + READY if right else wrong)

    found = attempt("postgresql", serve(talk), user="u", password="secret", database="d")
    assert (found["ok"], found["said"]) == (True, "PostgreSQL 17.2")
    found = attempt("postgresql", serve(talk), user="u", password="another", database="d")
    assert (found["ok"], found["error"]) == (False, "code 28P01: password authentication failed")


def test_postgresql_with_md5_and_in_clear(serve: Callable[[Talk], int]) -> None:
    def md5(connection: socket.socket) -> None:
        startup(connection)
        connection.sendall(packet(b"R", struct.pack("!i", 5) + b"salt"))
        inner = hashlib.md5(b"secretu").hexdigest().encode()
        right = answer(connection) == b"md5" + hashlib.md5(inner + b"salt").hexdigest().encode() + b"\0"
        connection.sendall(READY if right else packet(b"E", b"C1\0Mno\0\0"))

    def clear(connection: socket.socket) -> None:
        startup(connection)
        connection.sendall(packet(b"R", struct.pack("!i", 3)))
        connection.sendall(READY if answer(connection) == b"secret\0" else packet(b"E", b"C1\0Mno\0\0"))

    for talk in (md5, clear):
        assert attempt("postgresql", serve(talk), user="u", password="secret")["ok"]
        assert attempt("postgresql", serve(talk), user="u", password="x")["error"] == "code 1: no"


def test_postgresql_without_tls_is_refused_if_tls_is_asked_for(serve: Callable[[Talk], int]) -> None:
    def talk(connection: socket.socket) -> None:
        connection.recv(8)
        connection.sendall(b"N")

    assert attempt("postgresql", serve(talk), tls=True)["error"] == "the server does not offer TLS"


@pytest.mark.parametrize(
    ("said", "ok", "error"),
    [("PONG", True, ""), ("-ERR 'Authorization Violation'", False, "Authorization Violation")],
)
def test_nats(serve: Callable[[Talk], int], said: str, ok: bool, error: str) -> None:
    asked = []

    def talk(connection: socket.socket) -> None:
        connection.sendall(b'INFO {"version": "2.10"}\r\n')
        asked.append(connection.recv(4096))
        connection.sendall(said.encode() + b"\r\n")

    found = attempt("nats", serve(talk), user="u", password="p", token="t")
    assert (found["ok"], found["error"]) == (ok, error)
    options = json.loads(asked[0].split(b"\r\n")[0].partition(b" ")[2])
    assert (options["user"], options["pass"], options["auth_token"]) == ("u", "p", "t")


@pytest.mark.parametrize(("status", "ok"), [("200 OK", True), ("401 Unauthorized", False)])
def test_clickhouse_over_http(serve: Callable[[Talk], int], status: str, ok: bool) -> None:
    asked = []

    def talk(connection: socket.socket) -> None:
        data = b""
        while not data.endswith(b"version()"):
            data += connection.recv(4096)
        asked.append(data)
        connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\n24.8".encode())

    found = attempt("clickhouse_http", serve(talk), user="u", password="p", database="d")
    assert (found["ok"], found["error"]) == (ok, "" if ok else "24.8")
    assert b"x-clickhouse-key: p\r\n" in asked[0].lower()


@pytest.mark.parametrize("way", ["clickhouse", "postgresql", "nats", "clickhouse_http"])
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.0 400 Bad\r\n\r\n", b"\xff" * 64, b"SSH-2.0-x\r\n", b"+OK\r\n"]
)
def test_another_server_is_no_yes_and_no_traceback(
    serve: Callable[[Talk], int], way: str, said: bytes
) -> None:
    def talk(connection: socket.socket) -> None:
        connection.sendall(said)
        connection.settimeout(0.3)
        try:
            while connection.recv(4096):
                pass
        except OSError:
            pass

    found = attempt(way, serve(talk))
    assert (found["ok"], bool(found["error"])) == (False, True)


def test_silence_ends_in_time(serve: Callable[[Talk], int]) -> None:
    hold = threading.Event()
    found = attempt("nats", serve(lambda _connection: hold.wait(5) and None), timeout=0.2)
    hold.set()
    assert (found["ok"], found["error"]) == (False, "no answer within 0.2 s")


def test_a_connection_alone(serve: Callable[[Talk], int]) -> None:
    assert attempt("connect", serve(lambda _connection: None))["ok"]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    found = attempt("connect", port)
    assert (found["ok"], found["stage"], found["error"]) == (False, "connect", "Connection refused")


def test_nobody_there_and_no_such_name(serve: Callable[[Talk], int]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert attempt("clickhouse", port)["error"] == "Connection refused"
    found = connectivity_inside.attempt({"way": "resolve", "host": "no-such.invalid", "timeout": 1.0})
    assert (found["ok"], found["stage"], found["error"]) == (False, "resolve", "the name does not resolve")


# The container -------------------------------------------------------------------------------------------------


class FakeEngine:
    """Runs the probe's program on this machine where an engine would run it in a container."""

    def __init__(self, missing: str = "", unstartable: str = "") -> None:
        self.missing, self.unstartable = missing, unstartable
        self.calls: list[list[str]] = []
        self.given = ""
        self.left: list[tuple[str, dict[str, str]]] = []

    def containers_by_filter(self, filters: list[str]) -> list[SimpleNamespace]:
        assert filters == [f"label={connectivity.CONNECTIVITY_LABEL}"]
        return [SimpleNamespace(name=name, labels=labels) for name, labels in self.left]

    def run(
        self, arguments: list[str], timeout: float | None = None, stdin: str | None = None
    ) -> CommandResult:
        self.calls.append(list(arguments))
        if arguments[0] == "start" and self.missing in self.calls[-2]:
            raise CommandError(
                ["docker", *arguments], 127, 'exec: "python3": executable file not found in $PATH'
            )
        if arguments[0] == "start" and self.unstartable:
            raise CommandError(["docker", *arguments], 1, self.unstartable)
        if arguments[0] == "start":
            self.given = stdin or ""
            program = next(call[call.index("-c") + 1] for call in reversed(self.calls) if "-c" in call)
            done = subprocess.run(
                [sys.executable, "-I", "-c", program], input=stdin, capture_output=True, text=True, check=True
            )
            return CommandResult(done.stdout, "")
        return CommandResult("", "")


RESOLVE = Target("resolve", "localhost", password="s3cret-value")


def test_the_program_runs_and_answers_in_order() -> None:
    engine = FakeEngine(missing="?")
    targets = [RESOLVE, Target("resolve", "no-such.invalid")]
    found = Connectivity(engine, ["image"]).attempt(["a", "b"], targets)  # type: ignore[arg-type]
    assert [one.ok for one in found] == [True, False]
    create, connect, start, remove = engine.calls
    name = create[create.index("--name") + 1]
    assert create[create.index("--network") + 1] == "a"
    assert connect == ["network", "connect", "b", name]
    assert start[-1] == name
    assert remove[:2] == ["rm", "--force"]


def test_the_container_is_none_of_the_service_whose_image_it_runs() -> None:
    engine = FakeEngine(missing="?")
    Connectivity(engine, ["image"]).attempt(["a"], [RESOLVE])  # type: ignore[arg-type]
    create = engine.calls[0]
    labels = [create[place + 1] for place, word in enumerate(create) if word == "--label"]
    assert "com.docker.compose.project=" in labels
    assert "com.docker.compose.service=" in labels
    assert create.index("--network") > create.index("com.docker.compose.service=")


def test_what_a_killed_run_has_left_is_removed_and_what_is_at_work_is_not() -> None:
    engine = FakeEngine(missing="?")
    label, now = connectivity.CONNECTIVITY_LABEL, int(time.time())
    engine.left = [("old", {label: str(now - 3600)}), ("new", {label: str(now - 5)}), ("odd", {label: "1x"})]
    Connectivity(engine, ["image"]).attempt(["a"], [RESOLVE])  # type: ignore[arg-type]
    removed = [call[-1] for call in engine.calls if call[0] == "rm"]
    assert removed[:2] == ["old", "odd"]
    assert "new" not in removed


def test_secrets_go_through_standard_input_alone() -> None:
    engine = FakeEngine(missing="?")
    Connectivity(engine, ["image"]).attempt(["a"], [RESOLVE])  # type: ignore[arg-type]
    assert "s3cret-value" in engine.given
    assert "s3cret-value" not in json.dumps(engine.calls)


def test_the_next_image_is_taken_if_one_has_no_python() -> None:
    engine = FakeEngine(missing="scratch")
    probe = Connectivity(engine, ["scratch", "python"])  # type: ignore[arg-type]
    assert [one.ok for one in probe.attempt(["a"], [RESOLVE])] == [True]
    assert probe.images == ["python"]
    assert [call[0] for call in engine.calls] == ["create", "start", "rm", "create", "start", "rm"]


@pytest.mark.parametrize("images", [[], ["scratch"]])
def test_without_a_python_nothing_is_said_to_work(images: list[str]) -> None:
    with pytest.raises(ConnectivityError, match="no image"):
        Connectivity(FakeEngine(missing="scratch"), images).attempt(["a"], [RESOLVE])  # type: ignore[arg-type]


def test_a_network_that_is_not_there_is_said_and_the_container_is_removed() -> None:
    engine = FakeEngine(missing="?", unstartable="network a not found")
    with pytest.raises(ConnectivityError, match="network a not found"):
        Connectivity(engine, ["image"]).attempt(["a"], [RESOLVE])  # type: ignore[arg-type]
    assert engine.calls[-1][0] == "rm"


def test_the_program_needs_the_standard_library_alone() -> None:
    imported = subprocess.run(
        [sys.executable, "-I", "-S", connectivity_inside.__file__],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (imported.returncode, imported.stderr) == (0, "")
    assert connectivity.CONNECTIVITY_LABEL.startswith("com.suho.")
