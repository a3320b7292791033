# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of suho.platform.clickhouse_schema; its options are documented with the module.

Reading and changing the server is done by the module, on whatever host the task runs. Planning and the
rehearsal run here, in a process of their own that never sees the login data.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.clickhouse.client import LOGIN_NAMES, login_options
from ..module_utils.clickhouse.names import NameNotValid, check_identifier, check_release
from ..module_utils.releases.journal import journal_option
from ..module_utils.schema.cluster.run import DIFFERS, ClusterRun
from ..module_utils.schema.input.paths import read_desired_files
from ..module_utils.schema.model import SchemaError
from ..module_utils.schema.rehearsal.process import PlannerProcess
from ..module_utils.schema.server.quarantine import restorable

MODULE = "suho.platform.clickhouse_schema"
_OPTIONS = {
    "database": {"type": "str", "required": True},
    "desired": {"type": "list", "elements": "path"},
    "state": {"type": "str", "choices": ["present", "reversed"], "default": "present"},
    "steps": {"type": "list", "elements": "dict"},
    "release": {"type": "str"},
    "expected": {
        "type": "dict",
        "options": {
            "statements": {"type": "list", "elements": "str", "default": []},
            "restored": {"type": "list", "elements": "str", "default": []},
        },
    },
    "policy": {"type": "str", "choices": ["quarantine", "keep", "drop"], "default": "quarantine"},
    "drop": {"type": "list", "elements": "str", "default": []},
    "quarantine_database": {"type": "str"},
    "allow": {"type": "list", "elements": "str", "default": []},
    "plan_timeout": {"type": "int", "default": 120},
    "assess_timeout": {"type": "float", "default": 30.0},
    "cluster": {"type": "str", "default": ""},
    "cluster_hosts": {"type": "list", "elements": "str", "default": []},
    "cluster_timeout": {"type": "float", "default": 180.0},
    **journal_option(),
}


