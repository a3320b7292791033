# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements for a whole cluster, and engines that replicate.

The embedded engine knows neither ON CLUSTER nor replication, since both need Keeper. So statements get ON CLUSTER after the
rehearsal, and a replicated engine is the plain one in the rehearsal, with what it replicates by kept beside it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from .clickhouse_client import Answer
from .clickhouse_names import literal
from .schema_model import DESTRUCTIVE, Refusal, SchemaError
from .schema_tokens import QUOTED, WORD, Token, depths, significant

_OBJECTS = ("TABLE", "VIEW", "DICTIONARY", "DATABASE")
_REPLICATED = re.compile(r"^Replicated(\w*MergeTree)$")


# Statements ------------------------------------------------------------------------------------------------


def on_cluster(statement: str, cluster: str) -> str:
    """The statement for every host of a cluster. Raises SchemaError for one that cannot be sent in this way."""
    parts = significant(statement)
    words = [token.word() for token in parts]
    place = _place(parts, words)
    if place is None:
        raise SchemaError(f"this statement cannot be sent to a whole cluster: {statement[:120]!r}")
    return f"{statement[:place]} ON CLUSTER {literal(cluster)}{statement[place:]}"


def _place(parts: Sequence[Token], words: Sequence[str]) -> int | None:
    """Where ON CLUSTER belongs: behind the object's name, or at the end where there are two names."""
    if words[:1] in (["RENAME"], ["EXCHANGE"]):
        return parts[-1].end
    index = next((number for number, word in enumerate(words[:4]) if word in _OBJECTS), None)
    if index is None or words[0] not in ("CREATE", "ALTER", "DROP"):
        return None
    index += 1
    while index < len(words) and words[index] in ("IF", "NOT", "EXISTS"):
        index += 1
    if index >= len(parts) or parts[index].kind not in (WORD, QUOTED):
        return None
    if index + 2 < len(parts) and parts[index + 1].text == ".":
        index += 2
    return parts[index].end


def cluster_settings(seconds: float) -> dict[str, Any]:
    """Settings under which a statement for a cluster answers with a row for each host, and not with an error."""
    return {
        "distributed_ddl_task_timeout": int(seconds),
        "distributed_ddl_output_mode": "null_status_on_timeout",
    }


class HostStatus(NamedTuple):
    """What one host said of a statement; ``status`` is None if it has not answered yet."""

    host: str
    port: int
    status: int | None
    error: str

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


def host_statuses(answer: Answer) -> list[HostStatus]:
    """Read the rows that a server answers a statement for a cluster with."""
    found = []
    for row in answer.dicts():
        status = row.get("status")
        found.append(
            HostStatus(
                str(row.get("host", "")),
                int(row.get("port") or 0),
                None if status is None else int(status),
                str(row.get("error") or ""),
            )
        )
    return found


# Replication -----------------------------------------------------------------------------------------------


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


def same_replication(live: str, desired: str) -> bool:
    """Equal, or the file leaves path and replica to the server."""
    return live == desired or (bool(live) and desired == "()")


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
