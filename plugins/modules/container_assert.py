#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: container_assert
short_description: Check that containers run, are healthy, do not restart, and run the expected image
version_added: "0.1.0"
description:
  - Asks the docker engine of the host where the module runs; one C(docker container inspect) for all containers.
  - Waits within a time bound until all are as expected, and then reports each difference, not the first only.
  - That a container is up proves little; restarts, health and the image's id are judged as well.
  - Changes nothing.
options:
  containers:
    description: The containers, and how they have to be.
    type: list
    elements: dict
    required: true
    suboptions:
      container:
        description: Name of the container.
        type: str
        required: true
      state:
        description: The state that it has to be in.
        type: str
        default: running
        choices: [running, exited, created, paused]
      health:
        description:
          - V(auto) wants a container that has a healthcheck to be healthy, and nothing of one that has none.
          - V(healthy) wants a healthcheck that says healthy.
          - V(any) does not look at the health.
        type: str
        default: auto
        choices: [auto, healthy, any]
      max_restarts:
        description: How often the engine may have restarted this container since it was created.
        type: int
        default: 0
      min_uptime:
        description: For how many seconds it has to have been running.
        type: float
      image:
        description: An image name or id; the container has to run exactly the image that it names now.
        type: str
      current_image:
        description:
          - Whether the container has to run what the image name it was created from names now.
            A build or a pull that moved the name, and was not followed by a swap, does not pass.
        type: bool
        default: false
      exited_ok:
        description: Whether having exited with code 0 is as good as O(containers[].state), for one-shot services.
        type: bool
        default: false
  state_dir:
    description:
      - The folder of the releases, as of M(suho.platform.release_journal).
        A container of a Compose service that a release has swapped then has to run the image which the journal's last swap left it with.
      - A service that no release has swapped is not judged by it.
    type: path
  timeout:
    description:
      - How many seconds to wait at most for all checks to pass. With V(0) there is one look and no waiting.
    type: float
    default: 60
  interval:
    description: Seconds between two looks.
    type: float
    default: 1
attributes:
  check_mode:
    support: full
    description: Read-only, so it runs under check mode as well.
  diff_mode:
    support: none
    description: Changes nothing.
  platform:
    platforms: posix
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
  - suho.platform.engine
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Check that the services run the images of this release
  suho.platform.container_assert:
    containers:
      - container: suho-data-bridge
        image: backend-data-bridge:latest
        health: healthy
      - container: suho-external-collector
        current_image: true
      - container: suho-tick-aggregator
        image: backend-tick-aggregator:latest
        min_uptime: 20
      - container: suho-historical-downloader
        exited_ok: true
    timeout: 90
    state_dir: /var/lib/suho-platform
"""

RETURN = r"""
assertions:
  description: One entry for each check, passed or not.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was checked.
      type: str
      returned: always
    kind:
      description: Always V(container).
      type: str
      returned: always
    observed:
      description: What was found.
      type: raw
      returned: always
    expected:
      description: What was expected.
      type: raw
      returned: always
    verdict:
      description: V(pass), V(fail), or V(error) when the check could not be made.
      type: str
      returned: always
    reason:
      description: Why it did not pass; empty when it did.
      type: str
      returned: always
    milliseconds:
      description: How long the last look took.
      type: float
      returned: always
    container:
      description: The container.
      type: str
      returned: always
    details:
      description: State, health, restarts, uptime_seconds, exit_code, image_id, image (its name) and started_at; empty if it is missing.
      type: dict
      returned: always
verdict:
  description: The worst verdict of all checks.
  returned: always
  type: str
attempts:
  description: How often was looked.
  returned: always
  type: int
waited_seconds:
  description: How long was waited in all.
  returned: always
  type: float
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.containers import CONTAINER_OPTIONS, ContainerAssertions, parse_wish
from ..module_utils.checks.result import failure_message, overall, wait_for_pass
from ..module_utils.docker.engine import engine_from, engine_options
from ..module_utils.releases.journal import journaled_images
from ..module_utils.releases.store import ReleaseError, ReleaseStore

ARGUMENTS = {
    "containers": {"type": "list", "elements": "dict", "required": True, "options": CONTAINER_OPTIONS},
    "state_dir": {"type": "path"},
    "timeout": {"type": "float", "default": 60},
    "interval": {"type": "float", "default": 1},
    **engine_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options = module.params
    try:
        wishes = [parse_wish(entry) for entry in options["containers"]]
    except ValueError as exc:
        module.fail_json(msg=f"container_assert: {exc}")
    recorded: dict[str, str] = {}
    try:
        if options["state_dir"]:
            recorded = journaled_images(ReleaseStore(options["state_dir"]))
    except (OSError, ReleaseError) as exc:
        module.fail_json(
            msg=f"container_assert: the journals below {options['state_dir']} cannot be read: {exc}"
        )
    states = ContainerAssertions(engine_from(options), wishes, recorded=recorded)
    last, attempts, waited = wait_for_pass(
        states.look, timeout=options["timeout"], interval=options["interval"]
    )
    result = {
        "changed": False,
        "assertions": last.assertions,
        "verdict": overall(last.assertions),
        "attempts": attempts,
        "waited_seconds": round(waited, 1),
    }
    message = failure_message("containers", last.assertions)
    if message:
        module.fail_json(msg=message, **result)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
