# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One client's engine connection: its database, its settings, its running query."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import sql
from .cluster import without_cluster
from .errors import DBError, from_engine
from .sql import Statement, identifier, quote

if TYPE_CHECKING:
    from .engine import Engine

# Every engine connection sets this setting, which the embedded engine never reads, to a number of its own.
# system.processes shows it with each query: that is how a client's running query is found and stopped.
TOKEN_SETTING = "http_max_request_param_data_size"  # noqa: S105

# The embedded engine starts with a shell's conveniences; a server does not have them.
SERVER_DEFAULTS = {"implicit_select": "0", "allow_introspection_functions": "0"}

_QUERY_ID = re.compile(r"query_id\s*=\s*'((?:[^'\\]|\\.)*)'", re.IGNORECASE)
# With one of these the engine refuses every later SET, so they are only set on a connection that is kept for queries with the same settings.
_LOCKING = ("readonly", "allow_ddl")


@dataclass
class Stats:
    """What a query has done so far, as the engine counts it."""

    read_rows: int = 0
    read_bytes: int = 0
    total_rows: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    elapsed_ns: int = 0


@dataclass
class Chunk:
    data: bytes
    rows: int


class Insert:
    """An INSERT that takes its data piece by piece; nothing is committed before finish()."""

    def __init__(self, session: Session, handle: Any) -> None:
        self._session = session
        self._handle = handle
        self._open = True

    def append(self, data: bytes) -> None:
        if data:
            with _engine_errors():
                self._session.conn.insert_append(self._handle, data)

    def finish(self) -> None:
        self._open = False
        with _engine_errors():
            result = self._session.conn.insert_done(self._handle)
        stats = self._session.stats
        stats.written_rows, stats.written_bytes = result.rows_written(), result.bytes_written()
        stats.elapsed_ns = int(result.elapsed() * 1e9)

    def cancel(self) -> None:
        if self._open:
            self._open = False
            try:
                self._session.conn.insert_cancel(self._handle)
            except RuntimeError:
                # The engine has ended the insert itself, with the error that brought us here.
                self._session.broken = True


@contextmanager
def _engine_errors() -> Iterator[None]:
    try:
        yield
    except RuntimeError as exc:
        raise from_engine(exc) from exc


