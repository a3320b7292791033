# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs inside a container of the platform's network: resolves names and tries logins, as a service would.

The source of this module is sent to a Python of whatever image is at hand, so it uses the standard library alone
and syntax that Python 3.7 has. Each login follows the protocol until the server has said yes or no, and no further.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import os
import socket
import ssl
import struct
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any


class Refused(Exception):
    """The server was reached and said no, or said something that its protocol does not have."""


def resolve(target: dict[str, Any]) -> None:
    socket.getaddrinfo(target["host"], None)


def connect(target: dict[str, Any]) -> socket.socket:
    """A connected socket, with TLS if the target asks for it from the first byte."""
    connection = socket.create_connection((target["host"], target["port"]), target["timeout"])
    connection.settimeout(target["timeout"])
    return encrypted(connection, target) if target.get("tls") else connection


def encrypted(connection: socket.socket, target: dict[str, Any]) -> socket.socket:
    return tls_context(target).wrap_socket(connection, server_hostname=target["host"])


def tls_context(target: dict[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if not target.get("verify", True):
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


class Reader:
    """Reads exactly what is asked for."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def take(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            more = self.connection.recv(size - len(data))
            if not more:
                raise Refused("the server closed the connection")
            data += more
        return data

    def line(self) -> str:
        data = b""
        while not data.endswith(b"\n") and len(data) < 65536:
            data += self.take(1)
        return data.decode("utf-8", "replace").strip()

    def varint(self) -> int:
        value = shift = 0
        while shift < 64:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
        raise Refused("no ClickHouse server: its answer is not in the native protocol")

    def text(self) -> str:
        size = self.varint()
        if size > 1 << 20:
            raise Refused("no ClickHouse server: its answer is not in the native protocol")
        return self.take(size).decode("utf-8", "replace")


def varint(number: int) -> bytes:
    data = b""
    while number > 0x7F:
        data += bytes([0x80 | number & 0x7F])
        number >>= 7
    return data + bytes([number])


def clickhouse_text(value: str) -> bytes:
    data = value.encode("utf-8")
    return varint(len(data)) + data


def clickhouse(target: dict[str, Any]) -> str:
    """The hello of ClickHouse's native protocol."""
    hello = varint(0) + clickhouse_text("suho.platform preflight") + varint(1) + varint(0) + varint(54448)
    for name in ("database", "user", "password"):
        hello += clickhouse_text(target.get(name) or "")
    with connect(target) as connection:
        connection.sendall(hello)
        reader = Reader(connection)
        kind = reader.varint()
        if kind == 2:
            code = struct.unpack("<i", reader.take(4))[0]
            reader.text()
            raise Refused(f"code {code}: {reader.text().splitlines()[0]}")
        if kind != 0:
            raise Refused("no ClickHouse server: its answer is not in the native protocol")
        return f"{reader.text()} {reader.varint()}.{reader.varint()}"


def clickhouse_http(target: dict[str, Any]) -> str:
    """SELECT 1 over HTTP, with the login in headers."""
    url = f"{'https' if target.get('tls') else 'http'}://{target['host']}:{target['port']}/"
    request = urllib.request.Request(url, b"SELECT version()")  # noqa: S310 - the scheme stands above
    request.add_header("X-ClickHouse-User", target.get("user") or "default")
    request.add_header("X-ClickHouse-Key", target.get("password") or "")
    if target.get("database"):
        request.add_header("X-ClickHouse-Database", target["database"])
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls_context(target))
    )
    try:
        with opener.open(request, timeout=target["timeout"]) as answer:
            return "ClickHouse " + answer.read(200).decode("utf-8", "replace").strip()
    except urllib.error.HTTPError as error:
        said = error.read(2000).decode("utf-8", "replace").strip().splitlines()
        raise Refused(said[0] if said else f"HTTP status {error.code}") from error
    except http.client.HTTPException as error:
        raise Refused("no HTTP server: its answer is not HTTP") from error


