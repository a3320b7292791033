# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that work with a Compose project, as the documentation fragment suho.platform.compose_project describes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class ProjectOptions(NamedTuple):
    """Directory, Compose files, files for ``--env-file`` and project name, in the order in which the functions of compose.config take them.

    An empty list or name is the default of ``docker compose``, and an empty directory that of the Compose file.
    """

    directory: str
    files: list[str]
    env_files: list[str]
    name: str


def project_options(required: bool = True) -> dict[str, Any]:
    """The argument_spec; ``required`` says whether ``project_dir`` has to be given."""
    return {
        "project_dir": {"type": "path", "required": True} if required else {"type": "path"},
        "files": {"type": "list", "elements": "str", "default": []},
        "env_files": {"type": "list", "elements": "str", "default": []},
        "project_name": {"type": "str", "default": ""},
    }


def project_from(params: Mapping[str, Any]) -> ProjectOptions:
    """What such options say."""
    return ProjectOptions(
        params["project_dir"] or "", params["files"], params["env_files"], params["project_name"]
    )
