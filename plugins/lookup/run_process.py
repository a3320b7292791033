# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: run_process
short_description: Tell which process runs this playbook, and which others run one
version_added: "0.1.0"
author: suho.platform contributors (@suho-platform)
description:
  - Looks into C(/proc) of the controller. The lock of a target names the process, and by the list a later run on the same machine
    knows that the process is gone.
  - On a controller without C(/proc) the process is 0 and the list is none, so nothing is known.
"""

EXAMPLES = r"""
- name: Say which process this is
  ansible.builtin.debug:
    msg: "{{ lookup('suho.platform.run_process').pid }}"
"""

RETURN = r"""
_raw:
  description: A dictionary with C(controller) (name of the machine), C(pid), and C(running) (processes that run Ansible; none if unknown).
  type: list
  elements: dict
"""

import os
from typing import Any

from ansible.plugins.lookup import LookupBase

from ..module_utils.common.processes import ansible_process, running_processes


class LookupModule(LookupBase):
    def run(self, terms: Any, variables: Any = None, **kwargs: Any) -> list[dict[str, Any]]:
        return [{"controller": os.uname().nodename, "pid": ansible_process(), "running": running_processes()}]
