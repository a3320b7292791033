#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: jetstream_assert
short_description: Check that JetStream consumers of a NATS server have caught up with their streams
version_added: "0.1.0"
description:
  - Reads C(/varz) and C(/jsz) on the monitoring port of a NATS server, from the host where the module runs.
  - A consumer that has nothing pending and nothing unacknowledged has handed on all that was published.
  - A stream that never received a message, and a consumer that was never given one, prove nothing and do not pass.
  - Waits within a time bound, because messages are in flight on a platform that works.
  - Changes nothing. All failures are reported, not the first only.
options:
  monitor_url:
    description: The monitoring endpoint. A password in it is masked in messages.
    type: str
    required: true
  streams:
    description: The streams and consumers.
    type: list
    elements: dict
    required: true
    suboptions:
      stream:
        description: Name of the stream.
        type: str
        required: true
      consumer:
        description: Name of a durable consumer of it. Without a consumer only the stream is checked.
        type: str
      account:
        description: Account of the stream; needed only where several accounts have a stream of this name.
        type: str
      max_pending:
        description: How many messages may wait for the consumer.
        type: int
        default: 0
      max_ack_pending:
        description:
          - How many messages may be delivered but not acknowledged.
          - This and O(streams[].max_pending) count what was in the stream when the check began. On a busy stream something is
            always on its way, so a consumer that has acknowledged all that was there then has caught up.
        type: int
        default: 0
      max_redelivered:
        description: How many of the unacknowledged messages may have been delivered before. Default is any number.
        type: int
      min_messages:
        description:
          - How many messages the stream must have received in all.
            With V(0), an empty stream and a consumer that was never given a message pass as well.
        type: int
        default: 1
      tables:
        description: Tables that the consumer fills. Nothing is asked of them here; a report shows where the stream leads to.
        type: list
        elements: str
        default: []
  request_timeout:
    description: Seconds after which one request is given up.
    type: float
    default: 5
  validate_certs:
    description: Whether the certificate of an https endpoint has to be valid.
    type: bool
    default: true
  use_proxy:
    description: Whether the proxies of the environment are used. A monitoring port is seldom behind one.
    type: bool
    default: false
extends_documentation_fragment:
  - suho.platform.attributes.read_only
  - suho.platform.checks
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Wait until what was published has been stored
  suho.platform.jetstream_assert:
    monitor_url: http://127.0.0.1:8222
    streams:
      - stream: BARS
        consumer: data-bridge-bars
      - stream: EXTERNAL
        consumer: data-bridge-external
        max_ack_pending: 5
    timeout: 30
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
      description: Always V(jetstream).
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
    group:
      description: Always V(broker), the part of a platform that it belongs to.
      type: str
      returned: always
    stream:
      description: The stream.
      type: str
      returned: always
    consumer:
      description: The consumer, if one was given.
      type: str
      returned: always
    tables:
      description: O(streams[].tables).
      type: list
      elements: str
      returned: always
    details:
      description:
        - account, messages, first_sequence, last_sequence, bytes, consumers, retention and seconds_held (since the first message that it still holds
          came) of the stream, and pending, ack_pending, redelivered, waiting, delivered_sequence and acknowledged_sequence of the consumer; empty if
          the stream is missing.
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
server:
  description: server_id, server_name, version, uptime and connections of the NATS server; empty if it did not answer.
  returned: always
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.checks.jetstream import STREAM_OPTIONS, broker_checks
from ..module_utils.checks.module import run_checks, wait_options

ARGUMENTS = {
    "monitor_url": {"type": "str", "required": True},
    "streams": {"type": "list", "elements": "dict", "required": True, "options": STREAM_OPTIONS},
    "request_timeout": {"type": "float", "default": 5},
    "validate_certs": {"type": "bool", "default": True},
    "use_proxy": {"type": "bool", "default": False},
    **wait_options(),
}


def main() -> None:
    module = AnsibleModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    run_checks(module, "JetStream", broker_checks)


if __name__ == "__main__":
    main()
