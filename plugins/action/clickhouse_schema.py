# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The controller's side of suho.platform.clickhouse_schema; its options are documented with the module.

Reading and changing the server is done by the module, on whatever host the task runs. Planning and the
rehearsal run here, in a process of their own that never sees the login data.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.plugins.action import ActionBase

from ..module_utils.clickhouse.client import LOGIN_NAMES, login_options
from ..module_utils.clickhouse.names import NameNotValid, check_identifier, check_release
from ..module_utils.schema.input.paths import read_desired_files
from ..module_utils.schema.model import SchemaError
from ..module_utils.schema.options import schema_task_options
from ..module_utils.schema.task import ModuleFailed, SchemaTask

MODULE = "suho.platform.clickhouse_schema"


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = True
    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: Any = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars) or {}
        _validation, args = self.validate_argument_spec(
            argument_spec={**login_options(), **schema_task_options()},
            required_if=[
                ("state", "present", ("desired",)),
                ("state", "rolled_back", ("steps", "release")),
                ("state", "reversed", ("steps", "release")),
            ],
        )
        if args["state"] == "reversed":  # its name in version 0.1.0
            args["state"] = "rolled_back"
        self.args, self.task_vars = args, task_vars or {}
        task = SchemaTask(args, self.module, self.read_files, bool(self._task.check_mode))
        try:
            check_identifier(args["database"], "database")
            if args["release"] is not None:
                check_release(args["release"])
            if bool(args["drop"]) != (args["policy"] == "drop"):
                raise SchemaError(
                    f"policy {args['policy']} with drop {', '.join(args['drop']) or 'empty'}: "
                    "data is dropped by policy drop, and only what drop names"
                )
            task.run()
        except (SchemaError, NameNotValid) as error:
            task.outcome.update(failed=True, msg=str(error))
        result.update(task.outcome)
        return result

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

    def module(self, operation: str, **more: Any) -> dict[str, Any]:
        """Run the module where the task runs, with the login data and nothing that it does not need."""
        names = ["database", "state", "release", "quarantine_database"]
        if operation == "read" and self.args["cluster"]:
            names += ["cluster", "cluster_hosts", "cluster_timeout"]
        if operation in ("apply", "rollback"):
            names.append("journal")
        args = {name: self.args[name] for name in (*LOGIN_NAMES, *names) if self.args[name] is not None}
        result: dict[str, Any] = self._execute_module(
            module_name=MODULE,
            module_args={**args, "operation": operation, **more},
            task_vars=self.task_vars,
        )
        # Only a module that has come to its end has looked at anything.
        if result.get("failed") or not {"before", "findings"} & set(result):
            raise ModuleFailed(result)
        return result
