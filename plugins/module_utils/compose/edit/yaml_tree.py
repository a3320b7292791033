# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A YAML document as a tree of nodes that know where they stand in the text.

Built from the parser's events and not from loaded data: only events tell an alias from its anchor, and an edit
of the text has to know where each of them stands. Positions are offsets into the text, never line numbers of the
parser, which counts line ends in its own way.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ...common.errors import PlatformError

try:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    HAS_RUAMEL = True
    RUAMEL_IMPORT_ERROR = None
except ImportError:
    HAS_RUAMEL = False
    RUAMEL_IMPORT_ERROR = traceback.format_exc()

# The header of a block scalar behind its tag and anchor; group 1 says what becomes of its last line ends.
_BLOCK_HEADER = re.compile(r"(?:[!&]\S*[ \t]+)*[|>][0-9]*([+-]?)")
# What may stand between a node and the sign behind it: blanks, comments, line ends.
_COLON = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*:")
_DASH = re.compile(r"(?:[ \t]*(?:#[^\n]*)?\r?\n)*[ \t]*-")


class YamlTextError(PlatformError):
    """The text is not YAML, or not the kind of YAML that is asked for."""


@dataclass
class Node:
    """One node: ``kind`` is scalar, sequence, mapping or alias; ``start``/``end`` are offsets of its content.

    ``end`` is where the last character that belongs to the node ends: comments and blank lines after it are
    left out, except blank lines that a block scalar with "+" keeps (``keeps_blank_lines``). With
    ``keeps_line_end`` the last line end belongs to the value, too.
    """

    kind: str
    start: int
    end: int
    tag: str | None = None
    anchor: str | None = None
    value: str = ""
    plain: bool = False
    flow: bool = False
    keeps_blank_lines: bool = False
    keeps_line_end: bool = False
    items: list[Node] = field(default_factory=list)

    def pairs(self) -> Iterator[tuple[Node, Node]]:
        """The keys and values of a mapping, in the order of the text."""
        return zip(self.items[::2], self.items[1::2])

    def get(self, name: str) -> tuple[Node, Node] | None:
        """The key and value nodes of one entry of a mapping."""
        if self.kind != "mapping":
            return None
        return next((pair for pair in self.pairs() if pair[0].names(name)), None)

    def names(self, name: str) -> bool:
        return self.kind == "scalar" and self.value == name

    @property
    def is_null(self) -> bool:
        """True for a value that is simply not there, as behind ``volumes:`` alone on its line."""
        return self.kind == "scalar" and self.plain and not (self.value or self.tag or self.anchor)

    def meaning(self) -> Any:
        """The node without places: equal for two texts that say the same, comments and layout aside."""
        if self.kind in ("scalar", "alias"):
            return (self.kind, self.tag, self.anchor, self.plain, self.value)
        return (self.kind, self.tag, self.anchor, [item.meaning() for item in self.items])


def parse_document(text: str) -> Node:
    """The root node of a text that holds one YAML document."""
    if not HAS_RUAMEL:
        raise YamlTextError("the Python library ruamel.yaml is missing")
    try:
        events = _events(text)
    except YamlTextError:
        # Compose takes a tab in front of a comment, this parser does not. A blank has the same width, and the
        # text itself stays as it is.
        if "\t" not in text:
            raise
        events = _events(text.replace("\t", " "))
    documents = sum(type(event).__name__ == "DocumentStartEvent" for event in events)
    if documents != 1:
        raise YamlTextError(f"expected one YAML document, found {documents}")
    return _Builder(text, events).node()


