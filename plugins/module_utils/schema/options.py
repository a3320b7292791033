# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the module clickhouse_schema, which its action plugin reads on the controller and the module on the target."""

from __future__ import annotations

from typing import Any

from ..releases.journal import journal_option


def schema_task_options() -> dict[str, Any]:
    """The argument_spec of a task, without the login."""
    return {
        "database": {"type": "str", "required": True},
        "desired": {"type": "list", "elements": "path"},
        "state": {"type": "str", "choices": ["present", "rolled_back", "reversed"], "default": "present"},
        "steps": {"type": "list", "elements": "dict"},
        "release": {"type": "str"},
        "plan": {"type": "dict"},
        "policy": {"type": "str", "choices": ["quarantine", "keep", "drop"], "default": "quarantine"},
        "drop": {"type": "list", "elements": "str", "default": []},
        "quarantine_database": {"type": "str"},
        "allow": {"type": "list", "elements": "str", "default": []},
        "plan_timeout": {"type": "int", "default": 120},
        "assess_timeout": {"type": "float", "default": 30.0},
        "cluster": {"type": "str", "default": ""},
        "cluster_hosts": {"type": "list", "elements": "str", "default": []},
        "cluster_timeout": {"type": "float", "default": 180.0},
        **journal_option(),
    }
