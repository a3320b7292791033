#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: release_history
short_description: List the releases of a target host
version_added: "0.1.0"
description:
  - Returns a row for each release that has a record on the host, the newest first. Changes nothing.
  - A record that cannot be read is a row with the verdict C(unreadable), and hides no other.
options:
  state_dir:
    description: Directory that holds all releases of this host. It need not exist.
    type: path
    required: true
  limit:
    description: How many releases to list at most. With V(0), all.
    type: int
    default: 20
extends_documentation_fragment:
  - suho.platform.attributes.read_only
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: List the last releases
  suho.platform.release_history:
    state_dir: /var/lib/suho-platform
  register: history
"""

RETURN = r"""
rows:
  description:
    - Each release with C(release), C(current), C(who), C(opened), C(closed), C(revision), C(changed), C(verdict) (C(deployed), C(failed),
      C(rolled back), C(not finished) or C(unreadable)), C(reason), C(downtime) in seconds (none if no replacement was measured), and C(error).
  returned: success
  type: list
  elements: dict
  sample:
    - {release: 20261125T070207Z-f535910, current: true, who: jane on ops-1, revision: f5359101abcd, changed: 7 schema steps, verdict: deployed}
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.releases.history import release_history
from ..module_utils.releases.store import ReleaseStore


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "limit": {"type": "int", "default": 20},
        },
        supports_check_mode=True,
    )
    if module.params["limit"] < 0:
        module.fail_json(msg=f"limit {module.params['limit']}: expected 0 or more")
    try:
        rows = release_history(ReleaseStore(module.params["state_dir"]), module.params["limit"])
    except OSError as error:
        module.fail_json(msg=f"the releases below {module.params['state_dir']} cannot be read: {error}")
    module.exit_json(changed=False, rows=rows)


if __name__ == "__main__":
    main()
