# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The attributes of modules: what they do under check mode and in diff mode, and where they run."""

from __future__ import annotations


class ModuleDocFragment:
    # For modules that change something: each says itself what it does in the two modes.
    DOCUMENTATION = r"""
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
  platform:
    description: Runs on hosts with Python 3.9 or later.
    support: full
    platforms: posix
"""

    # For modules that change nothing.
    READ_ONLY = r"""
attributes:
  check_mode:
    description: Read-only, so it runs under check mode as well.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  platform:
    description: Runs on hosts with Python 3.9 or later.
    support: full
    platforms: posix
"""

    # For modules that write one file.
    WRITES_FILE = r"""
attributes:
  check_mode:
    description: Does everything but write the file.
    support: full
  diff_mode:
    description: Shows the whole file before and after.
    support: full
  platform:
    description: Runs on hosts with Python 3.9 or later.
    support: full
    platforms: posix
"""
