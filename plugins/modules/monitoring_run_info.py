#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: monitoring_run_info
short_description: Say where a monitoring run stands
version_added: "0.1.0"
description:
  - Reads what M(suho.platform.monitoring_run) has written, and whether a process does its rounds just now.
  - Can wait until a round has ended.
options:
  state_dir:
    description: Directory on the target for everything that has to outlive a run.
    type: path
    required: true
  run:
    description: Name of the monitoring run. By default the one that was begun last and whose result nobody has collected yet.
    type: str
    aliases: [bake]
    default: ''
  wait_for_round:
    description: Return when this round has ended, the monitoring run is over, nobody does its rounds, or O(timeout) has passed.
    type: int
    default: 0
  wait_for_work:
    description: Return when a process does its rounds, or it is over, or O(patience) has passed.
    type: bool
    default: false
  timeout:
    description: Seconds to wait at most.
    type: float
    default: 60
  patience:
    description: Seconds that a process which was just started may take until it is seen at work.
    type: float
    default: 15
  full:
    description: Whether to return the whole record of each round, and not what it came to only.
    type: bool
    default: false
extends_documentation_fragment:
  - suho.platform.attributes.read_only
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Wait for the second round
  suho.platform.monitoring_run_info:
    state_dir: /var/lib/suho-platform
    wait_for_round: 2
    timeout: 1200
  register: so_far
"""

RETURN = r"""
exists:
  description: Whether there is such a monitoring run.
  returned: success
  type: bool
run:
  description: Where it stands; empty if there is none.
  returned: success
  type: dict
  contains:
    id: {description: Its name., type: str}
    status: {description: "V(open), V(done) or V(stopped).", type: str}
    began: {description: When it was begun., type: str}
    ended: {description: When it ended; empty before., type: str}
    collected: {description: Whether its result was seen., type: bool}
    plan: {description: "Rounds, interval, grace, limits and release.", type: dict}
    rounds_done: {description: How many rounds have ended., type: int}
    verdict: {description: "The verdict so far: V(pass), V(fail), V(error) or V(inconclusive).", type: str}
    reason: {description: Why., type: str}
    at_work: {description: Whether a process does its rounds just now., type: bool}
    seconds_left: {description: Seconds until the last round begins., type: float}
rounds:
  description: Its rounds, each with number, began, ended, verdict and reasons; with O(full) all that was seen in them.
  returned: success
  type: list
  elements: dict
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.monitor.run import report
from ..module_utils.monitor.store import OPEN, MonitoringRun, MonitoringStore

SHORT = ("number", "began", "ended", "verdict", "reasons", "hard")


def wanted(store: MonitoringStore, name: str) -> MonitoringRun | None:
    """The monitoring run that is meant, None if there is none."""
    if name:
        found = store.run(name)
        return found if found.exists else None
    return next((one for one in reversed(store.all()) if not one.head().get("collected")), None)


def wait_for_work(store: MonitoringStore, name: str, patience: float) -> MonitoringRun | None:
    """Wait until a process does the rounds of the monitoring run or it is over: one that was just started has to import its code first."""
    began = time.monotonic()
    while True:
        run = wanted(store, name)
        if run and (run.is_at_work() or run.head()["status"] != OPEN):
            return run
        if time.monotonic() - began > patience:
            return run
        time.sleep(0.2)


def wait(run: MonitoringRun, number: int, timeout: float, patience: float) -> None:
    """Wait for a round's end, or for anything after which it will not come."""
    began = seen = time.monotonic()
    while time.monotonic() - began < timeout:
        if len(run.rounds()) >= number or run.head()["status"] != OPEN:
            return
        if run.is_at_work():
            seen = time.monotonic()
        elif time.monotonic() - seen > patience:
            return
        time.sleep(0.2)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "run": {"type": "str", "default": "", "aliases": ["bake"]},
            "wait_for_round": {"type": "int", "default": 0},
            "wait_for_work": {"type": "bool", "default": False},
            "timeout": {"type": "float", "default": 60},
            "patience": {"type": "float", "default": 15},
            "full": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    params = module.params
    result: dict[str, Any] = {"changed": False, "exists": False, "run": {}, "rounds": []}
    try:
        store = MonitoringStore(params["state_dir"])
        run = wanted(store, params["run"])
        if params["wait_for_work"] or params["wait_for_round"]:
            run = wait_for_work(store, params["run"], params["patience"])
        if run:
            if params["wait_for_round"]:
                wait(run, params["wait_for_round"], params["timeout"], params["patience"])
            rounds = [
                {key: value for key, value in one.items() if params["full"] or key in SHORT}
                for one in run.rounds()
            ]
            result.update(exists=True, run=report(run), rounds=rounds)
    except PlatformError as error:
        module.fail_json(msg=f"monitoring runs below {params['state_dir']}: {error}")
    except OSError as error:
        module.fail_json(msg=f"monitoring runs below {params['state_dir']} cannot be read: {error.strerror}")
    module.exit_json(**result)


if __name__ == "__main__":
    main()
