# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Engines that replicate: taken out of the DDL for the rehearsal, since the embedded engine has no Keeper, and put in again after it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..model import DESTRUCTIVE, Refusal, SchemaError
from .tokens import Token, depths, significant

_REPLICATED = re.compile(r"^Replicated(\w*MergeTree)$")
# What a server fills in for path and replica that a file leaves out, unless its settings say something else.
DEFAULT = "('/clickhouse/tables/{uuid}/{shard}', '{replica}')"


def without_replication(ddl: str) -> tuple[str, str]:
    """The DDL with the plain engine, and what it replicated by: "" for none, else the engine's first arguments in brackets.

    ReplicatedReplacingMergeTree('/path', '{replica}', v) is ReplacingMergeTree(v) and ('/path', '{replica}').
    """
    if "Replicated" not in ddl:
        return ddl, ""
    parts = significant(ddl)
    at = _engine(parts)
    if at is None:
        return ddl, ""
    name = parts[at]
    plain = _REPLICATED.match(name.text)
    if plain is None:
        return ddl, ""
    end = name.end
    arguments: list[str] = []
    if at + 1 < len(parts) and parts[at + 1].text == "(":
        arguments, end = _arguments(ddl, parts, at + 1)
    # Path and replica come as two texts or not at all.
    keeps = 2 if len(arguments) >= 2 and all(one.startswith("'") for one in arguments[:2]) else 0
    rest = ", ".join(arguments[keeps:])
    engine = plain.group(1) + (f"({rest})" if rest else "")
    return ddl[: name.start] + engine + ddl[end:], f"({', '.join(arguments[:keeps])})"


def with_replication(ddl: str, replication: str) -> str:
    """The other way round, for what is sent to a server and shown."""
    parts = significant(ddl)
    at = _engine(parts) if replication else None
    if at is None:
        return ddl
    end = parts[at].end
    arguments: list[str] = []
    if at + 1 < len(parts) and parts[at + 1].text == "(":
        arguments, end = _arguments(ddl, parts, at + 1)
    every = [one for one in (replication[1:-1], *arguments) if one]
    brackets = f"({', '.join(every)})" if every else ""
    return f"{ddl[: parts[at].start]}Replicated{parts[at].text}{brackets}{ddl[end:]}"


def same_replication(live: str, desired: str, default: str = DEFAULT) -> bool:
    """Whether the server has what a file says. A file without path and replica means the server's default.

    A server fills in {database} and {table} when it makes a table, and leaves them so when that is renamed: they stand for any name.
    """
    wanted = default if desired == "()" else desired
    if not live or not wanted:
        return live == wanted
    pattern = re.sub(r"\\\{(database|table)\\\}", "[^/]*", re.escape(wanted))
    return live == wanted or re.fullmatch(pattern, live) is not None


def needs_cluster(replication: str, default: str = DEFAULT) -> bool:
    """Whether a table can only be made by one statement for all its replicas: its path holds an id that the statement brings along."""
    return "{uuid}" in (default if replication == "()" else replication)


def replication_refusal(database: str, table: str, live: str, desired: str) -> Refusal:
    """What becomes of a difference in replication: no ALTER makes it, and a copy would not be the same table to Keeper."""
    return Refusal(
        f"{table}.replication",
        f"{database}.{table}",
        live or "not replicated",
        desired or "not replicated",
        DESTRUCTIVE,
        "how a table is replicated is not changed here: no ALTER does it, and other replicas are part of it. "
        "Move it by hand (a new table, ATTACH PARTITION FROM, EXCHANGE TABLES), or make the file say what is there",
    )


def _engine(parts: Sequence[Token]) -> int | None:
    """Where the name of the engine stands."""
    for index, (token, depth) in enumerate(zip(parts, depths(parts))):
        if depth == 0 and token.word() == "ENGINE" and index + 1 < len(parts):
            return index + 2 if parts[index + 1].text == "=" and index + 2 < len(parts) else index + 1
        if depth == 0 and token.word() == "AS":
            return None  # what follows is a query
    return None


def _arguments(ddl: str, parts: Sequence[Token], opening: int) -> tuple[list[str], int]:
    """The arguments in the bracket that opens at a token, and where the bracket ends in the text."""
    found: list[str] = []
    levels = depths(parts)
    start = opening + 1
    for index in range(opening + 1, len(parts)):
        closes = parts[index].text == ")" and levels[index] == levels[opening]
        if closes or (parts[index].text == "," and levels[index] == levels[opening] + 1):
            if index > start:
                found.append(ddl[parts[start].start : parts[index - 1].end])
            start = index + 1
        if closes:
            return found, parts[index].end
    raise SchemaError(f"cannot read this DDL: a bracket is not closed in {ddl[:120]!r}")


@dataclass
class Replication:
    """What the objects of one rehearsal replicate by."""

    database: str
    default: str = DEFAULT
    has: dict[str, str] = field(default_factory=dict)  # object to what the server has
    wants: dict[str, str] = field(default_factory=dict)  # object to what its file says

    def plain(self, item: Mapping[str, str]) -> Mapping[str, str]:
        """A live object without replication, which is noted here."""
        try:
            ddl, replication = without_replication(item["ddl"])
        except SchemaError:
            return item  # it cannot be read, and loading it will say so
        if not replication:
            return item
        self.has[item["name"]] = replication
        return {**item, "ddl": ddl, "engine": item["engine"].replace("Replicated", "", 1)}

    @property
    def names(self) -> list[str]:
        return sorted(self.has.keys() | self.wants.keys())

    def refusal(self, name: str, former: str) -> Refusal | None:
        """What the file of a table that exists wants else; ``former`` is its name before, "" for none."""
        has, wants = self.has.get(name) or self.has.get(former, ""), self.wants.get(name, "")
        if same_replication(has, wants, self.default):
            return None
        return replication_refusal(self.database, name, has, wants)

    def needs_cluster(self, name: str) -> bool:
        return needs_cluster(self.wants.get(name, ""), self.default)
