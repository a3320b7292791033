#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: compose_service
short_description: Add a service to a Compose file, or take it out, without touching another byte
version_added: "0.1.0"
description:
  - Finds the place with a YAML parser and edits the text there, so that comments, quotes, anchors, line ends and
    blank lines of the file stay as they are.
  - A service that is in the file with the same meaning is left alone; one with another meaning is an error with
    a diff, unless O(allow_change=true).
  - The edited file must be accepted by C(docker compose config) and must differ in exactly this service (and the
    O(volumes) and O(networks) given) before it replaces the file atomically, with owner and mode kept.
  - Removing a service that this module inserted leaves the file as it was before, byte for byte.
requirements:
  - ruamel.yaml
  - docker CLI with the Compose plugin (v2.24 or newer), unless O(validate=false)
options:
  name:
    description: Name of the service.
    type: str
    required: true
  state:
    description: Whether the service is to be in the file.
    type: str
    choices: [present, absent]
    default: present
  definition:
    description:
      - The service as data. Required for O(state=present).
      - C(${VARIABLES}) are written as they are; a list is written as a list and a mapping as a mapping.
    type: dict
  insert_after:
    description:
      - Name of the service that a new service goes behind. Default is the end of the services.
      - A service that is already in the file is not moved.
    type: str
  header_comment:
    description: Comment lines above a new service. They go with it when the service is removed.
    type: list
    elements: str
    default: []
  allow_change:
    description: Write the service anew if it is in the file with another meaning.
    type: bool
    default: false
  volumes:
    description:
      - Top-level volumes that the service needs, name to definition (empty for the default). Missing ones are
        added; an existing one with another definition is an error. With O(state=absent) they are removed.
    type: dict
    default: {}
  networks:
    description: Top-level networks, with the same rules as O(volumes).
    type: dict
    default: {}
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
- name: Add the tick-aggregator behind the data-bridge
  suho.platform.compose_service:
    path: /opt/suho/project3/backend/docker-compose.yml
    name: tick-aggregator
    insert_after: data-bridge
    header_comment:
      - Turns ticks into bars with 26 indicators.
    definition:
      build:
        context: .
        dockerfile: 02-data-processing/tick-aggregator/Dockerfile
      environment:
        - LOG_LEVEL=${LOG_LEVEL:-INFO}
      networks: [suho-trading-network]
      restart: unless-stopped

- name: Take it out again
  suho.platform.compose_service:
    path: /opt/suho/project3/backend/docker-compose.yml
    name: tick-aggregator
    state: absent
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
line:
  description: Line of the service's key (for a removed service, where it was); 0 if the service is not there.
  returned: success
  type: int
block:
  description: Text of the service's block that was inserted, removed or found.
  returned: success
  type: str
inserted:
  description: Name of the service if it is new to the file; empty if it was in it, or is taken out.
  returned: success
  type: str
block_sha256:
  description: SHA-256 of the service's entry as it is now or would be, as M(suho.platform.compose_rollback) wants it; empty without one.
  returned: success
  type: str
"""

from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.files import read_text_file
from ..module_utils.compose.edit.change import ChangeError, EntrySpec, plan_change
from ..module_utils.compose.edit.document import ComposeText
from ..module_utils.compose.edit.entries import block_sha256, entry_text
from ..module_utils.compose.edit.module import edit_options, judge_from, run_edit, write_text


def argument_spec() -> dict[str, dict[str, object]]:
    return {
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "definition": {"type": "dict"},
        "insert_after": {"type": "str"},
        "header_comment": {"type": "list", "elements": "str", "default": []},
        "allow_change": {"type": "bool", "default": False},
        "volumes": {"type": "dict", "default": {}},
        "networks": {"type": "dict", "default": {}},
        "validate": {"type": "bool", "default": True},
        **edit_options(),
    }


def _entry(text: str, name: str) -> str | None:
    services = ComposeText(text).section("services")
    if services is None or services.entry(name) is None:
        return None
    return entry_text(text, "services", name)


def edit_file(module: AnsibleModule) -> dict[str, Any]:
    """Plan the change, write it outside check mode, and return the module's answer."""
    params = module.params
    if params["state"] == "present" and not params["definition"]:
        raise ChangeError("definition: expected a mapping with the service's keys, found nothing in it")
    original = read_text_file(params["path"])
    spec = EntrySpec(
        name=params["name"],
        present=params["state"] == "present",
        definition=params["definition"] or {},
        insert_after=params["insert_after"] or None,
        allow_change=params["allow_change"],
        header_comment=params["header_comment"],
        volumes=params["volumes"],
        networks=params["networks"],
    )
    change = plan_change(original.text, spec, judge_from(params) if params["validate"] else None)
    known, found = _entry(original.text, params["name"]), _entry(change.text, params["name"])
    for note in change.notes:
        module.warn(f"{original.path}: {note}")
    return {
        "sha256_before": original.sha256,
        "line": change.line,
        "block": change.block,
        "inserted": params["name"] if found is not None and known is None else "",
        "block_sha256": "" if found is None else block_sha256(found),
        **write_text(module, original, change.text, f"the file with SHA-256 {original.sha256}"),
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        required_if=[("state", "present", ["definition"])],
        supports_check_mode=True,
    )
    run_edit(module, edit_file)


if __name__ == "__main__":
    main()
