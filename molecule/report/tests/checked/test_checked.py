"""A dry run writes no report."""

from __future__ import annotations


def test_no_folder_was_made(lab_folder):
    assert not (lab_folder / "reports").exists()
