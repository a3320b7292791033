# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that prove a rollback: what the release changed is as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def restored_containers(
    manifest: Mapping[str, Any], services: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return for container_assert: every service that a release swapped runs the image of before again, if it ran at all."""
    return [
        {"container": services[name]["container"], "image": was["image_before"]}
        for name, was in manifest["services"].items()
        if was["existed"] and was["image_before"] and was.get("up_before", True)
    ]


def restored_assertions(
    manifest: Mapping[str, Any], database: str, policy: str = "quarantine"
) -> list[dict[str, Any]]:
    """Return for clickhouse_assert: what a release added to the schema is out of the way again, or stays by policy.

    The first one stands for itself: whatever a release changed, the database has to answer after its rollback.
    """
    assertions: list[dict[str, Any]] = [
        {
            "name": f"database {database} answers",
            "kind": "query",
            "sql": "SELECT count() FROM system.databases WHERE name = %(database)s",
            "params": {"database": database},
            "value": 1,
        }
    ]
    for step in manifest["schema"]["steps"]:
        for undo in step.get("undo") or []:
            table = undo["table"]
            if undo["action"] == "quarantine_table":
                sql = "SELECT count() FROM system.tables WHERE database = %(database)s AND name = %(table)s"
                name, params = f"table {table} is {'in' if policy == 'keep' else 'out of'} the database", {}
            elif undo["action"] == "drop_column":
                sql = (
                    "SELECT count() FROM system.columns "
                    "WHERE database = %(database)s AND table = %(table)s AND name = %(column)s"
                )
                name = f"column {table}.{undo['column']} {'stays' if policy == 'keep' else 'is gone'}"
                params = {"column": undo["column"]}
            else:
                continue
            params = {**params, "database": database, "table": table}
            assertions.append(
                {"name": name, "kind": "query", "sql": sql, "params": params, "value": int(policy == "keep")}
            )
    return assertions
