# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What must hold for every schema: hypothesis makes them up, the engine of the planner judges.

SUHO_DEEP=1 asks for twenty times as many examples. Without it the examples are the same in every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from deep import DEEP
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from schema_strategies import ASchema, respelled, schemas

settings.register_profile(
    "schema",
    max_examples=500 if DEEP else 15,  # of each of the four properties
    deadline=None,
    print_blob=True,
    derandomize=not DEEP,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
PROFILE = settings.get_profile("schema")

KEYS = r"engine|partition_by|order_by|primary_key|sample_by|setting\.index_granularity"
# Differences that the planner refuses although they are allowed: by name, and by what the reason says.
CANNOT_BE_PLANNED = (
    (r"column\.[^.]+", "dropping it would lose its data"),
    (r"kind", "another kind of object"),
    (r"definition", "a view that stores its rows itself"),
    # The engine's own word, in the rehearsal of the change or of its reverse.
    (r".*", r"not possible: the rehearsal of .* failed with code \d+"),
    (
        KEYS,
        "everything else of the table has to be settled first",
    ),
    (
        KEYS,
        r"which is not possible: the rehearsal of .* failed with code \d+",
    ),
)
ENGINES = {"TABLE": "MergeTree", "VIEW": "View", "MATERIALIZED": "MaterializedView"}


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


def ask(
    planner: PlannerProcess, live: list[dict[str, str]], text: str, allow: Sequence[str] = ()
) -> dict[str, Any]:
    files = [{"path": "a.sql", "text": text}]
    return planner.ask({"database": "db", "live": live, "files": files, "allow": list(allow)})


def printed(planner: PlannerProcess, text: str) -> list[dict[str, str]]:
    """The objects of *text* as a server prints them."""
    return [
        {
            "name": step["object"].split(".", 1)[1],
            "engine": ENGINES[step["statement"].split()[1]],
            "ddl": step["statement"],
        }
        for step in ask(planner, [], text)["steps"]
    ]


def plan_with_everything_allowed(
    planner: PlannerProcess, live: list[dict[str, str]], text: str
) -> dict[str, Any]:
    rebuilds = [f"{item['name']}.rebuild" for item in live]
    return ask(planner, live, text, allow=["rewrite", "destructive", *rebuilds])


@settings(PROFILE)
@given(schema=schemas(rebuild=True))
def test_a_schema_has_no_difference_to_itself(planner: PlannerProcess, schema: ASchema) -> None:
    live = printed(planner, schema.sql())
    assert len(live) == len(schema.tables) + len(schema.views)
    answer = ask(planner, live, schema.sql())
    assert (answer["steps"], answer["refused"], answer["rehearsal"]["warnings"]) == ([], [], [])


@settings(PROFILE)
@given(data=st.data(), schema=schemas(rebuild=True))
def test_the_spelling_of_a_schema_makes_no_difference(
    planner: PlannerProcess, data: st.DataObject, schema: ASchema
) -> None:
    other = data.draw(respelled(schema))
    for live, desired in ((schema.sql(), other), (other, schema.sql())):
        answer = ask(planner, printed(planner, live), desired)
        assert (answer["steps"], answer["refused"]) == ([], [])


# ask() raises if the rehearsal finds that the steps do not give the desired schema, or the reverse the original.
@settings(PROFILE)
@given(first=schemas(), second=schemas())
def test_every_plan_leads_to_the_desired_schema_and_back(
    planner: PlannerProcess, first: ASchema, second: ASchema
) -> None:
    check_plan(planner, first, second)


@settings(PROFILE)
@given(first=schemas(rebuild=True), second=schemas(rebuild=True))
def test_every_plan_with_other_keys_leads_there_and_back(
    planner: PlannerProcess, first: ASchema, second: ASchema
) -> None:
    assume({table.name for table in first.tables} & {table.name for table in second.tables})
    check_plan(planner, first, second)


def check_plan(planner: PlannerProcess, first: ASchema, second: ASchema) -> None:
    live = printed(planner, first.sql())
    answer = plan_with_everything_allowed(planner, live, second.sql())
    for item in answer["refused"]:
        key = item["name"].split(".", 1)[1]
        assert any(
            re.fullmatch(name, key) and re.search(reason, item["reason"], re.DOTALL)
            for name, reason in CANNOT_BE_PLANNED
        ), f"{item['name']}: {item['reason']}"
    before = {item["name"] for item in live}
    # A view with another target is dropped and made anew.
    created = {
        step["name"].split(".", 1)[1]
        for step in answer["steps"]
        if step["name"].startswith("create.") and step["operation"]["kind"] != "remake_view"
    }
    assert created == set(answer["managed"]) - before
    assert all(step["rollback_sql"] for step in answer["steps"])
