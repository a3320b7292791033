"""Molecule skips a verify step that finds no tests and says so in one quiet line: no step may name what is not there."""

from __future__ import annotations

import re
import subprocess
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


def groups():
    """The scenarios of each group of labs, as scripts/molecule reads them."""
    lines = (PROJECT / "molecule/groups").read_text().splitlines()
    words = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {name: members for name, *members in words}


def playbooks(name):
    own = yaml.safe_load((PROJECT / "molecule" / name / "molecule.yml").read_text())
    shared = yaml.safe_load((PROJECT / ".config/molecule/config.yml").read_text())
    return {**shared["ansible"]["playbooks"], **own.get("ansible", {}).get("playbooks", {})}


def test_every_scenario_stands_in_one_group_so_that_make_test_runs_it():
    listed = sorted(name for members in groups().values() for name in members)
    assert listed == [scenario.name for scenario in SCENARIOS], (
        "molecule/groups: name each scenario once, by the lab that it needs"
    )
    assert set(groups()) == {"deployed", "raised", "files"}


def test_make_test_runs_every_group():
    text = (PROJECT / "scripts/test").read_text()
    wanted = re.findall(r"scripts/molecule ([a-z ]+)", text)
    assert sorted(" ".join(wanted).split()) == sorted(groups())


def test_a_scenario_takes_over_the_lab_of_its_group_or_makes_its_own():
    shared = "${MOLECULE_PROJECT_DIRECTORY}/molecule/shared"
    first, *watching = groups()["deployed"]
    for name in [first, *groups()["raised"]]:
        assert playbooks(name)["create"] == f"{shared}/create.yml", name
    for name in watching:
        assert playbooks(name)["create"] == f"{shared}/create_deployed.yml", name
        assert playbooks(name)["prepare"] == f"{shared}/deployed.yml", name
    for name in [first, *watching, *groups()["raised"]]:
        assert playbooks(name)["destroy"] == f"{shared}/destroy.yml", name
    # One that writes a backend takes it away again: nobody else can use it.
    for name in groups()["files"]:
        sequence = yaml.safe_load((PROJECT / "molecule" / name / "molecule.yml").read_text())
        if "create" in sequence["scenario"]["test_sequence"]:
            assert playbooks(name)["destroy"] != f"{shared}/destroy.yml", name


def test_a_name_that_is_no_scenario_is_named_with_those_that_are():
    done = subprocess.run(
        [PROJECT / "scripts/molecule", "verfiy"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "'verfiy'" in done.stderr
    assert "verify" in done.stderr
