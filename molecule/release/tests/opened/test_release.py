"""The record on the disk, from its opening through a failure to the way back. The tests follow one another."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

CONVERGE = "molecule/release/converge.yml"
ROLLBACK = "molecule/release/rollback.yml"


@pytest.fixture(scope="module")
def before(lab):
    return (lab.folder / "compose-before.yml").read_bytes()


def releases(lab):
    return sorted((lab.state / "releases").iterdir())


def current(lab):
    return (lab.state / "current").resolve(strict=True)


def manifest(release):
    return json.loads((release / "manifest.json").read_text())


def events(release):
    return [json.loads(line) for line in (release / "journal.jsonl").read_text().splitlines()]


def test_the_second_run_went_on_with_the_open_release(lab):
    (release,) = releases(lab)
    assert current(lab) == release
    assert os.readlink(lab.state / "current") == f"releases/{release.name}"
    assert release.name.endswith("-0123456")
    found = manifest(release)
    assert (found["status"], found["previous"], found["user"]) == ("open", None, "jane")
    assert [one["event"] for one in events(release) if one["phase"] == "release"] == ["opened", "resumed"]


def test_only_its_owner_reads_the_record(lab):
    modes = {path: path.stat().st_mode & 0o777 for path in [lab.state, *lab.state.rglob("*")]}
    assert len(modes) >= 7
    for path, mode in modes.items():
        if not path.is_symlink():
            assert oct(mode) == ("0o700" if path.is_dir() else "0o600"), path


def test_the_backup_is_the_file_of_before_the_first_run(lab, before):
    backup = current(lab) / "backup"
    assert lab.compose_file.read_bytes() != before
    assert (backup / "docker-compose.yml").read_bytes() == before
    assert (backup / "clickhouse-ddl.sql").read_text() == "CREATE TABLE suho_analytics.aggregates"


def test_the_manifest_says_what_a_rollback_needs(lab, before):
    found = manifest(current(lab))
    compose = found["compose"]
    (entry,) = compose.pop("entries")
    assert len(entry.pop("block_sha256")) == 64
    assert entry == {"service": "tick-aggregator", "inserted": True}
    assert compose == {
        "path": str(lab.compose_file),
        "sha256_before": hashlib.sha256(before).hexdigest(),
        "sha256_after": hashlib.sha256(lab.compose_file.read_bytes()).hexdigest(),
    }
    assert [step["undo"][0]["column"] for step in found["schema"]["steps"]] == ["indicators"]
    assert found["services"]["tick-aggregator"]["existed"] is False
    assert found["services"]["data-bridge"]["tag"] == f"{lab.name}-data-bridge:latest"
    assert found["backend_revision"].startswith("0123456789abcdef")


def test_the_journal_says_each_change_before_it_is_made(lab):
    planned = {(one["phase"], one["object"]) for one in events(current(lab)) if one["event"] == "planned"}
    assert planned >= {
        ("schema", "suho_analytics.aggregates"),
        ("compose", str(lab.compose_file)),
        ("build", "tick-aggregator"),
        ("rollout", "tick-aggregator"),
    }
    made = [one for one in events(current(lab)) if one["event"] in ("intent", "done")]
    assert [(one["phase"], one["object"], one["event"]) for one in made] == [
        ("compose", str(lab.compose_file), "intent"),
        ("compose", str(lab.compose_file), "done"),
    ]
    assert made[0]["undo"].startswith("the file with SHA-256 ")


def test_a_failed_release_is_kept_and_gone_on_with(lab, role, play):
    release = current(lab)
    error = {"error": {"phase": "rollout", "object": "data-bridge", "message": "crashed"}}
    done = role("release", "close", release_id=release.name, release_outcome="failed", release_facts=error)
    done.assert_passed(changed=0)
    assert manifest(release)["status"] == "failed"
    assert manifest(release)["error"] == error["error"]
    assert current(lab) == release

    play(CONVERGE).assert_passed(changed=0)
    assert releases(lab) == [release]
    assert manifest(release)["status"] == "open"


def test_a_deploy_goes_on_with_a_release_whose_rollback_was_cut_off(lab, play):
    release = current(lab)
    play(ROLLBACK, only_begin=True).assert_passed(changed=0)
    found = manifest(release)
    assert (found["status"], found["rollback"]["to"]) == ("rolling_back", "none")
    assert events(release)[-1]["event"] == "rolling_back"

    play(CONVERGE).assert_passed(changed=0)
    assert (releases(lab), current(lab)) == ([release], release)
    assert manifest(release)["status"] == "open"


def test_an_entry_that_somebody_edited_since_is_not_overwritten(lab, play):
    release, written = current(lab), lab.compose_file.read_bytes()
    edited = written.replace(b"tick-aggregator/Dockerfile", b"tick-aggregator/Other", 1)
    assert edited != written
    lab.compose_file.write_bytes(edited)
    try:
        done = play(ROLLBACK)
        done.assert_refused(
            str(lab.compose_file),
            "the entry of service tick-aggregator was edited since the release",
            release.name,
        )
        assert lab.compose_file.read_bytes() == edited
        assert manifest(release)["status"] == "open"
    finally:
        lab.compose_file.write_bytes(written)


def test_a_saved_file_that_was_damaged_is_not_put_back(lab, play):
    saved, written = current(lab) / "backup/docker-compose.yml", lab.compose_file.read_bytes()
    content = saved.read_bytes()
    saved.write_bytes(content + b"# rot")
    try:
        done = play(ROLLBACK)
        done.assert_refused(str(saved), "the saved file is damaged", "Nothing was changed")
        assert lab.compose_file.read_bytes() == written
    finally:
        saved.write_bytes(content)


def test_the_way_back_in_check_mode_shows_the_file_and_leaves_it(lab, play):
    written = lab.compose_file.read_bytes()
    done = play(ROLLBACK, "--check", "--diff")
    done.assert_passed(changed=1)
    assert "-  tick-aggregator:" in done.said
    assert lab.compose_file.read_bytes() == written
    assert manifest(current(lab))["status"] == "open"


def test_the_way_back_restores_every_byte_mode_and_owner(lab, play, before):
    release = current(lab)
    play(ROLLBACK).assert_passed(changed=1)
    assert lab.compose_file.read_bytes() == before
    found = lab.compose_file.stat()
    assert (oct(found.st_mode & 0o7777), found.st_uid, found.st_gid) == ("0o640", 65534, 65533)
    assert manifest(release)["status"] == "rolled_back"
    assert events(release)[-1]["event"] == "rolled_back"
    assert not (lab.state / "current").is_symlink()
    assert (release / "backup/docker-compose.yml").read_bytes() == before


def test_a_later_release_goes_back_to_the_one_before_it(lab, role, play):
    play(CONVERGE).assert_passed(changed=1)
    second = current(lab)
    role("release", "close", release_id=second.name, release_outcome="closed").assert_passed(changed=0)
    assert manifest(second)["status"] == "closed"

    play(CONVERGE).assert_passed(changed=0)
    third = current(lab)
    assert len(releases(lab)) == 3
    assert third != second
    assert manifest(third)["previous"] == second.name

    play(ROLLBACK).assert_passed(changed=0)
    assert manifest(third)["status"] == "rolled_back"
    assert current(lab) == second


def test_lines_of_others_survive_the_way_back(lab, role, play, before):
    """Back over both releases that are left at once, to the state before all of them."""
    second = current(lab)
    lab.compose_file.write_bytes(lab.compose_file.read_bytes() + b"# A line by hand.\n")
    play(ROLLBACK, back_to="none").assert_passed(changed=1)
    assert lab.compose_file.read_bytes() == before + b"# A line by hand.\n"
    assert manifest(second)["status"] == "rolled_back"
    assert not (lab.state / "current").is_symlink()
    compose = [one for one in events(second) if one["phase"] == "compose" and one["event"] != "planned"]
    assert {one["object"] for one in compose} == {str(lab.compose_file)}
    lab.compose_file.write_bytes(before)


def test_old_records_go_and_the_current_one_stays(lab, role, play):
    names = [release.name for release in releases(lab)]
    play(CONVERGE).assert_passed(changed=1)
    newest = current(lab)
    role("release", "close", release_id=newest.name, release_outcome="closed", release_keep=1).assert_passed(
        changed=0
    )
    assert releases(lab) == [newest]
    assert current(lab) == newest
    assert len(names) >= 3


def test_an_outcome_that_nobody_knows_is_refused(lab, role):
    second = current(lab)
    done = role("release", "close", release_id=second.name, release_outcome="fine")
    done.assert_refused("release_outcome", "fine", "rolled_back")
    assert manifest(second)["status"] == "closed"


def test_a_release_that_is_not_there_cannot_be_read(role):
    done = role("release", "read", release_wanted="20000101T000000Z-nothing")
    done.assert_refused("20000101T000000Z-nothing", "is not on this host")
