"""The state of bakes on the target."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.monitor.store import BakeError, BakeStore

PLAN = {"rounds": 2}


@pytest.fixture
def store(tmp_path: Path) -> BakeStore:
    return BakeStore(str(tmp_path / "state"))


def test_a_bake_is_private_and_kept(store: BakeStore) -> None:
    bake = store.bake("one")
    assert not bake.exists
    assert store.all() == []
    bake.begin(PLAN)
    bake.add({"number": 1})
    bake.add({"number": 2})
    again = BakeStore(str(store.folder.parent)).bake("one")
    assert (again.head()["status"], again.head()["plan"]) == ("open", PLAN)
    assert [one["number"] for one in again.rounds()] == [1, 2]
    assert again.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in again.folder.iterdir()} == {0o600}
    assert [one.id for one in store.all()] == ["one"]
    again.update(status="done")
    assert store.bake("one").head()["status"] == "done"


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a b", "x" * 129])
def test_a_name_that_is_none_is_refused(store: BakeStore, name: str) -> None:
    with pytest.raises(BakeError, match="expected a name of letters"):
        store.bake(name)


def test_a_line_that_a_crash_has_cut_off_was_never_written(store: BakeStore) -> None:
    bake = store.bake("one")
    bake.begin(PLAN)
    bake.add({"number": 1})
    with (bake.folder / "rounds.jsonl").open("a") as stream:
        stream.write('{"number": 2, "verd')
    assert [one["number"] for one in bake.rounds()] == [1]
    bake.add({"number": 2})
    assert [one["number"] for one in bake.rounds()] == [1, 2]


def test_damage_is_named(store: BakeStore) -> None:
    bake = store.bake("one")
    bake.begin(PLAN)
    bake.add({"number": 1})
    text = (bake.folder / "rounds.jsonl").read_text()
    (bake.folder / "rounds.jsonl").write_text("no json\n" + text)
    with pytest.raises(BakeError, match=r"the rounds of bake one cannot be read: .* line 1 is not JSON"):
        bake.rounds()
    (bake.folder / "bake.json").write_text("[1]")
    with pytest.raises(BakeError, match="holds no bake"):
        bake.head()
    (bake.folder / "bake.json").write_text("{")
    with pytest.raises(BakeError, match="cannot be read"):
        bake.head()


def test_one_process_at_a_time_and_the_kernel_knows_whether_it_lives(store: BakeStore) -> None:
    bake = store.bake("one")
    bake.begin(PLAN)
    assert not bake.is_at_work()
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()

    def work() -> None:
        with bake.at_work():
            ready.set()
            end.wait(60)

    other = context.Process(target=work, daemon=True)
    other.start()
    try:
        assert ready.wait(30)
        assert bake.is_at_work()
        with pytest.raises(BakeError, match="another process does its rounds"), bake.at_work():
            pass
    finally:
        other.kill()
        other.join()
    assert not bake.is_at_work()
    with bake.at_work():
        assert bake.is_at_work()
    assert not bake.is_at_work()


def test_old_ones_go_and_open_ones_stay(store: BakeStore) -> None:
    assert store.keep(1) == []
    for number in range(5):
        bake = store.bake(f"b{number}")
        bake.begin(PLAN)
        bake.update(began=f"2026-01-0{number + 1}T00:00:00.000Z", status="open" if number == 0 else "done")
    assert store.keep(2) == ["b1", "b2"]
    assert [one.id for one in store.all()] == ["b0", "b3", "b4"]
