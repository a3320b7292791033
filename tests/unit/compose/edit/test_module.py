"""The module compose_service as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.modules import compose_service
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
    monkeypatch.setattr(compose_service, "HAS_RUAMEL", False)
    assert "ruamel.yaml" in run(capsys, path)["msg"]
