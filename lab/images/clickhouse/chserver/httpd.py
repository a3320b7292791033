# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client on HTTP."""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import logging
import secrets
import socket
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

from . import blocks, sql
from .errors import DBError
from .httpbody import Encoder, Response, request_body
from .session import Session, Stats
from .sql import Statement
from .wire import Disconnected

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("chserver")

# Everything else in the query string is a setting.
_OWN = {
    "buffer_size",
    "client_protocol_version",
    "close_session",
    "compress",
    "database",
    "decompress",
    "default_format",
    "password",
    "query",
    "query_id",
    "quota_key",
    "role",
    "session_check",
    "session_id",
    "session_timeout",
    "stacktrace",
    "user",
    "wait_end_of_query",
}
_MAX_QUERY = 64 << 20
_BUFFER = 1 << 20
_TYPES = {
    "json": "application/json; charset=UTF-8",
    "jsoneachrow": "application/x-ndjson; charset=UTF-8",
    "csv": "text/csv; charset=UTF-8; header=absent",
    "csvwithnames": "text/csv; charset=UTF-8; header=present",
    "tabseparated": "text/tab-separated-values; charset=UTF-8",
    "tsv": "text/tab-separated-values; charset=UTF-8",
    "native": "application/octet-stream",
    "rowbinary": "application/octet-stream",
}


