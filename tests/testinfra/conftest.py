"""The same facts and modules as the roles use, for hosts that an inventory names.

    pytest tests/testinfra --ansible-inventory=inventories/staging --hosts=ansible://platform

Nothing is changed: every module runs in check mode. What an inventory does not say comes from the defaults of the roles, and from
``--variables '{"verify_log_since": "2026-01-31T12:00:00Z"}'``, which no secret belongs in, for it is seen in the process list.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[2]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--variables", type=json.loads, default={}, help="variables of the roles, as a JSON object"
    )


@pytest.fixture(scope="module")
def facts(host, request) -> dict[str, Any]:
    """Variables that the inventory leaves to the roles, as templates."""
    known = host.ansible.get_variables()
    found: dict[str, Any] = {}
    for role in ("platform", "verify"):
        path = PROJECT / "roles" / role / "defaults/main.yml"
        found.update(yaml.safe_load(path.read_text(encoding="utf-8")))
    found["role_path"] = str(PROJECT / "roles/platform")
    found = {name: value for name, value in found.items() if name not in known}
    return {**found, **request.config.getoption("variables")}


@pytest.fixture(scope="module")
def failures(host, facts) -> Callable[..., list[str]]:
    """Run a module of checks; its options may be templates. Returns a line for each check that did not pass."""

    def run(module: str, **options: Any) -> list[str]:
        try:
            # Secrets stay templates here: Ansible fills them in, and no process list shows them.
            result = host.ansible(
                f"suho.platform.{module}", json.dumps(options), check=True, extra_vars=facts
            )
        except host.ansible.AnsibleException as error:
            result = error.result
        found = result.get("assertions")
        assert found, f"{module} looked at nothing: {result.get('msg', result)}"
        return [
            f"{one['name']} [{one['verdict']}]: observed {one['observed']}, expected {one['expected']}. {one['reason']}"
            for one in found
            if one["verdict"] != "pass"
        ]

    return run
