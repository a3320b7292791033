#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: service_rollout
short_description: Recreate one service of a Compose project and measure the downtime
version_added: "0.1.0"
description:
  - Recreates the container of one service from its image tag if it is not what the compose file and the tag ask for, and waits
    until it is up, which means healthy, or running without a restart for a settle time where there is no healthcheck.
  - A container that crashes fails the task within seconds, with its last log lines. A service that runs once by its restart policy may
    end, with exit code 0.
  - No other service is touched, and that is checked, by comparing container ids and start times before and after.
options:
  service:
    description: Name of the service.
    type: str
    required: true
  state:
    description:
      - V(present) brings the container to what the file and the image ask for.
      - V(absent) stops and removes the service's containers. The compose file need not name the service any more.
    type: str
    choices: [present, absent]
    default: present
  tag:
    description: Image tag that the service runs, for example C(backend-data-bridge:latest). Required for O(state=present).
    type: str
  image_id:
    description: Image to put under O(tag) first. This is how a rollback brings the old image back.
    type: str
  planned:
    description: In check mode, report a change even if the container matches the tag, because a build that check mode left out would move it.
    type: bool
    default: false
  recreate:
    description: Recreate the container even if compose sees no difference, for example because mounted files are newer than it.
    type: bool
    default: false
  timeout:
    description: Seconds that the container may take to become healthy. Default is what its healthcheck's own numbers allow.
    type: float
  settle:
    description: Seconds that a container without healthcheck must run without a restart.
    type: float
    default: 5
  must_be_up:
    description: Wait until the new container is up. A rollback to a service that did not work before the release does not ask for that.
    type: bool
    default: true
  keep_log:
    description:
      - Directory that gets the log of the container that is replaced or removed, C(replaced-<service>.log), readable by its owner, secrets masked.
        A file that lies there already stays; one that cannot be written is a warning. Default keeps none.
    type: path
  stop_timeout:
    description: Seconds that a container gets to stop with O(state=absent).
    type: int
    default: 10
  max_downtime:
    description: Seconds that the service may be away at most; a longer gap fails the task after the replacement. 0 means no limit.
    type: float
    default: 0
attributes:
  check_mode:
    support: full
    description: Compares and reports, changes nothing.
  diff_mode:
    support: full
    description: Shows image id and container before and after.
extends_documentation_fragment:
  - suho.platform.attributes
  - suho.platform.compose_project
  - suho.platform.journal
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Recreate the data-bridge for its new image
  suho.platform.service_rollout:
    project_dir: /opt/suho/project3/backend
    project_name: backend
    service: data-bridge
    tag: backend-data-bridge:latest
    max_downtime: 30
"""

RETURN = r"""
service:
  description: Name of the service.
  returned: always
  type: str
reason:
  description: Why the container was or would be recreated; empty if it was not.
  returned: success
  type: str
container:
  description: Name, id, image_id, state, health and started_at of the container afterwards; empty if there is none.
  returned: success
  type: dict
downtime:
  description: Seconds from the end of the old container to the start of the new one, from the engine's events; none if nothing was replaced.
  returned: success
  type: float
max_downtime:
  description: The limit that the downtime was held against; 0 is none.
  returned: success
  type: float
unready:
  description: Seconds from the end of the old container until the new one was healthy; none without healthcheck.
  returned: success
  type: float
