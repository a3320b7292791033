# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a TTL deletes: conditions on rows, from the clause as the engine prints it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..model import SchemaError
from .ddl import split_commas, text_of
from .tokens import COMMENT, SYMBOL, Token, depths, significant, tokens

_ACTIONS = ("DELETE", "RECOMPRESS", "WHERE", "GROUP", "TO")


class Ttl(NamedTuple):
    """Condition for the rows that are deleted at once ('' if it deletes none), and what stays unknown."""

    condition: str
    unknown: str = ""


def read_ttl(text: str) -> Ttl:
    """Read the TTL clause of a table."""
    parts = _checked(text)
    if any(
        token.word() == "GROUP" and depth == 0 for token, depth in zip(parts[1:], list(depths(parts))[1:])
    ):
        # The list after SET has commas of its own, and what is left of a group depends on its rows.
        return Ttl("", "a TTL with GROUP BY merges rows, and how many is not computed")
    conditions = [_condition(text, part) for part in split_commas(parts)]
    return Ttl(" OR ".join(f"({condition})" for condition in conditions if condition))


def expired(expression: str) -> str:
    """Condition for a TTL that has passed, as the engine sees it: the epoch itself stands for never."""
    _checked(expression)
    return f"({expression}) <= now() AND ({expression}) != toDateTime(0)"


def _condition(text: str, part: Sequence[Token]) -> str:
    """Condition of one rule; nothing for a rule that moves or recompresses."""
    words = [token.word() if depth == 0 else "" for token, depth in zip(part, depths(part))]
    start = next(
        (index for index, word in enumerate(words) if index and _is_action(words, index)), len(words)
    )
    expression, rest = text_of(text, part[:start]), words[start:]
    if rest[:1] in (["TO"], ["RECOMPRESS"]):
        return ""
    rest = rest[1:] if rest[:1] == ["DELETE"] else rest
    if not rest:
        return expired(expression)
    if rest[0] != "WHERE" or len(rest) == 1:
        raise SchemaError(f"the TTL rule {text_of(text, part)[:120]!r} is not understood")
    where = text_of(text, part[len(part) - len(rest) + 1 :])
    return f"{expired(expression)} AND ({where})"


def _is_action(words: Sequence[str], index: int) -> bool:
    following = words[index + 1] if index + 1 < len(words) else ""
    if words[index] == "TO":
        return following in ("DISK", "VOLUME")
    return words[index] in _ACTIONS


def _checked(text: str) -> list[Token]:
    """The tokens, if nothing in them could end the place that the text is put in."""
    parts, level = significant(text), 0
    for token in parts:
        if token.kind == SYMBOL:
            level += (token.text in "([{") - (token.text in ")]}")
        if level < 0 or token.text == ";":
            break
    else:
        if parts and level == 0 and not any(token.kind == COMMENT for token in tokens(text)):
            return parts
    raise SchemaError(f"{text[:120]!r} is not an expression as the engine prints it")
