# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bytes on disk: what a mutation rewrites, what a copy of a table needs, what its disks have left."""

from __future__ import annotations

from collections.abc import Sequence

from ...clickhouse.names import literal
from .query import CannotTell, LiveData

_GIB = 1 << 30


def stored_bytes(look: LiveData, table: str) -> int:
    """Size of the active parts."""
    return _parts(look, table)[0]


def rewritten_bytes(look: LiveData, table: str, columns: Sequence[str]) -> int:
    """Size of what changes in the parts; a compact part is one file and is written again as a whole."""
    everything, compact = _parts(look, table)
    if not columns:
        return everything
    for name in columns:
        look.column(table, name)
    sql = (
        "SELECT sum(column_bytes_on_disk) FROM system.parts_columns WHERE active AND part_type = 'Wide' "  # noqa: S608
        f"AND {look.at('database', 'table', table)} AND column IN ({', '.join(map(literal, columns))})"
    )
    return compact + int(look.values(sql)[0])


def _parts(look: LiveData, table: str) -> tuple[int, int]:
    """Bytes of all active parts, and of those that are not wide."""
    info = look.parts_table(table)
    sql = (
        "SELECT sum(bytes_on_disk), sumIf(bytes_on_disk, part_type != 'Wide'), count() FROM system.parts "  # noqa: S608
        f"WHERE active AND {look.at('database', 'table', table)}"
    )
    everything, compact, parts = (int(value) for value in look.values(sql))
    if not parts and int(info["total_rows"] or 0):
        raise CannotTell("the table has rows, but the user cannot see its parts")
    return everything, compact


def free_bytes(look: LiveData, table: str) -> tuple[str, int]:
    """Name of the table's storage policy, and what its disks have left above a reserve."""
    policy = str(look.parts_table(table)["storage_policy"])
    disks = look.rows(
        "SELECT DISTINCT name, type, free_space, total_space, keep_free_space FROM system.disks "  # noqa: S608
        "WHERE NOT is_read_only AND NOT is_broken AND name IN (SELECT arrayJoin(disks) FROM "
        f"system.storage_policies WHERE policy_name = {literal(policy)}) ORDER BY name"
    )
    if not disks:
        raise CannotTell(f"the disks of storage policy {policy!r} cannot be seen")
    # Disks that are directories of one file system have the same space, which is there only once.
    spaces = {
        (int(disk["free_space"]), int(disk["total_space"]), int(disk["keep_free_space"])) for disk in disks
    }
    return policy, sum(max(0, free - max(total // 10, _GIB, keep)) for free, total, keep in spaces)
