# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on the parts of a table: one ALTER with what it adds and changes, and columns that are renamed or dropped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ...clickhouse.names import quote
from ..model import ADDITIVE, REWRITE
from ..server.put_away import ColumnKeeper
from ..server.quarantine import Kept
from ..server.restore import restore_column_of
from ..server.server import Server
from ..sql.ddl import parse_create
from .base import Names, Operation, Undoing, UndoneBySql

_EFFECTS = {
    ADDITIVE: "changes metadata only; rows that exist read the default, a new index covers new parts",
    REWRITE: "keeps every value; may rewrite parts, or change how writers and readers get on with the table",
    "destructive": "may delete rows or values",
}


@dataclass(frozen=True)
class AlterTable(Operation):
    """One ALTER for all changes of a table, each of them a part with an undo of its own.

    The grammar lets a statement end in one list only, so a second ALTER may follow the first: it names that step (``follows``)
    and has no parts, since its changes are undone with those of the first.
    """

    parts: tuple[Operation, ...]
    follows: str

    kind = "alter_table"

    def effect(self, risk: str) -> str:
        return _EFFECTS.get(risk, "")

    def rollback_sql(self, names: Names) -> str:
        """As few statements as it could be, where the server takes one for each part."""
        if self.follows:
            return f"-- with the rollback of {self.follows}"
        shown: list[str] = []
        joined = False
        for part in self.undo_order():
            sql = part.rollback_sql(names)
            drop = sql[len(f"ALTER TABLE {names.live(self.table)} ") :]
            if isinstance(part, ChangeInPlace):
                shown.append(sql)
            elif joined:
                shown[-1] += f", {drop}"
            else:
                shown.append(sql)
            joined = not isinstance(part, ChangeInPlace)
        return "; ".join(shown)

    def rehearse_undo(self, names: Names) -> list[str]:
        return [statement for part in self.undo_order() for statement in part.rehearse_undo(names)]

    def undo_order(self) -> list[Operation]:
        return list(reversed(self.parts))

    def to_dict(self) -> dict[str, Any]:
        return {**super().to_dict(), "parts": [part.to_dict() for part in self.parts]}


@dataclass(frozen=True)
class ChangeInPlace(Operation):
    """A change that holds no data of its own; ``previous`` is the statement that makes everything as it was."""

    previous: str

    kind = "change_in_place"
    old_action = "run"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "statement"}

    def rollback_sql(self, _names: Names) -> str:
        return self.previous

    def rehearse_undo(self, _names: Names) -> list[str]:
        return [self.previous]

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if server.exists(server.database, self.table):
            server.run_if_different(self.previous, self.table)
        return None


@dataclass(frozen=True)
class AddColumn(UndoneBySql):
    """A new column. Its rollback copies its values to the quarantine, with the keys of their rows, before it drops the column."""

    column: str

    kind = "add_column"
    old_action = "drop_column"
    name_fields = ("table", "column")

    def rollback_sql(self, names: Names) -> str:
        return f"ALTER TABLE {names.live(self.table)} DROP COLUMN {quote(self.column)}"

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if not server.exists(server.database, self.table):
            return None
        others = undoing.columns_of(self.table)
        return ColumnKeeper(server, self.table, self.column, others, undoing.release).run()

    @property
    def touched_column(self) -> str:
        return self.column

    @property
    def holds(self) -> str:
        return f"{self.table}.{self.column}"

    def drop(self, server: Server) -> None:
        if server.exists(server.database, self.table) and self.column in server.columns(self.table):
            server.run(self.rollback_sql(Names(server.database)))

    def expected_after_rollback(self, database: str, keep: bool) -> list[dict[str, Any]]:
        return [
            {
                "name": f"column {self.table}.{self.column} {'stays' if keep else 'is gone'}",
                "kind": "query",
                "sql": "SELECT count() FROM system.columns "
                "WHERE database = %(database)s AND table = %(table)s AND name = %(column)s",
                "params": {"column": self.column, "database": database, "table": self.table},
                "value": int(keep),
            }
        ]


@dataclass(frozen=True)
class AddPart(UndoneBySql):
    """A new index, projection or constraint: it holds no data, so its rollback drops it."""

    name: str

    name_fields = ("table", "name")
    what: ClassVar[str] = ""

    def rollback_sql(self, names: Names) -> str:
        return f"ALTER TABLE {names.live(self.table)} DROP {self.what.upper()} {quote(self.name)}"

    def is_there(self, server: Server) -> bool:
        return server.lists(self.table, self.name, f"{self.what}s")


class AddIndex(AddPart):
    kind = "add_index"
    old_action = "drop_index"
    old_fields: ClassVar[Mapping[str, str]] = {"name": "index"}
    what = "index"

    def is_there(self, server: Server) -> bool:
        return server.lists(self.table, self.name, "data_skipping_indices")


class AddProjection(AddPart):
    kind = "add_projection"
    old_action = "drop_projection"
    old_fields: ClassVar[Mapping[str, str]] = {"name": "projection"}
    what = "projection"


class AddConstraint(AddPart):
    kind = "add_constraint"
    old_action = "drop_constraint"
    old_fields: ClassVar[Mapping[str, str]] = {"name": "constraint"}
    what = "constraint"

    def is_there(self, server: Server) -> bool:
        return self.name in parse_create(server.ddl(server.database, self.table)).constraints


@dataclass(frozen=True)
class RenameColumn(UndoneBySql):
    """Give a column another name: ``column`` is the new one, ``previous`` the old one."""

    column: str
    previous: str

    kind = "rename_column"
    old_action = "rename_column"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "to"}
    name_fields = ("table", "column", "previous")

    def effect(self, _risk: str) -> str:
        return "changes a name only; who uses the old name fails"

    def rollback_sql(self, names: Names) -> str:
        return f"ALTER TABLE {names.live(self.table)} RENAME COLUMN {quote(self.column)} TO {quote(self.previous)}"

    def is_undone(self, server: Server) -> bool:
        """True if the column has its old name again."""
        if not server.exists(server.database, self.table):
            return False
        columns = server.columns(self.table)
        return self.column not in columns and self.previous in columns

    @property
    def touched_column(self) -> str:
        return self.column


@dataclass(frozen=True)
class DropColumn(Operation):
    """Drop a column that no file names, after its values were copied to the quarantine and counted.

    ``previous`` adds it again at its old place; ``along`` are all columns that the same plan drops, which cannot help to find a row again.
    """

    column: str
    previous: str
    along: tuple[str, ...]

    kind = "drop_column"
    old_action = "give_column_back"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "statement"}
    name_fields = ("table", "column")
    moves_rows = True

    def effect(self, _risk: str) -> str:
        return "copies its values with the keys of their rows to the quarantine, counts them, then drops the column"

    def rollback_sql(self, _names: Names) -> str:
        return f"{self.previous}; -- and its values from the quarantine"

    def rehearse_undo(self, _names: Names) -> list[str]:
        return [self.previous]

    def run(self, server: Server, release: str) -> Kept | None:
        return ColumnKeeper(server, self.table, self.column, set(self.along), release).run()

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        """The column at its old place, with the values that this release has put away."""
        server = undoing.server
        if not server.exists(server.database, self.table):
            return None
        if self.column not in server.columns(self.table):
            server.run(self.previous)
        if not server.dry:
            restore_column_of(server, self.table, self.column, undoing.release)
        return None

    @property
    def touched_column(self) -> str:
        return self.column