class ModuleFailed(Exception):
    """The module on the target reported a failure; its result says what was done before."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(str(result.get("msg") or result.get("module_stderr") or "the module failed"))
        self.result = result


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars) or {}
        _validation, args = self.validate_argument_spec(
            argument_spec={**login_options(), **_OPTIONS},
            required_if=[
                ("state", "present", ("desired",)),
                ("state", "reversed", ("steps", "release")),
            ],
        )
        self.args, self.task_vars = args, task_vars or {}
        self.done: set[str] = set()
        self.deny: dict[str, str] = {}
        self.outcome: dict[str, Any] = {
            "changed": False,
            "steps": [],
            "pending": [],
            "executed_statements": [],
            "refused": [],
            "findings": [],
            "hosts": [],
            "quarantined": [],
            "restored": [],
            "live_ddl": "",
            "diff": {"before": "", "after": ""},
        }
        try:
            check_identifier(args["database"], "database")
            if args["release"] is not None:
                check_release(args["release"])
            if bool(args["drop"]) != (args["policy"] == "drop"):
                raise SchemaError(
                    f"policy {args['policy']} with drop {', '.join(args['drop']) or 'empty'}: "
                    "data is dropped by policy drop, and only what drop names"
                )
            if args["state"] == "reversed":
                self.reverse_everywhere() if args["cluster"] else self.reverse()
            elif args["cluster"]:
                self.present_everywhere()
            else:
                self.present()
        except ModuleFailed as error:
            self.take(error.result)
            self.outcome.update(failed=True, msg=str(error), pending=self.left())
        except (SchemaError, NameNotValid) as error:
            self.outcome.update(failed=True, msg=str(error), pending=self.left())
        result.update(self.outcome)
        return result

    # present -------------------------------------------------------------------------------------------

    def present(self) -> None:
        files = self.read_files()
        live = _unsealed(self.module("read")["before"])
        self.outcome["live_ddl"] = self.whole_ddl(live)
        with PlannerProcess(self.args["plan_timeout"]) as planner:
            plan = self.plan(planner, live, files)
            if self.assess(plan):
                plan = self.plan(planner, live, files)
            restore = restorable(live["quarantined"], plan["columns"])
            self.outcome.update({key: plan[key] for key in ("steps", "refused", "rehearsal", "diff")})
            self.outcome["warnings"] = plan["rehearsal"]["warnings"]
            self.outcome["changed"] = bool(plan["steps"] or restore)
            self.outcome["pending"] = self.left()
            foreseen = self.foresee_restore(live, restore)
            self.demand_expected(foreseen)
            if self.check_mode:
                self.outcome["restored"] = foreseen
            elif self.outcome["changed"]:
                done = self.module(
                    "apply", steps=plan["steps"], restore=restore, fingerprint=live["fingerprint"]
                )
                self.take(done)
                if "after" in done:
                    self.check_outcome(plan, self.plan(planner, _unsealed(done["after"]), files))
        if plan["refused"]:
            self.complain(plan["refused"])

    def present_everywhere(self) -> None:
        """On all hosts of a cluster; see schema_hosts."""
        files = self.read_files()
        with PlannerProcess(self.args["plan_timeout"]) as planner:
            run = ClusterRun(
                self.args["cluster"],
                self.args["cluster_timeout"],
                self.module,
                lambda live, cluster, deny: self.plan(planner, live, files, cluster, deny),
                lambda live, plan: restorable(live["quarantined"], plan["columns"]),
                _unsealed,
            )
            run.look()
            run.demand_all()
            # Every host, since each has rows of its own.
            asked = [self.assess(host.plan, **host.login) for host in run.hosts]
            if any(asked):
                run.look()
            first = next((host for host in run.hosts if host.state == DIFFERS), run.hosts[0])
            plan = first.plan
            if run.is_uniform:
                plan = self.plan(planner, first.live, files, self.args["cluster"])
            self.outcome.update({key: plan[key] for key in ("steps", "refused", "rehearsal", "diff")})
            self.outcome["live_ddl"] = self.whole_ddl(run.hosts[0].live)
            self.outcome["hosts"] = [host.shown() for host in run.hosts]
            self.outcome["warnings"] = [*plan["rehearsal"]["warnings"], *run.warnings()]
            self.outcome["changed"] = any(host.plan["steps"] or host.restore for host in run.hosts)
            self.outcome["pending"] = self.left()
            self.demand_expected(None)
            known = frozenset(item["name"] for host in run.hosts for item in host.plan["refused"])
            refused = {item["name"]: item for host in run.hosts for item in host.plan["refused"]}
            if not self.check_mode and self.outcome["changed"]:
                try:
                    run.apply(self.take_more)
                finally:
                    self.outcome["hosts"] = [host.shown() for host in run.wait(known)]
                run.demand_sync(known)
        if refused:
            self.complain(list(refused.values()))

    def take_more(self, done: dict[str, Any]) -> None:
        """Add what one host did to what others did before it."""
        before = {key: list(self.outcome[key]) for key in ("executed_statements", "quarantined", "restored")}
        finished = self.done
        self.take(done)
        self.done |= finished
        for key, earlier in before.items():
            self.outcome[key] = earlier + self.outcome[key]
        self.outcome["changed"] = bool(self.outcome["executed_statements"])
        self.outcome["pending"] = self.left()

    def reverse_everywhere(self) -> None:
        """Take a release back host by host: each has rows of its own, and a quarantine of its own."""
        found = self.module("read")["hosts"]
        silent = [f"{one['host']}:{one['port']} ({one['error']})" for one in found if one.get("error")]
        if silent:
            raise SchemaError(
                f"cluster {self.args['cluster']}: cannot ask {'; '.join(silent)}. Nothing was changed"
            )
        kept: dict[str, list[Any]] = {
            key: [] for key in ("executed_statements", "quarantined", "restored", "pending")
        }
        changed = False
        for one in found:
            try:
                self.reverse(login_host=one["host"], login_port=one["port"])
            finally:
                kept = {key: kept[key] + self.outcome[key] for key in kept}
                changed = changed or self.outcome["changed"]
                self.outcome.update({**kept, "changed": changed})

    def assess(self, plan: dict[str, Any], **login: Any) -> bool:
        """Ask the live data about what an empty rehearsal cannot see; tells whether something turned out impossible."""
        questions = [
            {"name": change["name"], "checks": change["checks"]}
            for step in plan["steps"]
            for change in step["changes"]
            if change["checks"]
        ]
        if questions:
            answer = self.module(
                "assess", steps=questions, assess_timeout=self.args["assess_timeout"], **login
            )
            host = {"host": f"{login['login_host']}:{login['login_port']}"} if login else {}
            self.outcome["findings"] += [{**item, **host} for item in answer["findings"]]
            # By their order, not by the names in the answer: there, Ansible hides what looks like the password.
            names = [question["name"] for question in questions for _check in question["checks"]]
            for name, item in zip(names, answer["findings"]):
                if item["blocking"]:
                    self.deny.setdefault(name, item["text"])
        return bool(self.deny)

    def plan(
        self,
        planner: PlannerProcess,
        live: Mapping[str, Any],
        files: list[dict[str, str]],
        cluster: str = "",
        deny: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        return planner.ask(
            {
                "database": self.args["database"],
                "database_exists": live["database_exists"],
                "server_version": live["server_version"],
                "live": live["objects"],
                "files": files,
                "allow": self.args["allow"],
                "deny": {**self.deny, **(deny or {})},
                "default_replication": live["default_replication"],
                "cluster": cluster,
            }
        )

    def check_outcome(self, plan: dict[str, Any], again: dict[str, Any]) -> None:
        """The server's word counts: what it has now must be what the files want, but for what was refused."""
        known = {item["name"] for item in plan["refused"]}
        left = [step["name"] for step in again["steps"]]
        left += [item["name"] for item in again["refused"] if item["name"] not in known]
        if left:
            raise SchemaError(
                f"the server accepted all statements, but these differences are left: {', '.join(left)}"
            )

    def demand_expected(self, restored: list[dict[str, Any]] | None) -> None:
        """What is about to be done has to be what was shown and approved; None: nobody knows what comes back."""
        expected = self.args["expected"]
        if expected is None:
            return
        pairs = [("statements", [step["statement"] for step in self.outcome["steps"]])]
        if restored is not None:
            pairs.append(("restored", [item["quarantine"] for item in restored]))
        for what, found in pairs:
            if found != expected[what]:
                odd = [text for text in found if text not in expected[what]]
                gone = [text for text in expected[what] if text not in found]
                raise SchemaError(
                    f"the plan for {self.args['database']} is another one than was shown and approved: "
                    f"{what} found beside it: {'; '.join(odd) or 'none'}, missing: {'; '.join(gone) or 'none'}. "
                    "Nothing was changed; run the deploy again"
                )

    def complain(self, refused: list[dict[str, str]]) -> None:
        lines = "; ".join(
            f"{item['name']}: found {item['found'] or 'nothing'}, expected {item['expected'] or 'nothing'} "
            f"({item['reason']})"
            for item in refused
        )
        raise SchemaError(
            f"{len(refused)} differences between {self.args['database']} and the desired files are refused, "
            f"all other steps are {'planned' if self.check_mode else 'done'}: {lines}"
        )

    def foresee_restore(self, live: dict[str, Any], restore: list[dict[str, str]]) -> list[dict[str, Any]]:
        rows = {item["name"]: item["total_rows"] for item in live["quarantined"]}
        quarantine = self.args["quarantine_database"] or f"{self.args['database']}_quarantine"
        return [
            {
                "object": ".".join(filter(None, (self.args["database"], item["table"], item["column"]))),
                "quarantine": f"{quarantine}.{item['name']}",
                "rows": int(rows[item["name"]]) if rows[item["name"]].isdigit() else None,
            }
            for item in restore
        ]

    def read_files(self) -> list[dict[str, str]]:
        return read_desired_files(self.find(item) for item in self.args["desired"])

    def find(self, item: str) -> Path:
        """Look where Ansible looks for files: role, playbook, current directory."""
        if Path(item).is_absolute():
            if Path(item).exists():
                return Path(item)
            raise SchemaError(f"desired: there is no file or directory {item} on the controller")
        try:
            return Path(self._find_needle("files", item))
        except Exception as error:
            # Ansible raises its own error with all places that it looked at.
            raise SchemaError(f"desired: {item} was not found on the controller: {error}") from None

    # reversed ------------------------------------------------------------------------------------------

    def reverse(self, **login: Any) -> None:
        names = ("steps", "policy", "drop")
        done = self.module("reverse", **{name: self.args[name] for name in names}, **login)
        self.take(done)
        before = _unsealed(done["before"])
        self.outcome["live_ddl"] = self.whole_ddl(before)
        self.outcome["changed"] = done["changed"]
        self.outcome["pending"] = done["pending"]
        if done["changed"]:
            after = _unsealed(done["after"])["objects"] if "after" in done else None
            self.show_reverse(before, after, done["pending"])

    def show_reverse(
        self, before: dict[str, Any], after: list[dict[str, str]] | None, pending: list[str]
    ) -> None:
        """The difference as people read it. What was done is done, so nothing here makes the task fail."""
        database = self.args["database"]
        request: dict[str, Any] = {"database": database, "live": before["objects"]}
        if after is None:
            quarantine = self.args["quarantine_database"] or f"{database}_quarantine"
            request.update(statements=pending, quarantine=quarantine, quarantined=before["quarantined"])
        else:
            request["after"] = after
        try:
            with PlannerProcess(self.args["plan_timeout"]) as planner:
                shown = planner.ask(request)
        except SchemaError as error:
            shown = {
                "diff": {"before": "", "after": ""},
                "warnings": [f"no difference can be shown: {error}"],
            }
        self.outcome["diff"] = {side: self.hidden(text) for side, text in shown["diff"].items()}
        self.outcome["warnings"] = [*self.outcome.get("warnings", []), *map(self.hidden, shown["warnings"])]

    # helpers -------------------------------------------------------------------------------------------

    @property
    def check_mode(self) -> bool:
        return bool(self._task.check_mode)

    def module(self, operation: str, **more: Any) -> dict[str, Any]:
        """Run the module where the task runs, with the login data and nothing that it does not need."""
        names = ["database", "state", "release", "quarantine_database"]
        if operation == "read" and self.args["cluster"]:
            names += ["cluster", "cluster_hosts", "cluster_timeout"]
        if operation in ("apply", "reverse"):
            names.append("journal")
        args = {name: self.args[name] for name in (*LOGIN_NAMES, *names) if self.args[name] is not None}
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE,
            module_args={**args, "operation": operation, **more},
            task_vars=self.task_vars,
        )
        if result.get("failed") or "before" not in result:
            raise ModuleFailed(result)
        return result

    def take(self, done: dict[str, Any]) -> None:
        self.done = set(done.get("done", ()))
        for key in ("executed_statements", "quarantined", "restored"):
            self.outcome[key] = done.get(key, self.outcome[key])
        self.outcome["changed"] = bool(self.outcome["executed_statements"]) or (
            self.check_mode and done.get("changed", False)
        )
        self.outcome["pending"] = self.left()

    def left(self) -> list[str]:
        return [step["statement"] for step in self.outcome["steps"] if step["name"] not in self.done]

    def whole_ddl(self, live: dict[str, Any]) -> str:
        """The database as a script that could make it again, without the password, should it stand in there."""
        lines = (
            [f"CREATE DATABASE IF NOT EXISTS `{self.args['database']}`;"] if live["database_exists"] else []
        )
        lines += [f"{item['ddl']};" for item in live["objects"]]
        return self.hidden("".join(f"{line}\n\n" for line in lines))

    def hidden(self, text: str) -> str:
        """The text without the password, should it stand in there as a value."""
        password = self.args["login_password"]
        return text.replace(f"'{password}'", "'********'") if password else text


def _unsealed(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(base64.b64decode(text))
    return data