"""

import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.compose.config import ComposeReader, named_project
from ..module_utils.compose.options import project_from, project_options
from ..module_utils.compose.rollout import (
    RolloutError,
    ServiceRollout,
    differs,
    disturbed,
    downtime,
    is_replacement,
)
from ..module_utils.docker.engine import Container, Engine
from ..module_utils.releases.journal import ROLLOUT, ChangeJournal, journal_option


def shown(container: Container | None) -> dict[str, Any]:
    names = ("name", "id", "image_id", "state", "health", "started_at")
    return {name: getattr(container, name) for name in names} if container else {}


def module_journal(module: AnsibleModule) -> ChangeJournal:
    return ChangeJournal(module.params["journal"], ROLLOUT, module.check_mode)


def keep_log(module: AnsibleModule, rollout: ServiceRollout, container: Container) -> None:
    """A log that cannot be kept, on a full disk for one, keeps nobody from recreating or going back."""
    try:
        rollout.keep_log(container, module.params["keep_log"])
    except OSError as error:
        module.warn(f"the log of container {container.name} is not kept: {error}")


def without_leftovers(
    module: AnsibleModule, rollout: ServiceRollout, own: list[Container]
) -> list[Container]:
    """Remove what a replacement that was interrupted has left beside the old container, or under a name that it should not keep."""
    left = [one for one in own if is_replacement(one)]
    if left and not module.check_mode:
        names = ", ".join(one.name for one in left)
        with module_journal(module).change(names, "none: it was made by a replacement that was interrupted"):
            rollout.remove(left, module.params["stop_timeout"])
    return [one for one in own if one not in left]


def ensure_absent(module: AnsibleModule, rollout: ServiceRollout, own: list[Container]) -> dict[str, Any]:
    if own and not module.check_mode:
        with module_journal(module).change(rollout.service, "the deploy starts it again"):
            keep_log(module, rollout, own[-1])
            rollout.remove(own, module.params["stop_timeout"])
    return {"changed": bool(own), "reason": "the service is to be removed" if own else "", "container": {}}


def ensure_present(module: AnsibleModule, rollout: ServiceRollout, own: list[Container]) -> dict[str, Any]:
    params = module.params
    own = without_leftovers(module, rollout, own)
    if len(own) > 1:
        names = ", ".join(one.name for one in own)
        raise RolloutError(
            f"service {rollout.service}: found {len(own)} containers ({names}), expected one. A service that is scaled is not "
            "recreated here: recreate it with docker compose, and take it out of platform_services. Nothing was changed"
        )
    wanted = params["image_id"] or params["tag"]
    image = rollout.engine.images([wanted])[wanted]
    if module.check_mode and params["planned"]:
        return {"changed": True, "reason": "planned", "container": shown(own[-1] if own else None)}
    if image is None:
        raise RolloutError(f"service {rollout.service}: the image {wanted} does not exist on this host")
    journal = module_journal(module)
    if params["image_id"] and not module.check_mode:
        with journal.change(params["tag"], "the deploy builds or tags it again"):
            rollout.engine.run(["tag", params["image_id"], params["tag"]])
    reason = differs(own, image.id, rollout.config_hash(own[-1]) if own else "")
    if (
        own
        and own[-1].state == "exited"
        and own[-1].exit_code == 0
        and reason.startswith("the container is exited")
    ):
        reason = "" if rollout.runs_once() else reason
    reason = reason or ("recreation was asked for" if params["recreate"] else "")
    if not reason or module.check_mode:
        return {"changed": bool(reason), "reason": reason, "container": shown(own[-1] if own else None)}
    ends = rollout.runs_once()
    with journal.change(rollout.service, f"image {own[-1].image_id}" if own else "its removal") as outcome:
        if own:
            keep_log(module, rollout, own[-1])
        since = time.time()
        rollout.bring_up(params["recreate"])
        # Read twice: while the container becomes healthy, others' events may push the replacement's out of the engine's memory.
        events = rollout.events_since(since)
        container = (
            rollout.wait_until_up(params["timeout"], params["settle"], ends=ends)
            if params["must_be_up"]
            else rollout.current()
        )
        outcome["image_before"] = own[-1].image_id if own else ""
        outcome["image"] = container.image_id
    old = own[-1].id if own and own[-1].state == "running" else None
    gap = downtime(events + rollout.events_since(since), old, container.id)
    return {
        "changed": True,
        "reason": reason,
        "container": shown(container),
        "downtime": gap.down,
        "unready": gap.unready,
    }


def run(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    engine = Engine()
    project = named_project(engine, *project_from(params))
    name = str(project.name)
    rollout = ServiceRollout(ComposeReader(engine, project), name, params["service"])
    before = engine.containers(name)
    own = [one for one in before if one.service == params["service"]]
    act = ensure_absent if params["state"] == "absent" else ensure_present
    result = act(module, rollout, own)
    touched = disturbed(before, engine.containers(name), params["service"])
    if result["changed"] and touched:
        raise RolloutError(
            f"recreating service {params['service']} touched other containers: {', '.join(touched)}"
        )
    gap = result.setdefault("downtime", None)
    result.setdefault("unready", None)
    result["diff"] = {"before": shown(own[-1] if own else None), "after": result["container"]}
    if gap and 0 < params["max_downtime"] < gap:
        limit = params["max_downtime"]
        raise RolloutError(
            f"service {params['service']} was away for {gap:g} s, allowed are {limit:g} s (max_downtime)"
        )
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **project_options(),
            "service": {"type": "str", "required": True},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "tag": {"type": "str"},
            "image_id": {"type": "str"},
            "recreate": {"type": "bool", "default": False},
            "planned": {"type": "bool", "default": False},
            "timeout": {"type": "float"},
            "settle": {"type": "float", "default": 5},
            "must_be_up": {"type": "bool", "default": True},
            "keep_log": {"type": "path"},
            "stop_timeout": {"type": "int", "default": 10},
            "max_downtime": {"type": "float", "default": 0},
            **journal_option(),
        },
        required_if=[("state", "present", ["tag"])],
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except PlatformError as error:
        module.fail_json(msg=str(error), service=module.params["service"])
    module.exit_json(service=module.params["service"], max_downtime=module.params["max_downtime"], **result)


if __name__ == "__main__":
    main()
