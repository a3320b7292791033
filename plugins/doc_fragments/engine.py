# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that ask the docker engine and nothing of a compose project."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  docker_cli:
    description: The docker program, as a name in E(PATH) or a path.
    type: str
    default: docker
  command_timeout:
    description: Seconds after which one docker command is given up.
    type: float
    default: 60
"""
