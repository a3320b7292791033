# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keeps from one playbook run to the next what Ansible makes of each module, for tests: some 70 runs share one machine.

Ansible packs a module with what it imports into a zip once in each run, and the interpreter that unpacks it compiles
each of those files every time a task runs. Here the zips stay (`.cache/modules`), and each file has its bytecode
beside it, as zipimport looks for it. The source in them is the same; an interpreter of another version reads that.
A folder belongs to the content of all that could be in a zip, so an edited file makes a new one.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import importlib.util
import io
import marshal
import os
import sys
import zipfile
from pathlib import Path

import ansible.release
from ansible import constants
from ansible.executor.module_common import _CachedModule
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kept_modules
type: aggregate
short_description: Keeps packed modules and their bytecode between runs
description: See the file.
"""

PROJECT = Path(__file__).resolve().parents[3]
UNCHECKED_HASH = b"\x01\x00\x00\x00" + b"\x00" * 8  # PEP 552: the source is not asked


def state_of_sources() -> str:
    """One name for all that a module's zip depends on."""
    digest = hashlib.blake2b(f"{sys.version} {ansible.release.__version__}".encode(), digest_size=12)
    plugins = PROJECT / "plugins"
    files = [PROJECT / "requirements/dev.lock", PROJECT / "requirements.yml"]
    for folder in ("module_utils", "modules"):
        files += sorted((plugins / folder).rglob("*.py"))
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PROJECT)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def with_bytecode(archive: bytes) -> bytes:
    """The zip *archive*, with the bytecode of each Python file beside it."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(archive)) as old,
        zipfile.ZipFile(result, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for entry in old.infolist():
            source = old.read(entry)
            new.writestr(entry, source)
            if entry.filename.endswith(".py"):
                code = compile(source, entry.filename, "exec", dont_inherit=True)
                new.writestr(
                    entry.filename + "c", importlib.util.MAGIC_NUMBER + UNCHECKED_HASH + marshal.dumps(code)
                )
    return result.getvalue()


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "kept_modules"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self.kept = PROJECT / ".cache/modules" / state_of_sources()
        self.of_this_run = Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"

    def v2_playbook_on_start(self, playbook: object) -> None:
        self.of_this_run.mkdir(parents=True, exist_ok=True)
        if self.kept.is_dir():
            for path in self.kept.iterdir():
                with contextlib.suppress(FileExistsError):  # of the playbook before, in the same process
                    if not path.name.endswith(".new"):
                        os.link(path, self.of_this_run / path.name)

    def v2_playbook_on_stats(self, stats: object) -> None:
        # What was edited meanwhile is not what the folder is called after.
        if not self.of_this_run.is_dir() or self.kept.name != state_of_sources():
            return
        self.kept.mkdir(parents=True, exist_ok=True)
        for path in self.of_this_run.iterdir():
            kept = self.kept / path.name
            if path.suffix in (".lock", ".new") or path.name.endswith("-part") or kept.exists():
                continue
            module = _CachedModule.load(str(path))
            archive = base64.b64encode(with_bytecode(base64.b64decode(module.zip_data)))
            new = kept.with_name(f"{kept.name}.{os.getpid()}.new")
            dataclasses.replace(module, zip_data=archive).dump(str(new))
            new.replace(kept)
