# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All kinds of checks of a platform from the options of one module: its containers, their logs, the broker, ClickHouse."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, NamedTuple

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..clickhouse.client import login_options
from ..docker.engine import engine_options
from .clickhouse.run import server_checks
from .containers import CONTAINER_OPTIONS, container_checks
from .docker_logs import log_checks
from .jetstream import STREAM_OPTIONS, broker_checks
from .log_spec import COMPARE_OPTIONS, LOG_OPTIONS, level_options
from .result import CheckNotValid
from .wait import CheckSet


class Part(NamedTuple):
    """What may be checked by one option: the suboptions of an entry, and what makes the checks of all entries.

    Without suboptions ``checks`` reads the entries itself, and raises CheckNotValid for a wrong one.
    """

    options: Mapping[str, Any] | None
    checks: Callable[[Mapping[str, Any]], dict[str, CheckSet]]


def _log_checks(known: Mapping[str, Any]) -> dict[str, CheckSet]:
    return log_checks({**known, "containers": known["logs"]})


#: All that may be checked, by option. A new one is added here.
PARTS: Mapping[str, Part] = {
    "containers": Part(CONTAINER_OPTIONS, container_checks),
    "assertions": Part(None, server_checks),
    "logs": Part({**LOG_OPTIONS, **COMPARE_OPTIONS}, _log_checks),
    "streams": Part(STREAM_OPTIONS, broker_checks),
}


def entry_options() -> dict[str, Any]:
    """The argument_spec of what is checked, as the sections platform and logs of the documentation fragment suho.platform.checks describe it."""
    entries = {"type": "list", "elements": "dict", "default": []}
    return {
        **dict.fromkeys(PARTS, entries),
        **level_options(),
        "monitor_url": {"type": "str", "default": ""},
        "request_timeout": {"type": "float", "default": 5},
        **engine_options(),
        **login_options(),
    }


def with_entries(params: Mapping[str, Any], log_options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the options with the defaults of all entries; raises CheckNotValid for an entry that its own module would refuse.

    ``log_options`` are the suboptions of an entry of ``logs`` where only some of them are known.
    """
    known = dict(params)
    for name, part in PARTS.items():
        options = log_options if name == "logs" and log_options is not None else part.options
        if options is None:
            continue
        spec = {name: {"type": "list", "elements": "dict", "options": options}}
        checked = ArgumentSpecValidator(spec).validate({name: params[name]})
        if checked.error_messages:
            raise CheckNotValid(f"{name}: {'; '.join(checked.error_messages)}")
        known[name] = checked.validated_parameters[name]
    if not any(known[name] for name in PARTS):
        raise CheckNotValid(f"expected some of {', '.join(PARTS)}: to look at nothing would prove nothing")
    return known


def platform_checks(params: Mapping[str, Any]) -> dict[str, CheckSet]:
    """Return the sets of checks by group; what is not asked for is left out. Raises PlatformError for bad input."""
    known = with_entries(params)
    sets: dict[str, CheckSet] = {}
    for name, part in PARTS.items():
        if known[name]:
            sets |= part.checks(known)
    return sets