class Session:
    def __init__(self, engine: Engine, token: int, database: str = "") -> None:
        self.engine = engine
        self.token = token
        self.database = ""
        self.broken = False
        self.stats = Stats()
        self.on_progress: Callable[[Stats], None] | None = None
        self._sets: list[str] = []
        self._locked: Session | None = None
        self._locked_for: Mapping[str, str] = {}
        self.conn: Any = None
        self._connect()
        try:
            if database:
                self.use(database)
        except DBError:
            self.close()
            raise

    def _connect(self) -> None:
        self.conn = self.engine.connect()
        self.conn.set_progress_callback(self._progress)
        self._set({**SERVER_DEFAULTS, TOKEN_SETTING: str(self.token)})

    def _progress(self, seen: Mapping[str, int]) -> None:
        stats = self.stats
        for name in ("read_rows", "read_bytes", "written_rows", "written_bytes", "elapsed_ns"):
            setattr(stats, name, max(getattr(stats, name), seen[name]))
        stats.total_rows = max(stats.total_rows, seen["total_rows_to_read"])
        if self.on_progress:
            self.on_progress(stats)

    def _run(self, text: str) -> None:
        with _engine_errors():
            self.conn.query(text, "TSV", params={})

    def _ddl_timeout(self) -> int:
        """Seconds that hosts may take for a statement ON CLUSTER."""
        with _engine_errors():
            found = self.conn.query("SELECT getSetting('distributed_ddl_task_timeout')", "TSV", params={})
        return max(1, int(found.bytes()))

    def _set(self, settings: Mapping[str, str]) -> None:
        if settings:
            self._run("SET " + ", ".join(f"{name} = {quote(value)}" for name, value in settings.items()))

    def use(self, database: str) -> None:
        self._run(f"USE {identifier(database)}")
        self.database = database

    def _replay(self) -> None:
        for text in self._sets:
            self._run(text)

    def _clone(self) -> Session:
        other = self.engine.session(self.database)
        other._sets = list(self._sets)
        other._replay()
        return other

    @contextmanager
    def prepared(self, settings: Mapping[str, str]) -> Iterator[Session]:
        """This session with a query's own settings, which are gone afterwards."""
        if self.broken:
            self._reconnect()
        if not settings:
            yield self
            return
        if any(name in settings for name in _LOCKING):
            other = self._locked_session(settings)
            try:
                yield other
            except BaseException:
                other.broken = True  # whatever it was in the middle of, nobody goes on with it
                raise
            self.stats = other.stats
            return
        self._set(settings)
        try:
            yield self
        finally:
            self._restore(settings)

    def _locked_session(self, settings: Mapping[str, str]) -> Session:
        """The clone with these settings: the last one, if nothing has changed since in it or in this session."""
        last = self._locked
        if last is not None:
            same = last.database == self.database and last._sets == self._sets
            if same and not last.broken and self._locked_for == settings:
                return last
            self._locked = None
            last.close()
        locking = {name: settings[name] for name in _LOCKING if name in settings}
        other = self._clone()
        try:
            other._set({name: value for name, value in settings.items() if name not in locking})
            other._set(locking)
        except DBError:
            other.close()
            raise
        self._locked, self._locked_for = other, dict(settings)
        return other

    def _restore(self, settings: Mapping[str, str]) -> None:
        defaults = [f"{name} = DEFAULT" for name in settings if name not in SERVER_DEFAULTS]
        try:
            if defaults:
                self._run("SET " + ", ".join(defaults))
            self._set({name: value for name, value in SERVER_DEFAULTS.items() if name in settings})
            self._replay()
        except DBError:
            self.broken = True

    def _reconnect(self) -> None:
        """A fresh engine connection in the old one's state (its temporary tables are lost)."""
        self.close()
        self._connect()
        self.broken = False
        if self.database:
            self.use(self.database)
        self._replay()

    def run(self, st: Statement, fmt: str, params: Mapping[str, str]) -> Iterator[Chunk]:
        """Run any statement but an INSERT with data; the result in the given format, piece by piece."""
        self.stats = Stats()
        text = self._own_ids(st.text) if st.kind == "KILL" else st.text
        if self.engine.clusters is not None:
            plain, cluster = without_cluster(text)
            if cluster:
                answer = self.engine.clusters.distribute(cluster, plain, self._ddl_timeout())
                yield from self._whole(answer, fmt, {})
                return
        if st.reads and fmt.lower() in sql.STREAMED:
            yield from self._stream(text, fmt, params)
        else:
            yield from self._whole(text, fmt, params)
        if st.kind == "USE":
            self.database = sql.used_database(st)
        elif st.kind == "SET":
            self._sets.append(text)

    def _stream(self, text: str, fmt: str, params: Mapping[str, str]) -> Iterator[Chunk]:
        with _engine_errors():
            handle = self.conn.send_query(text, fmt, params=dict(params))
            done = False
            try:
                while True:
                    result = self.conn.streaming_fetch_result(handle)
                    data = result.bytes()
                    if not data:
                        break
                    rows = result.rows_read()
                    self.stats.result_rows += rows
                    self.stats.result_bytes += len(data)
                    yield Chunk(data, rows)
                done = True
            except RuntimeError:
                done = True
                raise
            finally:
                if not done:
                    self.conn.streaming_cancel_query(handle)

    def _whole(self, text: str, fmt: str, params: Mapping[str, str]) -> Iterator[Chunk]:
        try:
            with _engine_errors():
                result = self.conn.query(text, fmt, params=dict(params))
        except DBError:
            self._discard()
            raise
        data, stats = result.bytes(), self.stats
        stats.read_rows = max(stats.read_rows, result.storage_rows_read())
        stats.read_bytes = max(stats.read_bytes, result.storage_bytes_read())
        stats.written_rows, stats.written_bytes = result.rows_written(), result.bytes_written()
        stats.result_rows, stats.result_bytes = result.rows_read(), len(data)
        stats.elapsed_ns = int(result.elapsed() * 1e9)
        if data:
            yield Chunk(data, result.rows_read())

    def _discard(self) -> None:
        """What a failed query had written already would else stand in front of the next answer."""
        try:
            self._run("SELECT 1")
        except DBError:
            self.broken = True

    def _own_ids(self, text: str) -> str:
        """KILL QUERY names the client's query id; the engine knows the query by its connection's token."""

        def replace(found: re.Match[str]) -> str:
            token = self.engine.token_of(found.group(1))
            return found.group() if token is None else f"Settings[{quote(TOKEN_SETTING)}] = '{token}'"

        return _QUERY_ID.sub(replace, text)

    def insert(self, st: Statement, fmt: str) -> Insert:
        self.stats = Stats()
        with _engine_errors():
            return Insert(self, self.conn.send_insert(st.text, fmt))

    def describe(self, text: str, params: Mapping[str, str] | None = None) -> list[tuple[str, ...]]:
        """Rows of DESCRIBE: name, type, kind of default."""
        with _engine_errors():
            result = self.conn.query(text, "JSONCompactEachRow", params=dict(params or {}))
        return [tuple(json.loads(line)[:3]) for line in result.bytes().decode().splitlines()]

    def result_columns(self, st: Statement, params: Mapping[str, str]) -> list[tuple[str, str]]:
        """Names and types of a result that had no rows."""
        if st.reads:
            return [(row[0], row[1]) for row in self.describe(f"DESCRIBE ({st.text})", params)]
        if not st.shows:
            return []
        with _engine_errors():
            result = self.conn.query(st.text, "TSVWithNamesAndTypes", params=dict(params))
        lines = result.bytes().decode().splitlines()[:2]
        return list(zip(*(line.split("\t") for line in lines))) if len(lines) == 2 else []

    def insert_columns(self, st: Statement) -> list[tuple[str, str]]:
        """Names and types of the columns that an INSERT takes."""
        target, columns = sql.insert_target(st.text)
        if columns:
            # The client's own text: it may say to its own connection whatever it likes.
            rows = self.describe(f"DESCRIBE (SELECT {columns} FROM {target})")  # noqa: S608
            return [(r[0], r[1]) for r in rows]
        rows = self.describe(f"DESCRIBE TABLE {target}")
        return [(r[0], r[1]) for r in rows if r[2] not in ("MATERIALIZED", "ALIAS", "EPHEMERAL")]

    def close(self) -> None:
        locked, self._locked = self._locked, None
        if locked is not None:
            locked.close()
        if self.conn is not None:
            conn, self.conn = self.conn, None
            conn.set_progress_callback(None)
            conn.close()
