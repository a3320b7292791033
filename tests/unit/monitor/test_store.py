"""The state of monitoring runs on the target."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.monitor.store import (
    MonitoringError,
    MonitoringStore,
)

PLAN = {"rounds": 2}


@pytest.fixture
def store(tmp_path: Path) -> MonitoringStore:
    return MonitoringStore(str(tmp_path / "state"))


def test_a_monitoring_run_is_private_and_kept(store: MonitoringStore) -> None:
    run = store.run("one")
    assert not run.exists
    assert store.all() == []
    run.begin(PLAN)
    run.add({"number": 1})
    run.add({"number": 2})
    again = MonitoringStore(str(store.folder.parent)).run("one")
    assert (again.head()["status"], again.head()["plan"]) == ("open", PLAN)
    assert [one["number"] for one in again.rounds()] == [1, 2]
    assert again.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in again.folder.iterdir()} == {0o600}
    assert [one.id for one in store.all()] == ["one"]
    again.update(status="done")
    assert store.run("one").head()["status"] == "done"


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "a b", "x" * 129])
def test_a_name_that_is_none_is_refused(store: MonitoringStore, name: str) -> None:
    with pytest.raises(MonitoringError, match="expected a name of letters"):
        store.run(name)


def test_a_line_that_a_crash_has_cut_off_was_never_written(store: MonitoringStore) -> None:
    run = store.run("one")
    run.begin(PLAN)
    run.add({"number": 1})
    with (run.folder / "rounds.jsonl").open("a") as stream:
        stream.write('{"number": 2, "verd')
    assert [one["number"] for one in run.rounds()] == [1]
    run.add({"number": 2})
    assert [one["number"] for one in run.rounds()] == [1, 2]


def test_damage_is_named(store: MonitoringStore) -> None:
    run = store.run("one")
    run.begin(PLAN)
    run.add({"number": 1})
    text = (run.folder / "rounds.jsonl").read_text()
    (run.folder / "rounds.jsonl").write_text("no json\n" + text)
    with pytest.raises(
        MonitoringError, match=r"the rounds of monitoring run one cannot be read: .* line 1 is not JSON"
    ):
        run.rounds()
    (run.folder / "bake.json").write_text("[1]")
    with pytest.raises(MonitoringError, match="holds no monitoring run"):
        run.head()
    (run.folder / "bake.json").write_text("{")
    with pytest.raises(MonitoringError, match="cannot be read"):
        run.head()


def test_one_process_at_a_time_and_the_kernel_knows_whether_it_lives(store: MonitoringStore) -> None:
    run = store.run("one")
    run.begin(PLAN)
    assert not run.is_at_work()
    context = multiprocessing.get_context("fork")
    ready, end = context.Event(), context.Event()

    def work() -> None:
        with run.at_work():
            ready.set()
            end.wait(60)

    other = context.Process(target=work, daemon=True)
    other.start()
    try:
        assert ready.wait(30)
        assert run.is_at_work()
        with pytest.raises(MonitoringError, match="another process does its rounds"), run.at_work():
            pass
    finally:
        other.kill()
        other.join()
    assert not run.is_at_work()
    with run.at_work():
        assert run.is_at_work()
    assert not run.is_at_work()


def test_old_ones_go_and_open_ones_stay(store: MonitoringStore) -> None:
    assert store.keep(1) == []
    for number in range(5):
        run = store.run(f"b{number}")
        run.begin(PLAN)
        run.update(began=f"2026-01-0{number + 1}T00:00:00.000Z", status="open" if number == 0 else "done")
    assert store.keep(2) == ["b1", "b2"]
    assert [one.id for one in store.all()] == ["b0", "b3", "b4"]
