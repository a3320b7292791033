# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The native protocol's compressed frames: checksum, method, sizes, data. LZ4 out; LZ4 or plain in."""

from __future__ import annotations

import struct

from clickhouse_cityhash.cityhash import CityHash128
from lz4 import block

from .errors import DBError
from .wire import Source

_LZ4, _NONE = 0x82, 0x02
_FRAME = 1 << 20
_HEADER = 9  # method, compressed size, plain size
MAX_FRAME = 1 << 28


def frames(data: bytes) -> bytes:
    """The data as LZ4 frames of at most 1 MiB of plain bytes each."""
    out = []
    for start in range(0, len(data), _FRAME):
        plain = data[start : start + _FRAME]
        packed = block.compress(plain, mode="fast", store_size=False)
        body = struct.pack("<BII", _LZ4, len(packed) + _HEADER, len(plain)) + packed
        out += [_checksum(body), body]
    return b"".join(out)


def _checksum(body: bytes) -> bytes:
    value = CityHash128(body)
    return struct.pack("<QQ", value >> 64, value & 0xFFFFFFFFFFFFFFFF)


class FrameSource(Source):
    """The plain bytes behind a source of frames."""

    def __init__(self, raw: Source, limit: int) -> None:
        super().__init__(limit)
        self.raw = raw

    def fetch(self, wanted: int) -> bytes:
        raw = self.raw
        raw.drop_read()
        checksum = raw.take(16)
        header = raw.take(_HEADER)
        method, packed_size, plain_size = struct.unpack("<BII", header)
        if packed_size < _HEADER or packed_size > MAX_FRAME or plain_size > MAX_FRAME:
            raise DBError(271, f"A compressed frame of {packed_size} bytes for {plain_size} is refused.")
        packed = raw.take(packed_size - _HEADER)
        if _checksum(header + packed) != checksum:
            raise DBError(40, "Checksum doesn't match: corrupted data.", "CHECKSUM_DOESNT_MATCH")
        if method == _NONE:
            return packed
        if method != _LZ4:
            raise DBError(432, f"Compression method 0x{method:02x} is not supported, LZ4 (0x82) is.")
        try:
            return block.decompress(packed, uncompressed_size=plain_size)
        except block.LZ4BlockError as exc:
            raise DBError(271, f"Cannot decompress: {exc}.") from exc
