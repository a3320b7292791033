# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a crash leaves as they were or as they are to be: replaced whole, or grown by whole lines of JSON."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any


class DamagedLine(ValueError):
    """A line in the middle of a file is no JSON; the message names file and line."""


def utc_now() -> str:
    """Return the time now, UTC, ISO 8601 with milliseconds."""
    return (
        datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    )


def write_synced(path: Path, data: bytes) -> None:
    """Replace a file atomically: nobody ever reads half of it, and a power cut keeps the old or the new one."""
    scratch = path.with_name(f".{path.name}.new")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(scratch, path)


def append_lines(path: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Write a line of JSON for each entry; they are on the disk when this returns."""
    lines = "".join(json.dumps(dict(entry), sort_keys=True) + "\n" for entry in entries)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        # What a crash has cut off in the middle of a line was never said: the next line must not be glued to it.
        whole = stream.read().rfind(b"\n") + 1
        stream.truncate(whole)
        stream.seek(whole)
        stream.write(lines.encode())
        stream.flush()
        os.fsync(stream.fileno())


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read such lines; none if there is no file. A last line that was cut off by a crash is left out, another one is :class:`DamagedLine`."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            if number == len(lines):
                break
            raise DamagedLine(f"{path} line {number} is not JSON: {error}") from error
    return entries
