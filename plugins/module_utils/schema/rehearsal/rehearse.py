# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan against the live DDL and rehearse the plan, forward and back, on the embedded engine."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ..cluster.statements import on_cluster
from ..input.dump import with_live
from ..input.files import SAFE_ENGINES, Desired, load_desired, reaches_out, read_desired
from ..model import ADDITIVE, Policy, SchemaError, Table
from ..operations.base import Names
from ..operations.tables import CreateTable
from ..plan.plan import heal, plan
from ..plan.renames import renames
from ..sql.ddl import head
from ..sql.replication import DEFAULT, Replication, with_replication
from ..steps import Plan, Step
from .engine import EmbeddedEngine, EmbeddedEngineError
from .preview import foresee, print_both

NOT_COVERED = (
    "rows and their values",
    "grants, quotas and row policies",
    "replication and ON CLUSTER",
)
_SCRATCH_QUARANTINE = "suho_rehearsal_quarantine"
_VIEW_ENGINES = frozenset({"View", "MaterializedView", "Dictionary"})


def answer(engine: EmbeddedEngine, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what one request asks: plan and rehearse, or show (C(after), C(statements)). Leaves no scratch object behind."""
    if "after" in request:
        return print_both(engine, request["live"], request["after"])
    request = with_live(engine, request)
    database = request["database"]
    if database.lower() in ("system", "information_schema", _SCRATCH_QUARANTINE):
        raise SchemaError(f"database {database} cannot be managed")
    started = time.monotonic()
    try:
        if "statements" in request:
            return _Rehearsal(engine, {**request, "files": []}).foresee(request)
        result = _Rehearsal(engine, request).run()
    finally:
        for name in (database, _SCRATCH_QUARANTINE, request.get("quarantine", "")):
            if name:
                engine.drop_database(name)
    result["rehearsal"]["seconds"] = round(time.monotonic() - started, 3)
    return result


class Impossible(Exception):
    """These changes cannot be made, or not be rolled back; without them the plan may well work."""

    def __init__(self, obj: str, changes: Sequence[str], reason: str) -> None:
        super().__init__(reason)
        self.object = obj
        self.changes = changes
        self.reason = reason


def impossible(steps: Sequence[Step], obj: str, reason: str, statement: str = "") -> Exception:
    """What failed on one object: its changes that are no must are given up, and only if there are none, the plan."""
    given_up = [
        change.name
        for step in steps
        if step.object == obj
        for change in step.changes
        if change.risk != ADDITIVE
    ]
    if given_up:
        return Impossible(obj, given_up, reason)
    return SchemaError(reason + (f"; the statement was: {statement}" if statement else ""))


class _Rehearsal:
    """One pass: files → desired, live DDL → live, plan, forward, plan again, back."""

    def __init__(self, engine: EmbeddedEngine, request: Mapping[str, Any]) -> None:
        self.engine = engine
        self.database: str = request["database"]
        self.names = Names(self.database, _SCRATCH_QUARANTINE)
        self.replication = Replication(self.database, request.get("default_replication") or DEFAULT)
        self.live: Sequence[Mapping[str, str]] = [self.replication.plain(item) for item in request["live"]]
        self.files: Sequence[Mapping[str, str]] = request["files"]
        self.allow = frozenset(request.get("allow", ()))
        self.deny: dict[str, str] = dict(request.get("deny", {}))
        self.setting_defaults = engine.setting_defaults()
        self.cluster: str = request.get("cluster", "")
        self.database_exists: bool = request.get("database_exists", True)
        self.server_version: str = request.get("server_version", "")
        # Objects of a dump that are no part of this plan.
        self.left_out: Sequence[str] = request.get("left_out", ())
        self.not_covered: list[str] = []
        self.files_want: list[Desired] = []
        # The live objects under their new names, as the plan in work sees them.
        self.renamed: Mapping[str, Table] = {}

    def run(self) -> dict[str, Any]:
        """Plan, and plan again without the changes that the engine does not make, until what is left can be done."""
        desired = self.read_desired()
        while True:
            self.not_covered = [*NOT_COVERED, *self.left_out, *self.unreplicated()]
            try:
                return self.attempt(desired)
            except Impossible as problem:
                self.deny.update(self.guilty(problem, desired))

    def foresee(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What statements make of the live objects, as far as the engine holds such objects."""
        self.load_live(frozenset())
        return foresee(self.engine, request, self.not_covered)

    def unreplicated(self) -> list[str]:
        """Say of each replicated object that it was not rehearsed as such; none of them can be rebuilt."""
        names = self.replication.names
        for name in names:
            self.deny.setdefault(f"{name}.rebuild", "the table is replicated, and its copy would not be")
        return [f"{self.database}.{name}: rehearsed without its replication" for name in names]

    def check_replication(self, found: Plan, live: Mapping[str, Table]) -> None:
        """Refuse what the files want else of the replication of tables that exist."""
        for item in self.files_want:
            if item.name in live and item.kind == "TABLE":
                refusal = self.replication.refusal(item.name, item.renamed_from)
                found.refused += [refusal] if refusal else []

    def guilty(self, problem: Impossible, desired: Mapping[str, Table]) -> dict[str, str]:
        """Which changes of the object fail by themselves, with the reasons; all of them, if only their company fails."""
        everything = dict.fromkeys(problem.changes, problem.reason)
        name = problem.object.partition(".")[2]
        if len(everything) < 2 or name not in self.renamed or name not in desired:
            return everything
        found = {}
        for change in everything:
            others = {other: "judged by itself" for other in everything if other != change}
            reason = self.try_alone(self.renamed[name], desired[name], others)
            if reason:
                found[change] = reason
        return found or everything

    def try_alone(self, live: Table, desired: Table, others: Mapping[str, str]) -> str:
        """Make and undo what is left of one table's plan without some changes; why that fails, "" if it does not."""
        policy = Policy(self.allow, {**self.deny, **others}, self.setting_defaults)
        self.engine.make_database(self.database)
        self.engine.make_database(_SCRATCH_QUARANTINE)
        self.engine.use(self.database)
        self.engine.lenient(True)
        try:
            self.engine.run(live.ddl)
            self.engine.lenient(False)
            before = self.engine.tables(self.database)
            found = plan(self.database, before, {live.name: desired}, self.engine.same, policy, True)
            self.apply(found.steps)
            self.undo(found.steps)
            if self.engine.tables(self.database) != before:
                return f"the rollback does not bring about the original of {live.name}"
        except Impossible as problem:
            return problem.reason
        except (EmbeddedEngineError, SchemaError):
            return ""  # it cannot stand alone, so it is judged with the others
        finally:
            self.engine.lenient(False)
        return ""

    def attempt(self, desired: Mapping[str, Table]) -> dict[str, Any]:
        wanted = frozenset(desired)
        self.load_live(wanted | {item.renamed_from for item in self.files_want})
        live = self.engine.tables(self.database)
        healing = heal(self.database, live, desired)
        self.apply(healing)
        original = self.engine.tables(self.database)
        found = self.rename(original)
        self.renamed = renamed = self.engine.tables(self.database)
        planned = self.plan(renamed, desired, self.database_exists)
        self.apply(planned.steps)
        found = Plan(found.steps + planned.steps, found.refused + planned.refused, planned.notes)
        self.check_replication(found, renamed)
        after = self.engine.tables(self.database)
        self.check_forward(found, after, renamed, desired)
        self.undo(found.steps)
        self.check_undo(found.steps, self.engine.tables(self.database), original)
        return self.report(Plan(healing + found.steps, found.refused, found.notes), live, after, wanted)

    def rename(self, live: Mapping[str, Table]) -> Plan:
        """Renames go first and by themselves: an ALTER cannot rename and change one column."""
        objects = {item.name: item.renamed_from for item in self.files_want if item.renamed_from}
        columns = {item.name: item.renames for item in self.files_want if item.renames}
        found = renames(self.database, live, objects, columns, Policy(self.allow, self.deny))
        for step in found.steps:
            # Each by itself: where one cannot be done, the others still can.
            self.apply([step])
        for item in found.refused:
            # The new name must not appear empty beside the old one, with all its data.
            table, _dot, column = item.name.partition(".")[2].partition(".")
            name = f"{table}.column.{column}" if column else f"create.{table}"
            self.deny.setdefault(name, f"{item.name} was refused")
        return found

    def plan(
        self, live: Mapping[str, Table], desired: Mapping[str, Table], database_exists: bool = True
    ) -> Plan:
        policy = Policy(self.allow, self.deny, self.setting_defaults)
        return plan(self.database, live, desired, self.engine.same, policy, database_exists)

    def read_desired(self) -> dict[str, Table]:
        self.files_want = read_desired(self.engine, self.files, self.database)
        self.replication.wants = {item.name: item.replication for item in self.files_want if item.replication}
        self.engine.make_database(self.database)
        wanted = load_desired(self.engine, self.files_want, self.database)
        tables = self.engine.tables(self.database)
        return {item.name: tables[item.name] for item in wanted}

    def load_live(self, wanted: frozenset[str]) -> None:
        """Bring the live objects into an empty scratch database; only managed ones have to succeed."""
        self.engine.make_database(self.database)
        self.engine.make_database(_SCRATCH_QUARANTINE)
        self.engine.use(self.database)
        self.engine.lenient(True)
        rest = []
        self.engine.canonical_ahead(item["ddl"] for item in self.live)
        for item in self.live:
            reason = self.unloadable(item)
            if not reason:
                rest.append(item)
            else:
                self.skip(item["name"], reason, wanted)
        while rest:
            failed = []
            for item in rest:
                try:
                    self.engine.run(self.engine.canonical(item["ddl"]))
                except EmbeddedEngineError as error:
                    failed.append((item, str(error)))
            if len(failed) == len(rest):
                for item, reason in failed:
                    self.skip(item["name"], reason, wanted)
                break
            rest = [item for item, _reason in failed]
        self.engine.lenient(False)

    def unloadable(self, item: Mapping[str, str]) -> str:
        """Why a live object is not created here: it would reach out of the process, or cannot be read."""
        if item["engine"] not in SAFE_ENGINES | _VIEW_ENGINES:
            return f"engine {item['engine']} is not rehearsed"
        try:
            sql = self.engine.canonical(item["ddl"])
            _kind, database, name = head(sql)
            tree = self.engine.tree(sql)
        except (EmbeddedEngineError, SchemaError) as error:
            return str(error)
        if (database, name) != (self.database, item["name"]):
            return f"its DDL creates {database}.{name}"
        return reaches_out(sql, tree, self.database)

    def skip(self, name: str, reason: str, wanted: frozenset[str]) -> None:
        if name in wanted:
            raise SchemaError(
                f"{self.database}.{name}: the live table cannot be loaded into the embedded engine "
                f"{self.engine.version}, so no change of it can be planned: {reason}"
            )
        self.not_covered.append(f"{self.database}.{name}: {reason}")

    # Rehearsal ---------------------------------------------------------------------------------------

    def apply(self, steps: Sequence[Step]) -> None:
        for step in steps:
            try:
                for statement in step.operation.rehearse(self.names):
                    self.engine.run(statement)
            except EmbeddedEngineError as error:
                raise impossible(
                    steps, step.object, f"the rehearsal of {step.name} failed with {error}", step.statement
                ) from None

    def check_forward(
        self,
        found: Plan,
        after: Mapping[str, Table],
        before: Mapping[str, Table],
        desired: Mapping[str, Table],
    ) -> None:
        again = self.plan(after, desired)
        known = {item.name for item in found.refused}
        left = {change.name: step.object for step in again.steps for change in step.changes}
        left.update({step.name: step.object for step in again.steps if not step.changes})
        left.update({item.name: item.object for item in again.refused if item.name not in known})
        for name, obj in left.items():
            raise impossible(found.steps, obj, f"after the rehearsal this difference is left: {name}")
        touched = [name for name in before if name not in desired and before[name] != after.get(name)]
        if touched:
            raise SchemaError(f"the rehearsal changed objects that no file names: {', '.join(touched)}")

    def undo(self, steps: Sequence[Step]) -> None:
        for step in reversed(steps):
            for statement in step.operation.rehearse_undo(self.names):
                try:
                    self.engine.run(statement)
                except EmbeddedEngineError as error:
                    reason = f"the rehearsal of the rollback of {step.name} failed with {error}"
                    raise impossible(steps, step.object, reason, statement) from None

    def check_undo(
        self, steps: Sequence[Step], after: Mapping[str, Table], original: Mapping[str, Table]
    ) -> None:
        for name in sorted(after.keys() | original.keys()):
            if after.get(name) != original.get(name):
                reason = f"the rollback does not bring about the original of {name}"
                raise impossible(steps, f"{self.database}.{name}", reason)

    # Report ------------------------------------------------------------------------------------------

    def report(
        self, found: Plan, live: Mapping[str, Table], after: Mapping[str, Table], wanted: frozenset[str]
    ) -> dict[str, Any]:
        same_version = _release_line(self.engine.version) == _release_line(self.server_version)
        warnings = list(found.notes)
        if self.server_version and not same_version:
            warnings.append(
                f"rehearsed on ClickHouse {self.engine.version}, but the server is {self.server_version}"
            )
        return {
            "database": self.database,
            "steps": [self.sent(step).to_dict() for step in found.steps],
            "refused": [item.to_dict() for item in found.refused],
            "managed": sorted(wanted),
            # What no single host can do by itself.
            "for_cluster": [
                step.name
                for step in found.steps
                if isinstance(step.operation, CreateTable) and self.replication.needs_cluster(_object(step))
            ],
            "columns": {name: list(after[name].columns) for name in sorted(wanted) if name in after},
            "diff": {
                "before": self.pretty(live, wanted, self.replication.has),
                "after": self.pretty(after, wanted, {**self.replication.wants, **self.replication.has}),
            },
            "rehearsal": {
                "engine_version": self.engine.version,
                "server_version": self.server_version,
                "objects": len(live),
                "steps": len(found.steps),
                "not_covered": self.not_covered,
                "warnings": warnings,
            },
        }

    def sent(self, step: Step) -> Step:
        """The step with its statement as the server gets it."""
        name, operation = _object(step), step.operation
        statement = step.statement
        if isinstance(operation, CreateTable):
            statement = with_replication(statement, self.replication.wants.get(name, ""))
        if self.cluster and not operation.moves_rows:
            statement = on_cluster(statement, self.cluster)
        return replace(step, operation=replace(operation, statement=statement))

    def pretty(
        self, tables: Mapping[str, Table], wanted: frozenset[str], replicated: Mapping[str, str]
    ) -> str:
        texts = [
            with_replication(tables[name].ddl, replicated.get(name, ""))
            for name in sorted(wanted)
            if name in tables
        ]
        return self.engine.script(texts)


def _object(step: Step) -> str:
    return step.object.partition(".")[2]


def _release_line(version: str) -> list[str]:
    return re.findall(r"\d+", version)[:2]
