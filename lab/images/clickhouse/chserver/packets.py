# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The native protocol's packets, by revision: what a client sends is read, what it is sent is written."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

from .errors import UNKNOWN_SETTING, DBError, FramingError
from .session import Stats
from .wire import Source, string, varint

# The newest revision with query parameters, and without anything after it that the lab's clients would miss.
REVISION = 54459

HELLO, QUERY, DATA, CANCEL, PING, TABLES_STATUS = 0, 1, 2, 3, 4, 5
S_HELLO, S_DATA, S_EXCEPTION, S_PROGRESS, S_PONG, S_END, S_PROFILE = 0, 1, 2, 3, 4, 5, 6
S_TABLES_STATUS, S_PROFILE_EVENTS = 9, 14

REVISION_WRITE_INFO = 54420
REVISION_INSERT_EVENTS = 54456
EVENT_COLUMNS = [
    ("host_name", "String"),
    ("current_time", "DateTime"),
    ("thread_id", "UInt64"),
    ("type", "Enum8('increment' = 1, 'gauge' = 2)"),
    ("name", "String"),
    ("value", "Int64"),
]

_IMPORTANT = 0x1
_NUMBERS = {
    "UInt64",
    "NonZeroUInt64",
    "UInt64Auto",
    "Bool",
    "BoolAuto",
    "Seconds",
    "Milliseconds",
    "MaxThreads",
}
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "v": "\v"}
_ESCAPED = re.compile(r"\\(x[0-9A-Fa-f]{2}|.)|''", re.DOTALL)


@dataclass
class Hello:
    client: str
    revision: int
    database: str
    user: str
    password: str = field(repr=False)


@dataclass
class Query:
    query_id: str
    settings: dict[str, str]
    unknown: list[str]  # settings that are left out
    refused: list[str]  # settings that are unknown and marked as important
    compressed: bool
    text: str
    params: dict[str, str]


def read_hello(src: Source) -> Hello:
    name = src.string()
    src.varint()
    src.varint()
    return Hello(name, src.varint(), src.string(), src.string(), src.string())


def hello(revision: int, version: str, timezone: str, name: str) -> bytes:
    major, minor, patch = (int(part) for part in version.split(".")[:3])
    out = [varint(S_HELLO), string("ClickHouse"), varint(major), varint(minor), varint(REVISION)]
    if revision >= 54058:
        out.append(string(timezone))
    if revision >= 54372:
        out.append(string(name))
    if revision >= 54401:
        out.append(varint(patch))
    return b"".join(out)


def read_query(src: Source, revision: int, setting_types: Mapping[str, str]) -> Query:
    query_id = src.string()
    if revision >= 54032:
        _skip_client_info(src, revision)
    if revision >= 54429:
        found, unknown, refused = _read_settings(src, setting_types)
    else:
        found, unknown, refused = _read_old_settings(src, setting_types), [], []
    if revision >= 54441:
        src.string_bytes()  # the secret of a cluster's other servers
    src.varint()  # the stage is always "complete": nobody distributes queries here
    compressed = bool(src.varint())
    text = src.string_bytes().decode("utf-8", "surrogateescape")
    params = _read_params(src) if revision >= 54459 else {}
    return Query(query_id, found, unknown, refused, compressed, text, params)


def _skip_client_info(src: Source, revision: int) -> None:
    if not src.byte():  # no initial query
        return
    for _ in range(3):
        src.string_bytes()  # initial user, query id, address
    if revision >= 54449:
        src.skip(8)
    interface = src.byte()
    if interface == 1:
        for _ in range(3):
            src.string_bytes()  # system user, host, client
        for _ in range(3):
            src.varint()
    elif interface == 2:
        src.byte()
        src.string_bytes()
    if revision >= 54060:
        src.string_bytes()
    if revision >= 54448:
        src.varint()
    if revision >= 54401 and interface == 1:
        src.varint()
    if revision >= 54442 and src.byte():
        src.skip(24)
        src.string_bytes()
        src.byte()
    if revision >= 54453:
        for _ in range(3):
            src.varint()


def _read_settings(src: Source, types: Mapping[str, str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Unknown settings are an error if the client marks them as important; else the real server skips them too."""
    found: dict[str, str] = {}
    unknown: list[str] = []
    refused: list[str] = []
    while name := src.string():
        flags, value = src.varint(), src.string()
        if name in types:
            found[name] = value
        else:
            (refused if flags & _IMPORTANT else unknown).append(name)
    return found, unknown, refused


def _read_old_settings(src: Source, types: Mapping[str, str]) -> dict[str, str]:
    """Clients before revision 54429 send values in the binary form of the setting's type."""
    found = {}
    while name := src.string():
        kind = types.get(name)
        if kind is None:
            raise FramingError(UNKNOWN_SETTING, f"Unknown setting '{name}'.")
        if kind in _NUMBERS:
            found[name] = str(src.varint())
        elif kind == "Int64":
            value = src.varint()
            found[name] = str((value >> 1) ^ -(value & 1))
        else:
            found[name] = src.string()
    return found


def _read_params(src: Source) -> dict[str, str]:
    found = {}
    while name := src.string():
        src.varint()
        found[name] = unquote(src.string())
    return found


def unquote(text: str) -> str:
    """A quoted literal's value; text without quotes is taken as it is."""
    if len(text) < 2 or text[0] != "'" or text[-1] != "'":
        return text

    def plain(found: re.Match[str]) -> str:
        code = found.group(1)
        if code is None:
            return "'"
        if len(code) == 3:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, code)

    return _ESCAPED.sub(plain, text[1:-1])


def exception(error: DBError) -> bytes:
    body = string("DB::Exception") + string(error.display) + string("") + b"\x00"
    return varint(S_EXCEPTION) + struct.pack("<i", error.code) + body


def progress(now: Stats, sent: Stats, revision: int) -> bytes:
    """What came since the last packet: clients add the packets up."""
    out = [
        varint(S_PROGRESS),
        varint(now.read_rows - sent.read_rows),
        varint(now.read_bytes - sent.read_bytes),
    ]
    if revision >= 51554:
        out.append(varint(max(0, now.total_rows - sent.total_rows)))
    if revision >= REVISION_WRITE_INFO:
        out.append(varint(now.written_rows - sent.written_rows))
        out.append(varint(now.written_bytes - sent.written_bytes))
    return b"".join(out)


def profile(rows: int, blocks: int, size: int) -> bytes:
    # Whether a LIMIT cut rows off is not known; "looked at, none cut off" is what old clients can take.
    return b"".join(
        [varint(S_PROFILE), varint(rows), varint(blocks), varint(size), b"\x00", varint(0), b"\x01"]
    )


def read_tables_status(src: Source) -> list[tuple[str, str]]:
    return [(src.string(), src.string()) for _ in range(src.varint())]
