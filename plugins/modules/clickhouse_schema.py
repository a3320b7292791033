#!/usr/bin/python

# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clickhouse_schema
short_description: Bring ClickHouse tables to the state that SQL files describe, and back
version_added: "0.1.0"
description:
  - Compares the live schema with files of plain C(CREATE) statements, object by object and by meaning, plans the
    statements that are missing, rehearses them forward and back on an embedded ClickHouse engine on the controller,
    and only then runs them on the server and reads the result back.
  - Missing databases, tables, views, dictionaries, columns, skipping indexes and projections are added. Every other
    difference of an object that the files name is reported as refused and makes the task fail, after the additive
    steps were applied. Most can be allowed with O(allow). All changes of one table go into one C(ALTER).
  - "A comment C(-- renamed-from: old) before a C(CREATE) or on the line of a column renames; nothing is renamed by guess."
  - What the embedded engine does not do, in the rehearsal of a change or of its rollback, is refused with its reason,
    and the rest is planned without it.
  - Objects that no file names are never touched.
  - Rolling a release back keeps its data. A table is moved to the quarantine database by its name, a column's
    values are copied there with the keys of their rows and counted before the column is dropped. While that lasts,
    a constraint refuses new values for the column, so a writer gets an error instead of losing them. Later runs with
    O(state=present) bring rows and values back. Quarantine tables whose data was restored by copying are kept
    and renamed with the suffix C(~restored); only a table that was counted and found empty is dropped.
  - There is no state besides the server's own, so after any failure the next run goes on from what is there.
extends_documentation_fragment:
  - suho.platform.attributes
  - suho.platform.clickhouse
  - suho.platform.journal
options:
  database:
    description: The database to manage. It must not be the C(system) database.
    type: str
    required: true
  desired:
    description:
      - Files on the controller, or directories whose C(*.sql) files are read in the order of their names.
      - A file may hold several statements. Allowed are C(CREATE TABLE), C(CREATE VIEW), C(CREATE MATERIALIZED VIEW),
        C(CREATE DICTIONARY), C(CREATE DATABASE) and C(USE), with or without the database's name, for O(database) only.
      - Required with O(state=present).
    type: list
    elements: path
  state:
    description:
      - V(present) brings the database to the desired state.
      - V(rolled_back) rolls back the recorded O(steps) of a release. V(reversed) is its name in version 0.1.0.
    type: str
    choices: [present, rolled_back, reversed]
    default: present
  steps:
    description:
      - The steps to roll back, as a task with O(state=present) has returned them.
      - Required with O(state=rolled_back).
    type: list
    elements: dict
  plan:
    description:
      - The RV(plan) that a task in check mode has returned, with O(state=present). It is applied as it is, and nothing is planned anew;
        afterwards the schema is compared with O(desired) once more.
      - The task changes nothing and fails if the schema or the quarantine was changed since the plan was made, or if the plan differs
        from what its hash says.
    type: dict
  release:
    description:
      - Id of the release, which becomes part of the names in the quarantine database.
      - Letters, digits, C(.), C(-) and single C(_). Required with O(state=rolled_back), and of use for a rebuild.
    type: str
  policy:
    description:
      - What becomes of rows and values that the release has brought, with O(state=rolled_back).
      - V(quarantine) moves them to O(quarantine_database).
      - V(keep) leaves new tables and columns where they are. Software that does not know them has to get on with that.
      - V(drop) deletes those that O(drop) names, and moves all others to O(quarantine_database).
    type: str
    choices: [quarantine, keep, drop]
    default: quarantine
  drop:
    description:
      - Tables, and columns as C(table.column), to drop with all their data. Each must have been added by the release.
      - Required with O(policy=drop), and possible with nothing else.
    type: list
    elements: str
    default: []
  quarantine_database:
    description: Database for what is rolled back. By default, O(database) followed by C(_quarantine).
    type: str
  allow:
    description:
      - Names of refused differences, as a former run reported them, or the classes V(rewrite) and V(destructive)
        for all of them.
      - A step of the class C(rewrite) keeps every value, but may rewrite parts, or change how writers and readers get on
        with the table. One of the class C(destructive) may delete rows or values, such as a shorter TTL or a narrower type.
      - The name C(<table>.rebuild), and no class, allows another engine or other keys. The rows are copied while writers go on,
        then the table is closed for a moment, the rest is copied, both are compared, and the names are exchanged. The old
        table stays in the quarantine. A writer gets an error while the table is closed, and has to try again.
      - Nothing allows the loss of a column.
    type: list
    elements: str
    default: []
  plan_timeout:
    description: Seconds for planning and rehearsing on the controller.
    type: int
    default: 120
  assess_timeout:
    description:
      - Seconds for asking the live data what allowed changes would do to it. Only reads, and only with changes to ask about.
      - What is unknown in that time is no permission.
    type: float
    default: 30.0
  cluster:
    description:
      - Name of a cluster, on all hosts of which the schema is to be the same. Empty is this server alone.
      - Every host is asked by a connection of its own, before and after, with the same login data. Where all lack the same, the
        statements go out once, C(ON CLUSTER). Where hosts differ, or where rows have to be moved (rebuild, restore, O(state=rolled_back)),
        each host gets its own, one after the other.
      - A host that has not run a statement in time is neither a failure nor a success. It is asked again until O(cluster_timeout) is over, and
        the task fails unless every host has what the files want. RV(hosts) says what each has.
      - Hosts are asked at the same time. One that does not answer within O(cluster_timeout) counts as unreachable.
      - Replicated engines are rehearsed as plain ones. Path and replica in a file that differ from the server's are refused. A file
        without them means the server's default.
      - A replicated table with C({uuid}) in its path, as in that default, gets its id from a statement for all hosts. One that only some
        hosts lack is refused.
    type: str
    default: ""
  cluster_hosts:
    description: Hosts to ask, each C(host) or C(host:port). Default is what C(system.clusters) of O(login_host) says.
    type: list
    elements: str
    default: []
  cluster_timeout:
    description: Seconds that a statement may take on all hosts, and that hosts are waited for afterwards.
    type: float
    default: 180.0
  operation:
    description: Internal. The part of the work that the controller asks the target for.
    type: str
    choices: [read, assess, apply, rollback]
    default: read
  restore:
    description: Internal. Quarantine tables to restore.
    type: list
    elements: dict
    default: []
  fingerprint:
    description: Internal. The schema that was planned for.
    type: str
    default: ''
