# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an audit leads to: builds, recreations, and what must not be deployed."""

from __future__ import annotations

from typing import Any

from ansible_collections.suho.platform.plugins.module_utils.audit.due import deploy_refusals, services_due


def service(action: str, verdict: str = "stale", dirty: tuple[str, ...] = ()) -> dict[str, Any]:
    code = {"dirty_paths": list(dirty)} if dirty else {}
    return {"action": action, "verdict": verdict, "code": code, "reasons": [{"text": f"it is {verdict}"}]}


AUDIT = {
    "services": {
        "old": service("recreate"),
        "stale": service("build"),
        "new": service("build_and_start"),
        "stopped": service("start"),
        "fine": service("none", "ok"),
    }
}
ORDER = ["new", "fine", "stale", "stopped", "old", "unseen"]


def test_what_is_built_is_recreated_and_more_is() -> None:
    assert services_due(AUDIT, ORDER) == {
        "build": ["new", "stale"],
        "recreate": ["new", "stale", "stopped", "old"],
    }
    assert services_due(AUDIT, ["fine"]) == {"build": [], "recreate": []}


def test_a_forced_service_is_built_and_recreated() -> None:
    assert services_due(AUDIT, ["fine", "old"], ["fine", "elsewhere"]) == {
        "build": ["fine"],
        "recreate": ["fine", "old"],
    }


def test_uncommitted_code_and_what_is_unknown_are_refused() -> None:
    audit = {
        "services": {
            "one": service("build", "stale", ("a.py", "b.py")),
            "two": service("build", "stale", ("b.py",)),
            "odd": service("none", "unknown"),
            "other": service("none", "unknown", ("c.py",)),
        }
    }
    dirty, unknown = deploy_refusals(audit, ["one", "two", "odd"], ["one", "two"])
    assert dirty == (
        "Uncommitted code would be built into one, two: a.py, b.py. "
        "Commit or stash it; what is deployed must be what git knows."
    )
    assert unknown.startswith(
        'odd: it is unknown. Fix that, or build them anew with -e \'{"service_build_force"'
    )
    assert len(deploy_refusals(audit, ["one", "two", "odd"], ["odd"])) == 1
    assert deploy_refusals(AUDIT, ORDER, []) == []


def test_one_name_as_text_forces_that_service_alone() -> None:
    audit = {"services": {name: {"action": "none"} for name in ("bridge", "bridge-archive")}}
    due = services_due(audit, ["bridge", "bridge-archive"], "bridge-archive")
    assert due == {"build": ["bridge-archive"], "recreate": ["bridge-archive"]}
