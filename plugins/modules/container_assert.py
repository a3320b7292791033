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
  - A container that has exited for good ends the wait at once.
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
            A build or a pull that moved the name, and was not followed by a replacement, does not pass.
        type: bool
        default: false
      exited_ok:
        description: Whether having exited with code 0 is as good as O(containers[].state), for one-shot services.
        type: bool
        default: false
  state_dir:
    description:
      - The folder of the releases, as of M(suho.platform.release_journal).
        A container of a Compose service that a release has recreated then has to run the image which the journal's last replacement left it with.
      - A service that no release has recreated is not judged by it.
    type: path
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.checks
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
    seconds:
      description: How long the last look took.
      type: float
      returned: always
    milliseconds:
      description: The same in milliseconds.
      type: float
      returned: always
    group:
      description: Always V(containers), the part of a platform that it belongs to.
      type: str
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

from ..module_utils.checks.containers import CONTAINER_OPTIONS, container_checks
from ..module_utils.checks.module import run_checks, wait_options
from ..module_utils.docker.engine import engine_options

ARGUMENTS = {
    "containers": {"type": "list", "elements": "dict", "required": True, "options": CONTAINER_OPTIONS},
    "state_dir": {"type": "path"},
    **wait_options(),
    **engine_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_checks(module, "containers", container_checks)


if __name__ == "__main__":
    main()
