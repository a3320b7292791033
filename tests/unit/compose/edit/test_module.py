"""The modules compose_service, compose_entries and compose_rollback as Ansible runs them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.module_utils.compose.edit import module as edit_module
from ansible_collections.suho.platform.plugins.modules import (
    compose_entries,
    compose_rollback,
    compose_service,
)
from service_fake_docker import FakeDocker

FILE = "services:\n  nats:\n    image: nats\n\n  bridge:\n    image: bridge\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "docker-compose.yml"
    found.write_text(FILE)
    return found


def run(capsys: pytest.CaptureFixture[str], file: Path, **options: Any) -> dict[str, Any]:
    arguments = {
        "path": str(file),
        "name": "tick",
        "definition": {"image": "tick"},
        "validate": False,
        **options,
    }
    with patch_module_args(arguments), pytest.raises(SystemExit):
        compose_service.main()
    captured = capsys.readouterr()
    answer: dict[str, Any] = json.loads(captured.out)
    # Outside a real run the warnings go to stderr instead of the answer.
    return {"warnings": captured.err, **answer}


def test_check_mode_then_real_then_again(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    planned = run(capsys, path, insert_after="nats", _ansible_check_mode=True, _ansible_diff=True)
    assert planned["changed"] is True
    assert path.read_text() == FILE
    done = run(capsys, path, insert_after="nats")
    assert done["changed"] is True
    assert path.read_text() == planned["diff"]["after"]
    assert planned["diff"]["before"] == FILE
    assert done["sha256_after"] == planned["sha256_after"]
    assert (done["line"], done["block"]) == (5, "  tick:\n    image: tick\n")
    again = run(capsys, path, insert_after="nats")
    assert again["changed"] is False
    assert again["sha256_before"] == again["sha256_after"] == done["sha256_after"]


def test_absent_gives_the_bytes_back(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    first = run(capsys, path, header_comment=["Ticks"], volumes={"v": {}})
    gone = run(capsys, path, state="absent", volumes={"v": {}})
    assert gone["sha256_after"] == first["sha256_before"]
    assert path.read_text() == FILE
    assert run(capsys, path, state="absent")["changed"] is False


def test_same_meaning_in_other_words_warns(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    path.write_text('services:\n  tick:\n    image: "tick"\n')
    answer = run(capsys, path)
    assert answer["changed"] is False
    assert "same meaning, written in another way" in answer["warnings"]


def test_the_candidate_is_judged_by_compose(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    docker = FakeDocker(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    docker.answer(config_with_stdin={"name": "b", "services": {"nats": {}, "bridge": {}}})
    answer = run(capsys, path, validate=True)
    assert answer["failed"] is True
    assert "docker compose does not see service tick in the edited file" in answer["msg"]
    texts = [stdin for _arguments, stdin in docker.calls]
    assert texts == [FILE, FILE + "\n  tick:\n    image: tick\n"]
    docker.answer(fail="services.tick Additional property imag is not allowed")
    assert "Additional property imag" in run(capsys, path, validate=True)["msg"]
    assert path.read_text() == FILE


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"insert_after": "nope"}, "services has no entry nope to insert tick after; it has: nats, bridge"),
        ({"definition": None}, "definition: expected a mapping with the service's keys, found nothing"),
        ({"definition": {}}, "definition: expected a mapping with the service's keys, found nothing"),
        ({"name": "nats"}, "service nats is in the file with another meaning"),
        ({"path": "/no/such/compose.yml"}, "/no/such/compose.yml: no such file"),
    ],
)
def test_errors_are_sentences_and_change_nothing(
    capsys: pytest.CaptureFixture[str], path: Path, options: dict[str, Any], message: str
) -> None:
    answer = run(capsys, path, **options)
    assert answer["failed"] is True
    assert message in answer["msg"]
    assert path.read_text() == FILE


def test_missing_library_is_named(
    capsys: pytest.CaptureFixture[str], path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit_module, "HAS_RUAMEL", False)
    assert "ruamel.yaml" in run(capsys, path)["msg"]


def answer_of(capsys: pytest.CaptureFixture[str], module: Any, **arguments: Any) -> dict[str, Any]:
    with patch_module_args(arguments), pytest.raises(SystemExit):
        module.main()
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


ENTRIES = [
    {"name": "tick", "definition": {"image": "tick"}, "insert_after": "nats", "header_comment": ["Ticks"]},
    {"name": "more", "definition": {"image": "more"}, "insert_after": "tick"},
]


def enter(capsys: pytest.CaptureFixture[str], path: Path, **options: Any) -> dict[str, Any]:
    given = {"path": str(path), "entries": ENTRIES, "validate": False, **options}
    return answer_of(capsys, compose_entries, **given)


def test_several_entries_are_one_edit(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    planned = enter(capsys, path, _ansible_check_mode=True)
    assert path.read_text() == FILE
    done = enter(capsys, path)
    assert (planned["changed"], done["changed"]) == (True, True)
    assert planned["sha256_after"] == done["sha256_after"]
    order = [path.read_text().index(f"  {name}:") for name in ("nats", "tick", "more", "bridge")]
    assert order == sorted(order)
    assert [(one["service"], one["changed"], one["inserted"]) for one in done["entries"]] == [
        ("tick", True, True),
        ("more", True, True),
    ]
    assert done["block"] == "  tick:\n    image: tick\n  more:\n    image: more"
    again = enter(capsys, path)
    assert (again["changed"], again["block"]) == (False, "")
    assert [one["inserted"] for one in again["entries"]] == [False, False]
    assert [one["block_sha256"] for one in again["entries"]] == [
        one["block_sha256"] for one in done["entries"]
    ]
    # One that is there already, and one that is not.
    assert enter(capsys, path, entries=[])["changed"] is False


def test_if_one_entry_cannot_be_made_none_is(capsys: pytest.CaptureFixture[str], path: Path) -> None:
    wrong = [ENTRIES[0], {**ENTRIES[1], "insert_after": "nobody"}]
    assert "has no entry nobody" in enter(capsys, path, entries=wrong)["msg"]
    assert "found tick more than once" in enter(capsys, path, entries=[ENTRIES[0], ENTRIES[0]])["msg"]
    assert (
        "tick: expected a definition"
        in enter(capsys, path, entries=[{"name": "tick", "definition": {}}])["msg"]
    )
    assert path.read_text() == FILE


@pytest.fixture
def entered(
    capsys: pytest.CaptureFixture[str], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The options of compose_rollback after two services were inserted; docker compose accepts every file."""
    monkeypatch.setattr(compose_rollback, "judge_from", lambda _params: None)
    backup = tmp_path / "backup.yml"
    backup.write_text(FILE)
    done = enter(capsys, path)
    return {
        "path": str(path),
        "backup": str(backup),
        "sha256_before": done["sha256_before"],
        "sha256_after": done["sha256_after"],
        "entries": [{name: one[name] for name in ("service", "block_sha256")} for one in done["entries"]],
    }