def postgresql(target: dict[str, Any]) -> str:
    """The start of PostgreSQL's protocol, version 3, until the server is ready for a query."""
    with postgresql_connection(target) as connection:
        words = ["user", target.get("user") or "postgres"]
        words += [
            "database",
            target.get("database") or words[1],
            "application_name",
            "suho.platform preflight",
        ]
        body = struct.pack("!i", 196608) + b"".join(word.encode("utf-8") + b"\0" for word in words) + b"\0"
        connection.sendall(struct.pack("!i", len(body) + 4) + body)
        login = PostgresqlLogin(connection, target)
        while True:
            kind, body = login.message()
            if kind == b"R":
                login.authenticate(body)
            elif kind == b"E":
                raise Refused(postgresql_error(body))
            elif kind == b"S" and body.startswith(b"server_version\0"):
                login.version = body.split(b"\0")[1].decode("utf-8", "replace")
            elif kind == b"Z":
                connection.sendall(b"X" + struct.pack("!i", 4))
                return "PostgreSQL " + login.version
            elif kind not in (b"S", b"K", b"N", b"v"):
                raise Refused(f"no PostgreSQL server: unexpected message {kind!r}")


def postgresql_connection(target: dict[str, Any]) -> socket.socket:
    """A socket; with TLS if it is asked for, which PostgreSQL begins within its own protocol."""
    plain = dict(target, tls=False)
    connection = connect(plain)
    if not target.get("tls"):
        return connection
    connection.sendall(struct.pack("!ii", 8, 80877103))
    if Reader(connection).take(1) != b"S":
        connection.close()
        raise Refused("the server does not offer TLS")
    return encrypted(connection, target)


def postgresql_error(body: bytes) -> str:
    fields: dict[bytes, str] = {}
    for part in body.split(b"\0"):
        if part:
            fields[part[:1]] = part[1:].decode("utf-8", "replace")
    return f"code {fields.get(b'C', '?')}: {fields.get(b'M', 'no message')}"


def _md5(data: bytes) -> bytes:
    return hashlib.md5(data).hexdigest().encode("ascii")  # noqa: S324 - the protocol's own


class PostgresqlLogin:
    """The ways in which a PostgreSQL server may ask for the password."""

    def __init__(self, connection: socket.socket, target: dict[str, Any]) -> None:
        self.connection = connection
        self.reader = Reader(connection)
        self.user = target.get("user") or "postgres"
        self.password = target.get("password") or ""
        self.version = ""
        self.scram: Scram | None = None

    def message(self) -> tuple[bytes, bytes]:
        kind = self.reader.take(1)
        size = struct.unpack("!i", self.reader.take(4))[0]
        if not 4 <= size < 1 << 20:
            raise Refused("no PostgreSQL server: its answer is not in PostgreSQL's protocol")
        return kind, self.reader.take(size - 4)

    def send(self, body: bytes) -> None:
        self.connection.sendall(b"p" + struct.pack("!i", len(body) + 4) + body)

    def authenticate(self, body: bytes) -> None:
        method = struct.unpack("!i", body[:4])[0]
        if method == 3:
            self.send(self.password.encode("utf-8") + b"\0")
        elif method == 5:
            # What a server with password_encryption = md5 asks for.
            inner = _md5((self.password + self.user).encode("utf-8"))
            self.send(b"md5" + _md5(inner + body[4:8]) + b"\0")
        elif method == 10:
            if b"SCRAM-SHA-256" not in body[4:].split(b"\0"):
                raise Refused("the server asks for an authentication that this check does not know")
            self.scram = Scram(self.password)
            first = self.scram.first()
            self.send(b"SCRAM-SHA-256\0" + struct.pack("!i", len(first)) + first)
        elif method == 11 and self.scram:
            self.send(self.scram.final(body[4:]))
        elif method not in (0, 12):
            raise Refused(f"the server asks for an authentication ({method}) that this check does not know")


