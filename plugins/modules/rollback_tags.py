#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollback_tags
short_description: Remove image tags that were kept for rollbacks of old releases
version_added: "0.1.0"
description:
  - Looks at the tags C(rollback-<release>) of the given images, and removes those that are beyond O(keep) by number and beyond O(keep_days)
    by age, both at once.
  - A tag whose release has a record below O(state_dir) stays, since that release can be gone back to. So does the tag of a release whose name
    does not begin with its time.
  - An image that has another tag loses this one only. The only tag of an image that a container uses stays.
options:
  images:
    description: Images, each as C(repository) or C(repository:tag).
    type: list
    elements: str
    required: true
  state_dir:
    description: Directory that holds the releases of this host. It need not exist.
    type: path
    required: true
  keep:
    description: Tags of each image that stay whatever their age, the newest ones.
    type: int
    default: 5
  keep_days:
    description: Days that a tag stays whatever their number.
    type: float
    default: 30
attributes:
  check_mode:
    support: full
    description: Says which tags would go.
  diff_mode:
    support: none
    description: RV(removed) names them.
extends_documentation_fragment:
  - suho.platform.attributes
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Keep what a rollback of the last five releases needs
  suho.platform.rollback_tags:
    images: [backend-data-bridge, backend-tick-aggregator]
    state_dir: /var/lib/suho-platform
"""

RETURN = r"""
removed:
  description: Tags that were or would be removed.
  returned: success
  type: list
  elements: str
kept:
  description: Tags that stay.
  returned: success
  type: list
  elements: str
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.docker.engine import Engine
from ..module_utils.docker.rollback_tags import outdated, remove_tags, rollback_tags
from ..module_utils.releases.store import ReleaseStore


def repository(image: str) -> str:
    """The name without its tag; a registry's port is no tag."""
    head, colon, tail = image.rpartition(":")
    return head if colon and "/" not in tail else image


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "list", "elements": "str", "required": True},
            "state_dir": {"type": "path", "required": True},
            "keep": {"type": "int", "default": 5},
            "keep_days": {"type": "float", "default": 30},
        },
        supports_check_mode=True,
    )
    params = module.params
    if params["keep"] < 1 or params["keep_days"] < 0:
        module.fail_json(
            msg=f"keep {params['keep']}, keep_days {params['keep_days']}: expected at least 1 and 0"
        )
    engine = Engine()
    try:
        retained = ReleaseStore(params["state_dir"]).ids()
        found = rollback_tags(engine, {repository(image) for image in params["images"]})
        removed = [
            tag
            for tags in found.values()
            for tag in outdated(tags, retained, params["keep"], params["keep_days"], time.time())
        ]
        if not module.check_mode:
            removed = remove_tags(engine, removed)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the releases below {params['state_dir']} cannot be read: {error}")
    kept = [tag for tags in found.values() for _release, tag in tags if tag not in removed]
    module.exit_json(changed=bool(removed), removed=removed, kept=kept)


if __name__ == "__main__":
    main()
