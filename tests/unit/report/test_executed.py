# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What was executed is on the page and on the terminal: of a deploy, and of a rollback."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.report.executed import executed, executed_lines
from report_render import render
from report_sample import sample

SCHEMA: list[dict[str, Any]] = [
    {
        "executed": [
            {"statement": "ALTER TABLE t", "seconds": 0.25},
            {"statement": "CREATE x", "seconds": 75.0},
        ],
        "quarantined": [{"object": "db.t", "quarantine": "q.t__r1", "rows": 9}],
        "restored": [],
    },
    {"executed": [{"statement": "DROP y", "seconds": 1.5}]},
    {},
]
ROLLOUT: list[dict[str, Any]] = [
    {
        "service": "a",
        "changed": True,
        "diff": {"before": {"image_id": "sha256:old"}, "after": {"image_id": "sha256:new"}},
    },
    {"service": "gone", "changed": True, "diff": {"before": {"image_id": "sha256:x"}, "after": {}}},
    {"service": "same", "changed": False, "diff": {"before": {"image_id": "1"}, "after": {"image_id": "1"}}},
    {"service": "failed", "failed": True, "msg": "not healthy"},
    {"skipped": True},
]


def test_results_of_all_tasks_become_one_account() -> None:
    found = executed(SCHEMA, ROLLOUT)
    assert [item["statement"] for item in found["statements"]] == ["ALTER TABLE t", "CREATE x", "DROP y"]
    assert found["images"] == [
        {"service": "a", "before": "sha256:old", "after": "sha256:new"},
        {"service": "gone", "before": "sha256:x", "after": ""},
    ]
    assert found["quarantined"] == [{"object": "db.t", "quarantine": "q.t__r1", "rows": 9}]
    assert found["restored"] == []


@pytest.mark.parametrize("operation", ["deploy", "rollback"])
def test_the_page_shows_it(operation: str) -> None:
    data = sample()
    data["meta"]["operation"] = operation
    page = render(data)
    for fact in (
        "ALTER TABLE a ADD COLUMN b",
        "42 ms",
        "0123456789ab",
        "fedcba987654",
        "db_q.a__b__r1",
        "4711",
        "it stays, by the policy keep",
        "2 rows have no place to return to",
    ):
        assert fact in page, fact
    assert page.count('id="executed"') == 1
    assert 'id="executed"' not in render({**data, "executed": {}})


def test_the_terminal_shows_it_and_nothing_where_nothing_was_executed() -> None:
    found = executed(SCHEMA, ROLLOUT)
    text = "\n".join(executed_lines(found))
    assert "Executed: 3 statements in 1 min 17 s" in text
    assert "250 ms  ALTER TABLE t" in text
    assert "q.t__r1" in text
    assert list(executed_lines({})) == []
    assert list(executed_lines(executed([], []))) == []


def test_a_long_statement_is_cut_on_the_terminal_only() -> None:
    long = "CREATE TABLE t (" + "x" * 300
    text = "\n".join(executed_lines(executed([{"executed": [{"statement": long, "seconds": 0}]}], [])))
    assert max(map(len, text.splitlines())) < 130
    assert long in render(sample(executed={"statements": [{"statement": long, "seconds": 0}]}))
