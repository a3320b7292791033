# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and read the SQL files on the controller."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..model import SchemaError


def read_desired_files(places: Iterable[Path]) -> list[dict[str, str]]:
    """Path and text of each file; of a directory, its *.sql files in the order of their names."""
    paths: list[Path] = []
    for place in places:
        found = sorted(place.glob("*.sql")) if place.is_dir() else [place]
        if not found:
            raise SchemaError(f"desired: directory {place} holds no *.sql file")
        paths += found
    if not paths:
        raise SchemaError("desired: expected at least one file or directory")
    return [{"path": str(path), "text": read_text(path)} for path in paths]


def read_text(path: Path) -> str:
    try:
        return decoded(path.read_bytes(), str(path))
    except OSError as error:
        raise SchemaError(f"{path} cannot be read: {error.strerror}") from None


def decoded(data: bytes, path: str) -> str:
    """UTF-8 text with plain newlines."""
    try:
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"{path}: expected UTF-8 text, found {error.reason} at byte {error.start}"
        ) from None
