"""The way back: which releases, which parts, and what it must not do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.releases.journal import in_doubt
from ansible_collections.suho.platform.plugins.module_utils.releases.parts import (
    rolled_back_parts,
    touched_parts,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.rollback_plan import (
    releases_to_roll_back,
    rollback_plan,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.store import (
    Release,
    ReleaseError,
    ReleaseStore,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.tags import chosen_parts

R1, R2, R3 = "20250101T000000Z-a", "20250102T000000Z-b", "20250103T000000Z-c"
STEP = {"object": "db.t", "undo": [{"action": "quarantine_table", "table": "t"}]}


def outcomes(way: dict[str, Any]) -> dict[str, str]:
    return {name: one["status"] for name, one in way["outcomes"].items()}


def service(order: int, existed: bool, image: str = "") -> dict[str, Any]:
    return {"tag": f"tag{order}", "order": order, "existed": existed, "image_before": image}


def entry(service: str, inserted: bool = True, block: str = "block") -> dict[str, Any]:
    return {"service": service, "inserted": inserted, "block_sha256": block}


def compose(before: str, after: str, *entries: dict[str, Any]) -> dict[str, Any]:
    found = {"path": "/p/docker-compose.yml", "sha256_before": before, "sha256_after": after}
    return {**found, "entries": list(entries)}


def old_compose(before: str, after: str, inserted: str = "tick-aggregator") -> dict[str, Any]:
    """As version 0.1.0 wrote it."""
    found = {"path": "/p/docker-compose.yml", "sha256_before": before, "sha256_after": after}
    return {**found, "inserted": inserted, "block_sha256": "block"}


def out(*services: str, block: str = "block") -> list[dict[str, str]]:
    return [{"service": name, "block_sha256": block} for name in services]


def release(name: str, swapped: tuple[str, ...] = (), **manifest: Any) -> dict[str, Any]:
    known: dict[str, Any] = {"compose": compose("0", "0"), "schema": {"steps": []}, "services": {}}
    journal = [{"phase": "rollout", "object": one, "event": "done"} for one in swapped]
    return {
        "release": name,
        "path": f"/s/releases/{name}",
        "journal": journal,
        "manifest": {**known, **manifest},
    }


FULL = release(
    R1,
    ("data-bridge", "tick-aggregator"),
    compose=compose("0", "1", entry("tick-aggregator")),
    schema={"steps": [STEP]},
    services={"data-bridge": service(0, True, "sha256:old"), "tick-aggregator": service(1, False)},
)
CODE = release(
    R2,
    ("data-bridge", "tick-aggregator"),
    services={
        "data-bridge": service(0, True, "sha256:r1"),
        "tick-aggregator": service(1, True, "sha256:r1t"),
        "live-collector": service(2, True, "sha256:live"),
    },
)


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    store = ReleaseStore(str(tmp_path / "state"))
    for name in (R1, R2, R3):
        opened = store.open(name, {})
        opened.write_manifest({**opened.manifest(), "status": "closed"})
    return store


def ids(store: ReleaseStore, name: str = "", target: str = "") -> list[str]:
    return [one.id for one in releases_to_roll_back(store, name, target)]


def roll_back(store: ReleaseStore, name: str) -> None:
    found = store.release(name)
    manifest = found.manifest()
    found.write_manifest({**manifest, "status": "rolled_back"})
    store.point_to(manifest["previous"])


def test_which_releases_are_taken_back(store: ReleaseStore) -> None:
    assert ids(store) == [R3]
    assert ids(store, R3) == [R3]
    assert ids(store, target=R2) == [R3]
    assert ids(store, target=R1) == [R3, R2]
    assert ids(store, target="none") == [R3, R2, R1]
    assert ids(store, target=R3) == []


def test_the_newest_is_taken_back_once(store: ReleaseStore) -> None:
    roll_back(store, R3)
    assert ids(store) == []
    assert ids(store, R3) == []
    assert ids(store, R2) == [R2]
    assert ids(store, target="none") == [R2, R1]


def test_a_release_that_others_were_built_upon_is_refused(store: ReleaseStore) -> None:
    with pytest.raises(
        ReleaseError, match=rf"{R1} is not the one that the platform is at \({R3}\).*release_to"
    ):
        ids(store, R1)


def test_a_state_that_the_platform_does_not_stand_on_is_refused(store: ReleaseStore) -> None:
    roll_back(store, R3)
    with pytest.raises(ReleaseError, match=rf"{R3} \(it is rolled back\); it stands on {R2}, {R1}"):
        ids(store, target=R3)
    with pytest.raises(ReleaseError, match="it is not on this host"):
        ids(store, target="20200101T000000Z-x")
    with pytest.raises(ReleaseError, match="expected one of them"):
        ids(store, R2, R1)


def test_without_any_release_there_is_nothing_to_do(tmp_path: Path) -> None:
    empty = ReleaseStore(str(tmp_path / "none"))
    assert releases_to_roll_back(empty, "", "") == []
    assert releases_to_roll_back(empty, "", "none") == []
    with pytest.raises(ReleaseError, match="it stands on none"):
        releases_to_roll_back(empty, "", R1)


def test_a_run_that_was_killed_before_the_link_was_moved_is_not_taken_for_standing(
    store: ReleaseStore,
) -> None:
    found = store.release(R3)
    found.write_manifest({**found.manifest(), "status": "rolled_back"})
    assert ids(store) == []
    assert ids(store, target=R1) == [R2]
    assert store.open("20250104T000000Z-d", {}).manifest()["previous"] == R2


def begin(store: ReleaseStore, *names: str, to: str) -> None:
    for name in names:
        found = store.release(name)
        found.write_manifest({**found.manifest(), "status": "rolling_back", "rollback": {"to": to}})


def test_a_rollback_that_was_cut_off_goes_on(store: ReleaseStore) -> None:
    begin(store, R3, to=R2)
    assert ids(store) == ids(store, R3) == ids(store, target=R2) == [R3]
    assert store.unfinished().id == R3
    roll_back(store, R3)
    assert ids(store) == []
    assert store.unfinished() is None


def test_a_rollback_over_several_releases_has_to_be_finished(store: ReleaseStore) -> None:
    begin(store, R3, R2, to=R1)
    assert ids(store) == ids(store, target=R1) == [R3, R2]
    assert ids(store, target="none") == [R3, R2, R1]
    for other in ({"name": R3}, {"target": R2}):
        with pytest.raises(ReleaseError, match="was interrupted: finish it first"):
            ids(store, **other)
    with pytest.raises(ReleaseError, match=rf"over the releases {R3}, {R2} was interrupted.*release_to={R1}"):
        store.unfinished()
    roll_back(store, R3)  # killed between the ends of the two
    assert ids(store) == ids(store, target=R1) == [R2]
    assert store.unfinished().id == R2


def test_records_are_kept_by_count_but_never_lose_the_way_back(store: ReleaseStore) -> None:
    assert store.prune(0) == []
    assert store.prune(3) == []
    failed = store.release(R2)
    failed.write_manifest({**failed.manifest(), "status": "rolled_back"})
    # R3 is current, and R1 is the last good one before it.
    assert store.prune(1) == [R2]
    assert store.ids() == [R1, R3]
    store.release(R1).manifest_path.write_text("{broken")
    assert store.ids() == [R1, R3]


def test_a_record_that_cannot_be_read_is_left_for_a_person(store: ReleaseStore) -> None:
    store.release(R1).manifest_path.write_text("{broken")
    store.open("20250104T000000Z-d", {})
    current = store.current()
    assert current is not None
    current.write_manifest({**current.manifest(), "status": "closed", "previous": R3})
    assert store.prune(1) == [R2]
    assert store.ids() == [R1, R3, "20250104T000000Z-d"]


def test_going_back_beyond_what_is_kept_leaves_no_dangling_link(store: ReleaseStore) -> None:
    store.prune(1)
    roll_back(store, R3)
    roll_back(store, R2)
    assert store.current() is None


# The way back ----------------------------------------------------------------------------------------------------


SERVICES = ["data-bridge", "tick-aggregator", "bar-archiver"]


def test_tags_choose_the_parts() -> None:
    assert chosen_parts(["all"], [], SERVICES) == []
    assert chosen_parts([]) == []
    assert chosen_parts([], ["notest"]) == []
    assert chosen_parts(["services", "schema"]) == ["schema", "services"]
    assert chosen_parts(["bar-archiver", "data-bridge"], [], SERVICES) == ["data-bridge", "bar-archiver"]
    # As version 0.1.0 called it.
    assert chosen_parts(["tick_aggregator"], [], SERVICES) == ["tick-aggregator"]
    for operation in ("audit", "verify", "monitor"):
        assert chosen_parts(["all"], ["notest"], SERVICES, operation) == []
        with pytest.raises(
            ReleaseError, match=f"--tags data-bridge chooses nothing of the operation {operation}"
        ):
            chosen_parts(["data-bridge"], [], SERVICES, operation)


@pytest.mark.parametrize(
    ("tags", "skipped", "found"),
    [
        (["tick-agregator"], [], "--tags tick-agregator names no part"),
        (["schema", "service"], [], "--tags service names no part"),
        (["all"], ["schema", "notest"], "--skip-tags schema leaves nothing out"),
    ],
)
def test_a_misspelt_part_is_not_all_of_them(tags: list[str], skipped: list[str], found: str) -> None:
    known = "schema, services, data-bridge, tick-aggregator, bar-archiver"
    with pytest.raises(ReleaseError, match=rf"{found}.*some of {known}.*Nothing was changed"):
        chosen_parts(tags, skipped, SERVICES)


def test_everything_goes_back_to_before_the_oldest() -> None:
    way = rollback_plan([CODE, FULL], [])
    assert way["releases"] == [R2, R1]
    assert way["services"]["data-bridge"]["image_before"] == "sha256:old"
    assert way["services"]["tick-aggregator"]["existed"] is False
    assert way["services"]["live-collector"]["image_before"] == "sha256:live"
    # Of a service that there was not, no image has to be there.
    assert "tick-aggregator" not in way["images"]
    assert (way["images"]["data-bridge"], way["images"]["live-collector"]) == ("sha256:old", "sha256:live")
    assert way["schema"] == [{"release": R1, "steps": [STEP]}]
    assert way["manifest"]["schema"]["steps"] == [STEP]
    assert way["compose"]["backup"] == f"/s/releases/{R1}/backup/docker-compose.yml"
    assert (way["compose"]["sha256_before"], way["compose"]["sha256_after"]) == ("0", "1")
    assert (way["compose"]["entries"], way["to"], way["harm"]) == (out("tick-aggregator"), "none", [])
    assert outcomes(way) == {R2: "rolled_back", R1: "rolled_back"}


def test_one_release_of_code_alone() -> None:
    way = rollback_plan([CODE], [])
    assert way["services"]["tick-aggregator"]["image_before"] == "sha256:r1t"
    assert (way["compose"], way["schema"], outcomes(way)) == ({}, [], {R2: "rolled_back"})
    # Of this release there is nothing else.
    assert outcomes(rollback_plan([CODE], ["services"])) == {R2: "rolled_back"}
    (one,) = rollback_plan([CODE], ["live-collector"])["outcomes"].values()
    assert one == {"status": "partly_rolled_back", "rolled_back": ["live-collector"]}


def test_an_edit_between_two_releases_is_in_no_saved_file() -> None:
    first = release(R1, compose=compose("0", "1", entry("a")))
    second = release(R2, compose=compose("x", "2", entry("b")))
    way = rollback_plan([second, first], [])["compose"]
    assert (way["sha256_after"], way["sha256_before"], way["entries"]) == ("", "0", out("a", "b")[::-1])
    second["manifest"]["compose"]["sha256_before"] = "1"
    assert rollback_plan([second, first], [])["compose"]["sha256_after"] == "2"


def test_an_entry_goes_as_the_newest_release_left_it_and_only_if_the_oldest_has_brought_it() -> None:
    first = release(R1, compose=compose("0", "1", entry("a")))
    second = release(R2, compose=compose("1", "2", entry("a", False, "newer")))
    assert rollback_plan([second, first], [])["compose"]["entries"] == out("a", block="newer")
    # It was there before the second one: the saved file has it, and nothing else has.
    way = rollback_plan([second], [])["compose"]
    assert (way["sha256_before"], way["sha256_after"], way["entries"]) == ("1", "2", [])


TWO = release(
    R1,
    ("tick-aggregator", "bar-archiver"),
    compose=compose("0", "1", entry("tick-aggregator"), entry("bar-archiver")),
    services={"tick-aggregator": service(0, False), "bar-archiver": service(1, False)},
)


def test_of_two_new_services_one_goes_alone() -> None:
    way = rollback_plan([TWO], ["bar-archiver"])
    assert list(way["services"]) == ["bar-archiver"]
    # No saved file has the one without the other.
    assert (way["compose"]["sha256_before"], way["compose"]["sha256_after"]) == ("", "")
    assert way["compose"]["entries"] == out("bar-archiver")
    assert way["outcomes"][R1] == {"status": "partly_rolled_back", "rolled_back": ["bar-archiver"]}
    rest = {**TWO, "manifest": {**TWO["manifest"], "rolled_back": ["bar-archiver"]}}
    way = rollback_plan([rest], ["tick-aggregator"])
    assert (way["compose"]["entries"], outcomes(way)) == (out("tick-aggregator"), {R1: "rolled_back"})
    assert rollback_plan([TWO], [])["compose"]["entries"] == out("tick-aggregator", "bar-archiver")


def test_an_entry_that_was_replaced_does_not_go_alone() -> None:
    both = compose("0", "1", entry("tick-aggregator", False), entry("bar-archiver"))
    one = {**TWO, "manifest": {**TWO["manifest"], "compose": both}}
    (harm,) = rollback_plan([one], ["tick-aggregator"])["harm"]
    assert "entry of tick-aggregator was replaced" in harm
    assert "Roll back bar-archiver, too" in harm
    # And what stays would have no way back once the other is gone.
    (harm,) = rollback_plan([one], ["bar-archiver"])["harm"]
    assert "could not once bar-archiver is out of it. Roll back tick-aggregator, too" in harm
    whole = rollback_plan([one], [])
    assert (whole["harm"], whole["compose"]["entries"], whole["compose"]["sha256_before"]) == ([], [], "0")


def test_parts_alone() -> None:
    services = rollback_plan([FULL], ["services"])
    assert (list(services["services"]), services["compose"], services["schema"]) == (["data-bridge"], {}, [])
    assert (outcomes(services), services["parts"], services["harm"]) == (
        {R1: "partly_rolled_back"},
        ["services"],
        [],
    )
    added = rollback_plan([FULL], ["tick-aggregator"])
    assert (list(added["services"]), added["compose"]["entries"]) == (
        ["tick-aggregator"],
        out("tick-aggregator"),
    )
    assert added["compose"]["sha256_before"] == "0"
    assert added["outcomes"][R1]["rolled_back"] == ["tick-aggregator"]
    assert added["harm"] == []


def test_the_schema_alone_is_refused_while_its_writers_run() -> None:
    (harm,) = rollback_plan([FULL], ["schema"])["harm"]
    assert harm.startswith("data-bridge, tick-aggregator run code")
    assert "--tags services,tick-aggregator,schema" in harm
    # The schema failed, so no service was recreated: the plan's first case.
    assert rollback_plan([{**FULL, "journal": []}], ["schema"])["harm"] == []
    assert rollback_plan([FULL], [])["harm"] == []


@pytest.mark.parametrize("platform", [{}, {"tick-aggregator": {"container": "t"}}, {"data-bridge": {}}])
def test_a_service_that_the_inventory_no_longer_names_is_told_before_anything_is_touched(
    platform: dict[str, Any],
) -> None:
    (harm,) = rollback_plan([FULL], [], platform)["harm"]
    assert "data-bridge: the release has changed what the inventory no longer names" in harm
    # What the release has added goes by its record alone, and what is rolled back already is not looked at.
    assert rollback_plan([FULL], ["tick-aggregator"], {"data-bridge": {"container": "b"}})["harm"] == []
    gone = {**FULL, "manifest": {**FULL["manifest"], "rolled_back": ["data-bridge"]}}
    assert rollback_plan([gone], [], platform)["harm"] == []


@pytest.mark.parametrize(
    ("status", "refused"), [("closed", True), ("partly_rolled_back", True), ("failed", False)]
)
def test_a_journal_that_is_lost_is_no_permission(status: str, refused: bool) -> None:
    lost = {**FULL, "journal": [], "manifest": {**FULL["manifest"], "status": status}}
    assert bool(rollback_plan([lost], ["schema"])["harm"]) is refused


def test_what_was_taken_back_before_counts() -> None:
    later = {**FULL, "manifest": {**FULL["manifest"], "rolled_back": ["services", "tick_aggregator"]}}
    way = rollback_plan([later], ["schema"])
    assert (way["harm"], outcomes(way)) == ([], {R1: "rolled_back"})
    assert way["outcomes"][R1]["rolled_back"] == ["data-bridge", "schema", "tick-aggregator"]


def test_what_was_taken_back_of_one_release_stands_again_in_a_later_one() -> None:
    gone = {**FULL["manifest"], "rolled_back": ["services", "tick_aggregator"]}
    first, second = {**FULL, "manifest": gone}, {**FULL, "release": R2}
    assert rollback_plan([second, first], ["schema"])["harm"]
    way = rollback_plan([second, first], [])
    assert outcomes(way) == {R2: "rolled_back", R1: "rolled_back"}
    # The entry of the first one is out already, so the second one's files are the whole story.
    assert (way["compose"]["sha256_before"], way["compose"]["sha256_after"]) == ("0", "1")
    assert way["compose"]["entries"] == out("tick-aggregator")
    parts = rollback_plan(
        [second, {**FULL, "manifest": {**FULL["manifest"], "rolled_back": ["schema"]}}], ["services"]
    )
    assert parts["outcomes"][R2] == {"status": "partly_rolled_back", "rolled_back": ["data-bridge"]}
    assert parts["outcomes"][R1] == {"status": "partly_rolled_back", "rolled_back": ["data-bridge", "schema"]}


def test_an_old_consumer_is_not_put_behind_a_new_producer() -> None:
    platform = {
        "data-bridge": {"container": "b", "consumes": True},
        "tick-aggregator": {"container": "t", "consumes": False},
    }
    (harm,) = rollback_plan([FULL], ["services"], platform)["harm"]
    assert harm.startswith("tick-aggregator publish what the previous data-bridge does not store")
    assert "--tags services,tick-aggregator" in harm
    assert rollback_plan([FULL], ["services", "tick-aggregator"], platform)["harm"] == []
    assert rollback_plan([FULL], ["tick-aggregator"], platform)["harm"] == []
    # The plan's second case: the producer was not there yet.
    early = {**FULL, "journal": [{"phase": "rollout", "object": "data-bridge", "event": "failed"}]}
    assert rollback_plan([early], ["services"], platform)["harm"] == []


def test_an_unknown_part_is_named() -> None:
    with pytest.raises(ReleaseError, match="found everything, expected some of schema"):
        rollback_plan([FULL], ["everything"])


def test_a_record_of_the_first_version_is_rolled_back_whole_and_in_parts() -> None:
    old = {**FULL, "manifest": {**FULL["manifest"], "compose": old_compose("0", "1")}}
    assert rollback_plan([old], [])["compose"] == rollback_plan([FULL], [])["compose"]
    for parts in (["schema"], ["services"], ["tick-aggregator"], []):
        assert rollback_plan([old], parts) == rollback_plan([FULL], parts)
    gone = {**old, "manifest": {**old["manifest"], "rolled_back": ["tick_aggregator"]}}
    assert rollback_plan([gone], [])["compose"] == {}
    assert rollback_plan([gone], ["services", "schema"])["harm"] == []
    # An entry that the first version has replaced is in the saved file alone.
    replaced = {**old, "manifest": {**old["manifest"], "compose": old_compose("0", "1", "")}}
    way = rollback_plan([replaced], [])["compose"]
    assert (way["sha256_before"], way["sha256_after"], way["entries"]) == ("0", "1", [])


def test_a_rollback_of_the_first_version_that_was_cut_off_is_named_with_its_parts(tmp_path: Path) -> None:
    def said(parts: list[str]) -> str:
        store = ReleaseStore(str(tmp_path / "-".join(parts)))
        for name in (R1, R2):
            store.open(name, {})
            known = store.release(name).manifest()
            rollback = {"rollback": {"to": "none", "parts": parts}}
            store.release(name).write_manifest({**known, **rollback, "status": "rolling_back"})
        return str(store.interrupted(store.rolling_back()))

    assert "--tags" not in said(["schema", "services", "tick_aggregator"])
    assert "--tags" not in said([])
    assert "--tags schema,services." in said(["schema", "services"])


RECORDS = Path(__file__).resolve().parents[1] / "fixtures/records-0.1.0"
RECORDED_PLATFORM = {
    "data-bridge": {"container": "b", "consumes": True},
    "external-data-collector": {"container": "e"},
    "tick-aggregator": {"container": "t"},
}


def recorded(one: Release) -> dict[str, Any]:
    """A release as release_info returns it."""
    return {
        "release": one.id,
        "manifest": one.manifest(),
        "journal": one.journal(),
        "path": str(one.folder),
    }


def test_a_real_record_of_the_first_version_is_rolled_back() -> None:
    store = ReleaseStore(str(RECORDS / "deployed"))
    (kept,) = releases_to_roll_back(store, "", "")
    one, platform = recorded(kept), RECORDED_PLATFORM
    way = rollback_plan([one], [], platform)
    assert set(way["services"]) == set(platform)
    assert way["services"]["tick-aggregator"]["existed"] is False
    assert way["compose"]["backup"] == str(kept.folder / "backup/docker-compose.yml")
    assert [entry["service"] for entry in way["compose"]["entries"]] == ["tick-aggregator"]
    assert len(way["compose"]["entries"][0]["block_sha256"]) == 64
    assert (len(way["schema"][0]["steps"]), way["harm"], outcomes(way)) == (7, [], {kept.id: "rolled_back"})
    alone = rollback_plan([one], ["tick-aggregator"], platform)
    assert (list(alone["services"]), alone["harm"]) == (["tick-aggregator"], [])
    (harm,) = rollback_plan([one], ["schema"], platform)["harm"]
    assert "--tags services,tick-aggregator,schema" in harm
    # The same after its rollback, as the first version wrote it: nothing is left of it.
    (gone,) = ReleaseStore(str(RECORDS / "rolled-back")).ids()
    manifest = ReleaseStore(str(RECORDS / "rolled-back")).release(gone).manifest()
    assert rollback_plan([{**one, "manifest": manifest}], [], platform)["compose"] == {}


def test_a_run_of_the_first_version_that_was_killed_is_gone_on_with_and_rolled_back() -> None:
    store = ReleaseStore(str(RECORDS / "killed"))
    unfinished = store.unfinished()
    assert unfinished is not None
    assert (unfinished.manifest()["status"], in_doubt(unfinished.journal())) == ("open", [])
    (one,) = releases_to_roll_back(store, "", "")
    assert one.id == unfinished.id
    plan = rollback_plan([recorded(one)], [], RECORDED_PLATFORM)
    assert (plan["harm"], outcomes(plan)) == ([], {one.id: "rolled_back"})
    assert len(plan["schema"][0]["steps"]) == len(one.manifest()["schema"]["steps"]) == 7


def test_a_run_of_the_first_version_that_failed_is_rolled_back_already() -> None:
    store = ReleaseStore(str(RECORDS / "failed"))
    (release_id,) = store.ids()
    manifest = store.release(release_id).manifest()
    assert rolled_back_parts(manifest) == set(touched_parts(manifest))
    assert store.unfinished() is None
    assert [one.id for one in releases_to_roll_back(store, "", "")] == []
