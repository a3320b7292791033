# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words of a Dockerfile: splitting, quotes, and variables as far as they are known."""

from __future__ import annotations

import re
from collections.abc import Mapping

# The value of a variable that only the build knows.
UNKNOWN = None

_VARIABLE = re.compile(
    r"\$(?:(?P<name>\w+)|\{(?P<braced>\w+)(?:(?P<operator>:?[-+?])(?P<word>(?:[^{}]|\{[^{}]*\})*))?\})"
)


def split_words(text: str) -> list[str]:
    """Split at blanks outside quotes; quotes stay in the words."""
    return re.findall(r"(?:\\.|\"(?:\\.|[^\"\\])*\"|'[^']*'|\S)+", text)


def split_assignments(text: str, bare: bool = False) -> list[tuple[str, str | None]]:
    """NAME=value pairs of ENV and ARG; ``bare`` allows names without value, else "NAME value" is one pair."""
    words = split_words(text)
    if not bare and words and "=" not in words[0]:
        name, _space, value = text.strip().partition(" ")
        return [(name, value.strip())]
    pairs: list[tuple[str, str | None]] = []
    for word in words:
        name, equals, value = word.partition("=")
        pairs.append((name, value if equals else None))
    return pairs


def expand(word: str | None, variables: Mapping[str, str | None]) -> str | None:
    """The word with variables replaced and quotes removed; UNKNOWN when it holds one that is not known."""
    if word is None:
        return ""
    result = ""
    place = 0
    quote = ""
    while place < len(word):
        sign = word[place]
        if quote != "'" and sign == "\\" and place + 1 < len(word):
            result += word[place + 1]
            place += 2
        elif sign in "\"'" and quote in ("", sign):
            quote = "" if quote else sign
            place += 1
        elif sign == "$" and quote != "'":
            value, place = _variable(word, place, variables)
            if value is None:
                return UNKNOWN
            result += value
        else:
            result += sign
            place += 1
    return result


def _variable(word: str, place: int, variables: Mapping[str, str | None]) -> tuple[str | None, int]:
    match = _VARIABLE.match(word, place)
    if match is None:
        # "${x#pattern}" and the like depend on a shell's rules; a lone dollar is just a sign.
        return (UNKNOWN, len(word)) if word.startswith("${", place) else ("$", place + 1)
    name = match.group("name") or match.group("braced")
    operator = match.group("operator") or ""
    if name not in variables or variables[name] is None:
        return UNKNOWN, match.end()
    value = variables[name] or ""
    is_set = bool(value) if operator.startswith(":") else True
    if operator.endswith("-") and not is_set:
        return expand(match.group("word"), variables), match.end()
    if operator.endswith("+"):
        return (expand(match.group("word"), variables) if is_set else ""), match.end()
    return value, match.end()
