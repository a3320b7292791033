# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much SQL as the protocols need: what kind of statement, where its data starts, which FORMAT it names.

Nothing is rewritten but the trailing FORMAT clause, which belongs to the client on the native protocol.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .errors import SYNTAX_ERROR, DBError

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|\#[!\ ][^\n]*|/\*.*?\*/)
      |(?P<text>'(?:[^'\\]|\\.|'')*'|\$(?P<tag>\w*)\$.*?\$(?P=tag)\$)
      |(?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
      |(?P<word>[A-Za-z_][A-Za-z0-9_]*)
      |(?P<other>.)""",
    re.DOTALL | re.VERBOSE,
)

# Formats that the engine can send block by block; the others frame the whole result and must be made at once.
STREAMED = {
    "csv",
    "jsoncompacteachrow",
    "jsoncompactstringseachrow",
    "jsoneachrow",
    "jsonlines",
    "jsonstringseachrow",
    "lineasstring",
    "native",
    "ndjson",
    "null",
    "raw",
    "rowbinary",
    "tabseparated",
    "tabseparatedraw",
    "tskv",
    "tsv",
    "tsvraw",
}
_READERS = ("SELECT", "WITH", "FROM", "(")
_SHOWS = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN", "EXISTS", "CHECK")


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int
    end: int
    depth: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind == "word" else ""


@dataclass(frozen=True)
class Statement:
    text: str  # without a trailing semicolon and FORMAT clause
    kind: str  # the first keyword, in capitals
    format: str | None = None
    data_format: str | None = None  # INSERT: the format of the data that follows the text
    data: str = ""  # INSERT: the data in the statement's own text

    @property
    def reads(self) -> bool:
        return self.kind in _READERS

    @property
    def shows(self) -> bool:
        """Has a result without reading tables, and may be run twice."""
        return self.kind in _SHOWS

    @property
    def takes_data(self) -> bool:
        return self.data_format is not None


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The significant tokens."""
    depth = 0
    for found in _TOKEN.finditer(text, start):
        kind = found.lastgroup or "other"
        if kind == "tag":
            kind = "text"
        if kind == "space":
            continue
        value = found.group()
        if value in ")]}":
            depth -= 1
        yield Token(kind, value, found.start(), found.end(), depth)
        if value in "([{":
            depth += 1


def analyse(text: str) -> Statement:
    first = next(tokens(text), None)
    if first is None:
        raise DBError(SYNTAX_ERROR, "Syntax error: failed at position 1 (end of query): Empty query.")
    kind = first.word or first.text
    if kind == "INSERT":
        return _insert(text, first)
    return _plain(text, kind)


def _plain(text: str, kind: str) -> Statement:
    found = list(tokens(text))
    for index, token in enumerate(found):
        if token.text == ";" and token.depth == 0:
            rest = [t for t in found[index:] if t.text != ";"]
            if rest:
                where = f"failed at position {token.start + 1} (;)"
                raise DBError(SYNTAX_ERROR, f"Syntax error (Multi-statements are not allowed): {where}.")
            found = found[:index]
            break
    # Neither a semicolon nor a comment behind it: the engine gets the statement alone.
    text = text[: found[-1].end] if found else ""
    if any(token.word == "OUTFILE" and found[i - 1].word == "INTO" for i, token in enumerate(found) if i):
        raise DBError(48, "INTO OUTFILE is a clause of the client, the server does not write files.")
    spot = _format_at(found)
    if spot is None:
        return Statement(text, kind)
    before, name = found[spot - 1], found[spot + 1]
    return Statement(text[: before.end] + text[name.end :], kind, format=name.text.strip('`"'))


def _format_at(found: list[Token]) -> int | None:
    """Where `FORMAT name` stands: at the end, or with SETTINGS after it."""
    for index in range(len(found) - 2, 0, -1):
        token, after = found[index], found[index + 1]
        if token.word != "FORMAT" or token.depth or after.kind not in ("word", "quoted"):
            continue
        if found[index - 1].word == "AS" or found[index - 1].text in ".,":
            return None
        last = index + 2 == len(found) or found[index + 2].word == "SETTINGS"
        return index if last else None
    return None


def _insert(text: str, first: Token) -> Statement:
    """INSERT ... SELECT stays whole; otherwise the head (up to VALUES or FORMAT) and the data are told apart."""
    target_seen = False
    last = first
    stream = tokens(text, first.end)
    for token in stream:
        word = token.word
        if token.depth:
            # INSERT INTO t (SELECT ...) is a query in parentheses, not a list of columns.
            if token.depth == 1 and word in ("SELECT", "WITH") and last.text == "(":
                return _plain(text, "INSERT")
            last = token
            continue
        if token.text == ";":
            return Statement(text[: last.end], "INSERT", data_format="Values")
        if target_seen and word in ("SELECT", "WITH", "FROM", "WATCH"):
            return _plain(text, "INSERT")
        if target_seen and word == "VALUES":
            return Statement(text[: last.end], "INSERT", None, "Values", text[token.end :].lstrip())
        if target_seen and word == "FORMAT":
            name = next(stream, None)
            if name is None or name.kind not in ("word", "quoted"):
                raise DBError(SYNTAX_ERROR, f"Syntax error: no format name after position {token.end}.")
            data = re.sub(r"\A[ \t\f]*\r?\n?", "", text[name.end :])
            if data.strip() == ";":
                data = ""
            return Statement(text[: last.end], "INSERT", None, name.text.strip('`"'), data)
        if word not in ("INTO", "TABLE", "FUNCTION"):
            target_seen = True
        last = token
    return Statement(text[: last.end], "INSERT", data_format="Values")


def split_statements(text: str) -> Iterator[str]:
    """The statements of a file. The data of an INSERT with a FORMAT ends, as in the real client, at an empty line."""
    while True:
        first = next(tokens(text), None)
        while first is not None and first.text == ";":
            text = text[first.end :]
            first = next(tokens(text), None)
        if first is None:
            return
        end = None
        if first.word == "INSERT":
            found = _insert(text, first)
            if found.data and (found.data_format or "").lower() != "values":
                blank = re.search(r"\n[ \t]*\n", text[len(found.text) :])
                end = len(found.text) + blank.end() if blank else len(text)
        if end is None:
            end = next((t.end for t in tokens(text) if t.text == ";" and t.depth == 0), len(text))
        yield text[:end].strip()
        text = text[end:]


def insert_target(head: str) -> tuple[str, str]:
    """The table (or function call) of an INSERT and its column list, without the parentheses, as written."""
    function = False
    found = list(tokens(head))[1:]
    index = 0
    while index < len(found) and found[index].word in ("INTO", "TABLE", "FUNCTION"):
        function = function or found[index].word == "FUNCTION"
        index += 1
    if index == len(found):
        return "", ""
    start, end = found[index].start, found[index].end
    index += 1
    while index + 1 < len(found) and found[index].text == "." and found[index].depth == 0:
        end = found[index + 1].end
        index += 2
    if function:
        end, index = _closing(found, index)
        return head[start:end], _columns(head, found, index)
    return head[start:end], _columns(head, found, index)


def _closing(found: list[Token], index: int) -> tuple[int, int]:
    while index < len(found) and not (found[index].text == ")" and found[index].depth == 0):
        index += 1
    return (found[index].end, index + 1) if index < len(found) else (found[-1].end, index)


def _columns(head: str, found: list[Token], index: int) -> str:
    if index >= len(found) or found[index].text != "(":
        return ""
    end, _ = _closing(found, index)
    return head[found[index].end : end - 1].strip()


def quote(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def identifier(name: str) -> str:
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def used_database(statement: Statement) -> str:
    """The name in USE [DATABASE] name."""
    names = list(tokens(statement.text))[1:]
    if len(names) > 1 and names[0].word == "DATABASE":
        names = names[1:]
    return names[0].text.strip('`"') if names else ""
