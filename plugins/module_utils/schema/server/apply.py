# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the steps of a plan, if the schema is still the one that the plan was made for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import SchemaError
from ..steps import Step
from .quarantine import Kept
from .server import Server, explained


def demand_unmoved(database: str, live: Mapping[str, Any], expected: str) -> None:
    """Raise SchemaError if *live*, as Server.read returns it, does not have the fingerprint that a plan *expected*."""
    found = live["fingerprint"]
    if found != expected:
        raise SchemaError(moved(database, found, expected))


def moved(database: str, found: str, expected: str) -> str:
    """Say that a plan was made for another schema than the one that is there."""
    return (
        f"database {database} was changed by someone else since the plan was made: the fingerprint of its schema and its quarantine is "
        f"{found[:12]}, the plan expects {expected[:12] or 'none'}. Nothing was changed; run the task again, it plans for what is there now"
    )


def apply(server: Server, steps: Sequence[Step], release: str, kept: list[Kept]) -> None:
    """Run the steps in their order; what goes to the quarantine is added to *kept*, also when a later step fails."""
    for step in steps:
        change = server.journal.change(step.name, step.rollback_sql)
        with explained(f"step {step.name}", step.statement), change as outcome:
            found = step.operation.run(server, release)
            if found:
                outcome.update(quarantine=found.quarantine, rows=str(found.rows))
                kept.append(found)
        server.done.append(step.name)
