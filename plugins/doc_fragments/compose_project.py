# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that work with a compose project."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  project_dir:
    description: Directory of the Compose project on the target; the service code lies below it.
    type: path
    required: true
  files:
    description: Compose files in their order, relative to O(project_dir). Default is what C(docker compose) takes by itself.
    type: list
    elements: str
    default: []
  env_files:
    description: Files for C(--env-file), relative to O(project_dir). Default is C(.env).
    type: list
    elements: str
    default: []
  project_name:
    description: Name of the Compose project. Default is that of the running containers of O(project_dir), else that of the files.
    type: str
    default: ''
"""
