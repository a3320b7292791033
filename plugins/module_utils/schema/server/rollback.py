# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Roll a release's schema steps back without losing a row.

Each operation looks at the server first and does what is still missing, so a rollback that was interrupted
is continued by running it again, and one that is complete changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..model import SchemaError
from ..operations.base import Operation, Undoing
from ..operations.columns import RenameColumn
from ..steps import Step
from .quarantine import Kept
from .server import Server, explained


class Data(NamedTuple):
    """What becomes of the rows and values that the release has brought; quarantine if neither says otherwise."""

    keep: bool = False  # tables and columns stay where they are
    drop: frozenset[str] = (
        frozenset()
    )  # tables, and columns as table.column, that are dropped with their data


def roll_back(
    server: Server,
    steps: Sequence[Step],
    release: str,
    data: Data | None = None,
    kept: list[Kept] | None = None,
) -> list[Kept]:
    """Undo *steps* from the last to the first; returns what went to the quarantine, or stayed.

    That is added to *kept*, also when a later step fails.
    """
    data = data or Data()
    found = kept if kept is not None else []
    operations = [one for step in reversed(steps) for one in step.operation.undo_order()]
    added = {one.holds for one in operations} - {""}
    unknown = data.drop - added
    if unknown:
        known = ", ".join(sorted(added)) or "nothing"
        raise SchemaError(
            f"drop: {', '.join(sorted(unknown))} was not added by the release; it has added {known}"
        )
    undoing = Undoing(server, release, operations)
    for operation in _left(server, operations):
        what = operation.undo_text(server.database)
        with explained(what), server.journal.change(what, "the next deploy") as outcome:
            one: Kept | None = None
            if operation.holds and operation.holds in data.drop:
                operation.drop(server)
            elif operation.holds and data.keep:
                one = _stays(server, operation)
            else:
                one = operation.undo(undoing)
            if one:
                outcome.update(quarantine=one.quarantine, rows=str(one.rows))
                found.append(one)
    return found


def _stays(server: Server, operation: Operation) -> Kept | None:
    if not server.exists(server.database, operation.table):
        return None
    rows = server.count(server.database, operation.table)
    return Kept(f"{server.database}.{operation.holds}", "", rows, "it stays, by the policy keep")


def _left(server: Server, operations: Sequence[Operation]) -> list[Operation]:
    """What an interrupted rollback has not done. Where a column has its old name again, all before it was done."""
    done: dict[str, int] = {}
    for number, one in enumerate(operations):
        if isinstance(one, RenameColumn) and one.is_undone(server):
            done[one.table] = number
    return [one for number, one in enumerate(operations) if number > done.get(one.table, -1)]
