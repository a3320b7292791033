# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of the module clickhouse_schema: read, plan, approve, apply, prove; and the way of a rollback.

Knows nothing of Ansible: what runs on the target is called through a function.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .cluster.run import DIFFERS, ClusterRun
from .model import Refusal, SchemaError
from .rehearsal.process import PlannerProcess
from .server.apply import demand_unmoved, moved
from .server.quarantine import restorable
from .steps import Restorable, SchemaPlan, Step

# What the module on the target adds up over the hosts of a cluster.
_DONE = ("executed_statements", "executed", "quarantined", "restored")

#: call(operation, **arguments) runs the module on the target and returns its result; raises ModuleFailed.
Call = Callable[..., dict[str, Any]]
#: Returns the desired files, each with name and text.
ReadFiles = Callable[[], list[dict[str, str]]]


class ModuleFailed(Exception):
    """The module on the target reported a failure; its result says what was done before."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(str(result.get("msg") or result.get("module_stderr") or "the module failed"))
        self.result = result


class SchemaTask:
    """One task; ``outcome`` is its result, at any time and also where an error ends it.

    ``options`` are the module's, ``planner`` makes the planner's process (for tests).
    """

    def __init__(
        self,
        options: Mapping[str, Any],
        call: Call,
        read_files: ReadFiles,
        check_mode: bool,
        planner: Callable[[float], PlannerProcess] = PlannerProcess,
    ) -> None:
        self.options = options
        self.database: str = options["database"]
        self.quarantine: str = options["quarantine_database"] or f"{self.database}_quarantine"
        self.call = call
        self.read_files = read_files
        self.check_mode = check_mode
        self.planner = planner
        self.files: list[dict[str, str]] = []
        self.steps: list[Step] = []
        self.done: set[str] = set()
        self.deny: dict[str, str] = {}
        self.outcome: dict[str, Any] = {
            "changed": False,
            "steps": [],
            "pending": [],
            "executed_statements": [],
            "executed": [],
            "refused": [],
            "findings": [],
            "hosts": [],
            "quarantined": [],
            "restored": [],
            "live_ddl": "",
            "diff": {"before": "", "after": ""},
        }

    def run(self) -> None:
        """Do the task. Raises SchemaError for what prevents it, with ``outcome`` saying what was done until then."""
        try:
            cluster, back = bool(self.options["cluster"]), self.options["state"] == "rolled_back"
            if back:
                self.roll_back_everywhere() if cluster else self.roll_back()
            elif cluster:
                self.present_everywhere()
            else:
                self.present()
        except ModuleFailed as error:
            self.take(error.result)
            raise SchemaError(str(error)) from None
        finally:
            self.outcome["pending"] = (
                self.outcome["pending"] if self.options["state"] == "rolled_back" else self.left()
            )

    # present -------------------------------------------------------------------------------------------

    def present(self) -> None:
        """Make the plan, or take the approved one; apply it; prove by a second plan that nothing is left."""
        approved = self.approved()
        self.files = self.read_files()
        with self.planner(self.options["plan_timeout"]) as planner:
            plan = approved or self.make_plan(planner)
            self.show(plan)
            if self.check_mode:
                if approved is not None:
                    demand_unmoved(self.database, unsealed(self.call("read")["before"]), plan.fingerprint)
                self.outcome["restored"] = [item.to_dict() for item in plan.restored]
            elif plan.changes:
                self.apply(planner, plan)
        if plan.refused:
            self.complain(plan.refused)

    def approved(self) -> SchemaPlan | None:
        """The plan that the task was given; None if it is to make one."""
        if not self.options.get("plan"):
            return None
        plan = SchemaPlan.from_dict(self.options["plan"])
        if plan.database != self.database:
            raise SchemaError(
                f"plan: it is for database {plan.database}, expected {self.database}. Nothing was changed"
            )
        return plan

    def make_plan(self, planner: PlannerProcess) -> SchemaPlan:
        """Read the server, plan, and plan again without what the live data does not allow."""
        live = unsealed(self.call("read")["before"])
        self.outcome["live_ddl"] = self.whole_ddl(live)
        plan = self.ask(planner, live)
        if self.assess(plan):
            plan = self.ask(planner, live)
        plan.fingerprint = live["fingerprint"]
        plan.findings = self.outcome["findings"]
        plan.restored = self.restorable(live, plan)
        return plan

    def apply(self, planner: PlannerProcess, plan: SchemaPlan) -> None:
        done = self.call(
            "apply",
            steps=[step.to_dict() for step in plan.steps],
            restore=[item.to_dict() for item in plan.restored],
            fingerprint=plan.fingerprint,
        )
        self.take(done)
        if "after" in done:
            self.prove(plan, self.ask(planner, unsealed(done["after"])))

    def prove(self, plan: SchemaPlan, again: SchemaPlan) -> None:
        """The server's word counts: what it has now must be what the files want, but for what was refused."""
        left = again.left(plan.refused)
        if left:
            raise SchemaError(
                f"the server accepted all statements, but these differences are left: {', '.join(left)}"
            )

    def ask(
        self,
        planner: PlannerProcess,
        live: Mapping[str, Any],
        cluster: str = "",
        deny: Mapping[str, str] | None = None,
    ) -> SchemaPlan:
        """Let the planner compare what is there with the files, and rehearse the difference."""
        answer = planner.ask(
            {
                "database": self.database,
                "database_exists": live["database_exists"],
                "server_version": live["server_version"],
                "live": live["objects"],
                "files": self.files,
                "allow": self.options["allow"],
                "deny": {**self.deny, **(deny or {})},
                "default_replication": live["default_replication"],
                "cluster": cluster,
            }
        )
        return SchemaPlan.from_dict(answer)

    def assess(self, plan: SchemaPlan, **login: Any) -> bool:
        """Ask the live data about what an empty rehearsal cannot see; tells whether something turned out impossible."""
        questions = plan.questions()
        if questions:
            answer = self.call(
                "assess", steps=questions, assess_timeout=self.options["assess_timeout"], **login
            )
            host = {"host": f"{login['login_host']}:{login['login_port']}"} if login else {}
            self.outcome["findings"] += [{**item, **host} for item in answer["findings"]]
            # By their order, not by the names in the answer: there, Ansible hides what looks like the password.
            names = [question["name"] for question in questions for _check in question["checks"]]
            for name, item in zip(names, answer["findings"]):
                if item["blocking"]:
                    self.deny.setdefault(name, item["text"])
        return bool(self.deny)

    def restorable(self, live: Mapping[str, Any], plan: SchemaPlan) -> list[Restorable]:
        """What the plan brings back from the quarantine, with the rows that are there."""
        rows = {item["name"]: item["total_rows"] for item in live["quarantined"]}
        return [
            Restorable(
                **item,
                object=".".join(filter(None, (self.database, item["table"], item["column"]))),
                quarantine=f"{self.quarantine}.{item['name']}",
                rows=int(rows[item["name"]]) if rows[item["name"]].isdigit() else None,
            )
            for item in restorable(live["quarantined"], plan.columns)
        ]

    def show(self, plan: SchemaPlan) -> None:
        """Put the plan into the outcome."""
        self.steps = plan.steps
        shown = plan.to_dict()
        self.outcome.update(
            {key: shown[key] for key in ("steps", "refused", "rehearsal", "diff", "findings")}
        )
        if self.check_mode:  # else it is of no use any more, and would be shown with every failure
            self.outcome["plan"] = shown
        self.outcome["warnings"] = list(plan.rehearsal["warnings"])
        self.outcome["changed"] = plan.changes

    def complain(self, refused: Sequence[Refusal]) -> None:
        raise SchemaError(
            f"{len(refused)} differences between {self.database} and the desired files are refused, "
            f"all other steps are {'planned' if self.check_mode else 'done'}: {'; '.join(map(str, refused))}"
        )

    # On a cluster ----------------------------------------------------------------------------------------

    def present_everywhere(self) -> None:
        """On all hosts of a cluster; see cluster.run."""
        approved = self.approved()
        self.files = self.read_files()
        with self.planner(self.options["plan_timeout"]) as planner:
            run = ClusterRun(
                self.options["cluster"],
                self.options["cluster_timeout"],
                self.call,
                lambda live, cluster, deny: self.ask(planner, live, cluster, deny),
                self.restorable,
                unsealed,
            )
            run.look()
            run.demand_all()
            # Every host, since each has rows of its own.
            asked = [self.assess(host.plan, **host.login) for host in run.hosts]
            if any(asked):
                run.look()
            first = next((host for host in run.hosts if host.state == DIFFERS), run.hosts[0])
            plan = self.ask(planner, first.live, self.options["cluster"]) if run.is_uniform else first.plan
            refused = list({item.name: item for host in run.hosts for item in host.plan.refused}.values())
            plan = run.plan_of_all(plan)
            plan.findings = self.outcome["findings"]
            self.show(plan)
            self.outcome["live_ddl"] = self.whole_ddl(run.hosts[0].live)
            self.outcome["hosts"] = [host.shown() for host in run.hosts]
            self.outcome["warnings"] = [*plan.rehearsal["warnings"], *run.warnings()]
            self.outcome["changed"] = any(host.plan.changes for host in run.hosts)
            self.demand_approved(plan, approved)
            if not self.check_mode and self.outcome["changed"]:
                try:
                    run.apply(self.take_more)
                finally:
                    self.outcome["hosts"] = [host.shown() for host in run.wait(refused)]
                run.demand_sync(refused)
        if refused:
            self.complain(refused)

    def demand_approved(self, plan: SchemaPlan, approved: SchemaPlan | None) -> None:
        """The hosts were asked anew: they must be as they were, and the plan the same."""
        if approved is None:
            return
        if approved.fingerprint != plan.fingerprint:
            raise SchemaError(moved(self.database, plan.fingerprint, approved.fingerprint))
        if approved.hash != plan.hash:
            raise SchemaError(
                f"the plan for {self.database} differs from the one that was shown and approved: found {plan.hash[:12]}, "
                f"expected {approved.hash[:12]}: the desired files have changed since. Nothing was changed; run the deploy again"
            )

    def take_more(self, done: dict[str, Any]) -> None:
        """Add what one host did to what others did before it."""
        before = {key: list(self.outcome[key]) for key in _DONE}
        finished = self.done
        self.take(done)
        self.done |= finished
        for key, earlier in before.items():
            self.outcome[key] = earlier + self.outcome[key]
        self.outcome["changed"] = bool(self.outcome["executed_statements"])

    # rolled back ---------------------------------------------------------------------------------------

    def roll_back(self, **login: Any) -> None:
        names = ("steps", "policy", "drop")
        done = self.call("rollback", **{name: self.options[name] for name in names}, **login)
        self.take(done)
        before = unsealed(done["before"])
        self.outcome["live_ddl"] = self.whole_ddl(before)
        self.outcome["changed"] = done["changed"]
        self.outcome["pending"] = done["pending"]
        if done["changed"]:
            after = unsealed(done["after"])["objects"] if "after" in done else None
            self.show_rollback(before, after, done["pending"])

    def roll_back_everywhere(self) -> None:
        """Roll a release back host by host: each has rows of its own, and a quarantine of its own."""
        found = self.call("read")["hosts"]
        silent = [f"{one['host']}:{one['port']} ({one['error']})" for one in found if one.get("error")]
        if silent:
            raise SchemaError(
                f"cluster {self.options['cluster']}: cannot ask {'; '.join(silent)}. Nothing was changed"
            )
        kept: dict[str, list[Any]] = {key: [] for key in (*_DONE, "pending")}
        changed = False
        for one in found:
            try:
                self.roll_back(login_host=one["host"], login_port=one["port"])
            except ModuleFailed as error:
                self.take(error.result)
                raise
            finally:
                kept = {key: kept[key] + self.outcome[key] for key in kept}
                changed = changed or self.outcome["changed"]
                self.outcome.update({**kept, "changed": changed})

    def show_rollback(
        self, before: dict[str, Any], after: list[dict[str, str]] | None, pending: list[str]
    ) -> None:
        """The difference as people read it. What was done is done, so nothing here makes the task fail."""
        request: dict[str, Any] = {"database": self.database, "live": before["objects"]}
        if after is None:
            request.update(statements=pending, quarantine=self.quarantine, quarantined=before["quarantined"])
        else:
            request["after"] = after
        try:
            with self.planner(self.options["plan_timeout"]) as planner:
                shown = planner.ask(request)
        except SchemaError as error:
            shown = {
                "diff": {"before": "", "after": ""},
                "warnings": [f"no difference can be shown: {error}"],
            }
        self.outcome["diff"] = {side: self.hidden(text) for side, text in shown["diff"].items()}
        self.outcome["warnings"] = [*self.outcome.get("warnings", []), *map(self.hidden, shown["warnings"])]

    # helpers -------------------------------------------------------------------------------------------

    def take(self, done: dict[str, Any]) -> None:
        """Put what the module on the target did into the outcome."""
        self.done = set(done.get("done", ()))
        for key in _DONE:
            self.outcome[key] = done.get(key, self.outcome[key])
        if done.get("before") and not self.outcome["live_ddl"]:
            self.outcome["live_ddl"] = self.whole_ddl(unsealed(done["before"]))
        self.outcome["changed"] = bool(self.outcome["executed_statements"]) or (
            self.check_mode and done.get("changed", False)
        )

    def left(self) -> list[str]:
        """Statements of the plan that were not run."""
        return [step.statement for step in self.steps if step.name not in self.done]

    def whole_ddl(self, live: Mapping[str, Any]) -> str:
        """The database as a script that could make it again, without the password, should it stand in there."""
        lines = [f"CREATE DATABASE IF NOT EXISTS `{self.database}`;"] if live["database_exists"] else []
        lines += [f"{item['ddl']};" for item in live["objects"]]
        return self.hidden("".join(f"{line}\n\n" for line in lines))

    def hidden(self, text: str) -> str:
        """The text without the password, should it stand in there as a value."""
        password = self.options["login_password"]
        return text.replace(f"'{password}'", "'********'") if password else text


def unsealed(text: str) -> dict[str, Any]:
    """Unpack what the module has packed, so that hiding secrets in results cannot change DDL."""
    data: dict[str, Any] = json.loads(base64.b64decode(text))
    return data
