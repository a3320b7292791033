# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The places of a compose file's sections and entries in its text.

Which lines belong to an entry is a rule, so that an edit can be undone to the byte: an entry ends with the
last line of its content, or with the last comment behind it that is indented deeper than its own key (such a
comment is about the entry). A comment at the key's column belongs to the entry that follows.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ...common.errors import PlatformError
from .yaml_emit import Layout
from .yaml_tree import Node, YamlTextError, parse_document


class EditError(PlatformError):
    """The text cannot be edited in the way that is asked for."""


@dataclass(frozen=True)
class ServiceEntry:
    """One entry of a section. ``head`` is where its own comment begins, ``end`` is behind its last line."""

    name: str
    head: int
    start: int
    end: int
    value: Node


@dataclass(frozen=True)
class Section:
    """A mapping whose entries can be edited. ``column`` is that of its keys, ``line_end`` is behind its key."""

    name: str
    line_end: int
    column: int
    entries: tuple[ServiceEntry, ...]

    def entry(self, name: str) -> ServiceEntry | None:
        return next((one for one in self.entries if one.name == name), None)

    @property
    def names(self) -> list[str]:
        return [one.name for one in self.entries]


class ComposeText:
    """The text of a compose file with the places of its sections."""

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self.root = parse_document(text)
        except YamlTextError as error:
            raise EditError(str(error)) from error
        if self.root.kind != "mapping" or not self.root.items:
            found = "nothing" if not self.root.items and not self.root.value else f"a {self.root.kind}"
            raise EditError(f"expected a mapping with the section services, found {found}")
        if self.root.flow:
            raise EditError("the file is in flow style ({...}); only block style can be edited as text")

    def sections(self) -> Section:
        """The file's top level, seen as a section of its own: its entries are the sections."""
        return self._section("the file", 0, self.root)

    def section(self, name: str) -> Section | None:
        """A top-level section; None when the file has none of that name."""
        found = self.root.get(name)
        if found is None:
            return None
        key, value = found
        if value.is_null:
            return Section(name, self._line_end(key.end), self._column(key.start) + self.layout().step, ())
        if value.kind != "mapping" or value.flow:
            style = "in flow style ({...})" if value.flow else f"as {value.kind}"
            raise EditError(
                f"line {self.line_of(key.start)}: {name} is written {style}; "
                "only a block mapping can be edited as text"
            )
        return self._section(name, self._line_end(key.end), value)

    def line_of(self, offset: int) -> int:
        return self.text.count("\n", 0, offset) + 1

    def layout(self) -> Layout:
        """Spaces per level and place of the list dashes, as the services section has them most often."""
        found = self.root.get("services")
        if found is None or found[1].kind != "mapping" or found[1].flow:
            return Layout()
        key, services = found
        steps: Counter[int] = Counter()
        dashes: Counter[int] = Counter()
        for name, service in services.pairs():
            if service.kind != "mapping" or service.flow:
                continue
            steps[self._column(service.items[0].start) - self._column(name.start)] += 1
            for inner, value in service.pairs():
                if value.kind == "sequence" and not value.flow:
                    dashes[self._column(value.start) - self._column(inner.start)] += 1
        if not steps:
            steps[self._column(services.items[0].start) - self._column(key.start)] += 1
        step = steps.most_common(1)[0][0]
        return Layout(step, dashes.most_common(1)[0][0] if dashes else step)

    def _section(self, name: str, line_end: int, mapping: Node) -> Section:
        column = self._column(mapping.items[0].start)
        entries = tuple(self._entries(mapping, column))
        counts = Counter(entry.name for entry in entries)
        twice = [one for one in counts if counts[one] > 1]
        if twice:
            raise EditError(f"{name} has more than one entry {twice[0]}")
        return Section(name, line_end, column, entries)

    def _entries(self, mapping: Node, column: int) -> list[ServiceEntry]:
        entries: list[ServiceEntry] = []
        for key, value in mapping.pairs():
            start = self._line_start(key.start)
            if self.text[start : key.start].strip():
                line = self.line_of(start)
                raise EditError(f"line {line}: expected the key {key.value} to be the first word of its line")
            end = self._behind_deeper_comments(self._line_end(max(value.end, key.end)), column)
            head = self._head(start, column, entries[-1].end if entries else 0)
            entries.append(ServiceEntry(key.value if key.kind == "scalar" else "", head, start, end, value))
        return entries

    def _behind_deeper_comments(self, end: int, column: int) -> int:
        place = end
        while place < len(self.text):
            following = self._line_end(place + 1)
            line = self.text[place:following]
            if line.strip():
                if not line.lstrip().startswith("#") or _indentation(line) <= column:
                    break
                end = following
            place = following
        return end

    def _head(self, start: int, column: int, floor: int) -> int:
        """The start of the comment lines that stand directly above an entry, at its key's column."""
        while start > floor:
            above = self._line_start(start - 1)
            line = self.text[above:start]
            if above < floor or not line.lstrip().startswith("#") or _indentation(line) != column:
                break
            start = above
        return start

    def _line_start(self, offset: int) -> int:
        return self.text.rfind("\n", 0, offset) + 1

    def _line_end(self, offset: int) -> int:
        """Behind the line end of the line that holds the character before the offset."""
        found = self.text.find("\n", max(offset - 1, 0))
        return len(self.text) if found < 0 else found + 1

    def _column(self, offset: int) -> int:
        return offset - self._line_start(offset)


def _indentation(line: str) -> int:
    expanded = line.expandtabs(8)
    return len(expanded) - len(expanded.lstrip(" "))
