#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: bake
short_description: Watch a platform in rounds, with the rounds' state on the target
version_added: "0.1.0"
description:
  - Does the rounds of a bake until its verdict is decided, or all of them have passed. Each round runs all probes over exactly the time since
    the round before it - no log line is left out or read twice, even across restarts of containers or of this module.
  - Every round is on the disk of the target before the next one begins. The same call again goes on with the bake wherever it stands.
  - Run it with C(async) and C(poll=0), and it outlives its controller. M(suho.platform.bake_info) says where it stands.
  - Under check mode one round is done at once, and nothing is written.
  - A round that fails, one that could not be measured, and one that proves nothing are counted apart, each against a limit of its own.
    A container that is gone, or that restarts, ends the bake at once.
options:
  state_dir:
    description: Directory on the target for everything that has to outlive a run. The bake lies in C(<state_dir>/bakes/<bake>).
    type: path
    required: true
  bake:
    description: Name of the bake.
    type: str
    required: true
  state:
    description:
      - V(run) begins the bake or goes on with it, and returns when it has ended.
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
    description: The release that is watched, for the record.
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
    description: How many bakes that have ended stay on the target.
    type: int
    default: 20
  containers:
    description:
      - The containers, as in O(suho.platform.container_assert#module:containers). Restarts count from the beginning of the bake.
    type: list
    elements: dict
    default: []
  logs:
    description:
      - Their logs, as in O(suho.platform.log_assert#module:containers). C(since) is where the first round begins to read.
    type: list
    elements: dict
    default: []
  error_levels:
    description: Levels that make an error line.
    type: list
    elements: str
    default: [ERROR, CRITICAL, FATAL]
  max_lines:
    description: How many lines of one log a round reads at most; with more, the round proves nothing.
    type: int
    default: 50000
  assertions:
    description: What the ClickHouse server has to answer, as in O(suho.platform.clickhouse_assert#module:assertions).
    type: list
    elements: dict
    default: []
  monitor_url:
    description: NATS' monitoring endpoint. Needed with O(streams).
    type: str
    default: ''
  streams:
    description: Streams and consumers, as in O(suho.platform.jetstream_assert#module:streams).
    type: list
    elements: dict
    default: []
  request_timeout:
    description: Seconds to wait for an answer of O(monitor_url).
    type: float
    default: 5
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
  - ansible.builtin.action_common_attributes
  - suho.platform.engine
  - suho.platform.clickhouse
attributes:
  check_mode:
    support: full
    description: One round is done at once, and nothing is written.
  diff_mode:
    support: none
    description: Changes nothing but its own record.
  platform:
    platforms: posix
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Watch the platform for an hour, whatever becomes of this controller
  suho.platform.bake:
    state_dir: /var/lib/suho-platform
    bake: 20260131T120000Z
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

- name: End a bake before its time
  suho.platform.bake:
    state_dir: /var/lib/suho-platform
    bake: 20260131T120000Z
    state: stopped
"""

RETURN = r"""
bake:
  description: Where the bake stands, as in RV(suho.platform.bake_info#module:bake); empty under check mode.
  returned: success
  type: dict
round:
  description: The record of the one round.
  returned: under check mode
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils.checks.clickhouse.base import AssertionNotValid
from ..module_utils.checks.clickhouse.kinds import build
from ..module_utils.checks.clickhouse.run import CONNECTIONS, Session
from ..module_utils.checks.containers import CONTAINER_OPTIONS
from ..module_utils.checks.containers import parse_wish as container_wish
from ..module_utils.checks.docker_logs import DockerLogs
from ..module_utils.checks.jetstream import STREAM_OPTIONS, Monitor, MonitorError, StreamAssertions
from ..module_utils.checks.jetstream import parse_wish as stream_wish
from ..module_utils.checks.log_spec import LOG_OPTIONS, LogCheckError, check_levels, parse_check
from ..module_utils.clickhouse.client import login_from, login_options
from ..module_utils.common.http import fetcher
from ..module_utils.docker.engine import engine_from, engine_options
from ..module_utils.monitor.round import Probes, Watch
from ..module_utils.monitor.run import report, run_bake, stop
from ..module_utils.monitor.store import BakeError, BakeStore
from ..module_utils.monitor.verdict import Limits

ENTRIES = {"containers": CONTAINER_OPTIONS, "logs": LOG_OPTIONS, "streams": STREAM_OPTIONS}


def argument_spec() -> dict[str, Any]:
    entries = {"type": "list", "elements": "dict", "default": []}
    return {
        **login_options(),
        "state_dir": {"type": "path", "required": True},
        "bake": {"type": "str", "required": True},
        "state": {"type": "str", "default": "run", "choices": ["run", "stopped", "collected"]},
        "rounds": {"type": "int", "default": 4},
        "interval": {"type": "float", "default": 900},
        "grace": {"type": "float", "default": 60},
        "release": {"type": "str", "default": ""},
        "failure_limit": {"type": "int", "default": 0},
        "consecutive_error_limit": {"type": "int", "default": 1},
        "inconclusive_limit": {"type": "int", "default": 0},
        "keep": {"type": "int", "default": 20},
        "containers": entries,
        "logs": entries,
        "error_levels": {"type": "list", "elements": "str", "default": ["ERROR", "CRITICAL", "FATAL"]},
        "max_lines": {"type": "int", "default": 50000},
        "assertions": entries,
        "monitor_url": {"type": "str", "default": ""},
        "streams": entries,
        "request_timeout": {"type": "float", "default": 5},
        "memory_max_percent": {"type": "float", "default": 90},
        "disks": {"type": "list", "elements": "path", "default": []},
        "disk_min_free_percent": {"type": "float", "default": 10},
        **engine_options(),
    }


def entries(params: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """The option's entries with their defaults; one that is not as the module of that kind wants it is a ValueError."""
    spec = {name: {"type": "list", "elements": "dict", "options": ENTRIES[name]}}
    checked = ArgumentSpecValidator(spec).validate({name: params[name]})
    if checked.error_messages:
        raise ValueError(f"{name}: {'; '.join(checked.error_messages)}")
    return list(checked.validated_parameters[name])


def make_watch(params: dict[str, Any]) -> Watch:
    """Read all that a round has to know. Bad input is a ValueError, LogCheckError, MonitorError or AssertionNotValid."""
    engine = engine_from(params)
    login = login_from(params)
    specs = params["assertions"]
    count = min(CONNECTIONS, len(build(specs, login.database))) if specs else 0
    streams = None
    if params["streams"]:
        fetch = fetcher(params["request_timeout"], True, False)
        monitor = Monitor(params["monitor_url"], fetch)
        wishes = [stream_wish(entry) for entry in entries(params, "streams")]

        def streams() -> StreamAssertions:
            return StreamAssertions(monitor, wishes)

    probes = Probes(
        engine=engine,
        log_source=DockerLogs(engine),
        containers=[container_wish(entry) for entry in entries(params, "containers")],
        logs=[parse_check(entry) for entry in entries(params, "logs")],
        levels=check_levels(params["error_levels"]),
        max_lines=params["max_lines"],
        # Each round has assertions of its own: some of them remember what they saw first.
        assertions=lambda: build(specs, login.database) if specs else [],
        sessions=[Session(login) for _number in range(count)],
        streams=streams,
        memory=engine.memory if params["memory_max_percent"] > 0 else None,
        memory_percent=params["memory_max_percent"],
        disks=params["disks"],
        disk_percent_free=params["disk_min_free_percent"],
    )
    if not any(params[name] for name in ("containers", "logs", "assertions", "streams")):
        raise ValueError(
            "expected containers, logs, assertions or streams: to look at nothing would prove nothing"
        )
    return Watch(probes, params["grace"])


def plan_of(params: dict[str, Any]) -> dict[str, Any]:
    """What the record says of the bake as a whole."""
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
        "first": {"cursors": {str(one["container"]): str(one["since"]) for one in entries(params, "logs")}},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        store = BakeStore(params["state_dir"])
        bake = store.bake(params["bake"])
        if params["state"] == "run":
            plan, watch = plan_of(params), make_watch(params)
            if module.check_mode:
                module.exit_json(changed=False, bake={}, round=watch.round(1, None))
            store.keep(params["keep"])
            module.exit_json(changed=True, bake=run_bake(bake, plan, watch.round))
        if not bake.exists:
            raise BakeError(f"bake {bake.id} is not on this host: {bake.folder} does not exist")
        changed = (
            bake.head()["status"] == "open"
            if params["state"] == "stopped"
            else not bake.head().get("collected")
        )
        if changed and not module.check_mode:
            if params["state"] == "stopped":
                stop(bake)
            else:
                bake.update(collected=True)
        module.exit_json(changed=changed, bake=report(bake))
    except (ValueError, AssertionNotValid, BakeError, LogCheckError, MonitorError) as error:
        module.fail_json(msg=f"bake {params['bake']}: {error}")
    except OSError as error:
        module.fail_json(
            msg=f"bake {params['bake']}: {params['state_dir']} cannot be written: {error.strerror}"
        )


if __name__ == "__main__":
    main()