class Scram:
    """SCRAM-SHA-256 without channel binding (RFC 7677)."""

    def __init__(self, password: str) -> None:
        self.password = password.encode("utf-8")
        self.bare = ""
        self.nonce = base64.b64encode(os.urandom(18)).decode("ascii")

    def first(self) -> bytes:
        self.bare = "n=,r=" + self.nonce
        return ("n,," + self.bare).encode("ascii")

    def final(self, challenge: bytes) -> bytes:
        said = challenge.decode("ascii", "replace")
        fields = dict(part.split("=", 1) for part in said.split(",") if "=" in part)
        if not fields.get("r", "").startswith(self.nonce):
            raise Refused("the server's answer does not belong to this login")
        salt, rounds = base64.b64decode(fields["s"]), int(fields["i"])
        salted = hashlib.pbkdf2_hmac("sha256", self.password, salt, rounds)
        key = hmac.new(salted, b"Client Key", hashlib.sha256).digest()
        last = "c=biws,r=" + fields["r"]
        signed = ",".join((self.bare, said, last)).encode("ascii")
        signature = hmac.new(hashlib.sha256(key).digest(), signed, hashlib.sha256).digest()
        proof = bytes(one ^ two for one, two in zip(key, signature))
        return (last + ",p=" + base64.b64encode(proof).decode("ascii")).encode("ascii")


def nats(target: dict[str, Any]) -> str:
    """INFO, CONNECT and PING of NATS."""
    plain = dict(target, tls=False)
    connection = connect(plain)
    with connection:
        word, _space, said = Reader(connection).line().partition(" ")
        if word != "INFO":
            raise Refused("no NATS server: it does not begin with INFO")
        info = json.loads(said)
        if target.get("tls") or info.get("tls_required"):
            connection = encrypted(connection, target)
        options: dict[str, Any] = {
            "verbose": False,
            "pedantic": False,
            "name": "suho.platform preflight",
            "lang": "python",
        }
        options.update({"version": "1", "protocol": 1})
        for name, key in (("user", "user"), ("password", "pass"), ("token", "auth_token")):
            if target.get(name):
                options[key] = target[name]
        connection.sendall(b"CONNECT " + json.dumps(options).encode("utf-8") + b"\r\nPING\r\n")
        reader = Reader(connection)
        while True:
            line = reader.line()
            if line == "PONG":
                return "NATS " + str(info.get("version", ""))
            if line.startswith("-ERR"):
                raise Refused(line[4:].strip().strip("'"))


def reach(target: dict[str, Any]) -> None:
    """A connection and no more: nothing is known of the login."""
    connect(target).close()


WAYS: dict[str, Any] = {
    "resolve": resolve,
    "connect": reach,
    "clickhouse": clickhouse,
    "clickhouse_http": clickhouse_http,
    "postgresql": postgresql,
    "nats": nats,
}


def attempt(target: dict[str, Any]) -> dict[str, Any]:
    """Try one target: dict with ok, said (what answered), stage (resolve, connect, login) and error."""
    begun = time.time()
    result: dict[str, Any] = {"ok": False, "said": "", "stage": "resolve", "error": ""}
    try:
        socket.getaddrinfo(target["host"], None)
        result["stage"] = "connect"
        if target["way"] != "resolve":
            result["said"] = WAYS[target["way"]](target) or ""
        result["ok"] = True
    except Refused as refused:
        result.update(stage="login", error=str(refused))
    except socket.gaierror:
        result["error"] = "the name does not resolve"
    except socket.timeout:
        result["error"] = f"no answer within {target['timeout']:g} s"
    except ssl.SSLError as error:
        result["error"] = f"TLS: {getattr(error, 'verify_message', '') or error.reason or error}"
    except (OSError, ValueError, KeyError, struct.error) as error:
        result["error"] = getattr(error, "strerror", None) or str(error) or type(error).__name__
    result["milliseconds"] = round((time.time() - begun) * 1000, 1)
    return result


def attempt_all(targets: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Try all targets side by side; the results in the order of the targets."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        return list(pool.map(attempt, targets))
