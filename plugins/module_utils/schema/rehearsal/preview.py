# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what statements make of a database: before and after, printed by one engine, so that only real differences differ.

Where the statements were not run, they are run here, on copies of the objects without their rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..input.files import SAFE_ENGINES, reaches_out
from ..model import SchemaError
from .engine import EmbeddedEngine, EmbeddedEngineError

_Objects = Sequence[Mapping[str, str]]
# What a rollback is made of. The statements come from a record on the target, so nothing else is run on the controller.
_KINDS = frozenset({"CREATE", "ALTER", "DROP", "RENAME", "EXCHANGE"})


def foresee(engine: EmbeddedEngine, request: Mapping[str, Any], skipped: Sequence[str]) -> dict[str, Any]:
    """Run the request's C(statements) on what is loaded; returns C(diff) and C(warnings).

    The live objects are there already but for those that *skipped* tells of. Of the quarantine, what the statements name is loaded.
    """
    database, statements = request["database"], request["statements"]
    warnings = [f"not in the difference: {reason}" for reason in skipped]
    _load_named(engine, request["quarantine"], request["quarantined"], statements)
    engine.use(database)
    before = engine.script([table.ddl for table in engine.tables(database).values()])
    for statement in statements:
        reason = _run(engine, statement, database)
        if reason:
            warnings.append(f"not in the difference: {statement} ({reason})")
    after = engine.script([table.ddl for table in engine.tables(database).values()])
    return {"diff": {"before": before, "after": after}, "warnings": warnings}


def print_both(engine: EmbeddedEngine, before: _Objects, after: _Objects) -> dict[str, Any]:
    """The same for what a server has run already, from its own DDL before and after."""
    sides = {"before": before, "after": after}
    shown = {side: engine.script([item["ddl"] for item in objects]) for side, objects in sides.items()}
    return {"diff": shown, "warnings": []}


def _run(engine: EmbeddedEngine, statement: str, database: str) -> str:
    """Run one statement; why it was not run, "" if it was."""
    try:
        sql = engine.canonical(statement)
        if sql.split(" ", 1)[0] not in _KINDS:
            return f"expected a statement that changes a schema ({', '.join(sorted(_KINDS))})"
        reason = reaches_out(sql, engine.tree(sql), database)
        if not reason:
            engine.run(sql)
        return reason
    except (EmbeddedEngineError, SchemaError) as error:
        return str(error)


def _load_named(engine: EmbeddedEngine, database: str, objects: _Objects, statements: Sequence[str]) -> None:
    engine.make_database(database)
    engine.lenient(True)
    for item in objects:
        if item["engine"] in SAFE_ENGINES and any(item["name"] in statement for statement in statements):
            _run(engine, item["ddl"], database)  # if it fails, the statement that wants it is going to say so
    engine.lenient(False)
