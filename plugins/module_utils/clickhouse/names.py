# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names and literals in ClickHouse SQL: validated, quoted, split."""

from __future__ import annotations

import re
from typing import NamedTuple

from ..common.errors import PlatformError

MAX_NAME = 127  # a name becomes a file name with a suffix on the server's disk

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_RELEASE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]|_(?!_)){0,62}\Z")


class NameNotValid(PlatformError, ValueError):
    """A database, table, column or release name that cannot be used."""


class TableName(NamedTuple):
    database: str
    table: str

    def quoted(self) -> str:
        return f"{quote(self.database)}.{quote(self.table)}"

    def __str__(self) -> str:
        return f"{self.database}.{self.table}"


def check_name(name: object, what: str = "name") -> str:
    """Return *name* if it can name a database, table or column; raise otherwise.

    Any printable character is allowed, because quoting makes it safe; what is refused is what ClickHouse
    or a file system refuses too.
    """
    if not isinstance(name, str) or not name:
        raise NameNotValid(f"{what}: expected a non-empty string, found {name!r}")
    if len(name) > MAX_NAME:
        raise NameNotValid(f"{what}: expected at most {MAX_NAME} characters, found {name[:40]}...")
    if not name.isprintable():
        raise NameNotValid(f"{what}: expected printable characters only, found {name!r}")
    return str(name)


def check_identifier(name: object, what: str = "name") -> str:
    """Like check_name, for names that come from a playbook: letters, digits and underscores only."""
    text = check_name(name, what)
    if not _PLAIN.match(text):
        raise NameNotValid(f"{what}: expected letters, digits and underscores, found {text!r}")
    return text


def check_release(release: object) -> str:
    """A release id becomes part of a table name, after the separator '__'; so it cannot hold one."""
    if not isinstance(release, str) or not _RELEASE.match(release):
        raise NameNotValid(
            "release: expected 1 to 63 letters, digits, '.', '-' or single '_', "
            f"a letter or digit first; found {release!r}"
        )
    return str(release)


def quote(name: str) -> str:
    """Quote an identifier."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"


def literal(text: str) -> str:
    """Quote a string value."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def split_table(name: object, database: str, what: str = "table") -> TableName:
    """Read 'table' or 'database.table'; *database* is what an unqualified name belongs to."""
    if not isinstance(name, str) or not name:
        raise NameNotValid(f"{what}: expected 'table' or 'database.table', found {name!r}")
    parts = name.split(".")
    if len(parts) == 1:
        if not database:
            raise NameNotValid(f"{what} {name!r}: no database given; write 'database.table' or set login_db")
        parts = [database, name]
    if len(parts) != 2:
        raise NameNotValid(f"{what}: expected 'table' or 'database.table', found {name!r}")
    return TableName(check_identifier(parts[0], f"database of {what}"), check_identifier(parts[1], what))
