"""Both entries are there, in their places, and every other byte of the file is as it was."""

from __future__ import annotations


def test_one_goes_behind_the_other_and_nothing_else_was_changed(lab):
    before = (lab.folder / "compose-before.yml").read_bytes().decode()
    now = lab.compose_file.read_bytes().decode()
    places = [now.index(f"\n  {name}:") for name in ("data-bridge", "bar-archiver", "bar-counter")]
    assert places == sorted(places)
    assert "  # Keeps a copy of each bar.\n  bar-archiver:\n" in now
    start = next(at for at, (one, other) in enumerate(zip(before, now, strict=False)) if one != other)
    assert now.endswith(before[start:])


def test_an_entry_that_describes_no_service_changes_nothing(lab, role):
    written = lab.compose_file.read_bytes()
    good = {"name": "other", "definition": {"image": "x"}, "container": "other"}
    role("compose_entry", compose_entry_services=[good, {**good, "name": "schema"}]).assert_refused(
        "found a service schema, which --tags could not tell from a part"
    )
    role(
        "compose_entry", compose_entry_services=[good, {"name": "more", "definition": {"image": "x"}}]
    ).assert_refused("more: found no container, expected it, or a container_name in the definition")
    assert lab.compose_file.read_bytes() == written
