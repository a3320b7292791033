#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: compose_build
short_description: Build the images of Compose services and label them with what they were built from
version_added: "0.1.0"
description:
  - Builds with C(docker compose build), so everything that a build section can say holds, and all services in one call.
  - An image that carries the wanted labels already is not built. Nothing that runs is touched.
  - A build that fails names the service and shows the last lines of its log. Image tags that had moved by then, those of other services too,
    name again what they named before.
options:
  services:
    description: Services to build, name to the labels of the image. The labels must be deterministic.
    type: dict
    required: true
  extra_services:
    description: Services that the compose file does not have yet, name to definition.
    type: dict
    default: {}
  force:
    description: Services to build even if their image carries the wanted labels.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the build may take.
    type: float
    default: 1800
  log_dir:
    description: Directory that keeps a log for each service, C(build-<service>.log), readable by its owner. Default keeps none.
    type: path
  space_factor:
    description:
      - The place where the engine keeps its images has to have this many times the size of the services' images of today free,
        else nothing is built. Where that place is not on this host, a warning says that it was not checked.
    type: float
    default: 1.5
  min_free_gib:
    description: GiB that have to be free there at least.
    type: float
    default: 1
attributes:
  check_mode:
    support: full
    description: Says which services would be built.
  diff_mode:
    support: full
    description: Shows image ids before and after.
extends_documentation_fragment:
  - suho.platform.attributes
  - suho.platform.compose_project
  - suho.platform.journal
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Build the data-bridge from the code that is here
  suho.platform.compose_build:
    project_dir: /opt/suho/project3/backend
    project_name: backend
    services:
      data-bridge:
        com.suho.source-digest: "{{ audit.services['data-bridge'].source_digest }}"
"""

RETURN = r"""
built:
  description: Services that were or would be built.
  returned: success
  type: list
  elements: str
images:
  description: Service to image id afterwards; empty for one that check mode left out.
  returned: success
  type: dict
log:
  description: End of the build's log.
  returned: when something was built
  type: str
"""

import json
from contextlib import ExitStack
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.errors import PlatformError
from ..module_utils.compose.build import (
    BuildError,
    build,
    demand_room,
    lacks_labels,
    overlay,
    roll_tags_back,
)
from ..module_utils.compose.config import ComposeReader, image_name, named_project
from ..module_utils.compose.options import project_from, project_options
from ..module_utils.docker.engine import Engine
from ..module_utils.releases.journal import ChangeJournal, journal_option


def run(module: AnsibleModule) -> dict[str, Any]:
    params = module.params
    wanted = {name: dict(labels or {}) for name, labels in params["services"].items()}
    engine = Engine()
    reader = ComposeReader(
        engine,
        named_project(engine, *project_from(params)),
    )
    known = list(reader.config().services)
    missing = [name for name in wanted if name not in known and name not in params["extra_services"]]
    if missing:
        raise BuildError(
            f"service {missing[0]} is not in the compose project; it has: {', '.join(sorted(known))}"
        )
    document = overlay(wanted, params["extra_services"], known)
    config = reader.config(extra=document)
    tags = {name: image_name(config, name) for name in wanted}
    before = reader.engine.images(list(tags.values()))
    todo = [
        name for name in wanted if name in params["force"] or lacks_labels(before[tags[name]], wanted[name])
    ]
    result: dict[str, Any] = {"changed": bool(todo), "built": todo}
    if todo and not module.check_mode:
        unsure = demand_room(
            reader.engine,
            {name: before[tags[name]] for name in todo},
            params["space_factor"],
            params["min_free_gib"],
        )
        if unsure:
            module.warn(unsure)
        journal = ChangeJournal(params["journal"], "build")
        try:
            with ExitStack() as stack:
                for name in todo:
                    old = before[tags[name]]
                    undo = f"tag {tags[name]} on {old.id}" if old else f"removal of {tags[name]}"
                    stack.enter_context(journal.change(name, undo))
                result["log"] = build(
                    reader, todo, json.dumps(document), params["timeout"], params["log_dir"] or ""
                )
        except BuildError as error:
            moved = roll_tags_back(reader.engine, {tags[name]: before[tags[name]] for name in todo})
            also = f"\nRolled back to what they were before: {', '.join(moved)}." if moved else ""
            raise BuildError(f"{error}{also}") from error
    after = reader.engine.images(list(tags.values()))
    ids = {name: getattr(before[tag], "id", "") for name, tag in tags.items()}
    result["images"] = {name: getattr(after[tag], "id", "") for name, tag in tags.items()}
    result["diff"] = {"before": ids, "after": result["images"]}
    return result


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **project_options(),
            "services": {"type": "dict", "required": True},
            "extra_services": {"type": "dict", "default": {}},
            "force": {"type": "list", "elements": "str", "default": []},
            "timeout": {"type": "float", "default": 1800},
            "log_dir": {"type": "path"},
            "space_factor": {"type": "float", "default": 1.5},
            "min_free_gib": {"type": "float", "default": 1},
            **journal_option(),
        },
        supports_check_mode=True,
    )
    try:
        result = run(module)
    except PlatformError as error:
        module.fail_json(msg=str(error))
    module.exit_json(**result)


if __name__ == "__main__":
    main()