def test_both_go_with_the_saved_file(
    capsys: pytest.CaptureFixture[str], path: Path, entered: dict[str, Any]
) -> None:
    assert answer_of(capsys, compose_rollback, **entered)["way"] == "rolled_back"
    assert path.read_text() == FILE


def test_one_goes_and_then_the_other(
    capsys: pytest.CaptureFixture[str], path: Path, entered: dict[str, Any]
) -> None:
    alone = {**entered, "sha256_before": "", "sha256_after": ""}
    for number, left in ((0, "more"), (1, None)):
        done = answer_of(
            capsys, compose_rollback, **{**alone, "entries": entered["entries"][number : number + 1]}
        )
        assert done["way"] == "merged"
        assert (left is not None) == ("  more:" in path.read_text())
    assert path.read_text() == FILE
    assert answer_of(capsys, compose_rollback, **alone)["way"] == "unchanged"


def test_what_others_wrote_stays_and_what_they_edited_is_not_lost(
    capsys: pytest.CaptureFixture[str], path: Path, entered: dict[str, Any]
) -> None:
    written = path.read_text()
    path.write_text(written + "# by hand\n")
    assert answer_of(capsys, compose_rollback, **entered)["way"] == "merged"
    assert path.read_text() == FILE + "# by hand\n"
    edited = written.replace("image: more", "image: mine")
    path.write_text(edited)
    refused = answer_of(capsys, compose_rollback, **entered)
    assert "the entry of service more was edited since the release" in refused["msg"]
    assert path.read_text() == edited
    # As before there were several: one service by its own options.
    path.write_text(written + "# by hand\n")
    one = entered["entries"][1]
    done = answer_of(capsys, compose_rollback, **{**entered, "entries": [], **one})
    assert done["way"] == "merged"
    assert "  tick:" in path.read_text()
    assert "  more:" not in path.read_text()