def _events(text: str) -> list[Any]:
    try:
        return list(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise YamlTextError(_describe(error)) from error
    except YAMLError as error:
        raise YamlTextError(f"not YAML: {str(error).splitlines()[0]}") from error


def _describe(error: MarkedYAMLError) -> str:
    problem = " ".join(part for part in (error.context, error.problem) if part) or "syntax error"
    mark = error.problem_mark or error.context_mark
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark is not None else ""
    return f"not YAML: {place}{problem}"


class _Builder:
    def __init__(self, text: str, events: list[Any]) -> None:
        self.text = text
        outer = ("StreamStartEvent", "StreamEndEvent", "DocumentStartEvent", "DocumentEndEvent")
        self.events = [event for event in events if type(event).__name__ not in outer]
        self.place = 0
        self.anchors: set[str] = set()

    def node(self) -> Node:
        event = self.events[self.place]
        self.place += 1
        kind = type(event).__name__
        start, end = event.start_mark.index, event.end_mark.index
        if kind == "AliasEvent":
            if event.anchor not in self.anchors:
                line = self.text.count("\n", 0, start) + 1
                raise YamlTextError(f"line {line}: the alias *{event.anchor} has no anchor before it")
            return Node("alias", start, end, value=event.anchor)
        if event.anchor:
            self.anchors.add(event.anchor)
        if kind == "ScalarEvent":
            return self._scalar(event, start, end)
        flow = bool(event.flow_style)
        node = Node(kind[: -len("StartEvent")].lower(), start, end, _tag(event), event.anchor, flow=flow)
        while type(self.events[self.place]).__name__ not in ("MappingEndEvent", "SequenceEndEvent"):
            item = self.node()
            if item.start == item.end and not flow:
                self._place_nothing(node, item)
            node.items.append(item)
        closing = self.events[self.place]
        self.place += 1
        if flow:
            node.end = closing.end_mark.index
        elif node.items:
            # A block collection's own end mark lies at the next token, behind comments and blank lines.
            last = node.items[-1]
            node.end = last.end
            node.keeps_blank_lines, node.keeps_line_end = last.keeps_blank_lines, last.keeps_line_end
        return node

    def _place_nothing(self, parent: Node, item: Node) -> None:
        """The parser puts a value that is not there in front of the next token; its place is behind its sign."""
        previous = parent.items[-1].end if parent.items else parent.start
        sign = (_DASH if parent.kind == "sequence" else _COLON).match(self.text, previous)
        if sign:
            item.start = item.end = sign.end()

    def _scalar(self, event: Any, start: int, end: int) -> Node:
        node = Node("scalar", start, end, _tag(event), event.anchor, str(event.value))
        node.plain = event.style is None
        if event.style not in ("|", ">"):
            return node
        header = _BLOCK_HEADER.match(self.text, start)
        chomping = header.group(1) if header else ""
        node.keeps_blank_lines = chomping == "+"
        node.keeps_line_end = chomping != "-"
        # The end mark lies in front of the next token: behind blank lines, in its indentation.
        ending = " " if node.keeps_blank_lines else None
        node.end = start + len(self.text[start:end].rstrip(ending))
        return node


def plain_data(node: Node, anchors: dict[str, Node] | None = None) -> Any:
    """The node as dicts, lists and strings, with aliases and merge keys resolved; every scalar is its text."""
    anchors = anchors_of(node) if anchors is None else anchors
    if node.kind == "alias":
        return plain_data(anchors[node.value], anchors) if node.value in anchors else ""
    if node.kind == "scalar":
        return node.value
    if node.kind == "sequence":
        return [plain_data(item, anchors) for item in node.items]
    own: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    for key, value in node.pairs():
        data = plain_data(value, anchors)
        if key.plain and key.value == "<<":
            for source in data if isinstance(data, list) else [data]:
                if isinstance(source, dict):
                    merged = {**source, **merged}
        else:
            own[key.value] = data
    return {**merged, **own}


def anchors_of(node: Node) -> dict[str, Node]:
    """The nodes that a node and those in it give a name to, by that name; of two of the same name the later one."""
    found = {node.anchor: node} if node.anchor else {}
    for item in node.items:
        found.update(anchors_of(item))
    return found


def _tag(event: Any) -> str | None:
    tag = getattr(event, "tag", None)
    return None if tag is None else str(tag)
