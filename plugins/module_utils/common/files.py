# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that a crash leaves as they were or as they are to be: one atomic replace, and one append of whole lines of JSON.

Both have synced the file and the folder that names it when they return."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .errors import PlatformError

_BOM = b"\xef\xbb\xbf"


class FileError(PlatformError):
    """The file cannot be read or replaced."""


class DamagedLine(PlatformError, ValueError):
    """A line of a file is no object of JSON; the message names file and line."""


def replace_file(path: Path, data: bytes, like: str | None = None, mode: int = 0o600) -> None:
    """Replace a file atomically: nobody ever reads half of it, and a power cut keeps the old or the new one.

    The new file is this user's, with ``mode`` (0600), or gets owner, mode and attributes of the file ``like``. Raises OSError (of the
    folder, if nothing can be written there); then the old file is still there, and nothing beside it.
    """
    try:
        descriptor, scratch = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path.parent)) from error
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            if like is not None:
                _copy_attributes(like, scratch)
            os.fsync(stream.fileno())
        os.replace(scratch, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(scratch)
        raise
    sync_folder(path.parent)


def replace_link(path: Path, target: Path) -> None:
    """Point a symbolic link to ``target`` (as it is written, so it may be relative), atomically."""
    scratch = path.with_name(f".{path.name}.new")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    os.replace(scratch, path)
    sync_folder(path.parent)


def append_lines(path: Path, entries: Iterable[Mapping[str, Any]]) -> None:
    """Write a line of JSON for each entry; they are on the disk when this returns. A new file belongs to this user alone (0600)."""
    lines = "".join(json.dumps(dict(entry), sort_keys=True) + "\n" for entry in entries)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "r+b") as stream:
        # What a crash has left in the middle of a line was never said: the next line must not be glued to it.
        whole = stream.read().rfind(b"\n") + 1
        stream.truncate(whole)
        stream.seek(whole)
        stream.write(lines.encode())
        stream.flush()
        os.fsync(stream.fileno())
    if is_new:
        sync_folder(path.parent)


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Read such lines; none if there is no file. A last line that a crash has left incomplete is left out, another one is :class:`DamagedLine`."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return []
    entries: list[dict[str, Any]] = []
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line.decode("utf-8"))
        except ValueError as error:
            if number == len(lines):
                break
            raise DamagedLine(f"{path} line {number} is not JSON: {error}") from error
        if not isinstance(entry, dict):
            raise DamagedLine(f"{path} line {number}: found {entry!r:.80}, expected an object of JSON")
        entries.append(entry)
    return entries


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to the disk, where its file system can do that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# Files that people edit ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TextFile:
    """A file's text as it lies on disk: line ends untouched; a byte order mark is set aside for writing."""

    path: str
    text: str
    sha256: str
    has_bom: bool = False


def read_text_file(path: str) -> TextFile:
    """Read a UTF-8 file; a symbolic link is followed, so that an edit goes to its target. Raises :class:`FileError`."""
    target = os.path.realpath(path)
    shown = path if target == os.path.abspath(path) else f"{path} (a link to {target})"
    try:
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise FileError(f"{shown}: expected a regular file")
        with open(target, "rb") as handle:
            content = handle.read()
    except FileNotFoundError as error:
        raise FileError(f"{shown}: no such file") from error
    except OSError as error:
        raise FileError(f"{shown}: cannot be read: {error.strerror}") from error
    has_bom = content.startswith(_BOM)
    try:
        text = content[len(_BOM) if has_bom else 0 :].decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FileError(f"{shown}: line {line}: not UTF-8 text") from error
    return TextFile(target, text, hashlib.sha256(content).hexdigest(), has_bom)


def encoded(original: TextFile, text: str) -> bytes:
    """Return the bytes that a new text has in the file."""
    return (_BOM if original.has_bom else b"") + text.encode("utf-8")


def replace_text_file(original: TextFile, text: str) -> str:
    """Replace the file atomically, with its owner, mode and attributes kept; returns the new sha256.

    Refuses with :class:`FileError` when the file is no longer the one that was read: somebody edits it at the same time.
    """
    content = encoded(original, text)
    if read_text_file(original.path).sha256 != original.sha256:
        raise FileError(f"{original.path}: changed since it was read; nothing was written")
    folder = os.path.dirname(original.path)
    try:
        replace_file(Path(original.path), content, like=original.path)
    except OSError as error:
        what = (
            f"{folder}: cannot be written to"
            if error.filename == folder
            else f"{original.path}: cannot be replaced"
        )
        raise FileError(f"{what}: {error.strerror}") from error
    return hashlib.sha256(content).hexdigest()


def _copy_attributes(source: str, target: str) -> None:
    """Owner, mode, ACLs and security context; a different owner that cannot be kept is an error."""
    wanted, found = os.stat(source), os.stat(target)
    if (wanted.st_uid, wanted.st_gid) != (found.st_uid, found.st_gid):
        os.chown(target, wanted.st_uid, wanted.st_gid)
    os.chmod(target, stat.S_IMODE(wanted.st_mode))
    if hasattr(os, "listxattr"):
        # Not every file system has them, and not every process may set all of them.
        with contextlib.suppress(OSError):
            for name in os.listxattr(source):
                with contextlib.suppress(OSError):
                    os.setxattr(target, name, os.getxattr(source, name))
