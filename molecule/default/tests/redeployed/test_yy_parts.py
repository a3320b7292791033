"""Parts of a release rolled back alone, and what is refused before anything is touched. The tests follow one another."""

from __future__ import annotations

import json

import pytest

TICK = "tick-aggregator"
ROLLBACK = "playbooks/rollback.yml"


def current(lab) -> dict:
    return json.loads(((lab.state / "current").resolve(strict=True) / "manifest.json").read_text())


def test_check_mode_shows_the_way_back_and_takes_no_step(lab, play):
    before = lab.fingerprint()
    done = play(ROLLBACK, "--check", "--diff")
    done.assert_passed()
    assert done.changed >= 4
    said = " ".join(done.said.split())
    assert f"- {TICK}:" in said  # of the compose file's diff
    assert "-CREATE TABLE" in said or "- CREATE TABLE" in said  # of the schema's
    assert lab.fingerprint() == before
    assert current(lab)["status"] == "closed"


def test_the_schema_alone_is_refused_while_services_write_into_it(lab, play):
    before = lab.fingerprint()
    done = play(ROLLBACK, "--tags", "schema")
    done.assert_refused(
        "run code that writes into what the schema would lose",
        "--tags services,tick-aggregator,schema",
        "Nothing was changed",
    )
    assert lab.fingerprint() == before


@pytest.fixture
def without_old_image(lab):
    """The release names an image that the engine does not hold. (The real one cannot be removed: another lab may run it.)"""
    path = (lab.state / "current").resolve(strict=True) / "manifest.json"
    content, image = path.read_bytes(), f"sha256:{'0' * 64}"
    manifest = json.loads(content)
    manifest["services"]["data-bridge"]["image_before"] = image
    path.write_text(json.dumps(manifest))
    yield image
    path.write_bytes(content)


def test_an_image_that_is_gone_is_named_before_anything_is_touched(lab, play, without_old_image):
    before = lab.fingerprint()
    done = play(ROLLBACK)
    done.assert_refused(
        "the previous image is gone for data-bridge", without_old_image, "Nothing was changed"
    )
    assert lab.fingerprint() == before


def test_a_record_that_is_damaged_is_named(lab, play):
    path = (lab.state / "current").resolve(strict=True) / "manifest.json"
    content, before = path.read_bytes(), lab.fingerprint()
    path.write_bytes(content[: len(content) // 2])
    try:
        play(ROLLBACK).assert_refused(str(path), "cannot be read", "Nothing was changed")
        assert lab.fingerprint() == before
    finally:
        path.write_bytes(content)


def test_what_the_release_has_added_goes_alone(lab, play):
    before = lab.containers()
    schema = lab.fingerprint()["schema"]
    file_before = ((lab.state / "current").resolve(strict=True) / "backup/docker-compose.yml").read_bytes()
    play(ROLLBACK, "--tags", TICK).assert_passed()
    now = lab.containers()
    assert set(before) - set(now) == {lab.container(TICK)}
    assert {name: one["Id"] for name, one in now.items()} == {name: before[name]["Id"] for name in now}
    assert lab.compose_file.read_bytes() == file_before
    assert lab.fingerprint()["schema"] == schema
    assert (current(lab)["status"], current(lab)["rolled_back"]) == ("partly_rolled_back", [TICK])

    play("playbooks/deploy.yml", "--tags", "tick_aggregator", deploy_approved=True).assert_passed()
    assert lab.inspect(TICK)["State"]["Status"] == "running"
    assert current(lab)["status"] == "closed"
    again = {name: one["Id"] for name, one in lab.containers().items() if name in now}
    assert again == {name: one["Id"] for name, one in now.items()}
