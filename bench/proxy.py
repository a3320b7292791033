# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A TCP proxy that counts how long clients wait for the server.

It knows no protocol. An exchange is what a client sends followed by what the server sends back; it lasts from the
last byte that the client sent to the last byte that the server answered. So the client's own work between two
exchanges is not in the sum, and reading the request, running it, and sending the answer are.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

_PIECE = 1 << 16
_POLL = 0.2


class Meter:
    """The exchanges of one connection."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.exchanges = 0
        self._asked: float | None = None
        self._answered: float | None = None

    def asked(self, now: float) -> None:
        if self._answered is not None:
            self.close()
        self._asked = now

    def answered(self, now: float) -> None:
        if self._asked is not None:
            self._answered = now

    def close(self) -> None:
        if self._asked is not None and self._answered is not None:
            self.seconds += self._answered - self._asked
            self.exchanges += 1
        self._asked = self._answered = None


@dataclass
class Waited:
    """Sum over all connections of one measurement."""

    seconds: float = 0.0
    exchanges: int = 0
    connections: int = 0


class Proxy:
    """Listens on a free port of this machine and passes everything on. Use it as a context manager."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._meters: list[Meter] = []
        self._threads: list[threading.Thread] = []
        self._ending = False

    def __enter__(self) -> Proxy:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ending = True
        self._listener.close()

    @contextmanager
    def measure(self) -> Iterator[Waited]:
        """Sum up what happens inside; the sum is there when the block has ended."""
        self._meters.clear()
        self._threads.clear()
        waited = Waited()
        yield waited
        for thread in self._threads:
            thread.join(timeout=10)
        waited.seconds = sum(meter.seconds for meter in self._meters)
        waited.exchanges = sum(meter.exchanges for meter in self._meters)
        waited.connections = len(self._meters)

    def _accept(self) -> None:
        while not self._ending:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            meter = Meter()
            thread = threading.Thread(target=self._serve, args=(client, meter), daemon=True)
            self._meters.append(meter)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket, meter: Meter) -> None:
        with client:
            try:
                with socket.create_connection(self._target) as server:
                    for side in (client, server):
                        side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    self._pass_on(client, server, meter)
            except OSError:
                pass  # one side left without a word: the measured program says itself whether that is an error
        meter.close()

    def _pass_on(self, client: socket.socket, server: socket.socket, meter: Meter) -> None:
        while not self._ending:
            for ready in select.select([client, server], [], [], _POLL)[0]:
                data = ready.recv(_PIECE)
                now = time.perf_counter()
                if not data:
                    return
                if ready is client:
                    meter.asked(
                        now
                    )  # before it is passed on: the answer may be there before sendall() returns
                    server.sendall(data)
                else:
                    meter.answered(now)
                    client.sendall(data)
