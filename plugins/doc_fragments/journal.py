# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The option of modules that write what they change into the journal of a release."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  journal:
    description:
      - The release, on the host that runs the module, whose journal gets a line before and after each change. Default writes none.
      - A change whose intent cannot be written is not made.
    type: dict
    suboptions:
      state_dir:
        description: Directory that holds all releases of the host.
        type: path
        required: true
      release:
        description: Identifier of the release, which must have been opened by M(suho.platform.release_journal).
        type: str
        required: true
"""
