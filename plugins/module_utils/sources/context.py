# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a build takes from its context, each with what the image can see of it.

That is the path, whether it is a file, a link or a folder, the executable bit, and the content: not owner, not
time, not the other mode bits, which differ between two checkouts of the same commit.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..common.errors import PlatformError
from .dockerignore import IgnoreRules

_WILDCARDS = re.compile(r"[*?\[]")
_CHUNK = 1 << 20


class ContextError(PlatformError):
    """The build context cannot be read."""


@dataclass(frozen=True)
class ContextEntry:
    """``kind`` is "file", "link" or "folder"; ``detail`` is the content's digest or the link's target."""

    path: str
    kind: str
    detail: str = ""
    executable: bool = False

    def line(self) -> str:
        """One line of the text that the source digest is computed from."""
        return f"{self.kind}\0{self.path}\0{'x' if self.executable else '-'}\0{self.detail}"


class FileHasher:
    """Content digests, each file read once however many services copy it."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int], str] = {}

    def digest(self, path: str, status: os.stat_result) -> str:
        key = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _file_digest(path, status.st_size)
        return known


def _file_digest(path: str, size: int) -> str:
    # os.open and not open(): half the time for the many small files that a context is made of.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        if size < _CHUNK:
            # One byte more than the file had shows whether it grew meanwhile.
            content = os.read(descriptor, size + 1)
            if len(content) == size:
                return hashlib.sha256(content).hexdigest()
            os.lseek(descriptor, 0, os.SEEK_SET)
        digest = hashlib.sha256()
        while True:
            content = os.read(descriptor, _CHUNK)
            if not content:
                return digest.hexdigest()
            digest.update(content)
    finally:
        os.close(descriptor)


class BuildContext:
    """One context folder with its ignore rules."""

    def __init__(self, root: str, rules: IgnoreRules | None = None, hasher: FileHasher | None = None) -> None:
        self.root = os.path.realpath(root)
        self.rules = rules or IgnoreRules()
        self.hasher = hasher or FileHasher()
        self._entries: dict[str, ContextEntry] = {}
        self._walked: set[str] = set()

    def select(self, patterns: Iterable[str]) -> tuple[dict[str, ContextEntry], list[str]]:
        """The entries that the sources name, and the sources that name nothing (their build would fail)."""
        if not os.path.isdir(self.root):
            raise ContextError(f"build context {self.root}: no such folder")
        self._entries, self._walked = {}, set()
        missing = []
        for pattern in dict.fromkeys(patterns):
            paths = list(self._matches(pattern))
            for path in paths:
                self._add(path)
            if not paths and not self._may_match_nothing(pattern):
                missing.append(pattern)
        return dict(sorted(self._entries.items())), missing

    def covers(self, patterns: Iterable[str], path: str) -> bool:
        """True if a path is, or would be if it existed, one of those that the sources name."""
        if self.rules.leaves_out(path):
            return False
        return any(
            pattern == "." or re.fullmatch(_go_regex(pattern) + "(?:/.*)?", path, re.DOTALL)
            for pattern in patterns
        )

    def _matches(self, pattern: str) -> Iterator[str]:
        """Paths that exist, are part of the context and match; links in the folders above are followed."""
        if pattern == ".":
            yield "."
            return
        found = [""]
        parts = pattern.split("/")
        for number, part in enumerate(parts):
            following = []
            for parent in found:
                folder = self._resolved(parent) if parent else "."
                if folder is None:
                    continue
                prefix = "" if folder == "." else f"{folder}/"
                following += [prefix + name for name in self._names(folder, part)]
            found = following
            if number < len(parts) - 1:
                continue
            for path in found:
                if not self.rules.leaves_out(path) or self._has_content(path):
                    yield path

    def _may_match_nothing(self, pattern: str) -> bool:
        """A wildcard may match nothing in a folder that is there; a plain name that is missing fails the build."""
        wildcard = _WILDCARDS.search(pattern)
        if wildcard is None:
            return False
        folder = pattern[: wildcard.start()].rpartition("/")[0]
        return not folder or (self._resolved(folder) is not None and not self.rules.may_skip_folder(folder))

    def _names(self, folder: str, part: str) -> list[str]:
        if not _WILDCARDS.search(part):
            plain = part.replace("\\", "")
            return [plain] if os.path.lexists(os.path.join(self.root, folder, plain)) else []
        regex = re.compile(_go_regex(part), re.DOTALL)
        try:
            names = os.listdir(os.path.join(self.root, folder))
        except OSError:
            return []
        return sorted(name for name in names if regex.fullmatch(name))

    def _has_content(self, path: str) -> bool:
        """An ignored folder may hold files that an exception includes again."""
        full = os.path.join(self.root, path)
        return self.rules.has_exceptions and os.path.isdir(full) and not os.path.islink(full)

    def _resolved(self, path: str) -> str | None:
        """A path with its links followed; None if that leads out of the context or nowhere."""
        full = os.path.realpath(os.path.join(self.root, path))
        if full == self.root:
            return "."
        inside = full.startswith(self.root.rstrip("/") + "/") and os.path.exists(full)
        return os.path.relpath(full, self.root) if inside else None

    def _add(self, path: str) -> None:
        full = self.root if path == "." else os.path.join(self.root, path)
        status = os.lstat(full)
        if stat.S_ISDIR(status.st_mode):
            self._walk(full, "" if path == "." else path)
            return
        if self.rules.leaves_out(path):
            return
        self._add_one(path, full, status)
        if stat.S_ISLNK(status.st_mode):
            # A source that is a link is copied as what it leads to; inside a folder links stay links.
            target = self._resolved(path)
            if target is not None and target not in self._entries and target not in self._walked:
                self._add(target)

    def _walk(self, full: str, path: str) -> None:
        if path in self._walked:
            return
        self._walked.add(path)
        known = len(self._entries)
        left_out = bool(path) and self.rules.leaves_out(path)
        try:
            children = sorted(os.scandir(full), key=lambda child: child.name)
        except OSError as error:
            raise ContextError(f"build context folder {full}: cannot be read: {error.strerror}") from error
        prefix = path + "/" if path else ""
        for child in children:
            inner = prefix + child.name
            if child.is_dir(follow_symlinks=False):
                if inner != ".git" and not self.rules.may_skip_folder(inner):
                    self._walk(child.path, inner)
            elif not self.rules.leaves_out(inner):
                self._add_one(inner, child.path, child.stat(follow_symlinks=False))
        # A folder that is left out comes back with whatever an exception includes again below it.
        if path and (not left_out or len(self._entries) > known):
            self._entries[path] = ContextEntry(path, "folder")

    def _add_one(self, path: str, full: str, status: os.stat_result) -> None:
        try:
            if stat.S_ISREG(status.st_mode):
                executable = bool(status.st_mode & 0o111)
                entry = ContextEntry(path, "file", self.hasher.digest(full, status), executable)
            elif stat.S_ISLNK(status.st_mode):
                entry = ContextEntry(path, "link", os.readlink(full))
            else:
                return  # sockets and pipes are no part of a context
        except OSError as error:
            raise ContextError(f"build context file {full}: cannot be read: {error.strerror}") from error
        self._entries[path] = entry


def _go_regex(pattern: str) -> str:
    """A COPY pattern (Go's filepath.Match) as a regular expression."""
    result = ""
    place = 0
    while place < len(pattern):
        sign = pattern[place]
        place += 1
        if sign == "*":
            result += "[^/]*"
        elif sign == "?":
            result += "[^/]"
        elif sign == "[" and pattern.find("]", place + 1) > 0:
            end = pattern.find("]", place + 1)
            inner = pattern[place:end]
            result += "[" + ("^" + inner[1:] if inner.startswith("^") else inner) + "]"
            place = end + 1
        elif sign == "\\" and place < len(pattern):
            result += re.escape(pattern[place])
            place += 1
        else:
            result += re.escape(sign)
    return result
