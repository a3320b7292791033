# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the module and its action plugin do with a fresh or an equal database, without Ansible around it.

CLICKHOUSE_PASSWORD=... python -m bench.apply HOST PORT USER DATABASE FOLDER
"""

from __future__ import annotations

import base64
import json
import os
import sys
from pathlib import Path
from typing import Any

from plugins.module_utils.clickhouse.client import Login, connect
from plugins.module_utils.schema.input.paths import read_desired_files
from plugins.module_utils.schema.rehearsal.process import PlannerProcess
from plugins.module_utils.schema.server.quarantine import restorable
from plugins.module_utils.schema.server.server import Server
from plugins.modules.clickhouse_schema import work


def operation(login: Login, database: str, **params: Any) -> dict[str, Any]:
    """One call of the module: a connection of its own, as on a target."""
    result: dict[str, Any] = {"quarantined": []}
    with connect(login) as connection:
        server = Server(connection, database, f"{database}_quarantine")
        work(server, {"steps": [], "restore": [], "release": "bench", "cluster": "", **params}, result)
    return result


def unsealed(text: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(base64.b64decode(text))
    return data


def main() -> None:
    host, port, user, database, folder = sys.argv[1:]
    login = Login(host=host, port=int(port), user=user, password=os.environ["CLICKHOUSE_PASSWORD"])
    files = read_desired_files([Path(folder)])
    live = unsealed(operation(login, database, operation="read")["before"])
    with PlannerProcess() as planner:

        def plan(state: dict[str, Any]) -> dict[str, Any]:
            names = ("database_exists", "server_version")
            wanted = {"database": database, "files": files, "live": state["objects"], "allow": [], "deny": {}}
            return planner.ask({**wanted, **{name: state[name] for name in names}})

        found = plan(live)
        restore = restorable(live["quarantined"], found["columns"])
        if found["steps"] or restore:
            given = {"steps": found["steps"], "restore": restore, "fingerprint": live["fingerprint"]}
            after = plan(unsealed(operation(login, database, operation="apply", **given)["after"]))
            if after["steps"] or after["refused"]:
                sys.exit(f"differences are left: {after['steps']} {after['refused']}")


if __name__ == "__main__":
    main()
