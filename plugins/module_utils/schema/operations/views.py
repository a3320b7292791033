# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Operations on views, materialized views and dictionaries: objects without rows of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ..server.quarantine import Kept
from ..sql.ddl import parse_create, view_parts
from .base import Names, Operation, Undoing, UndoneBySql
from .columns import ChangeInPlace


@dataclass(frozen=True)
class CreateView(UndoneBySql):
    """Create a view or a materialized view that writes into a table. Its rollback drops it: it has no rows of its own."""

    kind = "create_view"
    old_action = "drop_view"
    what: ClassVar[str] = "VIEW"

    def effect(self, _risk: str) -> str:
        head = "materialized view" if self.statement.startswith("CREATE MATERIALIZED") else self.what.lower()
        return f"creates an empty {head}"

    def rollback_sql(self, names: Names) -> str:
        return f"DROP {self.what} {names.live(self.table)}"

    def rehearse_undo(self, names: Names) -> list[str]:
        return [f"{self.rollback_sql(names)} SYNC"]


class CreateDictionary(CreateView):
    """Create a dictionary. Its rollback drops it: its source keeps the rows."""

    kind = "create_dictionary"
    old_action = "drop_dictionary"
    what = "DICTIONARY"


class ReplaceObject(ChangeInPlace):
    """Replace a view or a dictionary by another one of its name, at once."""

    kind = "replace_object"
    old_action = ""

    def effect(self, _risk: str) -> str:
        what = "dictionary" if self.statement.split()[3] == "DICTIONARY" else "view"
        return f"replaces the {what} at once"


class ModifyQuery(ChangeInPlace):
    """Give a materialized view another query."""

    kind = "modify_query"
    old_action = ""

    def effect(self, _risk: str) -> str:
        return "rows that come from now on pass through the new query; what is stored stays"


@dataclass(frozen=True)
class RemakeView(Operation):
    """One of the two statements that give a materialized view another target: DROP, then CREATE. ``previous`` creates the old view.

    Either statement may be the last one that was run, so both are undone alike.
    """

    previous: str

    kind = "remake_view"
    old_action = "remake_view"
    old_fields: ClassVar[Mapping[str, str]] = {"previous": "statement"}

    def effect(self, _risk: str) -> str:
        return "rows that come between the two statements do not pass through the view; its target keeps its rows"

    def rollback_sql(self, names: Names) -> str:
        if self.statement.startswith("DROP"):
            return self.previous
        return f"DROP VIEW {names.live(self.table)}; {self.previous}"

    def rehearse_undo(self, names: Names) -> list[str]:
        return [f"DROP VIEW IF EXISTS {names.live(self.table)} SYNC", self.previous]

    def undo_order(self) -> list[Operation]:
        return [self]

    def undo(self, undoing: Undoing) -> Kept | None:
        server = undoing.server
        if server.exists(server.database, self.table):
            there, wanted = (
                view_parts(parse_create(ddl).definition)[0]
                for ddl in (server.ddl(server.database, self.table), self.previous)
            )
            if there == wanted:
                return None
            server.run(f"DROP VIEW {undoing.names.live(self.table)}")
        server.run(self.previous)
        return None
