#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: service_state
short_description: Tell which services of a Compose project are stale, missing or not running, and why
version_added: "0.1.0"
description:
  - Looks at each service in four layers and gives a verdict with reasons and the action that fixes it. Is the image
    built from the code that is here, does the container run that image, was it made from the configuration that
    the Compose file has, and are its mounted files as old as its start.
  - The first layer compares a digest of everything that a build reads with the image's label
    C(com.suho.source-digest). That is the Dockerfile, the files that its C(COPY), C(ADD) and C(RUN --mount) take from
    the context under C(.dockerignore) with their executable bit, links, the build arguments that the Dockerfile
    declares, target, platforms and labels. A C(.git) folder at the root of the context is no part of it.
    An image without the label is compared by time with the newest git commit that touches these files.
  - The base image is no part of the digest, since it is a fact about the host and not about the sources. An image
    that stands on other layers than its base image has now gets the reason C(base_image_changed);
    O(stale_base) says whether this makes it stale.
  - A container that was made with C(docker compose up --no-deps) carries another config hash than the Compose file
    gives; this is allowed for.
  - Read-only bind mounts, configs and secrets count for the last layer, and writable single files that git tracks.
    Other writable mounts are data.
  - Changes nothing, so it does the same in check mode. No environment value is returned.
requirements:
  - docker CLI with the Compose plugin (v2.24 or newer)
  - git, for services that are built from a work tree
options:
  services:
    description: Services to look at. Default is all, where those of a profile need not run.
    type: list
    elements: str
    default: []
  extra_services:
    description:
      - Services that the Compose file may not have yet, name to definition as in a Compose file. One that the file
        has is taken from the file.
    type: dict
    default: {}
  source_paths:
    description:
      - Service name to a list of paths (relative to O(project_dir)) that are its code for git. Default is the
        Dockerfile and what it copies.
    type: dict
    default: {}
  ignored_mount_files:
    description: Names (shell patterns) of files and folders in mounts that never make a service stale.
    type: list
    elements: str
    default: [__pycache__, "*.pyc", .git]
  stale_base:
    description: Whether an image on an older base image than this host has is stale.
    type: bool
    default: false
  timeout:
    description: Seconds that one call of C(docker) may take.
    type: float
    default: 60
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.compose_project
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Audit the services of the platform
  suho.platform.service_state:
    project_dir: /opt/suho/project3/backend
  register: audit

- name: Audit two services, one of which the Compose file does not have yet
  suho.platform.service_state:
    project_dir: /opt/suho/project3/backend
    services: [data-bridge, tick-aggregator]
    extra_services:
      tick-aggregator:
        build:
          context: .
          dockerfile: 02-data-processing/tick-aggregator/Dockerfile
"""

RETURN = r"""
project_name:
  description: Name of the Compose project.
  returned: success
  type: str
  sample: backend
services:
  description: Service name to what is true of it.
  returned: success
  type: dict
  contains:
    verdict:
      description: One of C(ok), C(stale), C(missing), C(not_running), C(dirty), C(unknown).
      type: str
    action:
      description: One of C(none), C(build), C(build_and_start), C(start), C(recreate).
      type: str
    reasons:
      description: Every reason with C(code), C(text), and the C(verdict) that it argues for; the decisive ones first.
      type: list
      elements: dict
    in_compose:
      description: Whether the Compose file has the service.
      type: bool
    built_locally:
      description: Whether the service has a C(build) section.
      type: bool
    one_shot:
      description: Whether it runs once and is well when it has ended with exit code 0.
      type: bool
    image:
      description: C(ref) and, where it exists, C(id), C(created), C(size), C(source_digest) (its label).
      type: dict
    container:
      description: Name, id, image_id, state, exit_code, health, started_at, restart_count and config_hash; empty if there is none.
      type: dict
    containers:
      description: How many containers the service has.
      type: int
    code:
      description: C(modified) (time of the newest commit that touches the code), C(commit), C(subject), C(dirty_paths), C(commits_since_image).
      type: dict
    source_digest:
      description: Digest of what a build would read now; empty if it is unknown.
      type: str
    build:
      description:
        - What a build takes. C(context) (absolute), C(dockerfile), C(args), C(hidden_args), C(target), C(tag),
          C(labels) with the source digest, C(base_images), C(files).
        - Arguments whose name looks secret are not in C(args); C(hidden_args) names them.
      type: dict
rows:
  description: The audit's table, with service, image_built, code_modified, status and action, times in UTC.
  returned: success
  type: list
  elements: dict
  sample:
    - {service: data-bridge, image_built: "Oct 6 01:13", code_modified: "Oct 6 22:05", status: "❌ Code 20h newer", action: REBUILD}
reasons:
  description: Why a service is not C(ok), in words; service to list of reasons.
  returned: success
  type: dict
  sample: {data-bridge: ["code 20h newer than the image: 1 commit since"]}
totals:
  description: How many services got each verdict, and C(services), how many there are.
  returned: success
  type: dict
unset_variables:
  description: Variables that the Compose files use without a default and that nothing sets.
  returned: success
  type: list
  elements: str
warnings_of_compose:
  description: What C(docker compose config) warned about.
  returned: success
  type: list
  elements: str
"""

import traceback

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.audit.collect import AuditSpec, ServiceInspector
from ..module_utils.audit.report import audit_report
from ..module_utils.common.errors import PlatformError
from ..module_utils.compose.config import locate_project
from ..module_utils.compose.options import project_from, project_options
from ..module_utils.docker.engine import Engine


def argument_spec() -> dict[str, dict[str, object]]:
    return {
        **project_options(),
        "services": {"type": "list", "elements": "str", "default": []},
        "extra_services": {"type": "dict", "default": {}},
        "source_paths": {"type": "dict", "default": {}},
        "ignored_mount_files": {
            "type": "list",
            "elements": "str",
            "default": ["__pycache__", "*.pyc", ".git"],
        },
        "stale_base": {"type": "bool", "default": False},
        "timeout": {"type": "float", "default": 60},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        project = locate_project(*project_from(params))
        spec = AuditSpec(
            params["services"],
            params["extra_services"],
            params["source_paths"],
            params["ignored_mount_files"],
            params["stale_base"],
        )
        report = audit_report(ServiceInspector(Engine(timeout=params["timeout"]), project, spec))
    except PlatformError as error:
        module.fail_json(msg=f"compose project {params['project_dir']}: {error}")
    except Exception as error:  # a user gets a sentence; the details are in the exception field with -vvv
        module.fail_json(
            msg=f"compose project {params['project_dir']}: unexpected {type(error).__name__}: {error}",
            exception=traceback.format_exc(),
        )
    module.exit_json(changed=False, **report)


if __name__ == "__main__":
    main()
