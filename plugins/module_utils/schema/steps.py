# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps of a plan, and the plan as a value: made once, shown, approved by its hash, stored, and applied as it was stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .model import Refusal, SchemaError
from .operations.base import Names, Operation
from .operations.records import operation_from_dict, operation_of_old_step


@dataclass(frozen=True)
class Settled:
    """One difference that a step settles: what can be allowed, and refused, by its name."""

    name: str
    risk: str
    reason: str
    checks: list[dict[str, Any]] = field(default_factory=list)  # questions to the live data; see assess

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "class": self.risk, "reason": self.reason, "checks": self.checks}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Settled:
        return cls(data["name"], data["class"], data["reason"], list(data.get("checks") or ()))


@dataclass
class Step:
    """One operation of a plan, with what people read of it and the differences that it settles."""

    name: str
    object: str  # database.table, or the database
    risk: str
    operation: Operation
    reason: str
    changes: list[Settled] = field(default_factory=list)
    rollback_sql: str = ""  # the rollback as SQL text for people

    @property
    def statement(self) -> str:
        return self.operation.statement

    def to_dict(self) -> dict[str, Any]:
        """The step as records, reports and the module's result hold it."""
        return {
            "name": self.name,
            "object": self.object,
            "class": self.risk,
            "statement": self.statement,
            "rollback_sql": self.rollback_sql
            or self.operation.rollback_sql(Names(self.object.partition(".")[0])),
            "operation": self.operation.to_dict(),
            "reason": self.reason,
            "effect": self.operation.effect(self.risk),
            "changes": [item.to_dict() for item in self.changes],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """Read what to_dict, or version 0.1.0, wrote. Raises SchemaError for what is no step."""
        if not isinstance(data, Mapping):
            raise SchemaError(f"steps: expected a step as a dict, found {data!r}")
        if isinstance(data.get("operation"), Mapping):
            operation = operation_from_dict(data["operation"], str(data.get("statement", "")))
        else:
            operation = operation_of_old_step(data)
        return cls(
            name=str(data.get("name", "")),
            object=str(data.get("object", "")),
            risk=str(data.get("class", "")),
            operation=operation,
            reason=str(data.get("reason", "")),
            changes=[Settled.from_dict(item) for item in data.get("changes") or ()],
            rollback_sql=str(data.get("rollback_sql", data.get("reverse", ""))),
        )


@dataclass
class Plan:
    """What the comparison has found, before it is rehearsed."""

    steps: list[Step] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Restorable:
    """A quarantine table whose rows, or the values of one column, a plan brings back."""

    name: str  # in the quarantine database
    table: str
    column: str  # "" for whole rows
    object: str = ""  # what they come back into: database.table, or database.table.column
    quarantine: str = ""  # database.name
    rows: int | None = None  # None if the server does not say

    def to_dict(self) -> dict[str, Any]:
        return dict(vars(self))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Restorable:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**known)


@dataclass
class SchemaPlan:
    """All that is going to be done to one database, as a value.

    ``fingerprint`` stands for the live schema and its quarantine as they were when it was planned: applying the plan needs the same one.
    """

    database: str
    steps: list[Step] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    restored: list[Restorable] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)  # what the live data says; see assess
    fingerprint: str = ""
    columns: dict[str, list[str]] = field(default_factory=dict)  # of each managed table, after the plan
    for_cluster: list[str] = field(
        default_factory=list
    )  # steps that no single host of a cluster can do by itself
    rehearsal: dict[str, Any] = field(default_factory=dict)  # engine_version, warnings, not_covered, ...
    diff: dict[str, str] = field(default_factory=dict)  # DDL of the managed objects: before, after

    @property
    def changes(self) -> bool:
        """True if applying it does something."""
        return bool(self.steps or self.restored)

    @property
    def hash(self) -> str:
        """SHA-256 over what it does and to what; equal plans have equal hashes, wherever and whenever they were made."""
        acts = {
            "database": self.database,
            "steps": [[step.name, step.statement, step.operation.to_dict()] for step in self.steps],
            "refused": [item.name for item in self.refused],
            "restored": [item.name for item in self.restored],
        }
        return hashlib.sha256(json.dumps(acts, sort_keys=True).encode()).hexdigest()

    def questions(self) -> list[dict[str, Any]]:
        """What has to be asked of the live data: name and checks of each change that has some."""
        return [
            {"name": change.name, "checks": change.checks}
            for step in self.steps
            for change in step.changes
            if change.checks
        ]

    def left(self, known: Sequence[Refusal] = ()) -> list[str]:
        """Names of the differences that are there, but for those that were refused before."""
        names = {item.name for item in known}
        return [step.name for step in self.steps] + [
            item.name for item in self.refused if item.name not in names
        ]

    def to_dict(self) -> dict[str, Any]:
        return {
            "database": self.database,
            "hash": self.hash,
            "fingerprint": self.fingerprint,
            "steps": [step.to_dict() for step in self.steps],
            "refused": [item.to_dict() for item in self.refused],
            "restored": [item.to_dict() for item in self.restored],
            "findings": self.findings,
            "columns": self.columns,
            "for_cluster": self.for_cluster,
            "rehearsal": self.rehearsal,
            "diff": self.diff,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SchemaPlan:
        """Read what to_dict wrote, or what the planner answered. Raises SchemaError if it is no plan, or if its hash belongs to another one."""
        try:
            plan = cls(
                database=data["database"],
                steps=[Step.from_dict(item) for item in data["steps"]],
                refused=[Refusal.from_dict(item) for item in data["refused"]],
                restored=[Restorable.from_dict(item) for item in data.get("restored") or ()],
                findings=list(data.get("findings") or ()),
                fingerprint=str(data.get("fingerprint", "")),
                columns=dict(data["columns"]),
                for_cluster=list(data["for_cluster"]),
                rehearsal=dict(data["rehearsal"]),
                diff=dict(data["diff"]),
            )
        except (KeyError, TypeError) as error:
            raise SchemaError(
                f"plan: expected what a task in check mode has returned as plan, found none of that kind ({error!r}). Nothing was changed"
            ) from None
        found = data.get("hash", plan.hash)
        if found != plan.hash:
            raise SchemaError(
                f"plan: its hash is {found}, but that of what it holds is {plan.hash}: it is not what was shown and approved. "
                "Nothing was changed; make a new plan"
            )
        return plan