requirements:
  - chdb-core on the controller, for Ansible's own Python
author:
  - suho.platform contributors (@suho-platform)
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Returns the DDL of the managed objects before and after.
    support: full
"""

EXAMPLES = r"""
- name: Bring the analytics schema to the desired state
  suho.platform.clickhouse_schema:
    login_user: suho_analytics
    login_password: "{{ clickhouse_password }}"
    database: suho_analytics
    desired: files/schemas/clickhouse
    release: 20251006T220500Z
  register: schema

- name: Roll it back, keeping every row
  suho.platform.clickhouse_schema:
    login_user: suho_analytics
    login_password: "{{ clickhouse_password }}"
    database: suho_analytics
    state: rolled_back
    steps: "{{ schema.steps }}"
    release: 20251006T220500Z
"""

RETURN = r"""
steps:
  description: The planned steps in their order. Record them to be able to roll them back.
  returned: with O(state=present)
  type: list
  elements: dict
  contains:
    name: {description: Name of the step., type: str}
    object: {description: The database or table that it changes., type: str}
    class: {description: C(additive) or C(rewrite) or C(destructive)., type: str}
    statement: {description: What is run on the server., type: str}
    rollback_sql: {description: "What rolls it back, for people.", type: str}
    operation: {description: "The operation with all that O(state=rolled_back) needs to roll it back.", type: dict}
    reason: {description: Why the step is needed., type: str}
    effect: {description: What it does to data., type: str}
    changes:
      description: The differences that it settles, each with name, class, reason and checks.
      type: list
      elements: dict
plan:
  description:
    - The plan as a value, for the option O(plan) of a later task. Its C(hash) is a SHA-256 over what it does, its C(fingerprint) one over
      the schema and the quarantine that it was made for.
    - It also holds C(database), C(steps), C(refused), C(restored), C(findings), C(columns), C(for_cluster), C(rehearsal) and C(diff).
  returned: with O(state=present), in check mode
  type: dict
pending:
  description: Statements that were not run, because of check mode or because the task failed before.
  returned: always
  type: list
  elements: str
executed_statements:
  description: Statements that were run on the server.
  returned: always
  type: list
  elements: str
executed:
  description: The same with their durations.
  returned: always
  type: list
  elements: dict
  contains:
    statement: {description: What was run., type: str}
    seconds: {description: How long it took., type: float}
refused:
  description: Differences that are left, each with name, object, found, expected, class and reason.
  returned: with O(state=present)
  type: list
  elements: dict
findings:
  description:
    - What the live data says about changes that were allowed. Those that are C(blocked), or C(unknown) where that matters,
      are among RV(refused) with the finding as their reason.
  returned: with O(state=present)
  type: list
  elements: dict
  contains:
    step: {description: Name of the change., type: str}
    check:
      description: C(ttl), C(column_ttl), C(cast), C(rewrite_bytes), C(readers) or C(rebuild_space).
      type: str
    object: {description: "Table, or column of a table, that was asked.", type: str}
    observed: {description: "Rows, bytes or names that were found.", type: raw}
    limit: {description: What is allowed., type: raw}
    verdict: {description: "C(ok), C(risk), C(blocked) or C(unknown).", type: str}
    blocking: {description: Whether the change is refused for it., type: bool}
    text: {description: The finding as a sentence., type: str}
rehearsal:
  description: Versions of engine and server, duration, warnings and what the rehearsal did not cover.
  returned: with O(state=present)
  type: dict
