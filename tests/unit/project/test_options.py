# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An option stands in one place: in a fragment for the modules of a group, and in one dict for all roles."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring

PROJECT = Path(__file__).resolve().parents[3]
GROUPS = yaml.safe_load((PROJECT / "meta/runtime.yml").read_text(encoding="utf-8"))["action_groups"]
PLATFORM = yaml.safe_load((PROJECT / "roles/platform/defaults/main.yml").read_text(encoding="utf-8"))
# By group: the variable of the role platform, and the first option of the group.
OF_GROUP = {
    "clickhouse": ("platform_clickhouse_login", "login_host"),
    "compose": ("platform_compose_project", "project_dir"),
    "state": ("platform_records", "state_dir"),
}


def options_of(module: str) -> dict[str, Any]:
    path = PROJECT / "plugins/modules" / f"{module}.py"
    name = f"suho.platform.{module}"
    found = get_docstring(
        str(path), fragment_loader, collection_name="suho.platform", is_module=True, plugin_type="module"
    )[0]
    assert found, name
    return dict(found["options"])


MODULES = sorted(path.stem for path in (PROJECT / "plugins/modules").glob("*.py") if path.stem != "__init__")
DOCUMENTED = {name: options_of(name) for name in MODULES}


@pytest.mark.parametrize("group", OF_GROUP)
def test_a_group_holds_all_modules_that_have_its_options_and_no_others(group: str) -> None:
    _variable, first = OF_GROUP[group]
    assert sorted(GROUPS[group]) == [name for name, options in DOCUMENTED.items() if first in options]


@pytest.mark.parametrize("group", OF_GROUP)
def test_every_module_of_a_group_takes_what_the_roles_give_all_of_them(group: str) -> None:
    variable, _first = OF_GROUP[group]
    for module in GROUPS[group]:
        assert set(PLATFORM[variable]) <= set(DOCUMENTED[module]), module


@pytest.mark.parametrize("group", ["clickhouse", "compose"])
def test_all_modules_of_a_group_have_the_same_defaults(group: str) -> None:
    variable, _first = OF_GROUP[group]
    for option in PLATFORM[variable]:
        found = {
            repr((DOCUMENTED[module][option].get("default"), DOCUMENTED[module][option]["type"]))
            for module in GROUPS[group]
        }
        assert len(found) == 1, (option, found)


@pytest.mark.parametrize("option", ["login_host", "project_dir"])
def test_the_roles_name_it_once(option: str) -> None:
    found = [
        f"{path.relative_to(PROJECT)}: {line.strip()}"
        for path in sorted((PROJECT / "roles").rglob("*.yml"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if re.match(rf"\s*{option}:", line)
    ]
    assert len(found) == 1, found
