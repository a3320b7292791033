# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Native blocks between the wire and the engine.

The engine reads and writes the `Native` format of revision 0. On the wire a block has a header in front (from
revision 51903) and one byte per column (from 54454) that tells of sparse serialization. Everything else is the
same, so blocks are passed through as bytes: values are never decoded.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import coltypes
from .errors import DBError
from .wire import BytesSource, Source, string, varint

REVISION_BLOCK_INFO = 51903
REVISION_CUSTOM_SERIALIZATION = 54454

# Field 1 (is_overflows) = 0, field 2 (bucket_num) = -1, end.
INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
EMPTY = INFO + b"\x00\x00"


@dataclass
class Block:
    columns: list[tuple[str, str]]
    rows: int
    payload: bytes  # as the engine's Native format has it


def _skip_info(src: Source) -> None:
    while True:
        number = src.varint()
        if number == 0:
            return
        if number == 1:
            src.skip(1)
        elif number == 2:
            src.skip(4)
        else:
            raise DBError(101, f"Block info field {number} is unknown.")


def read(src: Source, revision: int) -> Block:
    """The next block of a client."""
    src.drop_read()
    if revision >= REVISION_BLOCK_INFO:
        _skip_info(src)
    flagged = revision >= REVISION_CUSTOM_SERIALIZATION
    pieces, start = [], src.pos
    width, rows = src.varint(), src.varint()
    columns = []
    for _ in range(width):
        name, type_name = src.string(), src.string()
        columns.append((name, type_name))
        if flagged:
            pieces.append((start, src.pos))
            if src.byte():
                raise DBError(
                    48, f"Column {name} was sent with a custom serialization, which is not supported."
                )
            start = src.pos
        if rows:
            walker = coltypes.parse(type_name)
            walker.prefix(src)
            walker.data(src, rows)
    pieces.append((start, src.pos))
    view = memoryview(src.buf)
    try:
        payload = b"".join(view[a:b] for a, b in pieces)
    finally:
        view.release()
    return Block(columns, rows, payload)


def header(columns: list[tuple[str, str]], revision: int) -> bytes:
    """A block without rows that names the columns."""
    flag = b"\x00" if revision >= REVISION_CUSTOM_SERIALIZATION else b""
    info = INFO if revision >= REVISION_BLOCK_INFO else b""
    body = b"".join(string(name) + string(type_name) + flag for name, type_name in columns)
    return info + varint(len(columns)) + varint(0) + body


def columns_of(payload: bytes) -> list[tuple[str, str]]:
    """Names and types of the engine's block. The last column's data is not looked at."""
    src = BytesSource(payload)
    width, rows = src.varint(), src.varint()
    columns = []
    for index in range(width):
        columns.append((src.string(), src.string()))
        if index + 1 < width:
            _walk(src, columns[-1][1], rows)
    return columns


def _walk(src: Source, type_name: str, rows: int) -> None:
    if rows:
        walker = coltypes.parse(type_name)
        walker.prefix(src)
        walker.data(src, rows)


def to_wire(payload: bytes, rows: int, revision: int) -> list[bytes]:
    """The engine's bytes as blocks of the wire. `rows` is what the engine says they hold: if the first block holds
    as many, it is the only one and its last column need not be walked over (or even be known)."""
    info = INFO if revision >= REVISION_BLOCK_INFO else b""
    flagged = revision >= REVISION_CUSTOM_SERIALIZATION
    src, out = BytesSource(payload), []
    while src.pos < len(payload):
        start = src.pos
        width, block_rows = src.varint(), src.varint()
        only = start == 0 and block_rows == rows
        if only and not flagged:
            return [info + payload]
        pieces = [info]
        for index in range(width):
            name, type_name = src.string_bytes(), src.string_bytes()
            del name
            if flagged:
                pieces += [payload[start : src.pos], b"\x00"]
                start = src.pos
            if only and index + 1 == width:
                src.pos = len(payload)
            else:
                _walk(src, type_name.decode(), block_rows)
        pieces.append(payload[start : src.pos])
        out.append(b"".join(pieces))
    return out
