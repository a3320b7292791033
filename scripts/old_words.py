"""The words that docs/glossary.md replaces: where they still stand (a rule of scripts/check-project)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FOLDERS = ("plugins", "roles", "playbooks", "docs")
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
#: It names the old words beside the new ones.
GLOSSARY = "docs/glossary.md"


def old_words(text: str, words: Sequence[Mapping[str, str]]) -> list[tuple[int, str, str]]:
    """Return line number, found text and what to say instead, for each old word of a text; a phrase may go on in the next line."""
    flat = text.replace("\n", " ")
    return sorted(
        (text.count("\n", 0, found.start()) + 1, found.group(0), word["instead"])
        for word in words
        for found in re.finditer(word["pattern"], flat, re.IGNORECASE)
    )


def is_excepted(path: str, line: str, exceptions: Sequence[Mapping[str, str]]) -> bool:
    """Whether a line of a file may hold an old word: an alias, or a field of records that an earlier version wrote."""
    return any(one["path"] == path and one["text"] in line for one in exceptions)


def check_words(project: Path, rules: Mapping[str, Any]) -> list[str]:
    """Return a problem for each old word, and for each exception that nothing needs any more."""
    problems: list[str] = []
    exceptions, used = rules["except"], set()
    found = [path for folder in FOLDERS for path in (project / folder).rglob("*")]
    files = [path for path in [*found, *(project / page for page in PAGES)] if path.is_file()]
    for path in sorted(files):
        name = path.relative_to(project).as_posix()
        if path.suffix not in (".py", ".yml", ".md", ".j2", ".css") or name == GLOSSARY:
            continue
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for number, old, instead in old_words(text, rules["words"]):
            if is_excepted(name, lines[number - 1], exceptions):
                used |= {
                    key for key, one in enumerate(exceptions) if is_excepted(name, lines[number - 1], [one])
                }
            else:
                problems.append(f"{name}:{number}: found {old!r}, say {instead}")
    unused = [one for key, one in enumerate(exceptions) if key not in used]
    return problems + [
        f"scripts/old-words.yml: no line needs the exception {one['path']}: {one['text']!r}" for one in unused
    ]
