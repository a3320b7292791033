"""The rule that keeps replaced words out: each pattern finds what it is for, and leaves its neighbours alone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(PROJECT / "scripts"))

from old_words import check_words, old_words  # noqa: E402

RULES = yaml.safe_load((PROJECT / "scripts/old-words.yml").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "how to mend it",
        "container_wishes(5)",
        "the images of before",
        "unsettled:",
        "a run that was cut off",
        "Let go of old images",
        "another one than was approved",
        "what the service is told",
        "whether it is current cannot be told",
        "a rollback takes the last release back",
        "taken back",
        "Swap the service",
        "the way back",
        "put the file back",
        "puts the saved compose file back",
        "put_tags_back",
        "it can put\neverything back",
        "restores the previous images",
        "the reverse of a step",
        "platform_watched_services",
        "a probe saw nothing",
        "every assertion passes",
        "seconds_per_swap",
    ],
)
def test_an_old_word_is_found(line: str) -> None:
    assert [number for number, _found, _instead in old_words(f"fine\n{line}\n", RULES["words"])] == [2]


@pytest.mark.parametrize(
    "line",
    [
        "recommended",
        "amendment",
        "as before",
        "before the release",
        "reversed(steps)",
        "sort(reverse=True)",
        "problem",
        "quarantined rows are restored",
        "let it go on",
        "rolled back",
    ],
)
def test_its_neighbours_are_left_alone(line: str) -> None:
    assert old_words(line, RULES["words"]) == []


def test_an_exception_counts_in_its_file_alone_and_must_be_needed(tmp_path: Path) -> None:
    for folder in ("plugins", "roles", "playbooks", "docs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "docs/a.md").write_text("mend: alias\n")
    (tmp_path / "docs/b.md").write_text("mend: alias\n")
    words = RULES["words"]
    allowed = [{"path": "docs/a.md", "text": "mend: alias", "reason": "the name of 0.1.0"}]
    assert check_words(tmp_path, {"words": words, "except": allowed}) == [
        "docs/b.md:1: found 'mend', say fix; remedy"
    ]
    (tmp_path / "docs/b.md").unlink()
    (tmp_path / "docs/a.md").write_text("fine\n")
    assert check_words(tmp_path, {"words": words, "except": allowed}) == [
        "scripts/old-words.yml: no line needs the exception docs/a.md: 'mend: alias'"
    ]
