"""One run at a time; a lock that somebody left behind is taken over only by saying so, and never from a run that lives."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.processes import (
    ansible_process,
    running_processes,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.lock import Held, Lock, Owner
from ansible_collections.suho.platform.plugins.module_utils.releases.store import ReleaseError
from ansible_collections.suho.platform.plugins.modules.release_lock import known_death

JANE = Owner("run-1", "jane", "ops-1", 4711, "deploy")
JOE = Owner("run-2", "joe", "ops-2", 12, "rollback")


@pytest.fixture
def lock(tmp_path: Path) -> Lock:
    return Lock(str(tmp_path / "state"), 60)


def aged(lock: Lock, moment: str = "2020-01-01T00:00:00.000Z") -> None:
    found = json.loads(lock.path.read_text())
    lock.path.write_text(json.dumps({**found, "renewed": moment}))


def test_the_first_run_has_it_and_others_are_told_who(lock: Lock) -> None:
    assert lock.take(JANE) is None
    with pytest.raises(Held) as error:
        lock.take(JOE)
    for word in (
        "jane on ops-1 (process 4711)",
        "for deploy",
        "Wait until it has ended",
        "Nothing was changed",
    ):
        assert word in str(error.value)
    holder = lock.holder()
    assert holder is not None
    assert holder.run == "run-1"
    assert oct(lock.path.stat().st_mode & 0o777) == "0o600"


def test_taking_it_again_renews_it(lock: Lock) -> None:
    lock.take(JANE)
    aged(lock)
    taken = lock.holder()
    lock.take(JANE)
    again = lock.holder()
    assert taken is not None
    assert again is not None
    assert (again.taken, again.renewed > taken.renewed) == (taken.taken, True)


def test_only_its_owner_renews_and_frees_it(lock: Lock) -> None:
    lock.take(JANE)
    assert not lock.free("run-2")
    with pytest.raises(ReleaseError, match="held by jane on ops-1"):
        lock.renew("run-2")
    lock.renew("run-1")
    assert lock.free("run-1")
    assert lock.holder() is None
    with pytest.raises(ReleaseError, match="gone: somebody took it over"):
        lock.renew("run-1")


def test_a_lock_that_lives_is_not_taken_over(lock: Lock) -> None:
    lock.take(JANE)
    with pytest.raises(Held, match="Wait until it has ended"):
        lock.take(JOE, take_over=True)


def test_a_stale_lock_is_taken_over_by_saying_so(lock: Lock) -> None:
    lock.take(JANE)
    aged(lock)
    with pytest.raises(Held, match=r"not seen for \d+ s.*release_take_over=true"):
        lock.take(JOE)
    before = lock.take(JOE, take_over=True)
    assert before is not None
    assert before.user == "jane"
    with pytest.raises(ReleaseError, match="held by joe"):
        lock.renew("run-1")


def test_a_run_that_is_known_to_be_dead_leaves_a_stale_lock(lock: Lock) -> None:
    lock.take(JANE)
    with pytest.raises(Held, match="process 4711 on ops-1 does not exist any more"):
        lock.take(JOE, dead=lambda owner: f"process {owner.pid} on ops-1 does not exist any more")
    assert lock.take(JOE, take_over=True, dead=lambda owner: "it is gone") is not None


def test_a_lock_whose_work_goes_on_is_not_stale_by_time(lock: Lock) -> None:
    lock.take(JANE)
    aged(lock)
    with pytest.raises(Held, match="Wait until it has ended"):
        lock.take(JOE, take_over=True, busy=lambda: True)
    before = lock.take(JOE, take_over=True, busy=lambda: False)
    assert before is not None
    lock.return_to("run-1", before)  # not Joe's run
    lock.renew("run-2")
    lock.return_to("run-2", before)
    lock.renew("run-1")


@pytest.mark.parametrize(
    ("pids", "controller", "dead"),
    [([1, 2], "ops-1", True), ([1, 4711], "ops-1", False), ([1], "ops-2", False), (None, "ops-1", False)],
)
def test_death_is_known_on_the_same_controller_only(
    pids: list[int] | None, controller: str, dead: bool
) -> None:
    assert bool(known_death({"local_pids": pids, "controller": controller}, JANE)) is dead


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"run": 1}'])
def test_a_damaged_lock_is_nobodys_to_break(lock: Lock, content: str) -> None:
    lock.take(JANE)
    lock.path.write_text(content)
    with pytest.raises(ReleaseError, match="cannot be read"):
        lock.take(JOE, take_over=True)
    assert lock.path.read_text() == content


def test_a_time_that_is_none_counts_as_long_ago(lock: Lock) -> None:
    lock.take(JANE)
    aged(lock, "yesterday")
    assert lock.take(JOE, take_over=True) is not None


def test_of_many_runs_at_the_same_moment_one_gets_it(tmp_path: Path) -> None:
    start = threading.Barrier(16)
    got = []

    def run(number: int) -> None:
        start.wait()
        try:
            Lock(str(tmp_path), 60).take(Owner(f"run-{number}", "x", "y", number, "z"))
            got.append(number)
        except Held:
            pass

    threads = [threading.Thread(target=run, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    holder = Lock(str(tmp_path), 60).holder()
    assert holder is not None
    assert got == [holder.pid]


# Processes -----------------------------------------------------------------------------------------------------


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    for pid, parent, words in [
        (1, 0, ["init"]),
        (10, 1, ["bash"]),
        (20, 10, ["/usr/bin/python3", "/usr/bin/ansible-playbook", "deploy.yml"]),
        (21, 20, ["/usr/bin/python3", "/usr/bin/ansible-playbook", "deploy.yml"]),
        (30, 10, ["vi", "a", "b", "ansible.cfg"]),
    ]:
        folder = tmp_path / str(pid)
        folder.mkdir()
        (folder / "cmdline").write_bytes(b"\0".join(word.encode() for word in words))
        (folder / "stat").write_text(f"{pid} (a ) b) S {parent} 1 1")
    (tmp_path / "self").mkdir()
    return tmp_path


def test_the_run_is_the_oldest_ancestor_that_runs_ansible(proc: Path) -> None:
    assert (ansible_process(proc, 21), ansible_process(proc, 20), ansible_process(proc, 30)) == (20, 20, 0)


def test_all_runs_are_listed(proc: Path) -> None:
    assert running_processes(proc) == [20, 21]
    assert running_processes(proc / "nowhere") is None
