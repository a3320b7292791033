"""The history of a host: every release is a row, whatever became of it and of its record."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.releases.history import changes, release_history
from ansible_collections.suho.platform.plugins.module_utils.releases.store import ReleaseStore

MANIFEST = {
    "user": "jane",
    "controller": "ops-1",
    "backend_revision": "f5359101abcdef0123",
    "schema": {"steps": [{}, {}]},
    "services": {"tick": {}, "bridge": {}},
    "compose": {"sha256_before": "a", "sha256_after": "b"},
}


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(str(tmp_path / "state"))


def closed(store: ReleaseStore, name: str, status: str, **more: object) -> None:
    release = store.open(name, MANIFEST)
    release.write_manifest({**release.manifest(), "status": status, **more})


def test_a_host_without_releases_has_no_rows(store: ReleaseStore) -> None:
    assert release_history(store, 0) == []


def test_the_newest_comes_first_with_what_became_of_it(store: ReleaseStore) -> None:
    closed(store, "20260101T000000Z-a", "rolled_back")
    closed(store, "20260102T000000Z-b", "closed", downtime=[{"seconds": 0.5}, {"seconds": 1.25}])
    closed(store, "20260103T000000Z-c", "failed", error={"message": "code 516 password=s3cret-value\nmore"})
    closed(store, "20260104T000000Z-d", "open")
    rows = release_history(store, 0)
    assert [(row["release"][:8], row["verdict"], row["current"]) for row in rows] == [
        ("20260104", "not finished", True),
        ("20260103", "failed", False),
        ("20260102", "deployed", False),
        ("20260101", "rolled back", False),
    ]
    assert rows[2]["downtime"] == 1.75
    assert rows[0]["downtime"] is None
    assert rows[0]["who"] == "jane on ops-1"
    assert rows[0]["revision"] == "f5359101abcd"
    assert rows[0]["changed"] == "2 schema steps; services bridge, tick; compose file"
    assert rows[1]["reason"].startswith("code 516")
    assert "s3cret-value" not in str(rows)


def test_only_so_many_are_read(store: ReleaseStore) -> None:
    for day in range(1, 6):
        closed(store, f"2026010{day}T000000Z-x", "closed")
    assert [row["release"][:8] for row in release_history(store, 2)] == ["20260105", "20260104"]


def test_a_damaged_record_hides_no_other(store: ReleaseStore) -> None:
    closed(store, "20260101T000000Z-a", "closed")
    closed(store, "20260102T000000Z-b", "closed")
    store.release("20260102T000000Z-b").manifest_path.write_text("{")
    store.current_link.unlink()
    store.current_link.write_text("no link")
    rows = release_history(store, 0)
    assert [row["verdict"] for row in rows] == ["unreadable", "deployed"]
    assert "cannot be read" in rows[0]["error"]


def test_a_release_that_changed_nothing_says_so() -> None:
    assert changes({}) == "nothing"
