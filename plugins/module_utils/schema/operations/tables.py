# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on whole tables, and on the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..model import SchemaError
from ..server.put_away import move_table
from ..server.quarantine import Kept
from ..server.rebuild import create_as, exchange_back, rebuild, reopen
from ..server.server import Server
from .base import Names, Operation, Undoing, UndoneBySql


@dataclass(frozen=True)
class CreateDatabase(Operation):
    """Create the database itself. It stays after a rollback: by then it is empty."""

    kind = "create_database"
    name_fields = ()

    def effect(self, _risk: str) -> str:
        return "creates an empty database"

    def rollback_sql(self, names: Names) -> str:
        return f"-- database {names.database} stays; it is empty then"

    def rehearse(self, _names: Names) -> list[str]:
        return []  # the scratch database is there already


@dataclass(frozen=True)
class CreateTable(Operation):
    """Create a table. Its rollback moves it to the quarantine with its rows, by its name alone."""

    kind = "create_table"
    old_action = "quarantine_table"

    def effect(self, _risk: str) -> str:
        return "creates an empty table"

    def rollback_sql(self, names: Names) -> str:
        return f"RENAME TABLE {names.live(self.table)} TO {names.put_away(self.table + '__<release>')}"

    def rehearse_undo(self, names: Names) -> list[str]:
        return [f"RENAME TABLE {names.live(self.table)} TO {names.put_away(self.table)}"]

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if not server.exists(server.database, self.table):
            return None
        return move_table(server, self.table, undoing.release)

    @property
    def holds(self) -> str:
        return self.table

    def drop(self, server: Server) -> None:
        if server.exists(server.database, self.table):
            server.run(f"DROP TABLE {Names(server.database).live(self.table)} SYNC")

    def expected_after_rollback(self, database: str, keep: bool) -> list[dict[str, Any]]:
        return [
            {
                "name": f"table {self.table} is {'in' if keep else 'out of'} the database",
                "kind": "query",
                "sql": "SELECT count() FROM system.tables WHERE database = %(database)s AND name = %(table)s",
                "params": {"database": database, "table": self.table},
                "value": int(keep),
            }
        ]


@dataclass(frozen=True)
class RenameObject(UndoneBySql):
    """Give a table or a dictionary (``what``) another name; ``table`` is the new one, ``previous`` the old one."""

    previous: str
    what: str

    kind = "rename_object"
    old_action = "rename_object"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "to", "what": "kind"}
    name_fields = ("table", "previous")

    def __post_init__(self) -> None:
        if self.what not in ("TABLE", "DICTIONARY"):
            raise SchemaError(f"steps: {self.what!r} is no kind of object that is renamed")

    def effect(self, _risk: str) -> str:
        return "changes a name only; who uses the old name fails"

    def rollback_sql(self, names: Names) -> str:
        return f"RENAME {self.what} {names.live(self.table)} TO {names.live(self.previous)}"


@dataclass(frozen=True)
class RebuildTable(Operation):
    """Give a table another engine or other keys; ``statement`` creates the new definition, ``previous`` the old one."""

    previous: str

    kind = "rebuild_table"
    old_action = "give_back"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "statement"}
    moves_rows = True

    def effect(self, _risk: str) -> str:
        return "copies every row into a table of the new definition; the old one stays in the quarantine"

    def rollback_sql(self, names: Names) -> str:
        old = names.put_away(self.table + "__<release>~rebuilt")
        return f"EXCHANGE TABLES {names.live(self.table)} AND {old}"

    def rehearse(self, names: Names) -> list[str]:
        return [create_as(self.statement, self._copy(names)), *self.rehearse_undo(names)]

    def rehearse_undo(self, names: Names) -> list[str]:
        return [f"EXCHANGE TABLES {names.live(self.table)} AND {self._copy(names)}"]

    def _copy(self, names: Names) -> str:
        return names.put_away(self.table + "~copy")

    def run(self, server: Server, release: str) -> Kept | None:
        return rebuild(server, self.table, self.statement, release)

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if not server.exists(server.database, self.table):
            return None
        return exchange_back(server, self.table, undoing.release)


@dataclass(frozen=True)
class Unlock(Operation):
    """Open a column that an interrupted rollback has left locked against new values."""

    kind = "unlock"
    name_fields = ()  # nothing undoes it, so a record's word for its table is never used

    def rollback_sql(self, _names: Names) -> str:
        return "-- nothing: a rollback locks again by itself"


@dataclass(frozen=True)
class Reopen(Operation):
    """Open a table that an interrupted rebuild, or its interrupted rollback, has left closed."""

    kind = "reopen"
    moves_rows = True

    def rollback_sql(self, _names: Names) -> str:
        return "-- nothing: a rollback locks again by itself"

    def run(self, server: Server, _release: str) -> Kept | None:
        return reopen(server, self.table)
