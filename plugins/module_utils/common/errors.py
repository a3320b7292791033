# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The error that a user may see; every error of this collection is one of its kinds."""

from __future__ import annotations


class PlatformError(Exception):
    """Something that a person can act on: the message names the object, what was found and what to do.

    Modules and filters catch this one and fail with its text. What is not a PlatformError is a defect.
    """
