# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rename hints in the comments of a desired file.

A rename is never guessed: ``-- renamed-from: old`` before a CREATE statement names the object's old name, on the line of
a column the column's. Once the rename is done, the hint has no effect and may go or stay.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model import SchemaError
from ..sql.ddl import split_commas
from ..sql.tokens import COMMENT, QUOTED, WORD, Statement, Token, depths, significant, tokens, unquote

_HINT = re.compile(r"renamed-from:\s*(.*?)\s*(?:\*/)?$", re.DOTALL)


def object_hint(statement: Statement) -> str:
    """The old name of the object that a statement creates; empty if it was not renamed."""
    found = [hint for token in tokens(statement.lead) for hint in [_hint(token)] if hint]
    if len(found) > 1:
        raise SchemaError(f"expected one hint renamed-from before a statement, found {', '.join(found)}")
    return found[0] if found else ""


def column_hints(statement: Statement) -> dict[str, str]:
    """New to old names of the columns of a CREATE TABLE."""
    hints = {
        statement.text.count("\n", 0, token.start): hint
        for token in tokens(statement.text)
        for hint in [_hint(token)]
        if hint
    }
    if not hints:
        return {}
    columns = {
        statement.text.count("\n", 0, item[0].start): unquote(item[0]) for item in _items(statement.text)
    }
    lost = [hint for line, hint in hints.items() if line not in columns]
    if lost:
        raise SchemaError(f"hint renamed-from: {lost[0]} stands on no line on which a column begins")
    return {columns[line]: hint for line, hint in hints.items()}


def _hint(token: Token) -> str:
    match = _HINT.search(token.text) if token.kind == COMMENT else None
    if match is None:
        return ""
    parts = significant(match.group(1))
    if len(parts) != 1 or parts[0].kind not in (WORD, QUOTED):
        raise SchemaError(f"hint renamed-from: expected one name, found {match.group(1)[:60]!r}")
    return unquote(parts[0])


def _items(text: str) -> list[Sequence[Token]]:
    """The entries of the column list of a CREATE TABLE, as a person wrote it."""
    parts = significant(text)
    inner = [token for token, depth in zip(parts, depths(parts)) if depth > 0]
    if not inner:
        return []
    first = parts.index(inner[0])
    level = depths(parts[first:])
    end = next((at for at, depth in enumerate(level) if depth < 0), len(level))
    return split_commas(parts[first : first + end])
