# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of a compose file's sections, inserted, replaced and removed as text.

The parser says where things stand; the edit is on the text, so that every byte outside the block stays. A new
block goes directly behind the end of the block before it, led by as many blank lines as the file has between its
entries; removing a block takes these blank lines and the comment directly above its key with it. So "insert, then
remove" leaves the same bytes. A file without a line end at its end keeps having none.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .document import ComposeText, EditError, Section, ServiceEntry
from .yaml_emit import EmitError, entry_lines


@dataclass(frozen=True)
class Edit:
    """The text after an edit; ``line`` is the (1-based) line of the block's key, ``block`` the block's text."""

    text: str
    line: int
    block: str


def insert_entry(
    text: str,
    section_name: str,
    name: str,
    value: Any,
    after: str | None = None,
    comment: Sequence[str] = (),
) -> Edit:
    """Add ``name: value`` to a section, behind the entry ``after`` or at the section's end.

    A section that is missing is added at the end of the file, except services: a file without it is no compose
    file that anything could be added to.
    """
    document = ComposeText(text)
    section = document.section(section_name)
    if section is None:
        top = document.sections()
        if section_name == "services":
            raise EditError(f"expected a section services, found: {', '.join(top.names)}")
        lines = _lines(section_name, {name: value}, top.column, document)
        return _insert(document, top, top.entries[-1], lines, 1)
    if section.entry(name) is not None:
        raise EditError(f"{section_name} already has an entry {name}")
    previous = section.entries[-1] if section.entries else None
    if after is not None:
        previous = section.entry(after)
        if previous is None:
            known = ", ".join(section.names) or "nothing"
            raise EditError(f"{section_name} has no entry {after} to insert {name} after; it has: {known}")
    lines = [" " * section.column + _comment(line) for line in comment]
    lines += _lines(name, value, section.column, document)
    return _insert(document, section, previous, lines, len(comment))


def replace_entry(text: str, section_name: str, name: str, value: Any) -> Edit:
    """Write an entry anew at its place; the comment above it stays."""
    document, section, entry = _existing(text, section_name, name)
    eol = _eol(text, entry.end)
    block = eol.join(_lines(name, value, section.column, document))
    if text[: entry.end].endswith("\n"):
        block += eol
    return Edit(text[: entry.start] + block + text[entry.end :], document.line_of(entry.start), block)


def remove_entry(text: str, section_name: str, name: str) -> Edit:
    """Take an entry out, with the comment above it and the blank lines that set it off.

    A section other than services that has nothing left goes, too.
    """
    document, section, entry = _existing(text, section_name, name)
    line, block = document.line_of(entry.start), text[entry.head : entry.end]
    if len(section.entries) == 1 and section_name != "services":
        section = document.sections()
        entry = next(one for one in section.entries if one.name == section_name)
    place = section.entries.index(entry)
    begin, end = entry.head, entry.end
    if place > 0:
        begin = _before_blank_lines(text, begin, section.entries[place - 1].end)
    elif len(section.entries) > 1:
        end = _behind_blank_lines(text, end)
    if end == len(text) and not text.endswith("\n") and text[:begin].endswith("\n"):
        begin -= len(_eol(text, begin))
    return Edit(text[:begin] + text[end:], line, block)


def entry_text(text: str, section_name: str, name: str) -> str:
    """The lines of an entry, without the comment above it."""
    _document, _section, entry = _existing(text, section_name, name)
    return text[entry.start : entry.end]


def block_sha256(block: str) -> str:
    """SHA-256 of an entry's text; line ends and blank lines behind it do not count."""
    return hashlib.sha256("\n".join(block.rstrip().splitlines()).encode()).hexdigest()


def _existing(text: str, section_name: str, name: str) -> tuple[ComposeText, Section, ServiceEntry]:
    document = ComposeText(text)
    section = document.section(section_name)
    entry = section.entry(name) if section is not None else None
    if section is None or entry is None:
        raise EditError(f"{section_name} has no entry {name}")
    return document, section, entry


def _insert(
    document: ComposeText, section: Section, previous: ServiceEntry | None, lines: list[str], comments: int
) -> Edit:
    text = document.text
    place = section.line_end if previous is None else previous.end
    # Blank lines behind a block scalar that keeps them would become part of its value.
    blank = 0 if previous is None or previous.value.keeps_blank_lines else _blank_lines(document, section)
    eol = _eol(text, place)
    block = eol.join(lines)
    added = eol * blank + block
    line = document.line_of(place) + blank + comments
    if text[:place].endswith("\n"):
        block += eol
        added += eol
    elif previous is not None and previous.value.keeps_line_end:
        raise EditError(
            f"{section.name} entry {previous.name} ends in a block of text (|) without a line end at the end of the "
            "file: a line behind it would change its value; end the file with a line end first"
        )
    else:
        added = eol + added
        line += 1
    return Edit(text[:place] + added + text[place:], line, block)


def _lines(name: str, value: Any, column: int, document: ComposeText) -> list[str]:
    try:
        return entry_lines(name, value, column, document.layout())
    except EmitError as error:
        raise EditError(str(error)) from error


def _comment(line: str) -> str:
    if "\n" in line or "\r" in line:
        raise EditError(f"header comment {line!r}: expected one line per item")
    stripped = line.strip()
    return stripped if stripped.startswith("#") else f"# {stripped}".rstrip()


def _blank_lines(document: ComposeText, section: Section) -> int:
    """How many blank lines the file has between the entries of a section, most often."""
    seen = _gaps(document.text, section)
    if seen:
        return max(seen.items(), key=lambda pair: (pair[1], pair[0]))[0]
    if section.name in ("volumes", "networks"):
        return 0
    above = _gaps(document.text, document.sections())
    return 0 if above and not any(above) else 1


def _gaps(text: str, section: Section) -> Counter[int]:
    """Blank lines directly behind an entry → how often that many."""
    counts: Counter[int] = Counter()
    for entry, following in zip(section.entries, section.entries[1:]):
        if not entry.value.keeps_blank_lines:
            end = min(_behind_blank_lines(text, entry.end), following.start)
            counts[text.count("\n", entry.end, end)] += 1
    return counts


def _behind_blank_lines(text: str, place: int) -> int:
    while place < len(text):
        following = text.find("\n", place) + 1
        if not following or text[place:following].strip():
            break
        place = following
    return place


def _before_blank_lines(text: str, place: int, floor: int) -> int:
    while place > floor:
        above = text.rfind("\n", 0, place - 1) + 1
        if above < floor or text[above:place].strip():
            break
        place = above
    return place


def _eol(text: str, place: int) -> str:
    """The line end in use at a place: that of the line before it, or of the file's first line."""
    found = text.rfind("\n", 0, place)
    if found < 0:
        found = text.find("\n")
    return "\r\n" if found > 0 and text[found - 1] == "\r" else "\n"
