# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""After a rollback, what the release had added is checked, by records of today and of version 0.1.0."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rollback_checks import (
    schema_after_rollback,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step

OLD: list[dict[str, Any]] = [
    {
        "undo": [
            {"action": "drop_index", "table": "t", "index": "i"},
            {"action": "drop_column", "table": "t", "column": "c"},
        ]
    },
    {"undo": [{"action": "quarantine_table", "table": "new"}]},
    {"undo": []},
]
NEW = [{**Step.from_dict(step).to_dict()} for step in OLD]
MANIFESTS = pytest.mark.parametrize(
    "manifest", [{"schema": {"steps": OLD}}, {"schema": {"steps": NEW}}], ids=["0.1.0", "today"]
)


@MANIFESTS
def test_after_a_rollback_what_was_added_must_be_gone(manifest: dict[str, Any]) -> None:
    answers, column, table = schema_after_rollback(manifest, "db")
    assert answers["value"] == 1
    assert column["name"] == "column t.c is gone"
    assert column["params"] == {"database": "db", "table": "t", "column": "c"}
    assert table["name"] == "table new is out of the database"
    assert {column["value"], table["value"]} == {0}


@MANIFESTS
def test_after_a_rollback_that_keeps_data_what_was_added_must_still_be_there(
    manifest: dict[str, Any],
) -> None:
    _answers, column, table = schema_after_rollback(manifest, "db", "keep")
    assert column["name"] == "column t.c stays"
    assert table["name"] == "table new is in the database"
    assert {column["value"], table["value"]} == {1}


def test_a_rollback_without_schema_steps_still_has_something_to_prove() -> None:
    assert len(schema_after_rollback({"schema": {"steps": []}}, "db")) == 1
