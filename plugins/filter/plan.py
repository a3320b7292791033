# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that put plans, release records and checks together."""

from __future__ import annotations

from typing import Any, Callable

from ..module_utils.audit import due
from ..module_utils.checks import specs
from ..module_utils.compose import new_services
from ..module_utils.releases import deploy_plan, record, rollback_checks, rollback_plan, tags
from ..module_utils.report import executed, run
from ..module_utils.schema import rollback_checks as schema_checks
from ..plugin_utils.filters import guarded


class FilterModule:
    """Filters of suho.platform for plans, releases and checks."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        sources = {
            due: ("services_due", "deploy_refusals"),
            deploy_plan: ("deploy_plan", "deploy_scope"),
            record: ("release_manifest", "release_intents"),
            rollback_checks: ("containers_after_rollback",),
            schema_checks: ("schema_after_rollback",),
            executed: ("executed",),
            rollback_plan: ("rollback_plan",),
            tags: ("chosen_parts",),
            run: ("downtimes", "check_results", "in_round", "round_results"),
            new_services: ("compose_entries", "with_new_services"),
            specs: ("container_specs", "log_specs", "by_role"),
        }
        return {
            name: guarded(name, getattr(source, name)) for source, names in sources.items() for name in names
        }
