# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long is a column of a native block? A walker per type, without building a single value.

The native protocol has no length of a block in front of it, so whoever passes blocks through must know where
each column ends.
"""

from __future__ import annotations

import re
import struct
from functools import lru_cache

from .errors import DBError
from .wire import Source

_FIXED = {
    **dict.fromkeys(("Int8", "UInt8", "Bool", "Enum8", "Nothing"), 1),
    **dict.fromkeys(("Int16", "UInt16", "Enum16", "Date", "BFloat16"), 2),
    **dict.fromkeys(("Int32", "UInt32", "Float32", "Date32", "DateTime", "Time", "IPv4", "Decimal32"), 4),
    **dict.fromkeys(("Int64", "UInt64", "Float64", "DateTime64", "Time64", "Decimal64"), 8),
    **dict.fromkeys(("Int128", "UInt128", "UUID", "IPv6", "Decimal128"), 16),
    **dict.fromkeys(("Int256", "UInt256", "Decimal256"), 32),
}
_ALIASES = {
    "Point": "Tuple(Float64, Float64)",
    "Ring": "Array(Point)",
    "LineString": "Array(Point)",
    "MultiLineString": "Array(LineString)",
    "Polygon": "Array(Ring)",
    "MultiPolygon": "Array(Polygon)",
}
_TYPE = re.compile(r"^\s*([A-Za-z0-9_]+)\s*(?:\((.*)\))?\s*$", re.DOTALL)
_NAMED = re.compile(r"^\s*(?:[A-Za-z_][A-Za-z0-9_]*|`(?:[^`\\]|\\.)+`)\s+(?=[A-Z])", re.DOTALL)


class UnknownLength(DBError):
    """The type's serialization does not say where it ends (aggregate states, Variant, Dynamic, JSON)."""

    def __init__(self, type_name: str) -> None:
        super().__init__(48, f"Columns of type {type_name} cannot be passed on by this server.")


class Column:
    """A type whose serialization can be walked over: first the prefixes of all levels, then the data."""

    def prefix(self, src: Source) -> None:
        """Most types have none."""

    def data(self, src: Source, rows: int) -> None:
        raise NotImplementedError


class Fixed(Column):
    def __init__(self, size: int) -> None:
        self.size = size

    def data(self, src: Source, rows: int) -> None:
        src.skip(self.size * rows)


class Text(Column):
    def data(self, src: Source, rows: int) -> None:
        buf, pos, done = src.buf, src.pos, 0
        while done < rows:
            try:
                # The hot loop: one index and one addition for each short string.
                for done in range(done, rows):  # noqa: B007, B020  # where it stops is where it goes on
                    size = buf[pos]
                    if size < 0x80:
                        pos += size + 1
                    else:
                        size, start = _long_size(buf, pos)
                        pos = start + size
                done = rows
            except IndexError:
                src.need_at(max(pos, len(buf)) + 1)
                buf = src.buf
        src.need_at(pos)
        src.pos = pos


def _long_size(buf: bytearray, pos: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        part = buf[pos]
        size |= (part & 0x7F) << shift
        pos += 1
        if part < 0x80:
            return size, pos
        shift += 7
        if shift > 63:
            raise DBError(101, "A string length of more than 64 bits was sent.")


class Nullable(Column):
    def __init__(self, inner: Column) -> None:
        self.inner = inner

    def prefix(self, src: Source) -> None:
        self.inner.prefix(src)

    def data(self, src: Source, rows: int) -> None:
        src.skip(rows)
        self.inner.data(src, rows)


class Array(Column):
    def __init__(self, inner: Column) -> None:
        self.inner = inner

    def prefix(self, src: Source) -> None:
        self.inner.prefix(src)

    def data(self, src: Source, rows: int) -> None:
        if not rows:
            return
        src.skip(8 * rows)
        self.inner.data(src, struct.unpack_from("<Q", src.buf, src.pos - 8)[0])


class Tuple(Column):
    def __init__(self, inner: list[Column]) -> None:
        self.inner = inner

    def prefix(self, src: Source) -> None:
        for column in self.inner:
            column.prefix(src)

    def data(self, src: Source, rows: int) -> None:
        if not self.inner:
            src.skip(rows)
        for column in self.inner:
            column.data(src, rows)


class LowCardinality(Column):
    def __init__(self, keys: Column) -> None:
        self.keys = keys

    def prefix(self, src: Source) -> None:
        src.skip(8)

    def data(self, src: Source, rows: int) -> None:
        if not rows:
            return
        flags = src.uint64()
        if flags & 0x100:
            raise UnknownLength("LowCardinality with a global dictionary")
        if flags & 0x200:
            self.keys.data(src, src.uint64())
        src.skip(src.uint64() << (flags & 0xFF))


def split_args(text: str) -> list[str]:
    """Split at top-level commas; parentheses and quotes protect."""
    parts, depth, start, quote, index = [], 0, 0, "", 0
    while index < len(text):
        char = text[index]
        if quote:
            if char == "\\":
                index += 1
            elif char == quote:
                quote = ""
        elif char in "'`":
            quote = char
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and not depth:
            parts.append(text[start:index].strip())
            start = index + 1
        index += 1
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _decimal(args: list[str]) -> Fixed:
    digits = int(args[0])
    return Fixed(4 if digits <= 9 else 8 if digits <= 18 else 16 if digits <= 38 else 32)


@lru_cache(maxsize=4096)
def parse(type_name: str) -> Column:
    """The walker for a type's name; UnknownLength if there can be none."""
    found = _TYPE.match(type_name)
    name, args = (found.group(1), split_args(found.group(2) or "")) if found else ("", [])
    if name in _FIXED:
        return Fixed(_FIXED[name])
    if name in _ALIASES:
        return parse(_ALIASES[name])
    if name.startswith("Interval"):
        return Fixed(8)
    if name == "String":
        return Text()
    if name == "FixedString":
        return Fixed(int(args[0]))
    if name == "Decimal":
        return _decimal(args)
    if name == "Nullable":
        return Nullable(parse(args[0]))
    if name == "Array":
        return Array(parse(args[0]))
    if name == "Map":
        return Array(Tuple([parse(args[0]), parse(args[1])]))
    if name in ("Tuple", "Nested"):
        inner = Tuple([parse(_NAMED.sub("", arg)) for arg in args])
        return Array(inner) if name == "Nested" else inner
    if name == "LowCardinality":
        keys = re.sub(r"^Nullable\((.*)\)$", r"\1", args[0], flags=re.DOTALL)
        return LowCardinality(parse(keys))
    if name == "SimpleAggregateFunction":
        return parse(args[-1])
    raise UnknownLength(type_name)
