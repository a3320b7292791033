#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: release_journal
short_description: Keep the record of a release on the target host
version_added: "0.1.0"
description:
  - Opens, continues and closes the record of one release, on the host that it changes.
  - The record is what a rollback works from, so it is written before the change that it describes and synced to the disk.
  - Everything lies below O(state_dir), readable by its owner only. Nothing in it may be a secret.
options:
  state_dir:
    description: Directory that holds all releases of this host. It is made if it does not exist.
    type: path
    required: true
  release:
    description:
      - Identifier of the release; it begins with its UTC time, so that identifiers sort by age.
      - With O(state=opened) and an unfinished release on the host, that one is continued and this value is not used.
    type: str
    required: true
  state:
    description:
      - V(opened) makes the record, or continues the unfinished one. What was saved already stays as it is.
      - V(recorded) adds to the manifest and the journal.
      - V(closed) ends the release as successful, V(failed) as one that stopped; the next deploy continues a failed one.
      - V(rolled_back) ends it as rolled back; the release before it is the current one again.
      - V(partly_rolled_back) ends it as rolled back in part, and as the current one still.
      - V(rolling_back) says that rolling it back begins. A deploy that comes then goes on with this release, as with one that failed, so that a later
        rollback rolls it back as a whole.
    type: str
    choices: [opened, recorded, closed, failed, rolling_back, rolled_back, partly_rolled_back]
    default: recorded
  manifest:
    description: Facts to merge into the manifest. For a release that is continued, what is recorded already wins.
    type: dict
    default: {}
  entries:
    description: Journal entries, each a dictionary; the time is added. By custom C(phase), C(object), C(event) and C(undo).
    type: list
    elements: dict
    default: []
  files:
    description: Files of the host to keep byte for byte, a dictionary of name in the backup to path. The first copy stays.
    type: dict
    default: {}
  texts:
    description: Texts to keep, a dictionary of name in the backup to content. The first copy stays.
    type: dict
    default: {}
  keep:
    description:
      - Releases to keep when one ends; records of older ones are removed. 0 keeps all.
      - Never removed are the current one, the last good one before it, unfinished ones, and what cannot be read.
    type: int
    default: 0
attributes:
  check_mode:
    support: full
    description: Writes nothing and says what would be recorded.
  diff_mode:
    support: none
    description: The record is not part of the platform's state.
extends_documentation_fragment:
  - suho.platform.attributes
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Open the release before anything changes
  suho.platform.release_journal:
    state_dir: /var/lib/suho-platform
    release: 20251006T220500Z-1a2b3c4
    state: opened
    files:
      docker-compose.yml: /opt/suho/project3/backend/docker-compose.yml

- name: Record what the compose edit did
  suho.platform.release_journal:
    state_dir: /var/lib/suho-platform
    release: 20251006T220500Z-1a2b3c4
    manifest:
      compose:
        sha256_after: "{{ edit.sha256_after }}"
    entries:
      - {phase: compose, object: docker-compose.yml, event: changed}
"""

RETURN = r"""
release:
  description: Identifier of the release that was written to; it differs from the one asked for if an unfinished one was continued.
  returned: success
  type: str
resumed:
  description: Whether an unfinished release was continued.
  returned: success
  type: bool
in_doubt:
  description: Changes of a continued release with an intent and no outcome, each with phase, object, time and process.
  returned: success
  type: list
  elements: dict
found_status:
  description: State of a continued release before it was continued, empty for a new one.
  returned: success
  type: str
manifest:
  description: The manifest after the change.
  returned: success
  type: dict
path:
  description: Folder of the release.
  returned: success
  type: str
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.common.times import utc_now
from ..module_utils.releases.journal import in_doubt
from ..module_utils.releases.model import Manifest
from ..module_utils.releases.store import (
    ROLLING_BACK,
    Release,
    ReleaseStore,
    continued,
    merged_manifest,
    settle_compose,
)

FINAL = ("closed", "failed", "rolled_back", "partly_rolled_back")


