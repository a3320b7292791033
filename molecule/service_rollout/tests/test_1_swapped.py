"""The data-bridge runs the new image, and it is the only container that was touched."""

from __future__ import annotations

import datetime
import json
from itertools import pairwise

import pytest
from lab_facts import run


@pytest.fixture(scope="module")
def before(lab):
    return json.loads(lab.remembered.read_text())["containers"]


def when(text):
    """A time of the engine, whose fraction has nine digits."""
    return datetime.datetime.fromisoformat(text[:19] + "+00:00")


def test_the_data_bridge_runs_the_image_of_its_tag(lab, before):
    now = lab.inspect("data-bridge")
    tag = json.loads(run("docker", "image", "inspect", f"{lab.name}-data-bridge:latest"))[0]
    old_id, old_image, _started = before[lab.container("data-bridge")]
    assert tag["Config"]["Labels"]["molecule"] == "another"
    assert now["Image"] == tag["Id"] != old_image
    assert now["Id"] != old_id
    assert now["State"]["Health"]["Status"] == "healthy"
    assert now["RestartCount"] == 0


def test_no_other_container_was_touched(lab, before):
    now = lab.fingerprint()["containers"]
    swapped = lab.container("data-bridge")
    others = {name: found for name, found in before.items() if name != swapped}
    assert len(others) >= 6
    assert {name: found for name, found in now.items() if name != swapped} == others


def test_the_downtime_that_it_measured_is_believable(lab):
    """Against the times that the engine itself keeps: the replacement lies between the old container's start and the new one's health."""
    swap = json.loads((lab.folder / "recreate.json").read_text())
    now = lab.inspect("data-bridge")
    assert swap["container"]["id"] == now["Id"]
    assert 0 < swap["downtime"] <= swap["unready"] < 40
    checks = [one for one in now["State"]["Health"]["Log"] if one["ExitCode"] == 0]
    times = [when(now["Created"]), when(now["State"]["StartedAt"]), when(checks[-1]["End"])]
    assert all(earlier <= later for earlier, later in pairwise(times))
