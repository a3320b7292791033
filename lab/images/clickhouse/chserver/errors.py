# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors as ClickHouse names them: a code, a name, a message. The engine's text is taken apart, never reworded."""

from __future__ import annotations

import re

SYNTAX_ERROR = 62
UNKNOWN_DATABASE = 81
UNKNOWN_SETTING = 115
AUTHENTICATION_FAILED = 516

NAMES = {
    48: "NOT_IMPLEMENTED",
    SYNTAX_ERROR: "SYNTAX_ERROR",
    UNKNOWN_DATABASE: "UNKNOWN_DATABASE",
    89: "UNKNOWN_COMPRESSION_METHOD",
    99: "UNKNOWN_PACKET_FROM_CLIENT",
    101: "UNEXPECTED_PACKET_FROM_CLIENT",
    UNKNOWN_SETTING: "UNKNOWN_SETTING",
    164: "READONLY",
    202: "TOO_MANY_SIMULTANEOUS_QUERIES",
    216: "QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING",
    271: "CANNOT_DECOMPRESS",
    372: "SESSION_NOT_FOUND",
    373: "SESSION_IS_LOCKED",
    394: "QUERY_WAS_CANCELLED",
    432: "UNKNOWN_CODEC",
    AUTHENTICATION_FAILED: "AUTHENTICATION_FAILED",
    1001: "STD_EXCEPTION",
    1002: "UNKNOWN_EXCEPTION",
}

# What the real server answers over HTTP; every other code is 500.
_HTTP_STATUS = {
    400: (6, 26, 27, 33, 36, 38, 41, 43, 44, 46, 47, 50, 53, 62, 69, 72, 117, 131, 184, 190, 386, 456, 457),
    403: (164, 291, 497, AUTHENTICATION_FAILED),
    404: (60, UNKNOWN_DATABASE, 16, 73, UNKNOWN_SETTING, 372),
    408: (159,),
    501: (48,),
}
_STATUS_BY_CODE = {code: status for status, codes in _HTTP_STATUS.items() for code in codes}

_PREFIX = re.compile(r"^Code: (\d+)\. DB::Exception: ", re.DOTALL)
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)\.?\s*$")
_NAME = re.compile(r"\s*\(([A-Z][A-Z0-9_]+)\)\s*$")


class DBError(Exception):
    """One error of the server or the engine."""

    def __init__(self, code: int, message: str, name: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.name = name or NAMES.get(code, "UNKNOWN_EXCEPTION")

    @property
    def display(self) -> str:
        """The message as the real server shows it after the code."""
        return f"DB::Exception: {self.message} ({self.name})"

    @property
    def http_status(self) -> int:
        return _STATUS_BY_CODE.get(self.code, 500)


class FramingError(DBError):
    """The client's bytes cannot be understood: nothing after them can be, so the connection ends."""


def from_engine(exc: BaseException) -> DBError:
    """The engine's exception text as a DBError. The engine may wrap the same error several times: the inner one counts."""
    if isinstance(exc, DBError):
        return exc
    text = str(exc)
    code, name = 0, ""
    while True:
        text = _VERSION.sub("", text)
        found = _NAME.search(text)
        if found:
            name = name or found.group(1)
            text = text[: found.start()].rstrip()
            continue
        found = _PREFIX.match(text)
        if not found:
            break
        code = int(found.group(1))
        text = text[found.end() :]
    if not code:
        return DBError(1001, f"{type(exc).__name__}: {text}", "STD_EXCEPTION")
    return DBError(code, text if text.endswith(".") else f"{text}.", name)