hosts:
  description: With O(cluster), each host with C(host), C(port), C(state) (C(in sync), C(differs) or C(unreachable)), C(differences) and C(error).
  returned: always
  type: list
  elements: dict
live_ddl:
  description: DDL of the whole database before the first change.
  returned: always
  type: str
quarantined:
  description: What was moved or copied to the quarantine database, with the number of rows.
  returned: always
  type: list
  elements: dict
restored:
  description: What was brought back from the quarantine database, with the number of rows.
  returned: always
  type: list
  elements: dict
diff:
  description: DDL of the managed objects before and after.
  returned: always
  type: dict
"""

import base64
import json
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.clickhouse.client import ClickhouseError, connect, login_from, login_options
from ..module_utils.clickhouse.names import NameNotValid, check_identifier, check_release
from ..module_utils.releases.journal import ChangeJournal
from ..module_utils.releases.store import ReleaseError
from ..module_utils.schema.assess.assess import assess, is_blocking
from ..module_utils.schema.cluster.hosts import ask_hosts, bounded_login
from ..module_utils.schema.model import SchemaError
from ..module_utils.schema.options import schema_task_options
from ..module_utils.schema.server.apply import apply, demand_unmoved
from ..module_utils.schema.server.quarantine import Kept
from ..module_utils.schema.server.restore import restore
from ..module_utils.schema.server.rollback import Data, roll_back
from ..module_utils.schema.server.server import Server
from ..module_utils.schema.steps import Step


def schema_options() -> dict[str, Any]:
    """Those of a task, and what the controller says beside them."""
    return {
        **schema_task_options(),
        "operation": {"type": "str", "choices": ["read", "assess", "apply", "rollback"], "default": "read"},
        "restore": {"type": "list", "elements": "dict", "default": []},
        "fingerprint": {"type": "str", "default": ""},
    }


def work(server: Server, params: dict[str, Any], result: dict[str, Any]) -> None:
    """Do one operation; *result* holds what was done so far, also when an error ends it."""
    operation = params["operation"]
    if operation == "assess":
        found = assess(server, params["steps"] or [], params["assess_timeout"])
        result["findings"] = [{**item, "blocking": is_blocking(item)} for item in found]
        return
    live = server.read()
    kept: list[Kept] = []
    result["before"] = sealed(live)
    if operation == "read" and params["cluster"]:
        result["hosts"] = [
            {**one, "before": sealed(one["before"])} if "before" in one else one
            for one in ask_hosts(server, params)
        ]
    elif operation == "apply":
        demand_unmoved(server.database, live, params["fingerprint"])
        steps = [Step.from_dict(item) for item in params["steps"] or []]
        try:
            apply(server, steps, check_release(params["release"] or "unnamed"), kept)
        finally:
            result["quarantined"] = [item.to_dict() for item in kept]
        result["restored"] = restore(server, params["restore"])
    elif operation == "rollback":
        steps = [Step.from_dict(item) for item in params["steps"] or []]
        data = Data(params["policy"] == "keep", frozenset(params["drop"]))
        try:
            roll_back(server, steps, check_release(params["release"]), data, kept)
        finally:
            result["quarantined"] = [item.to_dict() for item in kept]
    if server.executed:
        result["after"] = sealed(server.read())


def report(server: Server, result: dict[str, Any]) -> None:
    """Put what was done on the server, or would be, into *result*."""
    result.update(
        executed_statements=[item.statement for item in server.executed],
        executed=[item.to_dict() for item in server.executed],
        pending=server.pending,
        done=server.done,
    )


def sealed(data: dict[str, Any]) -> str:
    """Pack what the controller computes with, so that hiding secrets in results cannot change DDL."""
    return base64.b64encode(json.dumps(data).encode()).decode()


def main() -> None:
    module = AnsibleModule(argument_spec={**login_options(), **schema_options()}, supports_check_mode=True)
    result: dict[str, Any] = {
        "quarantined": [],
        "restored": [],
        "executed_statements": [],
        "executed": [],
        "pending": [],
    }
    error = None
    try:
        database = check_identifier(module.params["database"], "database")
        quarantine = module.params["quarantine_database"] or f"{database}_quarantine"
        cluster, operation = module.params["cluster"], module.params["operation"]
        asks = cluster and operation == "read"
        login = bounded_login(module.params) if asks else login_from(module.params)
        with connect(login) as connection:
            everywhere = cluster and operation == "apply"
            server = Server(
                connection,
                database,
                check_identifier(quarantine),
                module.check_mode,
                module.params["cluster_timeout"] if everywhere else None,
                ChangeJournal(module.params["journal"], "schema", module.check_mode),
            )
            try:
                work(server, module.params, result)
            finally:
                report(server, result)
    except (ClickhouseError, SchemaError, NameNotValid, ReleaseError) as problem:
        error = str(problem)
    result["changed"] = bool(result["executed_statements"] or result["pending"])
    if error:
        module.fail_json(msg=error, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
