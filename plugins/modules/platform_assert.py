#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: platform_assert
short_description: Check a platform as a whole - its containers, their logs, the broker and ClickHouse
version_added: "0.2.0"
description:
  - Runs checks of all kinds in one process. All of them wait side by side, with one time limit, and each failure is reported, not the first only.
  - A container that has exited for good ends the wait at once.
  - The kinds are those of M(suho.platform.container_assert), M(suho.platform.log_assert), M(suho.platform.jetstream_assert) and
    M(suho.platform.clickhouse_assert), with the same options for each entry. What is not asked for is not checked, but something has to be.
  - Changes nothing.
options:
  state_dir:
    description:
      - The folder of the releases, as of M(suho.platform.release_journal).
        A container of a Compose service that a release has replaced then has to run the image which the journal's last replacement left it with.
    type: path
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.checks
  - suho.platform.checks.platform
  - suho.platform.checks.logs
  - suho.platform.engine
  - suho.platform.clickhouse
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Check the whole platform, and wait two minutes at most for data to arrive
  suho.platform.platform_assert:
    timeout: 120
    containers:
      - container: suho-data-bridge
        current_image: true
    logs:
      - container: suho-data-bridge
        since: "2026-01-31T12:00:00Z"
        expect:
          - name: writes aggregates with indicators
            pattern: 'Writing \d+ aggregates with indicators'
    monitor_url: http://127.0.0.1:8222
    streams:
      - stream: BARS
        consumer: data-bridge-bars
    login_user: suho_analytics
    login_password: "{{ platform_clickhouse_password }}"
    login_db: suho_analytics
    assertions:
      - name: bars are fresh
        kind: fresh
        table: aggregates
        time_column: ingested_at
        max_age: 300
"""

RETURN = r"""
assertions:
  description:
    - One entry for each check, passed or not; those of one group follow each other.
    - Beside these fields, each has those that the module of its kind returns.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was checked.
      type: str
      returned: always
    kind:
      description: The kind of check.
      type: str
      returned: always
    group:
      description: V(containers), V(ClickHouse), V(logs) or V(broker).
      type: str
      returned: always
    observed:
      description: What was found.
      type: raw
      returned: always
    expected:
      description: What was expected.
      type: raw
      returned: always
    verdict:
      description: V(pass), V(fail), V(inconclusive) if there was too little to show anything, or V(error) if the check could not be made.
      type: str
      returned: always
    reason:
      description: Why it did not pass; empty if it did.
      type: str
      returned: always
    seconds:
      description: How long the last look took.
      type: float
      returned: always
    milliseconds:
      description: The same in milliseconds.
      type: float
      returned: always
    details:
      description: What was measured, as the module of the kind says.
      type: dict
      returned: always
verdict:
  description: The worst verdict of all checks.
  returned: always
  type: str
attempts:
  description: How often was looked.
  returned: always
  type: int
waited_seconds:
  description: How long was waited in all.
  returned: always
  type: float
findings:
  description: Error lines, as in RV(suho.platform.log_assert#module:findings).
  returned: with O(logs)
  type: list
  elements: dict
windows:
  description: What was read of each log, as in RV(suho.platform.log_assert#module:windows).
  returned: with O(logs)
  type: list
  elements: dict
server:
  description: The NATS server, as in RV(suho.platform.jetstream_assert#module:server).
  returned: with O(streams)
  type: dict
passed:
  description: How many ClickHouse checks passed.
  returned: with O(assertions)
  type: int
failures:
  description: How many ClickHouse checks did not pass.
  returned: with O(assertions)
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.module import run_checks, wait_options
from ..module_utils.checks.platform import entry_options, platform_checks


def main() -> None:
    arguments = {**entry_options(), **wait_options(), "state_dir": {"type": "path"}}
    module = AnsibleModule(argument_spec=arguments, supports_check_mode=True)
    run_checks(module, "platform", platform_checks)


if __name__ == "__main__":
    main()
