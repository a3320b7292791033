# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A docker program with one container, whose state and log are files, for tests of modules that read both."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

CONTAINER = {
    "Id": "c1",
    "Name": "/bridge",
    "Image": "sha256:aaaaaaaaaaaa",
    "State": {"Status": "running", "StartedAt": "2026-06-15T10:00:00Z", "ExitCode": 0},
    "Config": {"Env": ["PASSWORD=hunter2"]},
}
OUT = "2026-06-15T10:00:01.000000000Z INFO bridge one\n2026-06-15T10:00:03.000000000Z INFO bridge Writing 3 rows\n"
ERR = "2026-06-15T10:00:02.000000000Z INFO bridge two\n"


class Docker:
    """A program that writes down how it was called and answers from files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "docker"
        self.path.write_text(
            "#!/bin/sh\n"
            f'cd "{folder}" || exit 9\n'
            'echo "$@" >> calls\n'
            '[ "$1" = logs ] && { cat out; cat err >&2; exit "$(cat code)"; }\n'
            "for name; do :; done\n"
            '[ "$name" = bridge ] && { cat inspect; exit 0; }\n'
            'echo "[]"; echo "Error: No such container: $name" >&2; exit 1\n',
            encoding="utf-8",
        )
        os.chmod(self.path, stat.S_IRWXU)
        self.set()

    def set(self, out: str = OUT, err: str = ERR, code: int = 0, inspect: Any = CONTAINER) -> None:
        for name, text in {
            "out": out,
            "err": err,
            "code": str(code),
            "inspect": json.dumps([inspect]),
        }.items():
            (self.folder / name).write_text(text, encoding="utf-8")

    @property
    def calls(self) -> list[str]:
        return (self.folder / "calls").read_text(encoding="utf-8").splitlines()
