# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statements for a whole cluster, and what its hosts answer.

The embedded engine does not know ON CLUSTER, since that needs Keeper. So statements get it after the rehearsal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ...clickhouse.client import Answer
from ...clickhouse.names import literal
from ..model import SchemaError
from ..sql.tokens import QUOTED, WORD, Token, significant

_OBJECTS = ("TABLE", "VIEW", "DICTIONARY", "DATABASE")


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
    if index + 2 < len(parts) and words[index + 1] == "UUID":
        index += 2  # the object's own, and its text
    return parts[index].end


# The time is over, or a replica has not finished yet: whether and where it was done is not known.
UNANSWERED = frozenset({159, 341})


def cluster_settings(seconds: float) -> dict[str, Any]:
    """Settings under which a statement for a cluster answers with a row for each host, and not with an error."""
    return {
        "distributed_ddl_task_timeout": int(seconds),
        "distributed_ddl_output_mode": "null_status_on_timeout",
    }


class HostStatus(NamedTuple):
    """What one host said of a statement; ``status`` is None if it has not answered yet, or not for all its replicas."""

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
                None if status is None or int(status) in UNANSWERED else int(status),
                str(row.get("error") or ""),
            )
        )
    return found
