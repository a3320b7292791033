# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that check something: how long they wait, and what a module checks that runs all kinds of checks."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  timeout:
    description:
      - How many seconds to wait at most for all checks to pass. With V(0) there is one look and no waiting.
    type: float
    default: 60
  interval:
    description: Seconds between two looks.
    type: float
    default: 1
"""

    # What is checked of a platform as a whole.
    PLATFORM = r"""
options:
  containers:
    description: The containers, as in O(suho.platform.container_assert#module:containers).
    type: list
    elements: dict
    default: []
  logs:
    description: Logs of containers, as in O(suho.platform.log_assert#module:containers).
    type: list
    elements: dict
    default: []
  assertions:
    description: What the ClickHouse server has to answer, as in O(suho.platform.clickhouse_assert#module:assertions).
    type: list
    elements: dict
    default: []
  monitor_url:
    description: NATS' monitoring endpoint. Needed with O(streams). A password in it is masked in messages.
    type: str
    default: ''
  streams:
    description: Streams and consumers, as in O(suho.platform.jetstream_assert#module:streams).
    type: list
    elements: dict
    default: []
  request_timeout:
    description: Seconds after which one request to O(monitor_url) is given up.
    type: float
    default: 5
"""

    # How container logs are read.
    LOGS = r"""
options:
  error_levels:
    description: Levels that make an error line.
    type: list
    elements: str
    default: [ERROR, CRITICAL, FATAL]
  max_lines:
    description:
      - Reads at most this many of the newest lines of each container.
        If there were more, the absence of error lines is not proved, and the verdict is V(error).
    type: int
    default: 50000
"""
