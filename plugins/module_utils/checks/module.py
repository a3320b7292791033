# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What all modules that check something have in common: the options of the wait, and their body."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Protocol

from ..common.errors import PlatformError
from .result import failure_message, overall
from .wait import CheckSet, wait_for_pass


class ModuleProtocol(Protocol):
    """The part of AnsibleModule that is needed here."""

    params: dict[str, Any]

    def fail_json(self, msg: str, **kwargs: Any) -> NoReturn: ...

    def exit_json(self, **kwargs: Any) -> NoReturn: ...


def wait_options(timeout: float = 60) -> dict[str, Any]:
    """The argument_spec that belongs to the documentation fragment suho.platform.checks; all in seconds."""
    return {
        "timeout": {"type": "float", "default": timeout},
        "interval": {"type": "float", "default": 1},
    }


def run_checks(
    module: ModuleProtocol, subject: str, build: Callable[[Mapping[str, Any]], Mapping[str, CheckSet]]
) -> None:
    """Build the sets of checks from the module's options, wait for them together, and end the module with what they found.

    ``subject`` is what the message of a failure begins with. Bad input ends the module before anything is asked.
    """
    try:
        sets = build(module.params)
    except PlatformError as error:
        module.fail_json(msg=f"{subject}: {error}", changed=False, assertions=[])
    waited = wait_for_pass(sets, timeout=module.params["timeout"], interval=module.params["interval"])
    outcome: dict[str, Any] = {
        "changed": False,
        "assertions": [one.to_dict() for one in waited.results],
        "verdict": overall(waited.results),
        "attempts": waited.attempts,
        "waited_seconds": round(waited.seconds, 1),
    }
    for one in sets.values():
        outcome.update(one.extra())
    message = failure_message(subject, waited.results)
    if message:
        module.fail_json(msg=message, **outcome)
    module.exit_json(**outcome)
