# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Watches the sockets of clients whose query runs: a Cancel packet or a closed socket stops the query."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .engine import Engine
from .errors import DBError
from .packets import CANCEL

log = logging.getLogger("chserver")


@dataclass(eq=False)
class Watched:
    sock: socket.socket
    token: int
    cancelled: bool = False
    gone: bool = False

    @property
    def stopped(self) -> bool:
        return self.cancelled or self.gone


class Watcher(threading.Thread):
    """One thread for all clients. It asks again until the query has ended: the first request to stop may come
    before the engine has begun."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(name="watcher", daemon=True)
        self._engine = engine
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._stopping: set[Watched] = set()
        self._bell, self._wake = socket.socketpair()
        self._selector.register(self._wake, selectors.EVENT_READ)

    @contextmanager
    def watching(self, sock: socket.socket, token: int) -> Iterator[Watched]:
        item = Watched(sock, token)
        with self._lock:
            self._selector.register(sock, selectors.EVENT_READ, item)
        try:
            yield item
        finally:
            with self._lock:
                self._stopping.discard(item)
                self._forget(item)

    def stop(self, item: Watched) -> None:
        item.cancelled = True
        with self._lock:
            self._stopping.add(item)
        self._bell.send(b"x")

    def _forget(self, item: Watched) -> None:
        if item.sock in self._selector.get_map():
            self._selector.unregister(item.sock)

    def run(self) -> None:
        while True:
            with self._lock:
                waiting = bool(self._stopping)
            for key, _ in self._selector.select(0.05 if waiting else None):
                if key.data is None:
                    self._wake.recv(64)
                else:
                    self._look(key.data)
            self._stop_queries()

    def _stop_queries(self) -> None:
        # Under the lock, so that a connection cannot start its next query between the look and the kill: the next
        # one would be hit instead.
        with self._lock:
            for item in self._stopping:
                try:
                    self._engine.kill(item.token)
                except DBError as exc:
                    log.warning("cannot stop a cancelled query: %s", exc.display)

    def _look(self, item: Watched) -> None:
        try:
            first = item.sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            first = b""
        with self._lock:
            # Whatever it is, it stays readable; the connection's own thread reads it after the query.
            self._forget(item)
            if not first:
                item.gone = True
            elif first[0] == CANCEL:
                item.cancelled = True
            if item.stopped:
                self._stopping.add(item)
