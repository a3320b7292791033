# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP bodies: a request's data in pieces, and a response that is buffered first, so that its headers can tell
how the query went."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from http.client import responses
from io import BufferedIOBase
from typing import Any

from lz4 import frame

from .compression import FrameSource, frames
from .errors import DBError
from .wire import Disconnected, Source

_PIECE = 1 << 20
_UNKNOWN_METHOD = 89


def _sized(stream: BufferedIOBase, length: int) -> Iterator[bytes]:
    while length:
        piece = stream.read(min(length, _PIECE))
        if not piece:
            raise Disconnected("the request's body is shorter than its Content-Length")
        length -= len(piece)
        yield piece


def _chunked(stream: BufferedIOBase) -> Iterator[bytes]:
    while True:
        line = stream.readline(1024).split(b";")[0].strip()
        try:
            size = int(line, 16)
        except ValueError:
            raise Disconnected("a chunk of the request's body has no size") from None
        if not size:
            while stream.readline(1024).strip():
                pass
            return
        yield from _sized(stream, size)
        stream.readline(16)


class _Pieces(Source):
    """Pieces as a source that can be read by position."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        super().__init__()
        self.pieces = pieces
        self.ended = False

    def fetch(self, wanted: int) -> bytes:
        for piece in self.pieces:
            return piece
        self.ended = True
        raise Disconnected("the body ends inside a compressed frame")


def _unframed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The body of decompress=1: the native protocol's frames."""
    raw = _Pieces(pieces)
    source = FrameSource(raw, raw.limit)
    while True:
        raw.drop_read()
        try:
            raw.need_at(1)
        except Disconnected:
            return
        yield source.fetch(1)


def _unzipped(pieces: Iterator[bytes], decoder: Any, error: type[Exception]) -> Iterator[bytes]:
    for piece in pieces:
        try:
            yield decoder.decompress(piece)
        except error as exc:
            raise DBError(271, f"Cannot decompress the request's body: {exc}.") from exc


def request_body(stream: BufferedIOBase, headers: Any, framed: bool) -> Iterator[bytes]:
    """The request's body in pieces, without its encodings."""
    if "chunked" in headers.get("Transfer-Encoding", "").lower():
        pieces = _chunked(stream)
    else:
        length = headers.get("Content-Length", "0")
        if not length.isdigit():
            raise DBError(1002, f"Content-Length {length!r} is not a number.")
        pieces = _sized(stream, int(length))
    encoding = headers.get("Content-Encoding", "").strip().lower()
    if encoding in ("gzip", "deflate"):
        pieces = _unzipped(pieces, zlib.decompressobj(47), zlib.error)
    elif encoding == "lz4":
        pieces = _unzipped(pieces, frame.LZ4FrameDecompressor(), RuntimeError)
    elif encoding not in ("", "identity"):
        raise DBError(
            _UNKNOWN_METHOD, f"Content-Encoding {encoding} is not supported; gzip, deflate and lz4 are."
        )
    return _unframed(pieces) if framed else pieces


class Encoder:
    """A response's encoding: nothing, the native frames, or what the client accepts."""

    def __init__(self, accepted: str, framed: bool) -> None:
        self.name = ""
        self.add: Callable[[bytes], bytes] = lambda data: data
        self.end: Callable[[], bytes] = lambda: b""
        offers = [part.split(";")[0].strip().lower() for part in accepted.split(",")]
        if framed:
            self.add = frames
        elif "lz4" in offers:
            packer = frame.LZ4FrameCompressor()
            start = packer.begin()
            self.name, self.end = "lz4", packer.flush
            self.add = lambda data: self._first(start) + packer.compress(data)
            self._started = False
        elif "gzip" in offers or "deflate" in offers:
            self.name = "gzip" if "gzip" in offers else "deflate"
            zipper = zlib.compressobj(1, zlib.DEFLATED, 31 if self.name == "gzip" else 15)
            self.add, self.end = zipper.compress, zipper.flush

    def _first(self, start: bytes) -> bytes:
        if self._started:
            return b""
        self._started = True
        return start


class Response:
    """Keeps the body back until it is complete or too large, then sends it in chunks."""

    def __init__(self, stream: BufferedIOBase, encoder: Encoder, limit: int, keep_alive: bool) -> None:
        self._stream, self._encoder, self._limit, self._keep = stream, encoder, limit, keep_alive
        self._held: list[bytes] = []
        self._size = 0
        self.started = False
        self.headers: Callable[[], dict[str, str]] = dict

    def write(self, data: bytes) -> None:
        if self.started:
            self._chunk(self._encoder.add(data))
            return
        self._held.append(data)
        self._size += len(data)
        if self._limit and self._size > self._limit:
            self._start({"Transfer-Encoding": "chunked"})
            self._chunk(self._encoder.add(self._release()))

    def _release(self) -> bytes:
        data = b"".join(self._held)
        self._held.clear()
        return data

    def _start(self, more: dict[str, str], status: int = 200) -> None:
        self.started = True
        headers = {**self.headers(), **more}
        if self._encoder.name:
            headers["Content-Encoding"] = self._encoder.name
        headers["Connection"] = "keep-alive" if self._keep else "close"
        lines = [f"HTTP/1.1 {status} {responses.get(status, '')}", *(f"{k}: {v}" for k, v in headers.items())]
        self._stream.write(("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "replace"))

    def _chunk(self, data: bytes) -> None:
        if data:
            self._stream.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def finish(self) -> None:
        if self.started:
            self._chunk(self._encoder.end())
            self._stream.write(b"0\r\n\r\n")
        else:
            body = self._encoder.add(self._release()) if self._size else b""
            body += self._encoder.end() if self._size else b""
            if not self._size:
                self._encoder.name = ""
            self._start({"Content-Length": str(len(body))})
            self._stream.write(body)
        self._stream.flush()

    def fail(self, text: str, tag: str, status: int, extra: dict[str, str]) -> None:
        """An error: as the whole answer, or, behind data that is already sent, as its last, unfinished part."""
        self._keep = False
        if self.started:
            tail = f"{text}\n"
            mark = f"\r\n__exception__\r\n{tag}\r\n{tail}{len(tail.encode())} {tag}\r\n__exception__\r\n"
            self._chunk(self._encoder.add(mark.encode("utf-8", "replace")) + self._encoder.end())
        else:
            self._held.clear()
            body = f"{text}\n".encode("utf-8", "replace")
            self._encoder.name = ""
            kind = "text/plain; charset=UTF-8"
            self._start({**extra, "Content-Type": kind, "Content-Length": str(len(body))}, status)
            self._stream.write(body)
        self._stream.flush()
