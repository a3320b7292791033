# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tokens of ClickHouse SQL: enough to split a file into statements and to take printed DDL apart.

Strings, quoted names, comments (also nested ones) and heredocs are single tokens, so a ';' or a bracket
inside of them is never mistaken for a delimiter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

SPACE, COMMENT, STRING, QUOTED, WORD, NUMBER, SYMBOL = (
    "space",
    "comment",
    "string",
    "quoted",
    "word",
    "number",
    "symbol",
)

# What nearly all tokens are, in one expression, since a plan reads millions of them. A quoted text without marks inside
# is one of them; the others are read by _next().
_PLAIN = re.compile(
    r"(?P<space>\s+)|(?P<comment>(?:--|#!|# )[^\n]*)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<number>[0-9][0-9A-Za-z_.]*)"
    r"|(?P<quoted>`[^`\\]*`(?!`))|(?P<string>'[^'\\]*'(?!'))|(?P<symbol>[(),.=+*\[\]{};<>])"
)
_HEREDOC = re.compile(r"\$[A-Za-z0-9_]*\$")
_COMMENT_MARK = re.compile(r"/\*|\*/")


class Token(NamedTuple):
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def word(self) -> str:
        """The keyword that an unquoted word may be, in capitals; nothing for other tokens."""
        return self.text.upper() if self.kind == WORD else ""


class Statement(NamedTuple):
    """One statement of a file and where it starts."""

    text: str
    line: int
    column: int = 1
    lead: str = ""  # comments and space before it, since the statement before


def tokens(sql: str) -> Iterator[Token]:
    """Yield every token of *sql*; their texts joined give *sql* again."""
    position, size, match = 0, len(sql), _PLAIN.match
    while position < size:
        found = match(sql, position)
        if found:
            yield Token(found.lastgroup or SYMBOL, found.group(), position)
            position = found.end()
        else:
            token = _next(sql, position)
            yield token
            position = token.end


def significant(sql: str) -> list[Token]:
    """Tokens without space and comments."""
    return list(_significant(sql))


# The same text is looked at by one check after the other.
@lru_cache(maxsize=64)
def _significant(sql: str) -> tuple[Token, ...]:
    return tuple(token for token in tokens(sql) if token.kind not in (SPACE, COMMENT))


def split_statements(sql: str) -> list[Statement]:
    """Split at the semicolons between statements; empty statements are left out."""
    found: list[Statement] = []
    current: list[Token] = []
    before, line, counted = 0, 1, 0
    for token in [*significant(sql), Token(SYMBOL, ";", len(sql))]:
        if token.kind != SYMBOL or token.text != ";":
            current.append(token)
            continue
        if current:
            start = current[0].start
            line += sql.count("\n", counted, start)
            counted = start
            column = start - sql.rfind("\n", 0, start)
            found.append(Statement(sql[start : current[-1].end], line, column, sql[before:start]))
            current = []
        before = token.end
    return found


def unquote(token: Token) -> str:
    """The name or the text that a token stands for."""
    if token.kind not in (QUOTED, STRING):
        return token.text
    mark = token.text[0]
    inner = token.text[1:-1].replace(mark * 2, mark)
    return re.sub(
        r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), inner, flags=re.DOTALL
    )


def depths(parts: Sequence[Token]) -> list[int]:
    """Bracket depth of each token; a bracket itself counts as outside."""
    depth, result = 0, []
    for token in parts:
        if token.kind == SYMBOL and token.text in ")]}":
            depth -= 1
        result.append(depth)
        if token.kind == SYMBOL and token.text in "([{":
            depth += 1
    return result


_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}


def _next(sql: str, position: int) -> Token:
    """The token at a place where none of the plain ones is."""
    if sql.startswith("/*", position):
        end, closed = _comment_end(sql, position)
        # A comment that is never closed is no comment: the engine has to see it and complain.
        return Token(COMMENT if closed else SYMBOL, sql[position:end], position)
    if sql[position] in "'`\"":
        kind = STRING if sql[position] == "'" else QUOTED
        return Token(kind, sql[position : _quote_end(sql, position)], position)
    heredoc = _HEREDOC.match(sql, position)
    if heredoc:
        close = sql.find(heredoc.group(), heredoc.end())
        if close >= 0:
            return Token(STRING, sql[position : close + len(heredoc.group())], position)
    return Token(SYMBOL, sql[position], position)


def _comment_end(sql: str, start: int) -> tuple[int, bool]:
    """End of a block comment, which may hold others, and whether it is closed."""
    depth = 0
    for match in _COMMENT_MARK.finditer(sql, start):
        depth += 1 if match.group() == "/*" else -1
        if depth == 0:
            return match.end(), True
    return len(sql), False


def _quote_end(sql: str, start: int) -> int:
    mark, position = sql[start], start + 1
    while position < len(sql):
        if sql[position] == "\\":
            position += 2
        elif sql[position] != mark:
            position += 1
        elif sql.startswith(mark * 2, position):
            position += 2
        else:
            return position + 1
    return len(sql)
