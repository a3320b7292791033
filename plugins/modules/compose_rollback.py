#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: compose_rollback
short_description: Roll a Compose file back to what it was before a release, and keep what others wrote since
version_added: "0.1.0"
description:
  - A file that is as the release left it gets the saved bytes. One that is as it was before stays.
  - In a file that somebody has edited since, only the services that the release has inserted are taken out, and every other byte stays.
  - If that entry was edited itself, or the release has done more than insert it, the module refuses and changes nothing.
  - The file is replaced atomically, with owner and mode kept. It never runs anything but C(docker compose config).
requirements:
  - ruamel.yaml
  - docker CLI with the Compose plugin (v2.24 or newer), for a file that was edited since
options:
  backup:
    description: The saved previous file.
    type: path
    required: true
  sha256_before:
    description: SHA-256 of the file before the release. Empty, with an empty O(sha256_after), takes the O(entries) out of whatever the file is.
    type: str
    required: true
  sha256_after:
    description: SHA-256 of the file as the release left it. Empty means that no such file is known.
    type: str
    required: true
  service:
    description: Service that the release has inserted, if that is all that it did; the same as one of O(entries).
    type: str
    default: ""
  block_sha256:
    description: SHA-256 of the text of that service's entry.
    type: str
    default: ""
  entries:
    description: Services that the releases have inserted, if that is all that they did. All of them are taken out, or none.
    type: list
    elements: dict
    default: []
    suboptions:
      service:
        description: Name of the service.
        type: str
        required: true
      block_sha256:
        description: SHA-256 of the text of its entry.
        type: str
        required: true
extends_documentation_fragment:
  - suho.platform.attributes.writes_file
  - suho.platform.compose_edit
  - suho.platform.compose_project
  - suho.platform.journal
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Roll the compose file back
  suho.platform.compose_rollback:
    path: /opt/suho/project3/backend/docker-compose.yml
    backup: /var/lib/suho-platform/releases/20251006T220500Z-1a2b3c4/backup/docker-compose.yml
    sha256_before: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    sha256_after: 60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
    service: tick-aggregator
    block_sha256: fd61a03af4f77d870fc21e05e7e80678095c92d808cfb3b5c279ee04c74aca13
"""

RETURN = r"""
way:
  description: V(unchanged), V(rolled_back) (the saved bytes), or V(merged) (the entries were taken out, the rest is as it was).
  returned: success
  type: str
path:
  description: The file that was or would be written (a link's target).
  returned: success
  type: str
sha256_after:
  description: SHA-256 of the file as it is now, or would be outside check mode.
  returned: success
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.files import FileError, TextFile, read_text_file
from ..module_utils.compose.edit.change import ChangeError, EntrySpec, plan_change
from ..module_utils.compose.edit.document import ComposeText
from ..module_utils.compose.edit.entries import block_sha256, entry_text
from ..module_utils.compose.edit.module import edit_options, judge_from, run_edit, write_text


def saved(params: dict[str, Any]) -> TextFile:
    found = read_text_file(params["backup"])
    if found.sha256 != params["sha256_before"]:
        raise FileError(
            f"{params['backup']}: its SHA-256 is {found.sha256}, expected {params['sha256_before']}: the saved file is damaged. "
            "Nothing was changed"
        )
    return found


def merged(current: TextFile, params: dict[str, Any]) -> str:
    """The text without the release's entries; raises ChangeError where that would lose something that others wrote."""
    advice = (
        f"The previous file is {params['backup']}: put what you want to keep into {current.path} by hand, "
        "without what the release has added, and run the rollback again. Nothing was changed"
    )
    entries = wanted_entries(params)
    if not entries:
        raise ChangeError(
            f"it was edited since the release (SHA-256 {current.sha256}, expected {params['sha256_after'] or 'another'}), and what "
            f"the release has done to it cannot be taken out alone. {advice}"
        )
    judge = judge_from(params)
    text = current.text
    for entry in entries:
        name = entry["service"]
        services = ComposeText(text).section("services")
        if services is None or services.entry(name) is None:
            continue  # somebody has taken it out already
        if block_sha256(entry_text(text, "services", name)) != entry["block_sha256"]:
            raise ChangeError(f"the entry of service {name} was edited since the release. {advice}")
        text = plan_change(text, EntrySpec(name=name, present=False), judge).text
    return text


def wanted_entries(params: dict[str, Any]) -> list[dict[str, str]]:
    one = {"service": params["service"], "block_sha256": params["block_sha256"]}
    return [*([one] if params["service"] else []), *params["entries"]]


def roll_back(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    current = read_text_file(params["path"])
    way, text = "unchanged", current.text
    if current.sha256 == params["sha256_before"]:
        pass
    elif current.sha256 == params["sha256_after"]:
        original = saved(params)
        way, text = "rolled_back", original.text
        if original.has_bom != current.has_bom:
            current = TextFile(current.path, current.text, current.sha256, original.has_bom)
    else:
        text = merged(current, params)
        way = "unchanged" if text == current.text else "merged"
    return {"way": way, **write_text(module, current, text, "the next deploy")}


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "backup": {"type": "path", "required": True},
            "sha256_before": {"type": "str", "required": True},
            "sha256_after": {"type": "str", "required": True},
            "service": {"type": "str", "default": ""},
            "block_sha256": {"type": "str", "default": ""},
            "entries": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "service": {"type": "str", "required": True},
                    "block_sha256": {"type": "str", "required": True},
                },
            },
            **edit_options(),
        },
        supports_check_mode=True,
    )
    run_edit(module, roll_back)


if __name__ == "__main__":
    main()
