"""A dry run writes nothing."""

from __future__ import annotations


def test_the_file_is_as_it_was(lab):
    before = (lab.folder / "compose-before.yml").read_bytes()
    assert b"\n  tick-aggregator:" not in before
    assert lab.compose_file.read_bytes() == before


def test_nothing_lies_beside_it(lab):
    assert [path.name for path in lab.backend.glob("*docker-compose*")] == ["docker-compose.yml"]
