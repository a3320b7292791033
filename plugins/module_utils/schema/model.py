# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a schema is made of, and what a plan refuses. What it does is in steps and operations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.errors import PlatformError

ADDITIVE, REWRITE, DESTRUCTIVE = "additive", "rewrite", "destructive"
CLASSES = (ADDITIVE, REWRITE, DESTRUCTIVE)  # from harmless to dangerous


class SchemaError(PlatformError):
    """The schema cannot be planned, rehearsed or applied; the message says what to do about it."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details = details


@dataclass(frozen=True)
class Column:
    name: str
    declaration: str  # everything after the name, as the engine prints it
    parts: dict[str, str]  # type, default, codec, ttl, comment, ... each as printed


@dataclass(frozen=True)
class Index:
    name: str
    declaration: str
    parts: dict[str, str]  # expression, type, granularity


@dataclass(frozen=True)
class Table:
    """One object of the database, taken apart from the DDL that the engine prints for it."""

    name: str
    kind: str  # TABLE, VIEW, MATERIALIZED VIEW, DICTIONARY
    ddl: str = field(
        compare=False
    )  # the order of indexes and settings in it means nothing; the parts are compared
    columns: dict[str, Column] = field(default_factory=dict)
    indexes: dict[str, Index] = field(default_factory=dict)
    projections: dict[str, str] = field(default_factory=dict)
    constraints: dict[str, str] = field(default_factory=dict)
    clauses: dict[str, str] = field(default_factory=dict)  # engine, partition_by, order_by, ttl, comment, ...
    settings: dict[str, str] = field(default_factory=dict)
    definition: str = ""  # of a view or a dictionary: all after its name
    column_order: tuple[str, ...] = ()


@dataclass
class Refusal:
    """A difference that is not going to be changed by this run."""

    name: str
    object: str
    found: str
    expected: str
    risk: str
    reason: str

    def to_dict(self) -> dict[str, Any]:
        data = asdict(self)
        data["class"] = data.pop("risk")
        return data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Refusal:
        names = ("name", "object", "found", "expected", "class", "reason")
        return cls(*(str(data[name]) for name in names))

    def __str__(self) -> str:
        return f"{self.name}: found {self.found or 'nothing'}, expected {self.expected or 'nothing'} ({self.reason})"


@dataclass(frozen=True)
class Policy:
    """What may be done: names and classes that are allowed, and names that turned out to be impossible."""

    allow: frozenset[str] = frozenset()
    deny: Mapping[str, str] = field(default_factory=dict)  # name to reason
    # What the engine assumes where the DDL sets nothing.
    setting_defaults: Mapping[str, str] = field(default_factory=dict)

    def allows(self, name: str, risk: str) -> bool:
        return risk == ADDITIVE or name in self.allow or risk in self.allow


# Name prefix of a constraint that keeps new values out of a column while a rollback copies it.
GUARD = "__quarantine__"
