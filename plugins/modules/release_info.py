#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: release_info
short_description: Read the record of a release on the target host
version_added: "0.1.0"
description:
  - Returns the manifest and the journal of one release, and the identifiers of all of them. Changes nothing.
options:
  state_dir:
    description: Directory that holds all releases of this host. It need not exist.
    type: path
    required: true
  release:
    description: Identifier of the release to read. Default is the current one, if there is one.
    type: str
  to:
    description:
      - Identifier of the release that a rollback is to go back to, V(none) for the state before all of them. Not together with O(release).
      - Only changes RV(rollback_releases).
    type: str
  rollback:
    description: Whether to say in RV(rollback_releases) what a rollback would undo, and to fail where it could not.
    type: bool
    default: false
extends_documentation_fragment:
  - suho.platform.attributes.read_only
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Read what the current release changed
  suho.platform.release_info:
    state_dir: /var/lib/suho-platform
  register: current
"""

RETURN = r"""
release:
  description: Identifier of the release that was read; empty if none was named and there is none.
  returned: success
  type: str
manifest:
  description: Its manifest; empty if there is no release.
  returned: success
  type: dict
journal:
  description: Its journal entries in the order of their writing.
  returned: success
  type: list
  elements: dict
path:
  description: Folder of the release; empty if there is none.
  returned: success
  type: str
in_doubt:
  description: Changes in the journal with an intent and no outcome, each with phase, object, time and process. Nobody knows whether they were done.
  returned: success
  type: list
  elements: dict
rollback_releases:
  description:
    - Releases that a rollback would undo, the newest first, each with release, manifest, journal and path.
    - Empty without O(rollback). Without O(release) and O(to) it is the newest one, unless it is rolled back already.
  returned: success
  type: list
  elements: dict
unfinished:
  description: Whether the release was opened, or its rollback begun, and neither has ended. A deploy goes on with such a release.
  returned: success
  type: bool
interrupted:
  description: What has to be done first where a rollback over several releases was interrupted; empty if there is none.
  returned: success
  type: str
current:
  description: Identifier of the release that the platform is at; empty if there is none.
  returned: success
  type: str
releases:
  description: Identifiers of all releases on the host, oldest first.
  returned: success
  type: list
  elements: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.releases.journal import in_doubt
from ..module_utils.releases.rollback_plan import releases_to_roll_back
from ..module_utils.releases.store import UNFINISHED, Release, ReleaseStore


def record(release: Release) -> dict[str, Any]:
    return {
        "release": release.id,
        "manifest": release.manifest(),
        "journal": release.journal(),
        "path": str(release.folder),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "release": {"type": "str"},
            "to": {"type": "str"},
            "rollback": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    store = ReleaseStore(module.params["state_dir"])
    wanted = module.params["release"]
    try:
        ids = store.ids()
        if wanted and wanted not in ids:
            known = ", ".join(ids) or "none"
            module.fail_json(msg=f"release {wanted} is not on this host: {store.releases} holds {known}")
        at = store.current()
        current = at.id if at else ""
        release = store.release(wanted) if wanted else at
        found: dict[str, Any] = {"release": "", "manifest": {}, "journal": [], "path": ""}
        if release:
            found = record(release)
        found["in_doubt"] = in_doubt(found["journal"])
        found["unfinished"] = found["manifest"].get("status") in UNFINISHED
        taken = []
        if module.params["rollback"]:
            taken = releases_to_roll_back(store, wanted or "", module.params["to"] or "")
        found["rollback_releases"] = [record(one) for one in taken]
        several = store.rolling_back()
        found["interrupted"] = str(store.interrupted(several)) if len(several) > 1 else ""
    except PlatformError as error:
        module.fail_json(msg=f"releases below {store.state_dir}: {error}")
    except OSError as error:
        module.fail_json(msg=f"the releases below {store.state_dir} cannot be read: {error}")
    module.exit_json(changed=False, releases=ids, current=current, **found)


if __name__ == "__main__":
    main()
