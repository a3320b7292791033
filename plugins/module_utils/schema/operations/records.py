# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations in records: found by their kind, or by the words of version 0.1.0.

That version recorded a step with a list ``undo`` of dicts, each with an ``action``, and where one statement was not all with a dict ``do``.
What it wrote still rolls back: each action is the undo of one operation.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..model import SchemaError
from .base import Operation
from .columns import (
    AddColumn,
    AddConstraint,
    AddIndex,
    AddProjection,
    AlterTable,
    ChangeInPlace,
    DropColumn,
    RenameColumn,
)
from .tables import CreateDatabase, CreateTable, RebuildTable, RenameObject, Reopen, Unlock
from .views import CreateDictionary, CreateView, ModifyQuery, RemakeView, ReplaceObject

#: Every kind of operation. A new one is added here.
KINDS: Mapping[str, type[Operation]] = {
    one.kind: one
    for one in (
        CreateDatabase,
        CreateTable,
        CreateView,
        CreateDictionary,
        AlterTable,
        AddColumn,
        AddIndex,
        AddProjection,
        AddConstraint,
        ChangeInPlace,
        RenameObject,
        RenameColumn,
        DropColumn,
        RebuildTable,
        ReplaceObject,
        ModifyQuery,
        RemakeView,
        Unlock,
        Reopen,
    )
}
_OLD_ACTIONS = {one.old_action: one for one in KINDS.values() if one.old_action}


def operation_from_dict(data: Mapping[str, Any], statement: str = "") -> Operation:
    """Read what ``Operation.to_dict`` wrote; raises SchemaError for anything else."""
    kind = KINDS.get(str(data.get("kind")))
    if kind is None:
        raise SchemaError(
            f"steps: {dict(data)!r} is not an operation that can be rolled back: expected kind to be one of {', '.join(KINDS)}"
        )
    if kind is not AlterTable:
        return kind.from_record(data, statement)
    alter = AlterTable.from_record({**data, "parts": ()}, statement)
    parts = tuple(map(operation_from_dict, data.get("parts") or ()))
    return AlterTable(alter.table, statement, parts, str(data["follows"]))


def operation_of_old_step(step: Mapping[str, Any]) -> Operation:
    """The operation of a step as version 0.1.0 recorded it."""
    statement, do = str(step.get("statement", "")), step.get("do") or {}
    undo = step.get("undo") or []
    if not undo:
        # Nothing is left to undo, whatever it was: an unlocked column, a second ALTER, the database itself.
        return Unlock(str(step.get("object", "")).partition(".")[2], statement)
    parts = [_from_action(item, do) for item in reversed(undo)]
    if len(parts) > 1:
        return AlterTable(parts[0].table, statement, tuple(parts), "")
    return parts[0]


def _from_action(item: Any, do: Mapping[str, str]) -> Operation:
    known = isinstance(item, Mapping)
    kind = _OLD_ACTIONS.get(str(item.get("action"))) if known else None
    if kind is None:
        raise SchemaError(
            f"steps: {dict(item) if known else item!r} is not an action that can be rolled back"
        )
    extra = {"along": json.loads(do["with"])} if do.get("with") else {}
    return kind.from_record({**item, **extra}, old=True)
