#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_run
short_description: Monitor a platform in rounds, with the rounds' state on the target
version_added: "0.1.0"
description:
  - Does the rounds of a monitoring run until its verdict is decided, or all of them have passed. Each round asks all checks over exactly the
    time since the round before it - no log line is left out or read twice, even across restarts of containers or of this module.
  - Every round is on the disk of the target before the next one begins. The same call again goes on with the monitoring run wherever it stands.
  - Run it with C(async) and C(poll=0), and it outlives its controller. M(suho.platform.monitoring_run_info) says where it stands.
  - Under check mode one round is done at once, and nothing is written.
  - A round that fails, one that could not be measured, and one that proves nothing are counted apart, each against a limit of its own.
    A container that is gone, or that restarts, ends the monitoring run at once.
options:
  state_dir:
    description: Directory on the target for everything that has to outlive a run. The monitoring run lies in C(<state_dir>/bakes/<run>).
    type: path
    required: true
  run:
    description: Name of the monitoring run.
    type: str
    aliases: [bake]
    required: true
  state:
    description:
      - V(run) begins the monitoring run or goes on with it, and returns when it has ended.
      - V(stopped) ends it before its next round.
      - V(collected) notes that its result was seen, so that it is not shown again.
    type: str
    choices: [run, stopped, collected]
    default: run
  rounds:
    description: How many rounds there are.
    type: int
    default: 4
  interval:
    description: Seconds from the beginning of one round to that of the next. The first one begins after that time.
    type: float
    default: 900
  grace:
    description: Seconds that a round waits for what should be there, before it is missing.
    type: float
    default: 60
  release:
    description: The release that is monitored, for the record.
    type: str
    default: ''
  failure_limit:
    description: How many rounds may fail.
    type: int
    default: 0
  consecutive_error_limit:
    description: How many rounds in a row it may be impossible to measure.
    type: int
    default: 1
  inconclusive_limit:
    description: How many rounds may prove nothing.
    type: int
    default: 0
  keep:
    description: How many monitoring runs that have ended stay on the target.
    type: int
    default: 20
  memory_max_percent:
    description: How much of its memory limit (that of the machine, if it has none) a container may use. V(0) does not look.
    type: float
    default: 90
  disks:
    description: Paths whose file systems have to have free space.
    type: list
    elements: path
    default: []
  disk_min_free_percent:
    description: How much of them has to be free.
    type: float
    default: 10
extends_documentation_fragment:
  - suho.platform.attributes
  - suho.platform.checks.platform
  - suho.platform.checks.logs
  - suho.platform.engine
  - suho.platform.clickhouse
attributes:
  check_mode:
    support: full
    description: One round is done at once, and nothing is written.
  diff_mode:
    support: none
    description: Changes nothing but its own record.
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Monitor the platform for an hour, whatever becomes of this controller
  suho.platform.monitoring_run:
    state_dir: /var/lib/suho-platform
    run: 20260131T120000Z
    rounds: 4
    interval: 900
    containers:
      - container: suho-data-bridge
    logs:
      - container: suho-data-bridge
    login_user: suho_analytics
    login_password: "{{ platform_clickhouse_password }}"
    login_db: suho_analytics
    assertions:
      - name: every symbol gets new bars
        kind: steady
        table: aggregates
        time_column: ingested_at
        group_by: symbol
        max_age: 900
    monitor_url: http://127.0.0.1:8222
    streams:
      - stream: BARS
        consumer: data-bridge-bars
  async: 4500
  poll: 0

- name: End a monitoring run before its time
  suho.platform.monitoring_run:
    state_dir: /var/lib/suho-platform
    run: 20260131T120000Z
    state: stopped
"""

RETURN = r"""
run:
  description: Where the monitoring run stands, as in RV(suho.platform.monitoring_run_info#module:run); empty under check mode.
  returned: success
  type: dict
round:
  description: The record of the one round.
  returned: under check mode
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.platform import entry_options
from ..module_utils.common.errors import PlatformError
from ..module_utils.monitor.round import RoundRunner, RoundSpec, round_spec
from ..module_utils.monitor.run import report, run_rounds, stop
from ..module_utils.monitor.store import MonitoringError, MonitoringPlan, MonitoringStore
from ..module_utils.monitor.verdict import Limits


def argument_spec() -> dict[str, Any]:
    return {
        "state_dir": {"type": "path", "required": True},
        "run": {"type": "str", "required": True, "aliases": ["bake"]},
        "state": {"type": "str", "default": "run", "choices": ["run", "stopped", "collected"]},
        "rounds": {"type": "int", "default": 4},
        "interval": {"type": "float", "default": 900},
        "grace": {"type": "float", "default": 60},
        "release": {"type": "str", "default": ""},
        "failure_limit": {"type": "int", "default": 0},
        "consecutive_error_limit": {"type": "int", "default": 1},
        "inconclusive_limit": {"type": "int", "default": 0},
        "keep": {"type": "int", "default": 20},
        "memory_max_percent": {"type": "float", "default": 90},
        "disks": {"type": "list", "elements": "path", "default": []},
        "disk_min_free_percent": {"type": "float", "default": 10},
        **entry_options(),
    }


def plan_of(params: dict[str, Any], spec: RoundSpec) -> MonitoringPlan:
    """What the record says of the monitoring run as a whole."""
    if params["rounds"] < 1:
        raise ValueError(f"rounds is {params['rounds']}, expected 1 or more")
    if params["interval"] <= 0:
        raise ValueError(f"interval is {params['interval']:g}, expected more than 0 seconds")
    if params["grace"] < 0:
        raise ValueError(f"grace is {params['grace']:g}, expected 0 or more seconds")
    limits = Limits(params["failure_limit"], params["consecutive_error_limit"], params["inconclusive_limit"])
    limits.check()
    return {
        "rounds": params["rounds"],
        "interval": params["interval"],
        "grace": params["grace"],
        "release": params["release"],
        "limits": vars(limits),
        # Another process may do the first round, with other options: from here on nothing is to be left out.
        "first": {"cursors": {one.container: one.since for one in spec.logs}},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        store = MonitoringStore(params["state_dir"])
        run = store.run(params["run"])
        if params["state"] == "run":
            spec = round_spec(params)
            plan, runner = plan_of(params, spec), RoundRunner(spec, params["grace"])
            if module.check_mode:
                module.exit_json(changed=False, run={}, round=runner.round(1, None))
            store.keep(params["keep"])
            module.exit_json(changed=True, run=run_rounds(run, plan, runner.round))
        if not run.exists:
            raise MonitoringError(f"monitoring run {run.id} is not on this host: {run.folder} does not exist")
        changed = (
            run.head()["status"] == "open"
            if params["state"] == "stopped"
            else not run.head().get("collected")
        )
        if changed and not module.check_mode:
            if params["state"] == "stopped":
                stop(run)
            else:
                run.update(collected=True)
        module.exit_json(changed=changed, run=report(run))
    except (ValueError, PlatformError) as error:
        module.fail_json(msg=f"monitoring run {params['run']}: {error}")
    except OSError as error:
        module.fail_json(
            msg=f"monitoring run {params['run']}: {params['state_dir']} cannot be written: {error.strerror}"
        )


if __name__ == "__main__":
    main()
