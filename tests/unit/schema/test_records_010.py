# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What version 0.1.0 really wrote: its manifest rolls the release back, on an engine that has the schema of before and the release's steps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rollback_checks import (
    schema_after_rollback,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.server.rollback import roll_back
from ansible_collections.suho.platform.plugins.module_utils.schema.server.server import Server
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.tokens import split_statements
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import Step
from clickhouse_engine import EngineConnection

RECORDS = Path(__file__).resolve().parents[1] / "fixtures" / "records-0.1.0"
DB, Q = "suho_analytics", "suho_analytics_quarantine"


def release(state: str) -> tuple[dict[str, Any], str]:
    """Manifest and saved DDL of the one release that is recorded."""
    (folder,) = (RECORDS / state / "releases").iterdir()
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    return manifest, (folder / "backup" / "clickhouse-ddl.sql").read_text(encoding="utf-8")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EngineConnection]:
    connection = EngineConnection(tmp_path)
    yield connection
    connection.close()


def before_release(engine: EngineConnection, saved: str) -> tuple[Server, str]:
    """A server with the saved schema, and its fingerprint."""
    for statement in split_statements(saved):
        engine.run(statement.text)
    server = Server(engine, DB, Q)  # type: ignore[arg-type]
    return server, server.read()["schema_fingerprint"]


def test_a_manifest_of_version_010_rolls_its_release_back(engine: EngineConnection) -> None:
    manifest, saved = release("deployed")
    steps = manifest["schema"]["steps"]
    assert len(steps) > 5
    assert all("undo" in step and "operation" not in step for step in steps)
    server, before = before_release(engine, saved)
    for step in steps:
        engine.run(step["statement"])
    # Rows of today: the tables have a TTL.
    engine.run(
        f"INSERT INTO {DB}.external_fred_economic (series_id, value, observation_date) "
        "SELECT arrayJoin(['GDP', 'CPI']), 1, today()"
    )
    engine.run(f"INSERT INTO {DB}.aggregates (symbol, timestamp, indicators) SELECT 'EURUSD', now(), '{{}}'")
    kept = roll_back(server, [Step.from_dict(step) for step in steps], manifest["id"])
    assert server.read()["schema_fingerprint"] == before
    rows = {item.object: item.rows for item in kept}
    assert rows[f"{DB}.external_fred_economic"] == 2
    assert rows[f"{DB}.aggregates.indicators"] == 1
    # Each of its checks holds on the server, as they are made of the same record.
    for check in schema_after_rollback(manifest, DB):
        assert engine.query(check["sql"], check["params"]).rows == [(check["value"],)], check["name"]


def test_every_step_of_version_010_is_undone_in_the_order_that_it_recorded() -> None:
    for state in ("deployed", "rolled-back"):
        manifest, _saved = release(state)
        for step in manifest["schema"]["steps"]:
            undone = Step.from_dict(step).operation.undo_order()
            assert [one.old_action for one in undone] == [item["action"] for item in step["undo"]]
            assert [one.table for one in undone] == [item["table"] for item in step["undo"]]


@pytest.mark.parametrize("done", [0, 3])
def test_a_run_of_version_010_that_was_killed_between_its_steps_is_rolled_back(
    engine: EngineConnection, done: int
) -> None:
    manifest, saved = release("killed")
    steps = manifest["schema"]["steps"]
    server, before = before_release(engine, saved)
    for step in steps[:done]:
        engine.run(step["statement"])
    roll_back(server, [Step.from_dict(step) for step in steps], manifest["id"])
    assert server.read()["schema_fingerprint"] == before
