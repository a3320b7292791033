#!/usr/bin/python
# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: report_files
short_description: Write the files of one report
version_added: "0.2.0"
description:
  - Makes the folders of a report, writes its files there, each atomically, and points a link to the report.
  - A report is the record of a run and no state that is kept, so this is never a change.
options:
  folders:
    description: Folders to make, each below the one before it; the last one gets the files. They are readable for owner and group (C(0750)).
    type: list
    elements: path
    required: true
  files:
    description: Name and content of each file (C(0640)). What a file of this name held before is replaced.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Name of the file, without a folder.
        type: str
        required: true
      content:
        description: The text, written as UTF-8.
        type: str
        required: true
  link:
    description: A symbolic link to make or to move. Anything else than a link at this place is an error.
    type: path
    required: true
  target:
    description: What the link points to, as seen from the link's folder.
    type: str
    required: true
attributes:
  check_mode:
    support: full
    description: Under check mode nothing is written.
  diff_mode:
    support: none
    description: A report is no state that is kept.
  platform:
    platforms: posix
    description: Runs on the controller, with Python 3.9 or later.
    support: full
extends_documentation_fragment:
  - ansible.builtin.action_common_attributes
author:
  - suho.platform contributors (@suho-platform)
"""

EXAMPLES = r"""
- name: Write a report beside the playbook
  suho.platform.report_files:
    folders: [reports, reports/staging, reports/staging/20260101T000000Z-abc1234]
    files:
      - {name: report.json, content: "{}"}
    link: reports/staging/latest
    target: 20260101T000000Z-abc1234
  delegate_to: localhost
"""

RETURN = r"""
written:
  description: Paths of the files that were written; those that held the same content are left out.
  returned: success
  type: list
  elements: str
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ..module_utils.common.files import replace_file, replace_link

FOLDER_MODE = 0o750
FILE_MODE = 0o640


def write(path: Path, content: bytes) -> bool:
    """Replace a file as a whole, so that nobody ever reads half of it; return whether it had other content."""
    if path.is_file() and path.read_bytes() == content:
        path.chmod(FILE_MODE)
        return False
    replace_file(path, content, mode=FILE_MODE)
    return True


def point(link: Path, target: str) -> None:
    """Make a link or move it, without a moment in which there is none."""
    if link.is_symlink() and os.readlink(link) == target:
        return
    if link.exists() and not link.is_symlink():
        raise ValueError(f"{link}: found a file or a folder, expected a link or nothing; move it away")
    replace_link(link, Path(target))


def main() -> None:
    # What a report says is no secret, but nothing to be shown at -vvv as an argument of this module.
    content = {"type": "str", "required": True, "no_log": True}
    files = {"name": {"type": "str", "required": True}, "content": content}
    module = AnsibleModule(
        argument_spec={
            "folders": {"type": "list", "elements": "path", "required": True},
            "files": {"type": "list", "elements": "dict", "required": True, "options": files},
            "link": {"type": "path", "required": True},
            "target": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    given: dict[str, Any] = module.params
    wrong = [one["name"] for one in given["files"] if one["name"] in ("", ".", "..") or "/" in one["name"]]
    if wrong or not given["folders"]:
        module.fail_json(
            msg=f"folders {given['folders']}, files {wrong}: expected at least one folder, and names of files without a folder"
        )
    written = []
    try:
        for folder in () if module.check_mode else given["folders"]:
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder).chmod(FOLDER_MODE)
        for one in () if module.check_mode else given["files"]:
            path = Path(given["folders"][-1], one["name"])
            if write(path, one["content"].encode("utf-8")):
                written.append(str(path))
        if not module.check_mode:
            point(Path(given["link"]), given["target"])
    except (OSError, ValueError) as error:
        module.fail_json(msg=f"the report cannot be written: {error}")
    module.exit_json(changed=False, written=written)


if __name__ == "__main__":
    main()
