# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of a service: its environment, and the YAML and JSON files that are mounted into it.

A mounted file may win over the environment, and nobody sees that from the compose file. So both are read, and
where they say different things of the same matter, both places are named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..compose.edit.yaml_tree import Node, YamlTextError, parse_document
from .addresses import words

_SUFFIXES = (".yaml", ".yml", ".json")
# Larger files, or more of them, are data and no configuration (bytes; files per mount).
_LARGEST = 256 * 1024
_MOST_FILES = 500
_SAME_WORD = {
    "username": "user",
    "login": "user",
    "passwd": "password",
    "pass": "password",
    "pwd": "password",
    "db": "database",
    "dbname": "database",
    "hostname": "host",
    "uri": "url",
    "urls": "url",
    "hosts": "host",
    "servers": "server",
    "brokers": "broker",
    "postgres": "postgresql",
    "pg": "postgresql",
    "timescale": "timescaledb",
}
_TRUE, _FALSE = frozenset({"true", "yes", "on", "1"}), frozenset({"false", "no", "off", "0"})


@dataclass(frozen=True)
class Setting:
    """One value with its name and the place where it stands; ``from_file`` tells a file from the environment."""

    name: str
    value: str
    place: str
    from_file: bool = False

    @property
    def meaning(self) -> tuple[str, ...]:
        """The words of the name, spelled in one way: equal for settings of the same matter."""
        found = [_SAME_WORD.get(word, word) for word in words(self.name)]
        return tuple(found)


@dataclass(frozen=True)
class Contradiction:
    """A file that says something else than the environment."""

    environment: Setting
    file: Setting


class ConfigFiles:
    """Reads mounted files, each once, however many services have it."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[list[Setting], str]] = {}
        self.unreadable: dict[str, str] = {}

    def settings(self, service: Mapping[str, Any]) -> list[Setting]:
        """Every scalar of every YAML and JSON file in the service's bind mounts, configs left out."""
        found: list[Setting] = []
        for mount in service.get("volumes") or ():
            if isinstance(mount, Mapping) and mount.get("type") == "bind" and mount.get("source"):
                for path in _files(str(mount["source"])):
                    found += self._read(path)
        return found

    def _read(self, path: str) -> list[Setting]:
        if path not in self._known:
            self._known[path] = _read_file(path)
        found, problem = self._known[path]
        if problem:
            self.unreadable[path] = problem
        return found


def environment_settings(service_name: str, service: Mapping[str, Any]) -> list[Setting]:
    """The environment that compose gives to the service, env files included."""
    place = f"environment of {service_name}"
    return [
        Setting(str(name), str(value), place)
        for name, value in (service.get("environment") or {}).items()
        if value is not None
    ]


def contradictions(environment: Sequence[Setting], files: Sequence[Setting]) -> list[Contradiction]:
    """Every setting of a file that has another value than the environment's setting of the same matter."""
    return [
        Contradiction(inside, other)
        for inside in environment
        for other in files
        if same_matter(inside, other) and not same_value(inside.value, other.value)
    ]


def same_matter(inside: Setting, other: Setting) -> bool:
    """True if the path of a file's setting ends with the words of the variable's name.

    ``CLICKHOUSE_HOST`` is what ``clickhouse.host`` and ``storage.clickhouse.host`` are about. A name of one word is the
    same only as the whole path: ``DEBUG`` is not ``logging.debug``.
    """
    wanted, path = inside.meaning, other.meaning
    if len(wanted) < 2:
        return wanted == path
    return path[-len(wanted) :] == wanted


def same_value(one: str, other: str) -> bool:
    """Equal as text, as numbers or as truth values; a value with a placeholder is equal to anything."""
    left, right = one.strip(), other.strip()
    if left == right or "${" in right or "{{" in right:
        return True
    for known in (_TRUE, _FALSE):
        if left.lower() in known and right.lower() in known:
            return True
    try:
        return float(left) == float(right)
    except ValueError:
        return False


def effective(environment: Sequence[Setting], files: Sequence[Setting]) -> list[Setting]:
    """What the service goes by if its files win over its environment: each matter once, under the variable's name."""
    won: list[Setting] = []
    used: set[int] = set()
    for inside in environment:
        winner = inside
        for number, other in enumerate(files):
            if same_matter(inside, other):
                used.add(number)
                if not same_value(inside.value, other.value):
                    winner = replace(other, name=inside.name)
        won.append(winner)
    return won + [other for number, other in enumerate(files) if number not in used]


def _files(source: str) -> Iterator[str]:
    if os.path.isfile(source):
        if _is_config(source):
            yield source
        return
    count = 0
    for folder, folders, names in os.walk(source):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        for name in sorted(names):
            path = os.path.join(folder, name)
            if _is_config(path) and count < _MOST_FILES:
                count += 1
                yield path


def _is_config(path: str) -> bool:
    try:
        return path.lower().endswith(_SUFFIXES) and 0 < os.stat(path).st_size <= _LARGEST
    except OSError:
        return False  # a link that leads nowhere


def _read_file(path: str) -> tuple[list[Setting], str]:
    try:
        with open(path, encoding="utf-8") as handle:
            text = handle.read()
        if not any(line.strip() and not line.lstrip().startswith("#") for line in text.splitlines()):
            return [], ""  # comments alone say nothing
        root = parse_document(text)
    except (OSError, UnicodeDecodeError, YamlTextError) as error:
        return [], str(error) or type(error).__name__
    anchors: dict[str, Node] = {}
    return list(_flatten(root, "", text, path, anchors)), ""


def _flatten(node: Node, name: str, text: str, path: str, anchors: dict[str, Node]) -> Iterator[Setting]:
    if node.anchor:
        anchors[node.anchor] = node
    if node.kind == "alias":
        # A merge key or an alias of a scalar: the value stands elsewhere, the setting stands here.
        target = anchors.get(node.value)
        if target is not None and target.kind == "scalar":
            yield from _flatten(replace(target, start=node.start, anchor=None), name, text, path, anchors)
        return
    if node.kind == "scalar":
        if not node.is_null and name:
            yield _setting(name, node.value, node, text, path)
        return
    if node.kind == "sequence":
        if node.items and all(item.kind == "scalar" for item in node.items):
            yield _setting(name, ",".join(item.value for item in node.items), node, text, path)
            return
        for number, item in enumerate(node.items):
            yield from _flatten(item, f"{name}.{number}", text, path, anchors)
        return
    for key, value in node.pairs():
        inner = f"{name}.{key.value}" if name else key.value
        yield from _flatten(value, inner, text, path, anchors)


def _setting(name: str, value: str, node: Node, text: str, path: str) -> Setting:
    line = text.count("\n", 0, node.start) + 1
    return Setting(name, value, f"{path}:{line}", from_file=True)
