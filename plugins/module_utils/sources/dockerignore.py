# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of a build context a .dockerignore file leaves out, by the rules of the Docker builder.

The last pattern that matches a path or one of its parents decides; "!" includes a path again; "**" stands for any
number of folders, "*" and "?" stay inside one name.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class _Pattern:
    regex: re.Pattern[str]
    keeps: bool


class IgnoreRules:
    """The rules of one .dockerignore file."""

    def __init__(self, text: str = "") -> None:
        self.patterns = tuple(_patterns(text))
        self.has_exceptions = any(one.keeps for one in self.patterns)
        # Without exceptions the order does not matter, and one expression for all patterns is much faster.
        joined = "|".join(f"(?:{one.regex.pattern})" for one in self.patterns)
        self._joined = re.compile(joined, re.DOTALL) if self.patterns and not self.has_exceptions else None

    def leaves_out(self, path: str) -> bool:
        """True if the path (relative to the context, with "/") is no part of the build context."""
        if self._joined is not None:
            return self._joined.match(path) is not None
        left_out = False
        for one in self.patterns:
            if left_out == one.keeps and one.regex.match(path):
                left_out = not one.keeps
        return left_out

    def may_skip_folder(self, path: str) -> bool:
        """True if nothing below a folder can be part of the context."""
        return not self.has_exceptions and self.leaves_out(path)


def _patterns(text: str) -> list[_Pattern]:
    patterns = []
    for number, line in enumerate(text.split("\n")):
        if number == 0:
            line = line.lstrip("\ufeff")
        if line.startswith("#"):
            continue
        pattern = line.strip()
        keeps = pattern.startswith("!")
        pattern = pattern[1:].strip() if keeps else pattern
        if not pattern:
            continue
        pattern = posixpath.normpath(pattern)
        pattern = pattern.lstrip("/") if len(pattern) > 1 else pattern
        if pattern in (".", "/", ""):
            # The builder's rule for the context itself: it matches nothing.
            continue
        patterns.append(_Pattern(re.compile(_translate(pattern) + r"(?:/.*)?\Z", re.DOTALL), keeps))
    return patterns


def _translate(pattern: str) -> str:
    """The builder's pattern as a regular expression, without an end."""
    if pattern.startswith("**") and not re.search(r"[*?\[\\]", pattern[2:]):
        # "**/x" and "**x" are compared as a suffix by the builder.
        suffix = pattern[2:]
        if suffix.startswith("/"):
            return f"(?:.*/)?{re.escape(suffix[1:])}"
        return f".*{re.escape(suffix)}"
    result = ""
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        place += 1
        if sign == "*" and pattern.startswith("*", place):
            place += 1
            if pattern.startswith("/", place):
                place += 1
            result += ".*" if place == len(pattern) else "(?:.*/)?"
        elif sign == "*":
            result += "[^/]*"
        elif sign == "?":
            result += "[^/]"
        elif sign == "[":
            end = pattern.find("]", place + 1)
            if end < 0:
                result += re.escape(sign)
                continue
            inner = pattern[place:end]
            result += "[" + ("^" + inner[1:] if inner[:1] in "^!" else inner).replace("\\", "\\\\") + "]"
            place = end + 1
        elif sign == "\\" and place < len(pattern):
            result += re.escape(pattern[place])
            place += 1
        else:
            result += re.escape(sign)
    return result