class HttpConnection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def __init__(self, server: Server, sock: socket.socket, peer: str) -> None:
        self.owner, self.peer, self.user = server, peer, "-"
        self.known = False
        super().__init__(sock, peer, server)  # type: ignore[arg-type]  # serves until the client leaves

    def handle(self) -> None:
        try:
            super().handle()
        except (Disconnected, ConnectionError, TimeoutError):
            self.close_connection = True

    def finish(self) -> None:
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, format: str, *args: object) -> None:
        """One line per connection and per error is enough; a health check is none."""

    # -- routing -------------------------------------------------------------------------------------------

    def do_GET(self) -> None:
        self._route(get=True)

    def do_HEAD(self) -> None:
        self._plain(200, "Ok.\n")

    def do_POST(self) -> None:
        self._route(get=False)

    do_PUT = do_POST

    def _route(self, get: bool) -> None:
        url = urlsplit(self.path)
        if url.path in ("/ping", "/replicas_status") or (get and url.path == "/" and not url.query):
            self._plain(200, "Ok.\n")
        elif url.path not in ("/", ""):
            self._plain(404, f"There is no handle {url.path}\n\nUse / or /ping for health checks.\n")
        else:
            params = dict(parse_qsl(url.query, keep_blank_values=True, errors="surrogateescape"))
            self._answer(params, get)

    def _plain(self, status: int, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()

    def _answer(self, params: dict[str, str], get: bool) -> None:
        query_id = params.get("query_id") or str(uuid.uuid4())
        tag = secrets.token_hex(8)
        accept = (
            self.headers.get("Accept-Encoding", "")
            if params.get("enable_http_compression") in ("1", "true")
            else ""
        )
        limit = (
            0
            if params.get("wait_end_of_query") == "1"
            else max(_BUFFER, int(params.get("buffer_size", 0) or 0))
        )
        response = Response(self.wfile, Encoder(accept, params.get("compress") == "1"), limit, True)
        base = {
            "X-ClickHouse-Server-Display-Name": self.owner.name,
            "X-ClickHouse-Query-Id": query_id.replace("\r", "").replace("\n", ""),
            "X-ClickHouse-Timezone": self.owner.engine.timezone,
            "X-ClickHouse-Exception-Tag": tag,
        }
        stats = Stats()
        try:
            user, password = self._credentials(params)
            self.owner.authenticate(user, password)
            self._greet(user, params)
            request = Request(self, params, query_id, get)
            response.headers = lambda: {**base, **request.headers(stats)}
            request.run(response, stats)
            response.finish()
        except DBError as exc:
            log.info("http %s user=%s error %s", self.peer, self.user, self.owner.brief(exc))
            # The rest of the request's body is not read, so nothing can follow on this connection.
            self.close_connection = True
            text = f"Code: {exc.code}. {exc.display} (version {self.owner.engine.version})"
            response.headers = lambda: dict(base)
            response.fail(text, tag, exc.http_status, {"X-ClickHouse-Exception-Code": str(exc.code)})

    def _greet(self, user: str, params: dict[str, str]) -> None:
        self.user = user
        if not self.known:
            self.known = True
            agent, database = (
                self.owner.plain(self.headers.get("User-Agent", "")),
                params.get("database") or "default",
            )
            log.info(
                "http %s user=%s client=%s db=%s", self.peer, self.user, agent, self.owner.plain(database)
            )

    def _credentials(self, params: dict[str, str]) -> tuple[str, str]:
        """From ClickHouse's own headers, from basic authentication, or from the query string, in this order."""
        if "X-ClickHouse-User" in self.headers or "X-ClickHouse-Key" in self.headers:
            return self.headers.get("X-ClickHouse-User", "default"), self.headers.get("X-ClickHouse-Key", "")
        scheme, _, value = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                user, password = "", ""
            return user, password
        return params.get("user", "default"), params.get("password", "")


class Request:
    """One query over HTTP."""

    def __init__(self, http: HttpConnection, params: dict[str, str], query_id: str, get: bool) -> None:
        self.http, self.params, self.query_id, self.get = http, params, query_id, get
        self.engine = http.owner.engine
        self.format = "TabSeparated"

    def headers(self, stats: Stats) -> dict[str, str]:
        summary = {
            "read_rows": stats.read_rows,
            "read_bytes": stats.read_bytes,
            "written_rows": stats.written_rows,
            "written_bytes": stats.written_bytes,
            "total_rows_to_read": stats.total_rows,
            "result_rows": stats.result_rows,
            "result_bytes": stats.result_bytes,
            "elapsed_ns": stats.elapsed_ns,
        }
        return {
            "Content-Type": _TYPES.get(self.format.lower(), "text/plain; charset=UTF-8"),
            "X-ClickHouse-Format": self.format,
            "X-ClickHouse-Summary": json.dumps({name: str(value) for name, value in summary.items()}),
        }

    def _number(self, name: str) -> int:
        text = self.params.get(name) or "0"
        if not text.isdigit():
            raise DBError(
                27,
                f"Parameter {name}: found {text!r}, expected a number.",
                "CANNOT_PARSE_INPUT_ASSERTION_FAILED",
            )
        return int(text)

    def _settings(self) -> dict[str, str]:
        found = {}
        for name, value in self.params.items():
            if name in _OWN or name.startswith("param_"):
                continue
            if name not in self.engine.setting_types:
                raise DBError(115, f"Unknown setting '{name}'.")
            found[name] = value
        if self.get and found.get("readonly", "0") == "0":
            found["readonly"] = "2"  # GET never changes anything
        return found

    def _statement(self, body: Iterator[bytes]) -> tuple[Statement, Iterator[bytes]]:
        """The statement stands in ?query=, in the body, or in both; an INSERT's data follows it."""
        text = self.params.get("query", "")
        if text.strip():
            statement = sql.analyse(text)
            if statement.takes_data:
                return statement, body
        else:
            text += next(body, b"").decode("utf-8", "surrogateescape")
            if sql.analyse(text).takes_data:
                return sql.analyse(text), body
        parts = [text.encode("utf-8", "surrogateescape")]
        for piece in body:
            parts.append(piece)
            if sum(map(len, parts)) > _MAX_QUERY:
                raise DBError(62, f"The query is longer than {_MAX_QUERY} bytes.")
        return sql.analyse(b"".join(parts).decode("utf-8", "surrogateescape")), iter(())

    def run(self, response: Response, stats: Stats) -> None:
        params, http = self.params, self.http
        if "multipart/form-data" in http.headers.get("Content-Type", ""):
            raise DBError(48, "Forms with external data are not supported by this server.")
        settings = self._settings()
        body = request_body(http.rfile, http.headers, params.get("decompress") == "1")
        statement, body = self._statement(body)
        wanted = params.get("default_format") or http.headers.get("X-ClickHouse-Format") or "TabSeparated"
        self.format = statement.format or wanted
        database = params.get("database") or http.headers.get("X-ClickHouse-Database") or ""
        check = params.get("session_check") == "1"
        sessions = http.owner.http_sessions
        with (
            sessions.open(
                http.user, params.get("session_id", ""), params.get("session_timeout", ""), check, database
            ) as own,
            own.prepared(settings) as session,
        ):
            self.engine.begin(self.query_id, session.token)
            try:
                self._execute(session, statement, body, response, stats)
            finally:
                self.engine.end(self.query_id)

    def _execute(
        self, session: Session, st: Statement, body: Iterator[bytes], response: Response, stats: Stats
    ) -> None:
        if st.takes_data:
            self._insert(session, st, body)
            vars(stats).update(vars(session.stats))
            return
        values = {name[6:]: value for name, value in self.params.items() if name.startswith("param_")}
        native = self.format.lower() == "native"
        # Of the native protocol's revisions, HTTP clients use the one that puts a header before each block.
        revision = min(self._number("client_protocol_version"), 54405)
        chunks = session.run(st, self.format, values)
        try:
            for chunk in chunks:
                vars(stats).update(vars(session.stats))
                parts = (
                    blocks.to_wire(chunk.data, chunk.rows, revision) if native and revision else [chunk.data]
                )
                for part in parts:
                    response.write(part)
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: the engine's query ends with it
        if native and not session.stats.result_rows:
            columns = session.result_columns(st, values)
            response.write(blocks.header(columns, revision) if columns else b"")
        vars(stats).update(vars(session.stats))

    @staticmethod
    def _insert(session: Session, st: Statement, body: Iterator[bytes]) -> None:
        insert = session.insert(st, st.data_format or "Values")
        try:
            insert.append(st.data.encode("utf-8", "surrogateescape"))
            for piece in body:
                insert.append(piece)
            insert.finish()
        finally:
            insert.cancel()
