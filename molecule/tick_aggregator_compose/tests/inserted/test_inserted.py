"""The entry is there, in its place and with its meaning, and every other byte of the file is as it was."""

from __future__ import annotations

import json

import pytest
from lab_facts import run


@pytest.fixture(scope="module")
def before(lab):
    return (lab.folder / "compose-before.yml").read_bytes()


def config(lab, path):
    """What Docker Compose understands of a file in the backend's folder."""
    command = ["docker", "compose", "--project-directory", ".", "--file", path, "config", "--format", "json"]
    return json.loads(run(*command, cwd=lab.backend))


def block_of(before, after):
    """The bytes that one insertion into ``before`` added; anything else than one insertion fails."""
    pairs = enumerate(zip(before, after, strict=False))
    start = next((at for at, (one, other) in pairs if one != other), len(before))
    tail = before[start:]
    assert after.endswith(tail), "bytes outside the block have changed"
    return after[start : len(after) - len(tail)]


def test_every_byte_outside_the_block_is_as_it_was(lab, before):
    block = block_of(before, lab.compose_file.read_bytes())
    assert b"tick-aggregator:" in block
    assert b"26 indicators" in block
    assert b"\n  data-bridge:" not in block
    assert b"\nvolumes:" not in block


def test_the_entry_stands_after_the_data_bridge_and_within_services(lab):
    text = lab.compose_file.read_text()
    places = [text.index(key) for key in ("\n  data-bridge:", "\n  tick-aggregator:", "\nvolumes:")]
    assert places == sorted(places)
    assert text.count("\n  tick-aggregator:") == 1


def test_compose_reads_the_same_of_everything_else(lab):
    was, now = config(lab, lab.folder / "compose-before.yml"), config(lab, lab.compose_file)
    entry = now["services"].pop("tick-aggregator")
    assert now == was
    assert entry["container_name"] == lab.container("tick-aggregator")
    assert set(entry["depends_on"]) == {"postgresql", "nats", "clickhouse"}
    assert entry["build"]["dockerfile"] == "02-data-processing/tick-aggregator/Dockerfile"
    assert entry["restart"] == "unless-stopped"
    assert list(entry["networks"]) == ["suho-trading-network"]


def test_the_entry_takes_the_password_from_the_environment(lab):
    entry = config(lab, lab.compose_file)["services"]["tick-aggregator"]
    assert entry["environment"]["TIMESCALEDB_PASSWORD"] == lab.settings["TIMESCALEDB_PASSWORD"]
    assert entry["environment"]["NATS_URL"] == "nats://nats:4222"
    assert lab.settings["TIMESCALEDB_PASSWORD"] not in lab.compose_file.read_text()


def test_mode_and_owner_are_kept(lab):
    found = lab.compose_file.stat()
    assert oct(found.st_mode & 0o7777) == "0o640"
    assert (found.st_uid, found.st_gid) == (65534, 65533)


def test_nothing_lies_beside_it(lab):
    assert [path.name for path in lab.backend.glob("*docker-compose*")] == ["docker-compose.yml"]


def test_an_entry_of_the_same_meaning_is_left_as_it_is(lab, role):
    written = lab.compose_file.read_bytes()
    by_hand = written.replace(b"INSTANCE_ID=tick-aggregator-1", b'"INSTANCE_ID=tick-aggregator-1"  # by hand')
    assert by_hand != written
    lab.compose_file.write_bytes(by_hand)
    try:
        role("tick_aggregator_compose").assert_passed(changed=0)
        assert lab.compose_file.read_bytes() == by_hand
    finally:
        lab.compose_file.write_bytes(written)


def test_an_entry_of_another_meaning_is_refused(lab, role):
    written = lab.compose_file.read_bytes()
    by_hand = written.replace(b"INSTANCE_ID=tick-aggregator-1", b"INSTANCE_ID=somebody-elses")
    assert by_hand != written
    lab.compose_file.write_bytes(by_hand)
    role("tick_aggregator_compose").assert_refused("tick-aggregator", "allow_change")
    assert lab.compose_file.read_bytes() == by_hand

    # Said to be wanted, it is replaced, and what comes out is the file that the role writes anyway.
    role("tick_aggregator_compose", tick_aggregator_compose_allow_change=True).assert_passed(changed=1)
    assert lab.compose_file.read_bytes() == written
