"""A dry run opens no release."""

from __future__ import annotations


def test_nothing_was_recorded(lab):
    assert not lab.state.exists()


def test_the_file_that_it_would_record_is_as_it_was(lab):
    assert lab.compose_file.read_bytes() == (lab.folder / "compose-before.yml").read_bytes()
