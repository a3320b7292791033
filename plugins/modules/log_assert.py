#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: log_assert
short_description: Check that container logs hold the expected lines and no error lines
version_added: "0.1.0"
description:
  - Reads the logs of containers since a time with C(docker logs), on the host where the module runs.
  - Waits for the expected lines within a time bound, then judges the error lines.
  - A line is an error line by the level that its logger wrote (C(ERROR data-bridge insert failed),
    C(2026-01-31 12:00:00,000 - app - ERROR - text), C([ERR]), C(<Error>), C(level=error), a JSON object with a level),
    never because the word error is somewhere in its text. A Python traceback always counts.
  - A container that is missing, does not run, is silent, or whose log could not be read completely does not pass.
  - Changes nothing. All failures are reported, not the first only.
  - Passwords in URLs, in C(key=value) pairs and in similar places are masked in everything that is returned.
options:
  containers:
    description: The containers, and what their logs must and may hold.
    type: list
    elements: dict
    required: true
    suboptions:
      container:
        description: Name of the container.
        type: str
        required: true
      since:
        description:
          - From where on the log is read. V(start) is the time at which the container was last started,
            V(created) takes in the log of earlier starts of the same container,
            anything else is a time with zone such as V(2026-01-31T12:00:00Z), by the engine's clock.
        type: str
        default: start
      expect:
        description: Lines that must appear.
        type: list
        elements: dict
        default: []
        suboptions:
          name:
            description: What the line proves.
            type: str
            required: true
          pattern:
            description: Python regular expression that is searched in each line.
            type: str
            required: true
          min:
            description: How many lines have to match, at least V(1).
            type: int
            default: 1
      allow:
        description: Error lines that are no problem. The first entry that matches a line owns it.
        type: list
        elements: dict
        default: []
        suboptions:
          pattern:
            description: Python regular expression that is searched in the error line.
            type: str
            required: true
          reason:
            description: Why these lines are no problem. It appears in the report.
            type: str
            required: true
          max:
            description: How many lines may match; with more, none of them is allowed. Default is any number.
            type: int
          expires:
            description: The last day (C(2026-01-31), UTC) on which this entry counts.
            type: str
      min_lines:
        description:
          - How many lines the log must hold for the absence of errors to mean something.
            Use V(0) only for a container that has nothing to say.
        type: int
        default: 1
      running:
        description: Whether the container has to be running. Use V(false) for one that runs once and exits.
        type: bool
        default: true
      compare_seconds:
        description:
          - For how many seconds before O(containers[].since) the log is read as well, to tell error lines that are new from those of a kind
            that was there before. With V(0) it is not compared.
          - That time is read only if there is an error line.
        type: int
        default: 0
      compare_file:
        description:
          - The kept log of the container that this one has replaced, with the engine's times. Its last O(containers[].compare_seconds) count
            as the time before, too. A file that does not exist is nothing to compare with.
        type: path
      known:
        description:
          - What becomes of error lines of a kind that was there before. V(fail) judges them as any other and only says that they are known,
            V(allow) lets them pass.
        type: str
        default: fail
        choices: [fail, allow]
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.checks
  - suho.platform.checks.logs
  - suho.platform.engine
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Check what the services have logged since they were started
  suho.platform.log_assert:
    containers:
      - container: suho-data-bridge
        expect:
          - name: writes aggregates with indicators
            pattern: 'Writing \d+ aggregates with indicators'
      - container: suho-tick-aggregator
        expect:
          - name: publishes aggregates with 26 indicators
            pattern: 'Publishing aggregate with 26 indicators'
            min: 3
        allow:
          - pattern: 'connection to nats lost'
            reason: The broker is restarted every Sunday; the client connects again
            max: 2
            expires: "2026-12-31"
    timeout: 120

- name: Tell the errors that a deploy has brought from those that were there in the hour before it
  suho.platform.log_assert:
    containers:
      - container: suho-data-bridge
        compare_seconds: 3600
        compare_file: /var/lib/suho-platform/releases/20260131T120000Z-1a2b3c4/logs/before/replaced-data-bridge.log
        known: allow

- name: Read on from where the last scan ended
  suho.platform.log_assert:
    containers:
      - container: suho-data-bridge
        since: "{{ last_scan.windows[0].next_since }}"
    timeout: 0
"""

RETURN = r"""
assertions:
  description: One entry for each check, passed or not.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: What was checked.
      type: str
      returned: always
    kind:
      description: V(log_errors) or V(log_line).
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
      description: V(pass), V(fail), or V(error) when the check could not be made.
      type: str
      returned: always
    reason:
      description: Why it did not pass; empty when it did.
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
      description: Empty; what other kinds of checks have measured stands there.
      type: dict
      returned: always
    group:
      description: Always V(logs), the part of a platform that it belongs to.
      type: str
      returned: always
    container:
      description: The container.
      type: str
      returned: always
    line:
      description: The newest line that matches, masked; only for V(log_line).
      type: str
      returned: when the log could be read
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
  description: The error lines, those of one kind joined to one entry; at most 50 kinds for each container.
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: The container that wrote the line.
      type: str
      returned: always
    time:
      description: When the engine received the first of them.
      type: str
      returned: always
    last_time:
      description: When it received the last of them.
      type: str
      returned: always
    level:
      description: The level, or V(TRACEBACK).
      type: str
      returned: always
    line:
      description: The first of them, masked and cut to 300 characters.
      type: str
      returned: always
    fingerprint:
      description: Equal for lines that differ in numbers, times, ids and addresses only.
      type: str
      returned: always
    count:
      description: How many there are.
      type: int
      returned: always
    allowed:
      description: Whether an entry of O(containers[].allow) covers them.
      type: bool
      returned: always
    allow_reason:
      description: The reason that this entry gives.
      type: str
      returned: always
    new:
      description: Whether the time before had no line of this kind; none if O(containers[].compare_seconds) is V(0).
      type: bool
      returned: always
windows:
  description: For each container that could be read, which part of its log that was.
  returned: always
  type: list
  elements: dict
  contains:
    container:
      description: The container.
      type: str
      returned: always
    since:
      description: Where reading began; empty for the whole log.
      type: str
      returned: always
    last_line:
      description: Time of the last line.
      type: str
      returned: always
    next_since:
      description: A value for O(containers[].since) that reads on without a gap and without a repetition.
      type: str
      returned: always
    lines:
      description: How many lines were read.
      type: int
      returned: always
    cut:
      description: Whether there were more lines than O(max_lines).
      type: bool
      returned: always
    error_kinds:
      description: How many kinds of error lines there are.
      type: int
      returned: always
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.docker_logs import log_checks
from ..module_utils.checks.log_spec import COMPARE_OPTIONS, LOG_OPTIONS, level_options
from ..module_utils.checks.module import run_checks, wait_options
from ..module_utils.docker.engine import engine_options

ARGUMENTS = {
    "containers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": LOG_OPTIONS | COMPARE_OPTIONS,
    },
    **level_options(),
    **wait_options(),
    **engine_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_checks(module, "container logs", log_checks)


if __name__ == "__main__":
    main()