def open_release(module: AnsibleModule, store: ReleaseStore) -> tuple[Release, Manifest, bool]:
    """Open a release or continue the unfinished one; save the files and texts before anything else changes."""
    params = module.params
    unfinished = store.unfinished()
    release = unfinished or store.release(params["release"])
    if module.check_mode:
        known = unfinished.manifest() if unfinished else {"id": release.id, "status": "open"}
        return release, continued(known, params["manifest"]), unfinished is not None
    if unfinished:
        manifest = continued(unfinished.manifest(), params["manifest"])
        manifest["status"] = "open"
        manifest.pop("rolled_back", None)  # it is all deployed again now
        manifest.pop("taken_back", None)  # its name in version 0.1.0
        edited = settle_compose(manifest, unfinished.manifest(), params["manifest"])
        if edited and (release.folder / "backup" / "docker-compose.yml").exists():
            (release.folder / "backup" / "docker-compose.yml").unlink()
        release.write_manifest(manifest)
    else:
        store.open(params["release"], params["manifest"])
    for name, path in params["files"].items():
        release.save(name, Path(path).read_bytes())
    for name, content in params["texts"].items():
        release.save(name, str(content).encode())
    release.append(
        [{"phase": "release", "object": release.id, "event": "resumed" if unfinished else "opened"}]
    )
    release.append(params["entries"])
    return release, release.manifest(), unfinished is not None


def write_release(module: AnsibleModule, store: ReleaseStore) -> tuple[Release, Manifest, bool]:
    """Add to an existing release, and end it if the state asks for that."""
    params = module.params
    release = store.release(params["release"])
    if module.check_mode and not release.folder.is_dir():
        return release, params["manifest"], False
    manifest = merged_manifest(release.manifest(), params["manifest"])
    entries = list(params["entries"])
    if params["state"] == ROLLING_BACK:
        manifest["status"] = ROLLING_BACK
        entries.append({"phase": "release", "object": release.id, "event": ROLLING_BACK})
    if params["state"] in FINAL:
        manifest["status"], manifest["closed"] = params["state"], utc_now()
        entries.append({"phase": "release", "object": release.id, "event": params["state"]})
    if not module.check_mode:
        release.append(entries)
        release.write_manifest(manifest)
        current = store.current()
        # A later release may stand, of which only a part was rolled back.
        if params["state"] == "rolled_back" and current and current.id == release.id:
            store.point_to(manifest.get("previous"))
        if params["state"] in FINAL:
            try:
                store.prune(params["keep"])
            except OSError as error:  # what has come to its end is no failure for it
                module.warn(f"records of old releases could not be removed: {error}")
    return release, manifest, False


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "state_dir": {"type": "path", "required": True},
            "release": {"type": "str", "required": True},
            "state": {
                "type": "str",
                "choices": ["opened", "recorded", ROLLING_BACK, *FINAL],
                "default": "recorded",
            },
            "manifest": {"type": "dict", "default": {}},
            "entries": {"type": "list", "elements": "dict", "default": []},
            "files": {"type": "dict", "default": {}},
            "texts": {"type": "dict", "default": {}},
            "keep": {"type": "int", "default": 0},
        },
        supports_check_mode=True,
    )
    store = ReleaseStore(module.params["state_dir"])
    act = open_release if module.params["state"] == "opened" else write_release
    left: list[dict[str, str]] = []
    status = ""
    try:
        begun = store.unfinished() if module.params["state"] == "opened" else None
        left = in_doubt(begun.journal()) if begun else []
        status = str(begun.manifest().get("status", "")) if begun else ""
        release, manifest, resumed = act(module, store)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(
            msg=f"the record of release {module.params['release']} could not be written: {error}"
        )
    # The record goes with a change, it is none: a run that changes the platform is "changed" for its own reasons.
    module.exit_json(
        changed=False,
        release=release.id,
        resumed=resumed,
        in_doubt=left,
        found_status=status,
        manifest=manifest,
        path=str(release.folder),
    )


if __name__ == "__main__":
    main()
