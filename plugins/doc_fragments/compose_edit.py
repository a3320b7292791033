# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules that edit a Compose file. They come before those of compose_project, some of which mean something else here."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  path:
    description: The Compose file. A symbolic link is followed and its target edited.
    type: path
    required: true
  project_dir:
    description: Directory of the Compose project. Default is the directory of O(path).
    type: path
    required: false
  project_name:
    description: Name of the Compose project, if it is not the one that the files give.
    type: str
    default: ''
  files:
    description:
      - All Compose files of the project in their order, relative to O(project_dir), if there are several.
      - Default is what C(docker compose) would take by itself if O(path) is one of these, else O(path) alone.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that C(docker compose config) may take.
    type: float
    default: 60
"""
