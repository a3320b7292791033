"""When a lab stands as the next scenario needs it, and what is said of one that does not."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import lab_state
from lab_facts import EXTERNAL_TABLES

SERVICES = {
    "data-bridge": "data-bridge",
    "external-collector": "external-data-collector",
    "tick-aggregator": "tick-aggregator",
}


def container(service: str, image: str, status: str = "running", restarts: int = 0) -> dict[str, Any]:
    return {
        "Config": {"Labels": {"com.docker.compose.service": service}},
        "Image": image,
        "State": {"Status": status},
        "RestartCount": restarts,
        "HostConfig": {"RestartPolicy": {"Name": "unless-stopped"}},
    }


class FakeLab:
    """A lab that is deployed, as far as the check asks for it."""

    name = "suho-x"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.found = {
            f"suho-x-{short}": container(service, f"sha256:{short}") for short, service in SERVICES.items()
        }
        self.names = {"aggregates", *EXTERNAL_TABLES}
        self.types = {"symbol": "String", "indicators": "String"}
        release = self.state / "releases/one"
        release.mkdir(parents=True)
        (release / "manifest.json").write_text(json.dumps({"status": "closed"}))
        (self.state / "current").symlink_to("releases/one")
        (folder / "raised.json").write_text("{}")

    def containers(self) -> dict[str, dict[str, Any]]:
        return self.found

    def fingerprint(self) -> dict[str, Any]:
        return {"images": [f"suho-x-{service}:latest sha256:{short}" for short, service in SERVICES.items()]}

    def tables(self) -> set[str]:
        return self.names

    def columns(self, _table: str) -> dict[str, str]:
        return self.types


@pytest.fixture
def lab(tmp_path: Path) -> FakeLab:
    return FakeLab(tmp_path)


def test_a_deployed_lab_is_taken(lab):
    assert lab_state.not_deployed(lab) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lab: (lab.folder / "raised.json").unlink(), "nobody has raised the lab suho-x"),
        (lambda lab: (lab.state / "current").unlink(), "current release: found nothing, expected closed"),
        (
            lambda lab: (lab.state / "releases/one/manifest.json").write_text('{"status": "failed"}'),
            "current release: found failed, expected closed",
        ),
        (lambda lab: lab.found.pop("suho-x-tick-aggregator"), "tick-aggregator: found no container"),
        (
            lambda lab: lab.found.update({"suho-x-data-bridge": container("data-bridge", "sha256:other")}),
            "data-bridge: found ['sha256:other'",
        ),
        (lambda lab: lab.found["suho-x-data-bridge"].update(RestartCount=3), "'running', 3], expected"),
        (
            lambda lab: lab.found["suho-x-external-collector"]["State"].update(Status="exited"),
            "external-data-collector: found ['sha256:external-collector', 'exited', 0]",
        ),
        (lambda lab: lab.names.remove("external_fred_economic"), "table external_fred_economic: found none"),
        (lambda lab: lab.names.add("aggregates_molecule"), "table aggregates_molecule: a test has left it"),
        (lambda lab: lab.types.pop("indicators"), "column indicators: found none"),
    ],
)
def test_what_a_deployed_lab_lacks_is_said(lab, spoil, said):
    spoil(lab)
    (line,) = lab_state.not_deployed(lab)
    assert said in line


STATE = {
    "containers": {"suho-x-data-bridge": ["data-bridge", "sha256:1", "running", 0]},
    "images": {"suho-x-data-bridge:latest": "sha256:1"},
    "schema": {"db.aggregates": "CREATE TABLE a"},
    "files": {"docker-compose.yml": "abc"},
    "revision": {"HEAD": "123"},
    "releases": {},
}


def test_the_same_state_has_no_differences():
    assert lab_state.differences(copy.deepcopy(STATE), STATE) == []


@pytest.mark.parametrize("part", STATE)
def test_every_part_is_compared_both_ways(part):
    more = copy.deepcopy(STATE)
    more[part]["something"] = "new"
    assert lab_state.differences(more, STATE) == [f"{part} something: found new, expected nothing"]
    assert lab_state.differences(STATE, more) == [f"{part} something: found nothing, expected new"]


def test_what_runs_once_may_have_ended_meanwhile():
    once = container("downloader", "sha256:1", "exited")
    assert lab_state.mood(once) == ["exited", 0]
    once["HostConfig"] = {"RestartPolicy": {"Name": "no"}}
    assert lab_state.mood(once) == []


@pytest.fixture
def raised(tmp_path, monkeypatch):
    """A lab that was raised, whose state and repairs are the test's own."""
    (tmp_path / "raised.json").write_text(json.dumps(STATE))
    found = SimpleNamespace(
        folder=tmp_path, state=tmp_path / "state", name="suho-x", now=copy.deepcopy(STATE), repaired=0
    )

    def put_right(lab, then):
        lab.repaired += 1
        lab.now = copy.deepcopy(then)

    monkeypatch.setattr(lab_state, "state", lambda lab: copy.deepcopy(lab.now))
    monkeypatch.setattr(lab_state, "put_right", put_right)
    return found


def test_files_images_and_containers_are_put_right(raised):
    raised.now["files"]["docker-compose.yml"] = "another"
    raised.now["images"]["suho-x-tick-aggregator:latest"] = "sha256:2"
    assert lab_state.not_raised(raised) == []
    assert raised.repaired == 1


def test_a_schema_or_a_release_is_not_undone(raised):
    raised.now["schema"]["db.aggregates"] = "CREATE TABLE b"
    assert lab_state.not_raised(raised) == [
        "schema db.aggregates: found CREATE TABLE b, expected CREATE TABLE a"
    ]
    raised.now = copy.deepcopy(STATE)
    raised.now["releases"]["one"] = "a record"
    (raised.state / "releases/one").mkdir(parents=True)
    (raised.state / "releases/one/manifest.json").write_text("{}")
    assert lab_state.not_raised(raised) == ["releases one: found a record, expected nothing"]
    assert raised.repaired == 0


def test_a_lab_that_nobody_raised_for_scenarios_is_not_taken(raised):
    (raised.folder / "raised.json").unlink()
    (line,) = lab_state.not_raised(raised)
    assert "nobody has raised the lab suho-x" in line


@pytest.mark.parametrize("word", ["raised", "deployed"])
def test_a_lab_that_is_not_there_is_a_no_and_no_traceback(word, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("LAB_NAME", "no-such-lab")
    monkeypatch.setattr(sys, "argv", ["lab_state.py", word])
    with pytest.raises(SystemExit) as ended:
        lab_state.main()
    assert ended.value.code == 3
    assert "no-such-lab" in capsys.readouterr().out
