# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error handling for filters whose logic knows nothing of Ansible."""

from __future__ import annotations

from typing import Any, Callable

from ansible.errors import AnsibleFilterError

from ..module_utils.common.errors import PlatformError


def guarded(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function so that input of the wrong shape is an error that names the filter, not a traceback."""

    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except KeyError as error:
            raise AnsibleFilterError(f"suho.platform.{name}: the input has no key {error}") from error
        except (AttributeError, PlatformError, TypeError, ValueError) as error:
            raise AnsibleFilterError(f"suho.platform.{name}: {error}") from error

    return run
