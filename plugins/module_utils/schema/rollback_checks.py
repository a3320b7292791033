# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ClickHouse has to show after the rollback of a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .steps import Step


def schema_after_rollback(
    manifest: Mapping[str, Any], database: str, policy: str = "quarantine"
) -> list[dict[str, Any]]:
    """Return for clickhouse_assert: what a release added to the schema is out of the way again, or stays by policy.

    The first one stands for itself: whatever a release changed, the database has to answer after its rollback.
    """
    answers = {
        "name": f"database {database} answers",
        "kind": "query",
        "sql": "SELECT count() FROM system.databases WHERE name = %(database)s",
        "params": {"database": database},
        "value": 1,
    }
    steps = [Step.from_dict(step) for step in manifest["schema"]["steps"]]
    return [
        answers,
        *(
            item
            for step in steps
            for operation in step.operation.undo_order()
            for item in operation.expected_after_rollback(database, policy == "keep")
        ),
    ]
