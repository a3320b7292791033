# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text file that is replaced as a whole or not at all, with its owner, mode and attributes kept."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass

_BOM = b"\xef\xbb\xbf"


class FileError(Exception):
    """The file cannot be read or replaced."""


@dataclass(frozen=True)
class TextFile:
    """A file's text as it lies on disk: line ends untouched; a byte order mark is set aside for the way back."""

    path: str
    text: str
    sha256: str
    has_bom: bool = False


def read_text_file(path: str) -> TextFile:
    """Read a UTF-8 file; a symbolic link is followed, so that an edit goes to its target."""
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
    """The bytes that a new text has in the file."""
    return (_BOM if original.has_bom else b"") + text.encode("utf-8")


def replace_text_file(original: TextFile, text: str) -> str:
    """Replace the file atomically and return the new sha256.

    The new content is complete and on disk before it takes the name, so a crash leaves the old file or the new
    one. Refuses when the file is no longer the one that was read: somebody edits it at the same time.
    """
    content = encoded(original, text)
    if read_text_file(original.path).sha256 != original.sha256:
        raise FileError(f"{original.path}: changed since it was read; nothing was written")
    directory, name = os.path.split(original.path)
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=directory)
    except OSError as error:
        raise FileError(f"{directory}: cannot be written to: {error.strerror}") from error
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(content)
            handle.flush()
            _copy_attributes(original.path, temporary)
            os.fsync(handle.fileno())
        os.replace(temporary, original.path)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise FileError(f"{original.path}: cannot be replaced: {error.strerror}") from error
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_directory(directory)
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


def _sync_directory(directory: str) -> None:
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
