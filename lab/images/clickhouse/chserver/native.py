# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client on the native protocol."""

from __future__ import annotations

import logging
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from typing import TYPE_CHECKING

from . import blocks, packets, sql
from .cancel import Watched
from .compression import FrameSource, frames
from .errors import UNKNOWN_SETTING, DBError, FramingError
from .packets import Query
from .session import Chunk, Insert, Session, Stats
from .sql import Statement
from .wire import Disconnected, SocketSource, Source, string, varint

if TYPE_CHECKING:
    from .server import Server

log = logging.getLogger("chserver")
_WRONG_PORT = (
    "HTTP/1.0 400 Bad Request\r\n\r\nPort {native} is for clickhouse-client program\r\n"
    "You must use port {http} for HTTP.\r\n"
)


class NativeConnection:
    def __init__(self, server: Server, sock: socket.socket, peer: str) -> None:
        self.server, self.sock, self.peer = server, sock, peer
        self.src = SocketSource(sock, server.config.max_block_bytes)
        self.revision = packets.REVISION
        self.user = "-"
        self.session: Session | None = None
        self.discarded: Query | None = None

    # -- the connection ------------------------------------------------------------------------------------

    def serve(self) -> None:
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._hello():
                while not self.server.stopping:
                    self.src.wait(self.server.config.idle_timeout)
                    self.sock.settimeout(self.server.config.receive_timeout)
                    self._packet(self.src.varint())
        except (Disconnected, ConnectionError, TimeoutError):
            pass
        except FramingError as exc:
            self._complain(exc)
        finally:
            if self.session:
                self.session.close()

    def _hello(self) -> bool:
        self.src.wait(self.server.config.receive_timeout)
        first = self.src.varint()
        if first != packets.HELLO:
            if first in b"GPH":
                ports = {"native": self.server.config.native_port, "http": self.server.config.http_port}
                self.sock.sendall(_WRONG_PORT.format(**ports).encode())
            return False
        hello = packets.read_hello(self.src)
        self.revision = min(hello.revision, packets.REVISION)
        self.user = self.server.plain(hello.user)
        engine = self.server.engine
        try:
            self.server.authenticate(hello.user, hello.password)
            self.session = engine.session(hello.database)
        except DBError as exc:
            self._complain(exc)
            return False
        client, database = self.server.plain(hello.client), hello.database or "default"
        log.info("native %s user=%s client=%s db=%s", self.peer, self.user, client, database)
        self.sock.sendall(packets.hello(self.revision, engine.version, engine.timezone, self.server.name))
        if self.revision >= 54458:
            self.src.string_bytes()  # the addendum: a quota key
        return True

    def _packet(self, number: int) -> None:
        if number == packets.PING:
            self.sock.sendall(varint(packets.S_PONG))
        elif number == packets.QUERY:
            self._query()
        elif number == packets.TABLES_STATUS:
            packets.read_tables_status(self.src)
            self.sock.sendall(varint(packets.S_TABLES_STATUS) + varint(0))
        elif number == packets.DATA and self.discarded:
            # The rest of an INSERT that failed.
            if not self.read_data(self.discarded)[1].columns:
                self.discarded = None
        elif number != packets.CANCEL:  # a late cancel finds nothing to stop
            raise FramingError(101, f"Unexpected packet {number} from client.")

    def _complain(self, exc: DBError) -> None:
        log.info("native %s user=%s error %s", self.peer, self.user, self.server.brief(exc))
        try:
            self.sock.sendall(packets.exception(exc))
        except OSError:
            return

    # -- one query -----------------------------------------------------------------------------------------

    def _query(self) -> None:
        self.discarded = None
        query = packets.read_query(self.src, self.revision, self.server.engine.setting_types)
        for name in query.unknown:
            log.info(
                "native %s user=%s ignored the unknown setting %s",
                self.peer,
                self.user,
                self.server.plain(name),
            )
        tables = self._external_tables(query)
        session = self.session
        assert session is not None
        try:
            if query.refused:
                raise DBError(UNKNOWN_SETTING, f"Unknown setting '{query.refused[0]}'.")
            statement = sql.analyse(query.text)
            with session.prepared(query.settings) as prepared, self._named(query, prepared.token):
                names = [self._load(prepared, name, block) for name, block in tables]
                try:
                    Execution(self, prepared, query, statement).run()
                finally:
                    for name in names:
                        self._drop(prepared, name)
        except FramingError:
            raise
        except DBError as exc:
            self._complain(exc)

    @contextmanager
    def _named(self, query: Query, token: int) -> Iterator[None]:
        self.server.engine.begin(query.query_id, token)
        try:
            yield
        finally:
            self.server.engine.end(query.query_id)

    def _external_tables(self, query: Query) -> list[tuple[str, blocks.Block]]:
        """A client sends its temporary tables, and an empty block, behind every query."""
        tables: list[tuple[str, blocks.Block]] = []
        while True:
            number = self.src.varint()
            if number != packets.DATA:
                raise FramingError(101, f"Unexpected packet {number} from client, expected Data.")
            name, block = self.read_data(query)
            if not block.columns:
                return tables
            tables.append((name, block))

    @staticmethod
    def _load(session: Session, name: str, block: blocks.Block) -> str:
        names = ", ".join(f"{sql.identifier(column)} {kind}" for column, kind in block.columns)
        for _ in session.run(
            sql.analyse(f"CREATE TEMPORARY TABLE {sql.identifier(name)} ({names})"), "Native", {}
        ):
            pass
        try:
            if block.rows:
                insert = session.insert(
                    sql.analyse(f"INSERT INTO {sql.identifier(name)} FORMAT Native"), "Native"
                )
                insert.append(block.payload)
                insert.finish()
        except DBError:
            NativeConnection._drop(session, name)
            raise
        return name

    @staticmethod
    def _drop(session: Session, name: str) -> None:
        for _ in session.run(
            sql.analyse(f"DROP TEMPORARY TABLE IF EXISTS {sql.identifier(name)}"), "Native", {}
        ):
            pass

    def read_data(self, query: Query) -> tuple[str, blocks.Block]:
        """The rest of a Data packet."""
        name = self.src.string()
        source: Source = FrameSource(self.src, self.src.limit) if query.compressed else self.src
        try:
            block = blocks.read(source, self.revision)
        except DBError as exc:
            raise FramingError(exc.code, exc.message, exc.name) from exc
        self.src.drop_read()
        return name, block


