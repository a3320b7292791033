#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: release_lock
short_description: Let one deploy or rollback at a time change a target host
version_added: "0.1.0"
description:
  - Takes, renews and frees the lock of a target host, a file below O(state_dir) that names its owner.
  - Where somebody else holds it, the task fails at once and names that owner.
  - A lock whose run is over is stale, and is taken over only with O(take_over=true). It counts as over if it was not renewed for
    O(stale_after) seconds, or if O(local_pids) says that its process is gone.
options:
  state_dir:
    description: Directory that holds the releases of this host. It is made if it does not exist.
    type: path
    required: true
  state:
    description:
      - V(held) takes the lock, or renews it if this run has it already.
      - V(renewed) renews it and fails if it is no longer this run's.
      - V(free) frees it if it is this run's; another run's is left alone.
    type: str
    choices: [held, renewed, free]
    default: held
  run:
    description: What tells this run from every other.
    type: str
    required: true
  user:
    description: Who runs it.
    type: str
    default: unknown
  controller:
    description: Machine that runs it.
    type: str
    default: unknown
  pid:
    description: Process that runs it on O(controller).
    type: int
    default: 0
  reason:
    description: What it is for, such as V(deploy).
    type: str
    default: a change
  take_over:
    description: Whether to take over a stale lock.
    type: bool
    default: false
  stale_after:
    description: Seconds without a sign of life after which a lock is stale.
    type: float
    default: 3600
  local_pids:
    description:
      - Processes of O(controller) that run a playbook now. The lock of another process of that machine is stale.
        Default is that nothing is known.
    type: list
    elements: int
  settle_timeout:
    description:
      - Seconds to wait, once the lock is held, for a module of an earlier run that is still at work on this host. It outlives its run if the
        controller dies. Two at once would change the same things, so after that time the lock is freed again and the task fails.
    type: float
    default: 600
attributes:
  check_mode:
    support: full
    description: Looks and takes nothing; a lock that somebody holds is a warning.
  diff_mode:
    support: none
    description: The lock is no part of the platform's state.
extends_documentation_fragment:
  - suho.platform.attributes
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Take the lock of the host
  suho.platform.release_lock:
    state_dir: /var/lib/suho-platform
    run: 8c0ffee4-0000-4000-8000-000000000001
    user: jane
    controller: ops-1
    pid: 4711
    reason: deploy
"""

RETURN = r"""
taken_over:
  description: Owner whose stale lock was taken over, as a sentence; empty if none was.
  returned: success
  type: str
  sample: ""
holder:
  description: Owner of the lock afterwards; empty if it is free.
  returned: success
  type: dict
  sample: {}
"""

from dataclasses import asdict
from functools import partial
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.releases.journal import at_work, wait_for_work
from ..module_utils.releases.lock import Lock, Owner, owner_from
from ..module_utils.releases.store import ReleaseStore


def known_death(params: dict[str, Any], found: Owner) -> str:
    """What is known of the end of the holder's run: its process is gone from the machine that asks."""
    pids = params["local_pids"]
    if pids is None or found.controller != params["controller"] or found.pid in pids:
        return ""
    return f"process {found.pid} on {found.controller} does not exist any more"


def act(module: AnsibleModule, lock: Lock) -> str:
    params = module.params
    if params["state"] == "free":
        lock.free(params["run"])
        return ""
    if params["state"] == "renewed":
        lock.renew(params["run"])
        return ""
    store = ReleaseStore(params["state_dir"])
    dead = partial(known_death, params)
    # A run that waits for one long module says nothing meanwhile.
    before = lock.take(owner_from(params), params["take_over"], dead, lambda: bool(at_work(store)))
    try:
        wait_for_work(store, params["settle_timeout"])
    except BaseException:
        if before:
            lock.return_to(params["run"], before)
        else:
            lock.free(params["run"])
        raise
    return before.text() if before else ""


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["held", "renewed", "free"], "default": "held"},
            "run": {"type": "str", "required": True},
            "user": {"type": "str", "default": "unknown"},
            "controller": {"type": "str", "default": "unknown"},
            "pid": {"type": "int", "default": 0},
            "reason": {"type": "str", "default": "a change"},
            "take_over": {"type": "bool", "default": False},
            "stale_after": {"type": "float", "default": 3600},
            "local_pids": {"type": "list", "elements": "int"},
            "settle_timeout": {"type": "float", "default": 600},
        },
        supports_check_mode=True,
    )
    lock = Lock(module.params["state_dir"], module.params["stale_after"])
    taken_over = ""
    try:
        if not module.check_mode:
            taken_over = act(module, lock)
        holder = lock.holder()
    except PlatformError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the lock {lock.path} cannot be written: {error}")
    if module.check_mode and holder and holder.run != module.params["run"]:
        module.warn(f"{lock.path} is held by {holder.text()}")
    module.exit_json(changed=False, taken_over=taken_over, holder=asdict(holder) if holder else {})


if __name__ == "__main__":
    main()
