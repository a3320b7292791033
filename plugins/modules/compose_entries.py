#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: compose_entries
short_description: Give several services their entries in a Compose file, in one edit
version_added: "0.1.0"
description:
  - Does for a list of services what M(suho.platform.compose_service) does for one, with the same care for every other byte.
  - The entries are made one after the other, so that one may go behind another, and the file is replaced once, with all of them or none.
requirements:
  - ruamel.yaml
  - docker CLI with the Compose plugin (v2.24 or newer), unless O(validate=false)
options:
  entries:
    description: The services, in the order in which they are brought into the file.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the service.
        type: str
        required: true
      definition:
        description: The service as data. C(${VARIABLES}) are written as they are.
        type: dict
        required: true
      insert_after:
        description: Name of the service that a new service goes behind. Default is the end of the services.
        type: str
      header_comment:
        description: Comment lines above a new service.
        type: list
        elements: str
        default: []
      allow_change:
        description: Write the service anew if it is in the file with another meaning.
        type: bool
        default: false
  validate:
    description: Have the edited file judged by C(docker compose config) before it is written.
    type: bool
    default: true
extends_documentation_fragment:
  - suho.platform.attributes.writes_file
  - suho.platform.compose_edit
  - suho.platform.compose_project
  - suho.platform.journal
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Add two services behind the data-bridge
  suho.platform.compose_entries:
    path: /opt/suho/project3/backend/docker-compose.yml
    entries:
      - name: tick-aggregator
        insert_after: data-bridge
        definition: {image: backend-tick-aggregator, networks: [suho-trading-network]}
      - name: bar-archiver
        insert_after: tick-aggregator
        definition: {image: backend-bar-archiver, networks: [suho-trading-network]}
"""

RETURN = r"""
path:
  description: The file that was or would be edited (a link's target).
  returned: success
  type: str
sha256_before:
  description: SHA-256 of the file as it was.
  returned: success
  type: str
sha256_after:
  description: SHA-256 of the file as it is now, or would be outside check mode.
  returned: success
  type: str
block:
  description: Text of the entries that were or would be written.
  returned: success
  type: str
entries:
  description: What became of each service, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    service:
      description: Name of the service.
      type: str
    changed:
      description: Whether its entry was or would be written.
      type: bool
    inserted:
      description: Whether the service is new to the file.
      type: bool
    line:
      description: Line of the service's key, as the file was when it was written.
      type: int
    block:
      description: Text of its entry.
      type: str
    block_sha256:
      description: SHA-256 of that text, as M(suho.platform.compose_rollback) wants it.
      type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.files import read_text_file
from ..module_utils.compose.edit.change import EntrySpec, plan_entries
from ..module_utils.compose.edit.module import edit_options, judge_from, run_edit, write_text


def argument_spec() -> dict[str, dict[str, object]]:
    entry = {
        "name": {"type": "str", "required": True},
        "definition": {"type": "dict", "required": True},
        "insert_after": {"type": "str"},
        "header_comment": {"type": "list", "elements": "str", "default": []},
        "allow_change": {"type": "bool", "default": False},
    }
    return {
        "entries": {"type": "list", "elements": "dict", "required": True, "options": entry},
        "validate": {"type": "bool", "default": True},
        **edit_options(),
    }


def edit_file(module: AnsibleModule) -> dict[str, Any]:
    """Plan all entries, write the file once outside check mode, and return the module's answer."""
    params = module.params
    original = read_text_file(params["path"])
    specs = [
        EntrySpec(
            name=entry["name"],
            definition=entry["definition"],
            insert_after=entry["insert_after"] or None,
            allow_change=entry["allow_change"],
            header_comment=entry["header_comment"],
        )
        for entry in params["entries"]
    ]
    text, entries = plan_entries(original.text, specs, judge_from(params) if params["validate"] else None)
    for entry in entries:
        for note in entry.notes:
            module.warn(f"{original.path}: {note}")
    return {
        "sha256_before": original.sha256,
        "block": "\n".join(entry.block.rstrip("\r\n") for entry in entries if entry.changed),
        "entries": [entry.to_dict() for entry in entries],
        **write_text(module, original, text, f"the file with SHA-256 {original.sha256}"),
    }


def main() -> None:
    run_edit(AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True), edit_file)


if __name__ == "__main__":
    main()
