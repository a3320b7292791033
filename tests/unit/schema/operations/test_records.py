# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every operation says all that has to be known about it, and a record of it reads back as the same, also one of version 0.1.0."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.operations.base import Names, Operation
from ansible_collections.suho.platform.plugins.module_utils.schema.operations.columns import (
    AddColumn,
    AddConstraint,
    AddIndex,
    AddProjection,
    AlterTable,
    ChangeInPlace,
    DropColumn,
    RenameColumn,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.operations.records import (
    KINDS,
    operation_from_dict,
    operation_of_old_step,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.operations.tables import (
    CreateDatabase,
    CreateTable,
    RebuildTable,
    RenameObject,
    Reopen,
    Unlock,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.operations.views import (
    CreateDictionary,
    CreateView,
    ModifyQuery,
    RemakeView,
    ReplaceObject,
)
from ansible_collections.suho.platform.plugins.module_utils.schema.steps import SchemaPlan, Step

NAMES = Names("db")
PARTS = (AddColumn("t", "", "c"), ChangeInPlace("t", "", "ALTER x"), AddIndex("t", "", "i"))
# One of each kind, with its rollback as people read it.
SAMPLES: list[tuple[Operation, str]] = [
    (CreateDatabase("", "CREATE DATABASE `db`"), "-- database db stays; it is empty then"),
    (CreateTable("t", "CREATE TABLE db.t"), "RENAME TABLE `db`.`t` TO <quarantine>.`t__<release>`"),
    (CreateView("v", "CREATE VIEW db.v"), "DROP VIEW `db`.`v`"),
    (CreateDictionary("d", "CREATE DICTIONARY db.d"), "DROP DICTIONARY `db`.`d`"),
    (
        AlterTable("t", "ALTER TABLE db.t ...", PARTS, ""),
        "ALTER TABLE `db`.`t` DROP INDEX `i`; ALTER x; ALTER TABLE `db`.`t` DROP COLUMN `c`",
    ),
    (AddColumn("t", "", "c"), "ALTER TABLE `db`.`t` DROP COLUMN `c`"),
    (AddIndex("t", "", "i"), "ALTER TABLE `db`.`t` DROP INDEX `i`"),
    (AddProjection("t", "", "p"), "ALTER TABLE `db`.`t` DROP PROJECTION `p`"),
    (AddConstraint("t", "", "k"), "ALTER TABLE `db`.`t` DROP CONSTRAINT `k`"),
    (ChangeInPlace("t", "", "ALTER back"), "ALTER back"),
    (RenameObject("n", "RENAME ...", "o", "TABLE"), "RENAME TABLE `db`.`n` TO `db`.`o`"),
    (RenameColumn("t", "ALTER ...", "n", "o"), "ALTER TABLE `db`.`t` RENAME COLUMN `n` TO `o`"),
    (
        DropColumn("t", "ALTER ...", "c", "ALTER ... ADD", ("c", "d")),
        "ALTER ... ADD; -- and its values from the quarantine",
    ),
    (
        RebuildTable("t", "CREATE TABLE db.t (k String)", "CREATE old"),
        "EXCHANGE TABLES `db`.`t` AND <quarantine>.`t__<release>~rebuilt`",
    ),
    (ReplaceObject("v", "CREATE OR REPLACE VIEW db.v AS 2", "CREATE OR REPLACE VIEW db.v AS 1"), ""),
    (ModifyQuery("m", "ALTER TABLE m MODIFY QUERY 2", "ALTER TABLE m MODIFY QUERY 1"), ""),
    (RemakeView("m", "DROP VIEW m", "CREATE m"), "CREATE m"),
    (RemakeView("m", "CREATE other", "CREATE m"), "DROP VIEW `db`.`m`; CREATE m"),
    (Unlock("t", "ALTER ..."), "-- nothing: a rollback locks again by itself"),
    (Reopen("t", "ALTER ..."), "-- nothing: a rollback locks again by itself"),
]
BY_KIND = pytest.mark.parametrize(
    ("operation", "rollback"),
    SAMPLES,
    ids=[f"{number}-{one.kind}" for number, (one, _) in enumerate(SAMPLES)],
)


def subclasses(kind: type[Operation]) -> set[type[Operation]]:
    found = set(kind.__subclasses__())
    return found.union(*(subclasses(one) for one in found)) if found else found


def test_every_operation_is_in_the_registry_and_in_this_test() -> None:
    made = {one for one in subclasses(Operation) if one.kind}
    assert {one.__name__ for one in made} == {one.__name__ for one in KINDS.values()}
    assert len(KINDS) == len(made)
    assert {one.kind for one, _rollback in SAMPLES} == set(KINDS)


@BY_KIND
def test_a_record_reads_back_as_the_same_operation(operation: Operation, rollback: str) -> None:
    data = json.loads(json.dumps(operation.to_dict()))
    assert "statement" not in data
    assert operation_from_dict(data, operation.statement) == operation
    step = Step("s", "db.t", "rewrite", operation, "why")
    again = Step.from_dict(json.loads(json.dumps(step.to_dict())))
    assert (again.operation, again.statement) == (operation, operation.statement)
    assert again.to_dict() == step.to_dict()


@BY_KIND
def test_people_read_what_it_does_and_how_it_is_rolled_back(operation: Operation, rollback: str) -> None:
    assert operation.rollback_sql(NAMES) == (rollback or getattr(operation, "previous", ""))
    assert operation.effect("rewrite")
    assert "db." in operation.undo_text("db")


@BY_KIND
def test_what_is_undone_has_an_undo_in_the_rehearsal_and_the_other_way_round(
    operation: Operation, rollback: str
) -> None:
    names = Names("db", "scratch")
    assert bool(operation.rehearse_undo(names)) == bool(operation.undo_order())
    assert "<quarantine>" not in " ".join(operation.rehearse(names) + operation.rehearse_undo(names))


@pytest.mark.parametrize(
    "damage",
    [
        {"kind": "drop_database"},
        {"kind": None},
        {"table": None},
        {"table": ""},
        {"table": "a\nb"},
        {"previous": 1},
        {"what": "VIEW"},
    ],
    ids=str,
)
def test_what_is_no_operation_is_refused(damage: dict[str, Any]) -> None:
    whole = RenameObject("n", "RENAME ...", "o", "TABLE").to_dict()
    with pytest.raises(SchemaError, match="steps: "):
        operation_from_dict({**whole, **damage})


# Version 0.1.0 -------------------------------------------------------------------------------------------------

OLD_UNDO: list[tuple[dict[str, str], Operation]] = [
    ({"action": "quarantine_table", "table": "t"}, CreateTable("t", "")),
    ({"action": "drop_view", "table": "v"}, CreateView("v", "")),
    ({"action": "drop_dictionary", "table": "d"}, CreateDictionary("d", "")),
    ({"action": "drop_column", "table": "t", "column": "c"}, AddColumn("t", "", "c")),
    ({"action": "drop_index", "table": "t", "index": "i"}, AddIndex("t", "", "i")),
    ({"action": "drop_projection", "table": "t", "projection": "p"}, AddProjection("t", "", "p")),
    ({"action": "drop_constraint", "table": "t", "constraint": "k"}, AddConstraint("t", "", "k")),
    ({"action": "run", "table": "t", "statement": "ALTER back"}, ChangeInPlace("t", "", "ALTER back")),
    (
        {"action": "rename_object", "table": "n", "to": "o", "kind": "DICTIONARY"},
        RenameObject("n", "", "o", "DICTIONARY"),
    ),
    (
        {"action": "rename_column", "table": "t", "column": "n", "to": "o"},
        RenameColumn("t", "", "n", "o"),
    ),
    (
        {"action": "give_column_back", "table": "t", "column": "c", "statement": "ALTER ADD"},
        DropColumn("t", "", "c", "ALTER ADD", ()),
    ),
    ({"action": "give_back", "table": "t", "statement": "CREATE old"}, RebuildTable("t", "", "CREATE old")),
    ({"action": "remake_view", "table": "m", "statement": "CREATE m"}, RemakeView("m", "", "CREATE m")),
]


@pytest.mark.parametrize(("old", "operation"), OLD_UNDO, ids=[old["action"] for old, _operation in OLD_UNDO])
def test_every_undo_that_version_010_has_recorded_is_known(old: dict[str, str], operation: Operation) -> None:
    assert operation_of_old_step({"undo": [old]}) == operation


def test_an_alter_of_version_010_is_undone_in_its_order() -> None:
    undo = [
        {"action": "drop_index", "table": "t", "index": "i"},
        {"action": "run", "table": "t", "statement": "ALTER back"},
        {"action": "drop_column", "table": "t", "column": "b"},
        {"action": "drop_column", "table": "t", "column": "a"},
    ]
    step = Step.from_dict(
        {"name": "alter.t", "statement": "ALTER TABLE t", "reverse": "ALTER u", "undo": undo, "do": {}}
    )
    assert step.operation.undo_order() == [
        AddIndex("t", "", "i"),
        ChangeInPlace("t", "", "ALTER back"),
        AddColumn("t", "", "b"),
        AddColumn("t", "", "a"),
    ]
    assert (step.statement, step.rollback_sql) == ("ALTER TABLE t", "ALTER u")


def test_a_dropped_column_of_version_010_knows_those_that_went_along() -> None:
    old = {"action": "give_column_back", "table": "t", "column": "c", "statement": "ALTER ADD"}
    do = {"action": "drop_column", "table": "t", "column": "c", "with": '["c", "d"]'}
    assert operation_of_old_step({"undo": [old], "do": do}) == DropColumn(
        "t", "", "c", "ALTER ADD", ("c", "d")
    )


def test_a_step_of_version_010_that_nothing_undoes_stays() -> None:
    step = Step.from_dict(
        {"name": "database.db", "object": "db", "statement": "CREATE DATABASE db", "undo": []}
    )
    assert step.operation.undo_order() == []


# The plan as a value -------------------------------------------------------------------------------------------


def a_plan() -> SchemaPlan:
    steps = [Step("s", "db.t", "rewrite", operation, "why") for operation, _rollback in SAMPLES]
    diff = {"before": "", "after": "x"}
    return SchemaPlan("db", steps, fingerprint="f", rehearsal={"warnings": []}, diff=diff)


def test_a_plan_reads_back_as_the_same_plan() -> None:
    plan = a_plan()
    again = SchemaPlan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert again.to_dict() == plan.to_dict()
    assert again.hash == plan.hash


def test_the_hash_of_a_plan_is_of_what_it_does_and_not_of_when_it_was_made() -> None:
    plan, later = a_plan(), a_plan()
    later.fingerprint, later.rehearsal = "g", {"warnings": [], "seconds": 3.2}
    assert later.hash == plan.hash
    later.steps = later.steps[1:]
    assert later.hash != plan.hash


def test_a_plan_that_was_changed_after_its_approval_is_refused() -> None:
    data = a_plan().to_dict()
    data["steps"][1]["statement"] = "DROP DATABASE db"
    with pytest.raises(SchemaError, match="it is not what was shown and approved"):
        SchemaPlan.from_dict(data)


@pytest.mark.parametrize("data", [{}, {"database": "db"}, {"database": "db", "steps": None}], ids=str)
def test_what_is_no_plan_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="expected what a task in check mode has returned as plan"):
        SchemaPlan.from_dict(data)
