# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The listeners, the limits, and a clean stop."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable

from .cancel import Watcher
from .config import Config
from .engine import Engine
from .errors import AUTHENTICATION_FAILED, DBError
from .httpd import HttpConnection
from .httpsessions import HttpSessions
from .native import NativeConnection

log = logging.getLogger("chserver")
Handler = Callable[[socket.socket, str], None]


class Server:
    def __init__(self, config: Config, engine: Engine, name: str) -> None:
        self.config, self.engine, self.name = config, engine, name
        self.watcher = Watcher(engine)
        self.http_sessions = HttpSessions(engine)
        self.stopping = False
        self._listeners: list[socket.socket] = []
        self._clients: set[socket.socket] = set()
        self._lock = threading.Lock()

    def authenticate(self, user: str, password: str) -> None:
        if not self.config.accepts(user, password):
            text = "Authentication failed: password is incorrect, or there is no user with such name."
            raise DBError(AUTHENTICATION_FAILED, f"{user}: {text}")

    @staticmethod
    def plain(text: str) -> str:
        """A client's word for the log: one short line, whatever it sent."""
        return " ".join(text.split())[:80] or "-"

    @staticmethod
    def brief(exc: DBError) -> str:
        """One line for the log."""
        text = " ".join(exc.message.split())
        return f"code={exc.code} {exc.name}: {text[:300]}"

    # -- serving -------------------------------------------------------------------------------------------

    def start(self) -> None:
        self.watcher.start()
        self._listen(
            self.config.native_port, "native", lambda s, peer: NativeConnection(self, s, peer).serve()
        )
        self._listen(self.config.http_port, "http", self._http)

    def _http(self, sock: socket.socket, peer: str) -> None:
        sock.settimeout(self.config.receive_timeout)
        HttpConnection(self, sock, peer)

    def _listen(self, port: int, name: str, handler: Handler) -> None:
        listener = socket.create_server((self.config.host, port), backlog=256)
        self._listeners.append(listener)
        log.info("listening on port %s (%s)", listener.getsockname()[1], name)
        threading.Thread(target=self._accept, args=(listener, handler), name=name, daemon=True).start()

    def _accept(self, listener: socket.socket, handler: Handler) -> None:
        while not self.stopping:
            try:
                sock, address = listener.accept()
            except OSError:
                if not self.stopping:
                    log.warning("accept failed; trying again")
                    time.sleep(0.1)
                continue
            peer = f"{address[0]}:{address[1]}"
            with self._lock:
                full = len(self._clients) >= self.config.max_connections
                if not full:
                    self._clients.add(sock)
            if full:
                log.warning("%s refused: %s connections are open", peer, self.config.max_connections)
                sock.close()
                continue
            threading.Thread(target=self._serve, args=(sock, peer, handler), name=peer, daemon=True).start()

    def _serve(self, sock: socket.socket, peer: str, handler: Handler) -> None:
        try:
            handler(sock, peer)
        except OSError:
            pass  # the client left in the middle of something
        except Exception:
            log.exception("%s: an error that the server did not expect", peer)
        finally:
            with self._lock:
                self._clients.discard(sock)
            sock.close()

    # -- stopping ------------------------------------------------------------------------------------------

    def stop(self) -> None:
        """No new clients; running queries may end; those that do not in time are cancelled."""
        self.stopping = True
        for listener in self._listeners:
            listener.close()
        deadline = time.monotonic() + self.config.stop_timeout
        patience = deadline - self.config.stop_timeout / 2
        self._wait_idle(patience)
        if self.engine.running():
            self.engine.kill_all()
            self._wait_idle(deadline - 1)
        with self._lock:
            clients = list(self._clients)
        for sock in clients:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        while self._clients and time.monotonic() < deadline:
            time.sleep(0.02)
        self.http_sessions.sweep(everything=True)
        self.engine.close()

    def _wait_idle(self, until: float) -> None:
        while self.engine.running() and time.monotonic() < until:
            time.sleep(0.05)
