# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every schema operation is able to do.

An operation is one change of one object, and everything that is to be known about it: the statement, the rollback as SQL text
for people, how the rehearsal does and undoes it without data, how a server does and undoes it with data, what is
expected after its rollback, and how a record holds it. Each kind is one class; ``records`` finds it by its kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, NamedTuple

from ...clickhouse.names import check_name, quote
from ..model import SchemaError
from ..server.quarantine import Kept
from ..server.server import Server


class Names(NamedTuple):
    """The databases that statements name: the managed one, and its quarantine."""

    database: str
    quarantine: str = "<quarantine>"

    def live(self, name: str) -> str:
        return f"{quote(self.database)}.{quote(name)}"

    def put_away(self, name: str) -> str:
        # For people the quarantine is a placeholder, which needs no quotes.
        database = self.quarantine if self.quarantine.startswith("<") else quote(self.quarantine)
        return f"{database}.{quote(name)}"


class Undoing(NamedTuple):
    """A rollback in work: on which server, of which release, and all that it undoes, the last operation first."""

    server: Server
    release: str
    operations: Sequence[Operation]

    @property
    def names(self) -> Names:
        return Names(self.server.database, self.server.quarantine)

    def columns_of(self, table: str) -> set[str]:
        """Columns of a table that this rollback takes away or renames: they cannot help to find a row again."""
        return {one.touched_column for one in self.operations if one.table == table} - {""}


@dataclass(frozen=True)
class Operation:
    """One change of one object. Subclasses say what is different from a plain statement that nothing undoes.

    ``table`` is the object's name without its database ("" for the database itself), ``statement`` what the server runs ("" for a part of an ALTER).
    """

    table: str
    statement: str

    #: The operation's name in records.
    kind: ClassVar[str] = ""
    #: The word ``action`` with which version 0.1.0 recorded how to undo it, and its names for fields that have other ones now.
    old_action: ClassVar[str] = ""
    old_fields: ClassVar[Mapping[str, str]] = {}
    #: Fields that are names of objects or columns; a record is only believed if they can be names.
    name_fields: ClassVar[tuple[str, ...]] = ("table",)
    #: True if rows are copied or moved, so that one statement is not all of it.
    moves_rows: ClassVar[bool] = False

    # For people --------------------------------------------------------------------------------------

    def effect(self, _risk: str) -> str:
        """What it does to data."""
        return "changes metadata only"

    def rollback_sql(self, _names: Names) -> str:
        """What rolls it back, for people to read."""
        return "-- nothing"

    def undo_text(self, database: str) -> str:
        """What its rollback is called in messages and in the journal."""
        return f"rollback of {self.kind} on {database}.{self.table}"

    # Rehearsal: statements without the data -----------------------------------------------------------

    def rehearse(self, _names: Names) -> list[str]:
        return [self.statement]

    def rehearse_undo(self, _names: Names) -> list[str]:
        return []

    # On a server --------------------------------------------------------------------------------------

    def run(self, server: Server, _release: str) -> Kept | None:
        """Do it; returns what went to the quarantine."""
        server.run(self.statement)
        return None

    def undo_order(self) -> list[Operation]:
        """What a rollback undoes, one after the other; nothing if the operation leaves nothing that has to go."""
        return []

    def undo(self, _undoing: Undoing) -> Kept | None:
        """Undo it as far as it is still to be undone; returns what went to the quarantine."""
        return None

    @property
    def touched_column(self) -> str:
        """The column that its rollback takes away, brings back or renames; "" for none."""
        return ""

    # Data that it has brought -------------------------------------------------------------------------

    @property
    def holds(self) -> str:
        """The table, or the column as table.column, whose data its rollback takes out of the database; "" for none."""
        return ""

    def drop(self, server: Server) -> None:
        """Roll it back by deleting that data."""
        raise SchemaError(f"{self.kind} on {server.database}.{self.table} holds no data that can be dropped")

    def expected_after_rollback(self, _database: str, _keep: bool) -> list[dict[str, Any]]:
        """Entries of clickhouse_assert's option ``assertions``: what is true after a rollback; ``keep``: its data stays by policy."""
        return []

    # Records ------------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, Any]:
        """The operation as a record holds it. Its statement stands in the step, once."""
        data: dict[str, Any] = {"kind": self.kind}
        for item in fields(self):
            if item.name != "statement":
                value = getattr(self, item.name)
                data[item.name] = list(value) if isinstance(value, tuple) else value
        return data

    @classmethod
    def from_record(cls, data: Mapping[str, Any], statement: str = "", old: bool = False) -> Operation:
        """Read it back; with ``old`` from what version 0.1.0 wrote. Raises SchemaError for what no record can hold."""
        values: dict[str, Any] = {"statement": statement}
        for item in fields(cls):
            if item.name == "statement":
                continue
            value = data.get(cls.old_fields.get(item.name, item.name) if old else item.name)
            if str(item.type).startswith("tuple["):
                value = tuple(value or ())
            elif not isinstance(value, str):
                raise _not_a_record(data, f"{item.name} as a text")
            values[item.name] = value
        try:
            for name in cls.name_fields:
                check_name(values[name], name)
        except ValueError as error:
            raise _not_a_record(data, str(error)) from None
        return cls(**values)


@dataclass(frozen=True)
class UndoneBySql(Operation):
    """An operation that its own rollback SQL undoes, as long as the object that it changed is there."""

    def rehearse_undo(self, names: Names) -> list[str]:
        return [self.rollback_sql(names)]

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if server.exists(server.database, self.table) and self.is_there(server):
            server.run(self.rollback_sql(undoing.names))
        return None

    def is_there(self, _server: Server) -> bool:
        """Whether what the operation brought is still in its object."""
        return True


def _not_a_record(data: Mapping[str, Any], expected: str) -> SchemaError:
    return SchemaError(
        f"steps: {dict(data)!r} is not an operation that can be rolled back: expected {expected}"
    )
