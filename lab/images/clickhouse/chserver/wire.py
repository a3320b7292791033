# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes in and out: a growing buffer that is read by position, and the native protocol's numbers and strings."""

from __future__ import annotations

import socket
import struct

from .errors import DBError, FramingError

# A packet's strings are names, settings and queries. Blocks have a limit of their own.
MAX_STRING = 64 << 20
_CHUNK = 1 << 18


class Disconnected(Exception):
    """The peer went away, or said nothing for longer than the timeout."""


class Source:
    """A buffer with a read position that fetches more bytes when it needs them."""

    def __init__(self, limit: int = 1 << 30) -> None:
        self.buf = bytearray()
        self.pos = 0
        self.limit = limit

    def fetch(self, wanted: int) -> bytes:
        """At least one more byte; `wanted` is how many are missing."""
        raise Disconnected("unexpected end of data")

    def need_at(self, end: int) -> None:
        """Make the buffer reach to the absolute position `end`."""
        if end > self.limit:
            raise FramingError(101, f"A packet of more than {self.limit} bytes is refused.")
        while len(self.buf) < end:
            self.buf += self.fetch(end - len(self.buf))

    def drop_read(self) -> None:
        """Forget what was read, so that the buffer stays small."""
        del self.buf[: self.pos]
        self.pos = 0

    def take(self, size: int) -> bytes:
        end = self.pos + size
        self.need_at(end)
        data = bytes(self.buf[self.pos : end])
        self.pos = end
        return data

    def skip(self, size: int) -> None:
        self.need_at(self.pos + size)
        self.pos += size

    def byte(self) -> int:
        self.need_at(self.pos + 1)
        self.pos += 1
        return self.buf[self.pos - 1]

    def varint(self) -> int:
        value = shift = 0
        while shift < 64:
            part = self.byte()
            value |= (part & 0x7F) << shift
            if part < 0x80:
                return value
            shift += 7
        raise FramingError(101, "A number of more than 64 bits was sent.")

    def string_bytes(self) -> bytes:
        size = self.varint()
        if size > MAX_STRING:
            raise FramingError(101, f"A string of {size} bytes was sent, at most {MAX_STRING} are accepted.")
        return self.take(size)

    def string(self) -> str:
        return self.string_bytes().decode("utf-8", "replace")

    def int32(self) -> int:
        return struct.unpack("<i", self.take(4))[0]

    def uint64(self) -> int:
        return struct.unpack("<Q", self.take(8))[0]


class BytesSource(Source):
    """A source over bytes that are all there."""

    def __init__(self, data: bytes) -> None:
        super().__init__(limit=len(data))
        self.buf = data  # type: ignore[assignment]  # read by position only, so it need not be copied

    def need_at(self, end: int) -> None:
        if end > self.limit:
            raise DBError(33, "A block ends before its last column.", "CANNOT_READ_ALL_DATA")


class SocketSource(Source):
    def __init__(self, sock: socket.socket, limit: int) -> None:
        super().__init__(limit)
        self.sock = sock

    def fetch(self, wanted: int) -> bytes:
        try:
            data = self.sock.recv(max(_CHUNK, min(wanted, 1 << 22)))
        except TimeoutError as exc:
            raise Disconnected("no data within the timeout") from exc
        except OSError as exc:
            raise Disconnected(exc.strerror or type(exc).__name__) from exc
        if not data:
            raise Disconnected("closed by the client")
        return data

    def wait(self, timeout: float) -> None:
        """Wait for the next packet's first byte."""
        self.drop_read()
        if not self.buf:
            self.sock.settimeout(timeout)
            self.need_at(1)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)


def string(value: str | bytes) -> bytes:
    data = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return varint(len(data)) + data
