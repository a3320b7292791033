"""Molecule skips a verify step that finds no tests and says so in one quiet line: no step may name what is not there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
SCENARIOS = sorted(path.parent for path in (PROJECT / "molecule").glob("*/molecule.yml"))


def steps(scenario, action):
    """The argument of each step of this action, with the folder that stands for none."""
    sequence = yaml.safe_load((scenario / "molecule.yml").read_text())["scenario"]["test_sequence"]
    words = [step.split() for step in sequence]
    root = "${MOLECULE_PROJECT_DIRECTORY}"
    named = [word[1] if len(word) > 1 else "tests" for word in words if word[0] == action]
    return [scenario / name.replace(root, str(PROJECT)) for name in named]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
class TestScenario:
    def test_every_verify_step_has_tests(self, scenario):
        folders = steps(scenario, "verify")
        assert folders
        for folder in folders:
            files = list(folder.rglob("test_*.py"))
            assert files, folder
            assert all("def test_" in path.read_text() for path in files), folder

    def test_every_test_belongs_to_a_step(self, scenario):
        folders = steps(scenario, "verify")
        for path in (scenario / "tests").rglob("test_*.py"):
            assert any(folder in path.parents for folder in folders), path

    def test_every_side_effect_exists(self, scenario):
        missing = [
            path for path in steps(scenario, "side_effect") if path.name != "tests" and not path.is_file()
        ]
        assert missing == []


def test_every_role_with_tasks_has_a_scenario():
    roles = {path.parent.parent.name for path in (PROJECT / "roles").glob("*/tasks/main.yml")} | {"release"}
    assert len(roles) >= 9
    assert roles <= {scenario.name for scenario in SCENARIOS}