class Execution:
    """One query's packets to the client."""

    def __init__(self, conn: NativeConnection, session: Session, query: Query, statement: Statement) -> None:
        self.conn, self.session, self.query, self.statement = conn, session, query, statement
        self.sent = Stats()
        self.blocks = 0

    def run(self) -> None:
        if self.statement.takes_data:
            self._insert()
            return
        with self.conn.server.watcher.watching(self.conn.sock, self.session.token) as watched:
            if self.conn.src.buf[self.conn.src.pos : self.conn.src.pos + 1] == bytes([packets.CANCEL]):
                self.conn.server.watcher.stop(watched)
            self.session.on_progress = lambda stats: self._progress(stats, watched)
            try:
                self._result(watched)
            except DBError:
                if not watched.stopped:
                    raise
            finally:
                self.session.on_progress = None
        if watched.gone:
            raise Disconnected("closed by the client")
        self._finish()

    def _result(self, watched: Watched) -> None:
        chunks = self.session.run(self.statement, "Native", self.query.params)
        try:
            for chunk in chunks:
                if watched.stopped:
                    return
                self._chunk(chunk)
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: the engine's query ends with it
        if not self.blocks:
            columns = self.session.result_columns(self.statement, self.query.params)
            if columns:
                self._data([blocks.header(columns, self.conn.revision)])

    def _chunk(self, chunk: Chunk) -> None:
        parts = blocks.to_wire(chunk.data, chunk.rows, self.conn.revision)
        if not self.blocks:
            first = blocks.columns_of(chunk.data)
            self._data([blocks.header(first, self.conn.revision)])
        self.blocks += len(parts)
        self._data(parts)

    def _data(self, parts: list[bytes]) -> None:
        head = varint(packets.S_DATA) + string("")
        for part in parts:
            self.conn.sock.sendall(head + (frames(part) if self.query.compressed else part))

    def _progress(self, stats: Stats, watched: Watched) -> None:
        """Called by the engine ten times a second while it works: never wait here for a slow client."""
        sock = self.conn.sock
        if watched.stopped or not select.select([], [sock], [], 0)[1]:
            return
        try:
            sock.sendall(self._progress_packet(stats))
        except OSError:
            watched.gone = True

    def _progress_packet(self, stats: Stats) -> bytes:
        packet = packets.progress(stats, self.sent, self.conn.revision)
        self.sent = copy(stats)
        return packet

    def _finish(self) -> None:
        stats = self.session.stats
        out = b""
        if self.blocks:
            out = packets.profile(stats.result_rows, self.blocks, stats.result_bytes)
            self._data([blocks.header([], self.conn.revision)])
        # Clients that know no written rows do not expect progress after an INSERT.
        if not self.statement.takes_data or self.conn.revision >= packets.REVISION_WRITE_INFO:
            out += self._progress_packet(stats)
        self.conn.sock.sendall(out + varint(packets.S_END))

    # -- INSERT with data ----------------------------------------------------------------------------------

    def _insert(self) -> None:
        statement = self.statement
        if statement.data.strip(" \t\r\n;"):
            insert = self.session.insert(statement, statement.data_format or "Values")
            try:
                insert.append(statement.data.encode("utf-8", "surrogateescape"))
                insert.finish()
            finally:
                insert.cancel()
        else:
            self._receive()
        self._finish()

    def _receive(self) -> None:
        """Blocks from the client until an empty one. After an error the client hears it at once; what it sent
        meanwhile is thrown away by the connection."""
        columns: list[tuple[str, str]] = []
        missing: DBError | None = None
        try:
            columns = self.session.insert_columns(self.statement)
        except DBError as exc:
            missing = exc  # the INSERT itself says it better: an unknown table is code 60, a column 16
        insert = self.session.insert(self.statement, "Native")
        try:
            if missing:
                raise missing
            self._data([blocks.header(columns, self.conn.revision)])
            while block := self._next_block():
                self._append(insert, block)
            insert.finish()
            self._profile_events()
        finally:
            insert.cancel()

    def _append(self, insert: Insert, block: blocks.Block) -> None:
        try:
            insert.append(block.payload)
        except DBError:
            self.conn.discarded = self.query
            raise
        self._profile_events()

    def _profile_events(self) -> None:
        """Newer clients wait for the counters of each block that they sent; there are none to tell."""
        if self.conn.revision >= packets.REVISION_INSERT_EVENTS:
            head = varint(packets.S_PROFILE_EVENTS) + string("")
            self.conn.sock.sendall(head + blocks.header(packets.EVENT_COLUMNS, self.conn.revision))

    def _next_block(self) -> blocks.Block | None:
        src = self.conn.src
        src.drop_read()
        number = src.varint()
        if number == packets.CANCEL:
            raise Disconnected("INSERT cancelled by the client")
        if number != packets.DATA:
            raise FramingError(101, f"Unexpected packet {number} from client, expected Data.")
        _, block = self.conn.read_data(self.query)
        return block if block.columns else None
