"""The playbooks: each reads like a table of contents."""

from __future__ import annotations

from pathlib import Path

PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"


def test_a_playbook_is_read_in_one_look() -> None:
    lines = {
        path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PLAYBOOKS.glob("*.yml")
    }
    assert {"audit.yml", "deploy.yml", "rollback.yml"} <= set(lines)
    assert {name: number for name, number in lines.items() if number > 25} == {}


def test_there_is_nothing_beside_the_playbooks() -> None:
    assert [path.name for path in PLAYBOOKS.iterdir() if path.suffix != ".yml"] == []
