#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: preflight_check
short_description: Check everything that can be checked before the first change
version_added: "0.1.0"
description:
  - Asks the engine, reads the compose project, looks for the services and their code, for uncommitted changes and for disk space,
    and logs in to ClickHouse. Changes nothing.
  - Follows the configuration of the services to its end. A host in an environment value, or in a mounted YAML or JSON file, has to
    be a service, alias, container name or hostname on a network of that service, or to resolve there. A mounted file that says
    something else than the environment is reported with both places. The logins that a service would use (ClickHouse,
    PostgreSQL, NATS) are tried from its networks, in a container that lives for a moment.
  - Looks for variables without a value, for example values that nobody replaced, and for container names and ports that are taken.
  - All checks run; the task fails once, with every error. Warnings are in RV(findings) and fail nothing.
options:
  project_name:
    description:
      - Name of the Compose project; one that differs from that of the running containers of O(project_dir) is a finding.
        Default is theirs, else that of the files.
    type: str
    default: ""
  services:
    description: Services that the deploy works on.
    type: list
    elements: str
    required: true
  extra_services:
    description: Services that the compose file does not have yet, a dictionary of name to definition.
    type: dict
    default: {}
  state_dir:
    description: Directory of the release records; it need not exist.
    type: path
    required: true
  min_free_gib:
    description: GiB that must be free where images, records and backend lie.
    type: float
    default: 2
  database:
    description: Database that must exist on the ClickHouse server.
    type: str
    required: true
  missing_files:
    description: Files that the caller expected on the controller and did not find; each becomes a finding.
    type: list
    elements: str
    default: []
  login_to_clickhouse:
    description: Whether to try the ClickHouse login from this host. Say false where only the controller reaches the server.
    type: bool
    default: true
  strict:
    description: Whether variables without a value and example values are errors, as they are in production, and not only warnings.
    type: bool
    default: false
  placeholders:
    description:
      - Regular expressions (Python) that find example values, in any case, in variables whose name looks secret. C(your_secure_password) and
        C(change-in-production) are found in every variable.
    type: list
    elements: str
    default:
      - 'your[_-]?(?:secure|secret|strong|own|real)?[_-]?(?:password|passwd|key|token|secret|api)'
      - 'change[_-]?(?:me|this|it|in[_-]production|before)'
      - '(?:insert|put|enter|add|replace)[_-].*(?:here|password|key|token)'
      - '^<.*>$|^\[.*\]$|^x{3,}$|^\*{3,}$|^\.{3}$'
      - '^(?:password|passwd|secret|example|placeholder|todo|fixme|tbd|dummy|none|null)$'
  try_logins:
    description: Whether to try the services' logins, and the hosts that no service of the project has, in a container on the services' networks.
    type: bool
    default: true
  connectivity_image:
    description: Image with C(python3) for that container; it has to be on the host. Default is an image of the project that has it.
    type: str
    aliases: [probe_image]
    default: ""
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.compose_project
  - suho.platform.clickhouse
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Check everything before the first change
  suho.platform.preflight_check:
    project_dir: /opt/suho/project3/backend
    project_name: backend
    services: [data-bridge, external-data-collector]
    state_dir: /var/lib/suho-platform
    database: suho_analytics
    login_user: suho_analytics
    login_password: "{{ vault_clickhouse_password }}"
"""

RETURN = r"""
checks:
  description: Names of the checks that ran.
  returned: always
  type: list
  elements: str
revision:
  description: Git commit that the backend is at; empty if git does not know one.
  returned: success
  type: str
findings:
  description: What is in the way, each with check, object, found, expected, remedy, severity (V(error) or V(warning)) and text; errors first.
  returned: always
  type: list
  elements: dict
"""

import re

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.clickhouse.client import login_from, login_options
from ..module_utils.compose.options import project_options
from ..module_utils.preflight.checks import Preflight, Wanted
from ..module_utils.preflight.finding import ERROR, Finding, as_findings
from ..module_utils.preflight.services import PLACEHOLDERS


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            **project_options(),
            "services": {"type": "list", "elements": "str", "required": True},
            "extra_services": {"type": "dict", "default": {}},
            "state_dir": {"type": "path", "required": True},
            "min_free_gib": {"type": "float", "default": 2},
            "database": {"type": "str", "required": True},
            "missing_files": {"type": "list", "elements": "str", "default": []},
            "login_to_clickhouse": {"type": "bool", "default": True},
            "strict": {"type": "bool", "default": False},
            "placeholders": {"type": "list", "elements": "str", "default": list(PLACEHOLDERS)},
            "try_logins": {"type": "bool", "default": True},
            "connectivity_image": {"type": "str", "default": "", "aliases": ["probe_image"]},
            **login_options(),
        },
        supports_check_mode=True,
    )
    params = module.params
    for pattern in params["placeholders"]:
        try:
            re.compile(pattern)
        except re.error as error:
            module.fail_json(msg=f"placeholders: {pattern!r} is no regular expression: {error}")
    wanted = Wanted(
        project_dir=params["project_dir"],
        files=tuple(params["files"]),
        env_files=tuple(params["env_files"]),
        project_name=params["project_name"],
        services=tuple(params["services"]),
        extra_services=params["extra_services"],
        state_dir=params["state_dir"],
        min_free=int(params["min_free_gib"] * 1024**3),
        database=params["database"],
        login=login_from(params) if params["login_to_clickhouse"] else None,
        strict=params["strict"],
        placeholders=tuple(params["placeholders"]),
        try_logins=params["try_logins"],
        connectivity_image=params["connectivity_image"],
    )
    preflight = Preflight(wanted)
    missing = [
        Finding("schema files", path, "no such file on the controller", "a schema file", "Bring it back.")
        for path in params["missing_files"]
    ]
    findings = as_findings(missing) + preflight.run()
    result = {"changed": False, "checks": ["schema files", *preflight.checks], "findings": findings}
    errors = [finding for finding in findings if finding["severity"] == ERROR]
    if errors:
        lines = "\n".join(f"- {finding['text']}" for finding in errors)
        module.fail_json(msg=f"{len(errors)} finding(s) before the first change:\n{lines}", **result)
    module.exit_json(revision=preflight.revision(), **result)


if __name__ == "__main__":
    main()
