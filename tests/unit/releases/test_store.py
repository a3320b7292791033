"""The record of releases: what is written stays readable, what was saved first is never overwritten."""

from __future__ import annotations

import json
import stat

import pytest
from ansible_collections.suho.platform.plugins.module_utils.releases.store import (
    ReleaseError,
    ReleaseStore,
    continued,
    deep_merge,
    settle_compose,
)


@pytest.fixture
def store(tmp_path):
    return ReleaseStore(str(tmp_path / "state"))


def test_a_store_that_does_not_exist_yet_is_empty(store):
    assert store.ids() == []
    assert store.current() is None
    assert store.unfinished() is None


def test_opening_makes_a_private_folder_and_points_current_to_it(store):
    release = store.open("20250101T000000Z-abc", {"plan": "p"})
    assert store.current().id == release.id
    assert release.manifest()["plan"] == "p"
    assert release.manifest()["status"] == "open"
    assert stat.S_IMODE(store.state_dir.stat().st_mode) == 0o700
    assert stat.S_IMODE(release.manifest_path.stat().st_mode) == 0o600


def test_a_release_names_the_one_before_it(store):
    first = store.open("20250101T000000Z-a", {})
    second = store.open("20250102T000000Z-b", {})
    assert second.manifest()["previous"] == first.id
    assert store.ids() == [first.id, second.id]


def test_pointing_back_makes_the_earlier_release_current(store):
    store.open("20250101T000000Z-a", {})
    second = store.open("20250102T000000Z-b", {})
    store.point_to(second.manifest()["previous"])
    assert store.current().id == "20250101T000000Z-a"
    store.point_to(None)
    assert store.current() is None


@pytest.mark.parametrize(
    ("status", "unfinished"),
    [("open", True), ("failed", True), ("rolling_back", True), ("closed", False), ("rolled_back", False)],
)
def test_only_what_was_begun_and_not_ended_is_unfinished(store, status, unfinished):
    release = store.open("20250101T000000Z-a", {})
    release.write_manifest({**release.manifest(), "status": status})
    assert (store.unfinished() is not None) is unfinished


def test_the_first_backup_stays(store):
    release = store.open("20250101T000000Z-a", {})
    assert release.save("docker-compose.yml", b"before\r\n") is True
    assert release.save("docker-compose.yml", b"after") is False
    assert (release.folder / "backup/docker-compose.yml").read_bytes() == b"before\r\n"


def test_journal_entries_keep_their_order_and_get_a_time(store):
    release = store.open("20250101T000000Z-a", {})
    release.append([{"object": "one"}, {"object": "two"}])
    release.append([{"object": "three"}])
    entries = release.journal()
    assert [entry["object"] for entry in entries] == ["one", "two", "three"]
    assert all(entry["time"].endswith("Z") for entry in entries)


def test_a_last_line_that_a_crash_cut_off_is_left_out(store):
    release = store.open("20250101T000000Z-a", {})
    release.append([{"object": "one"}])
    with release.journal_path.open("a") as stream:
        stream.write('{"object": "tw')
    assert [entry["object"] for entry in release.journal()] == ["one"]


def test_a_damaged_line_in_the_middle_is_named(store):
    release = store.open("20250101T000000Z-a", {})
    release.journal_path.write_text('{"object": 1}\nnonsense\n{"object": 2}\n')
    with pytest.raises(ReleaseError, match="line 2 is not JSON"):
        release.journal()


@pytest.mark.parametrize("content", ["", "{", "[]"])
def test_a_damaged_manifest_is_named(store, content):
    release = store.open("20250101T000000Z-a", {})
    release.manifest_path.write_text(content)
    with pytest.raises(ReleaseError, match="manifest"):
        release.manifest()


@pytest.mark.parametrize("name", ["../escape", "a/b", "", ".hidden", "x" * 200])
def test_names_that_leave_the_folder_are_refused(store, name):
    with pytest.raises(ReleaseError):
        store.release(name)
    release = store.open("20250101T000000Z-a", {})
    with pytest.raises(ReleaseError):
        release.save(name, b"")


def test_a_current_link_to_nowhere_is_named(store):
    store.open("20250101T000000Z-a", {})
    store.current_link.unlink()
    store.current_link.symlink_to("releases/20250101T000000Z-gone")
    with pytest.raises(ReleaseError, match="20250101T000000Z-gone"):
        store.current()


def test_deep_merge_replaces_lists_and_merges_dictionaries():
    assert deep_merge({"a": {"b": 1, "c": [1]}}, {"a": {"c": [2], "d": 3}}) == {
        "a": {"b": 1, "c": [2], "d": 3}
    }


def test_a_continued_manifest_keeps_what_was_found_first_and_adds_new_steps():
    found = {"compose": {"sha256_before": "old"}, "schema": {"steps": [{"name": "a"}]}, "status": "failed"}
    now = {
        "compose": {"sha256_before": "edited"},
        "schema": {"steps": [{"name": "a"}, {"name": "b"}]},
        "plan": "p",
    }
    merged = continued(found, now)
    assert merged["compose"]["sha256_before"] == "old"
    assert merged["schema"]["steps"] == [{"name": "a"}, {"name": "b"}]
    assert merged["plan"] == "p"
    assert json.dumps(found) == json.dumps(
        {"compose": {"sha256_before": "old"}, "schema": {"steps": [{"name": "a"}]}, "status": "failed"}
    )


def entry(service, inserted=True, block="block"):
    return {"service": service, "inserted": inserted, "block_sha256": block}


def compose(before, after, *entries):
    found = {"path": "p", "sha256_before": before, "sha256_after": after}
    return {"compose": {**found, "entries": list(entries)}}


OLD = {"path": "p", "sha256_before": "a", "sha256_after": "b", "inserted": "tick", "block_sha256": "block"}


@pytest.mark.parametrize(
    ("found", "now", "settled", "save_again"),
    [
        (compose("a", "b"), compose("a", "b"), compose("a", "b"), False),  # the first attempt never wrote it
        (compose("a", "b"), compose("b", "b"), compose("a", "b"), False),  # it did, and it still fits
        (compose("a", "b"), compose("b", "c"), compose("a", "c"), False),  # the entry is mended in the second
        (
            compose("a", "b"),
            compose("x", "y"),
            compose("x", "y"),
            True,
        ),  # somebody edited the file in between
        # Somebody edited the file in between, with the entry in it: no file of ours is what a rollback puts back.
        (compose("a", "b"), compose("x", "x"), compose("a", "b"), False),
        ({}, compose("a", "b"), compose("a", "b"), False),
        # The second attempt writes the entry of the first anew, and inserts another one.
        (
            compose("a", "b", entry("tick")),
            compose("b", "c", entry("tick", False, "new"), entry("more")),
            compose("a", "c", entry("tick", True, "new"), entry("more")),
            False,
        ),
        # A record of 0.1.0 that is gone on with.
        (
            {"compose": OLD},
            compose("b", "c", entry("more")),
            compose("a", "c", entry("tick"), entry("more")),
            False,
        ),
        ({"compose": OLD}, compose("b", "b"), compose("a", "b", entry("tick")), False),
    ],
)
def test_a_continued_release_knows_what_the_compose_file_was_and_will_be(found, now, settled, save_again):
    merged = continued(found, now)
    assert settle_compose(merged, found, now) is save_again
    assert merged == settled
