"""Intent before, outcome after: what the journal holds when a change succeeds, fails, or is interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.processes import is_alive, this_process
from ansible_collections.suho.platform.plugins.module_utils.releases.journal import (
    ChangeJournal,
    at_work,
    in_doubt,
    journaled_images,
    wait_for_work,
)
from ansible_collections.suho.platform.plugins.module_utils.releases.store import ReleaseError, ReleaseStore

RELEASE = "20250101T000000Z-abc"
PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


@pytest.fixture
def store(tmp_path: Path) -> ReleaseStore:
    store = ReleaseStore(str(tmp_path / "state"))
    store.open(RELEASE, {})
    return store


def journal(store: ReleaseStore, dry: bool = False) -> ChangeJournal:
    return ChangeJournal({"state_dir": str(store.state_dir), "release": RELEASE}, "schema", dry)


def lines(store: ReleaseStore) -> list[tuple[str, str, str]]:
    return [(one["phase"], one["object"], one["event"]) for one in store.release(RELEASE).journal()]


def test_a_change_is_announced_before_it_is_made_and_its_outcome_noted(store: ReleaseStore) -> None:
    with journal(store).change("create.t", "DROP TABLE t"):
        assert lines(store) == [("schema", "create.t", "intent")]
        assert store.release(RELEASE).journal()[0]["undo"] == "DROP TABLE t"
    assert lines(store) == [("schema", "create.t", "intent"), ("schema", "create.t", "done")]
    assert in_doubt(store.release(RELEASE).journal()) == []


def test_the_images_of_the_journal_are_those_that_the_last_swaps_left(store: ReleaseStore) -> None:
    def swap(release: str, service: str, image: str | None, phase: str = "rollout") -> None:
        option = {"state_dir": str(store.state_dir), "release": release}
        with ChangeJournal(option, phase).change(service, "its removal") as outcome:
            if image is None:
                raise ValueError("not healthy")
            if image:
                outcome["image"] = image

    later = "20260101T000000Z-def"
    store.open(later, {})
    swap(RELEASE, "kept", "sha256:1")
    swap(RELEASE, "recreated", "sha256:2")
    swap(RELEASE, "removed", "sha256:3")
    swap(RELEASE, "broken", "sha256:4")
    swap(RELEASE, "interrupted", "sha256:5")
    swap(later, "recreated", "sha256:6")
    swap(later, "removed", "")
    with pytest.raises(ValueError, match="healthy"):
        swap(later, "broken", None)
    swap(later, "built", "sha256:7", phase="build")
    option = {"state_dir": str(store.state_dir), "release": later}
    ChangeJournal(option, "rollout").append("intent", "interrupted")
    assert journaled_images(store) == {"kept": "sha256:1", "recreated": "sha256:6"}
    # An earlier release that is rolled back writes into its own journal, later.
    time.sleep(0.002)  # the journal's times are milliseconds
    swap(RELEASE, "recreated", "sha256:0")
    assert journaled_images(store)["recreated"] == "sha256:0"


def test_a_damaged_journal_makes_older_ones_say_nothing_of_images(store: ReleaseStore) -> None:
    names = (RELEASE, "20260101T000000Z-def", "20260201T000000Z-abc")
    for number, name in enumerate(names):
        if name != RELEASE:
            store.open(name, {})
        option = {"state_dir": str(store.state_dir), "release": name}
        with ChangeJournal(option, "rollout").change(f"service {number}", "its removal") as outcome:
            outcome["image"] = f"sha256:{number}"
    path = store.release(names[1]).journal_path
    path.write_text("no JSON\n" + path.read_text())
    assert journaled_images(store) == {"service 2": "sha256:2"}


def test_a_failure_is_noted_without_secrets_and_passes_through(store: ReleaseStore) -> None:
    with pytest.raises(ValueError, match="refused"), journal(store).change("x", "password=hunter2secret"):
        raise ValueError("refused: password=hunter2secret\nmore")
    assert [event for _phase, _obj, event in lines(store)] == ["intent", "failed"]
    text = store.release(RELEASE).journal_path.read_text()
    assert "hunter2" not in text
    assert "refused" in text
    assert in_doubt(store.release(RELEASE).journal()) == []


def test_a_run_that_is_killed_leaves_an_intent_without_outcome(store: ReleaseStore) -> None:
    code = (
        "import os, signal, sys; sys.path.insert(0, sys.argv[1])\n"
        "from module_utils.releases.journal import ChangeJournal\n"
        "journal = ChangeJournal({'state_dir': sys.argv[2], 'release': sys.argv[3]}, 'rollout')\n"
        "with journal.change('a', ''): pass\n"
        "with journal.change('b', ''): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    command = [sys.executable, "-c", code, str(PLUGINS), str(store.state_dir), RELEASE]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    (left,) = in_doubt(store.release(RELEASE).journal())
    assert (left["phase"], left["object"], left["time"].endswith("Z")) == ("rollout", "b", True)


def test_a_later_outcome_settles_an_earlier_intent(store: ReleaseStore) -> None:
    one = journal(store)
    one.append("intent", "a")
    assert [item["object"] for item in in_doubt(store.release(RELEASE).journal())] == ["a"]
    with one.change("a", ""):
        pass
    assert in_doubt(store.release(RELEASE).journal()) == []


@pytest.mark.parametrize("dry", [True, False])
def test_without_a_release_or_in_a_dry_run_nothing_is_written(store: ReleaseStore, dry: bool) -> None:
    one = journal(store, dry=True) if dry else ChangeJournal(None, "schema")
    with one.change("x", ""):
        pass
    assert lines(store) == []


def test_a_release_that_is_not_there_is_named_before_anything_changes(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="release 2020-none is not on this host"):
        ChangeJournal({"state_dir": str(tmp_path), "release": "2020-none"}, "schema")


def test_a_change_whose_intent_cannot_be_written_is_not_made(store: ReleaseStore) -> None:
    path = store.release(RELEASE).journal_path
    path.unlink(missing_ok=True)
    path.mkdir()
    made = []
    with pytest.raises(ReleaseError, match="cannot be written"), journal(store).change("x", ""):
        made.append("x")
    assert made == []


def test_a_line_that_a_crash_cut_off_does_not_spoil_the_next_one(store: ReleaseStore) -> None:
    one = journal(store)
    one.append("intent", "a")
    with store.release(RELEASE).journal_path.open("a") as stream:
        stream.write('{"object": "a", "eve')
    one.append("intent", "b")
    assert [obj for _phase, obj, _event in lines(store)] == ["a", "b"]
    assert os.stat(store.release(RELEASE).journal_path).st_mode & 0o777 == 0o600


# A module that outlives its run -------------------------------------------------------------------------------

MODULE = (
    "import sys, time; sys.path.insert(0, sys.argv[1])\n"
    "from module_utils.releases.journal import ChangeJournal\n"
    "journal = ChangeJournal({'state_dir': sys.argv[2], 'release': sys.argv[3]}, 'build')\n"
    "with journal.change('data-bridge', ''):\n"
    "    print('begun', flush=True)\n"
    "    sys.stdin.read()\n"
)


@pytest.fixture
def orphan(store: ReleaseStore) -> Iterator[subprocess.Popen[str]]:
    """A module in the middle of a change, which ends when its input does."""
    command = [sys.executable, "-c", MODULE, str(PLUGINS), str(store.state_dir), RELEASE]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begun\n"
    yield process
    process.kill()
    process.wait()


def test_a_module_that_is_still_at_work_is_waited_for(
    store: ReleaseStore, orphan: subprocess.Popen[str]
) -> None:
    (one,) = at_work(store)
    assert (one["phase"], one["object"], one["process"].split()[0]) == (
        "build",
        "data-bridge",
        str(orphan.pid),
    )
    with pytest.raises(
        ReleaseError, match=rf"process {orphan.pid} of an earlier run is still at work on build data-bridge"
    ):
        wait_for_work(store, 0.1)
    assert orphan.stdin is not None
    orphan.stdin.close()
    wait_for_work(store, 30)
    assert lines(store)[-1] == ("build", "data-bridge", "done")


def test_a_module_that_was_killed_is_not_waited_for(
    store: ReleaseStore, orphan: subprocess.Popen[str]
) -> None:
    orphan.kill()
    orphan.wait()
    wait_for_work(store, 0)
    assert [one["object"] for one in in_doubt(store.release(RELEASE).journal())] == ["data-bridge"]


def test_another_process_with_the_same_number_is_another_one() -> None:
    mine = this_process()
    assert is_alive(mine)
    assert not is_alive(f"{os.getpid()} 1")
    assert not is_alive("")
    assert not is_alive("none none")


@pytest.mark.parametrize(
    "text",
    [
        "x" * 380 + " https://user:hunter2verylong@h/",
        "x" * 380 + ' password="hunter2-long"',
        'password="hunter2\nrest"',
    ],
)
def test_a_secret_at_the_cut_of_an_error_is_hidden(tmp_path: Path, text: str) -> None:
    ReleaseStore(str(tmp_path)).open("r1", {})
    journal = ChangeJournal({"state_dir": str(tmp_path), "release": "r1"}, "build")
    with pytest.raises(RuntimeError), journal.change("o", "u"):
        raise RuntimeError(text)
    assert "hunter" not in (tmp_path / "releases/r1/journal.jsonl").read_text()
