# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What git says about the code that a service is built from: newest commit, commits since, uncommitted paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..common.command import CommandError, try_command
from ..common.errors import PlatformError

# The user who deploys is often not the one who owns the work tree, and git refuses such trees. Whoever can write
# there decides what is built and run here anyway, so the tree is trusted; programs that its configuration may
# name are switched off all the same.
_OPTIONS = ("--no-optional-locks", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_SEPARATOR = "\x1f"


class GitError(PlatformError):
    """git gives no answer about a folder."""


@dataclass(frozen=True)
class Commit:
    id: str
    time: int
    subject: str


class GitTree:
    """One git work tree. Only reads, and takes no lock."""

    def __init__(self, top: str, timeout: float = 30) -> None:
        self.top = top
        self.timeout = timeout
        self._dirty: list[str] | None = None

    @classmethod
    def containing(cls, folder: str, timeout: float = 30) -> GitTree | None:
        """The work tree that a folder lies in; None if it lies in none."""
        try:
            answer = try_command(_command(folder, ["rev-parse", "--show-toplevel"]), timeout)
        except CommandError as error:
            raise GitError(str(error)) from error
        if answer.returncode == 0 and answer.stdout.strip():
            return cls(answer.stdout.rstrip("\n"), timeout)
        if "not a git repository" in answer.stderr.lower():
            return None
        raise GitError(f"git in {folder}: {(answer.stderr.strip().splitlines() or ['no answer'])[-1]}")

    def head(self) -> str:
        """The id of the commit that is checked out."""
        return self._run(["rev-parse", "HEAD"]).strip()

    def last_commit(self, pathspecs: Sequence[str]) -> Commit | None:
        """The newest commit (by commit time) that touches the paths; None if none does."""
        output = self._run(["log", "-1", f"--format=%H{_SEPARATOR}%ct{_SEPARATOR}%s", "--", *pathspecs])
        words = output.strip().split(_SEPARATOR, 2)
        return Commit(words[0], int(words[1]), words[2]) if len(words) == 3 else None

    def commits_after(self, moment: float, pathspecs: Sequence[str]) -> int:
        """How many commits of the second of a moment, or younger, touch the paths."""
        output = self._run(["log", "--format=%ct", "--", *pathspecs])
        return sum(int(line) >= int(moment) for line in output.split())

    def dirty(self, reads: Callable[[str], bool]) -> list[str]:
        """Uncommitted paths (changed, deleted, untracked) for which ``reads`` is true, relative to the tree."""
        if self._dirty is None:
            output = self._run(["status", "--porcelain=v1", "-z", "--untracked-files=all", "--no-renames"])
            self._dirty = [entry[3:] for entry in output.split("\0") if len(entry) > 3]
        return sorted(path for path in self._dirty if reads(os.path.join(self.top, path)))

    def tracks(self, path: str) -> bool:
        """True if a file is known to git."""
        return bool(self._run(["ls-files", "--", self.literal(path)]).strip())

    def holds(self, path: str) -> bool:
        return path == self.top or path.startswith(self.top.rstrip("/") + "/")

    def literal(self, path: str) -> str:
        """The pathspec of exactly one path or folder."""
        relative = self._relative(path)
        return ":/" if relative == "." else f":(top,literal){relative}"

    def pathspecs(self, folder: str, pattern: str) -> list[str]:
        """The pathspecs of a COPY source: a wildcard stays inside one name, and a folder means what is in it."""
        if not any(sign in pattern for sign in "*?["):
            return [self.literal(os.path.normpath(os.path.join(folder, pattern)))]
        glob = f":(top,glob){self._relative(os.path.join(folder, pattern))}"
        return [glob, f"{glob}/**"]

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, self.top)

    def _run(self, arguments: Sequence[str]) -> str:
        try:
            answer = try_command(_command(self.top, arguments), self.timeout)
        except CommandError as error:
            raise GitError(str(error)) from error
        if answer.returncode != 0:
            last = (answer.stderr.strip().splitlines() or [f"exit code {answer.returncode}"])[-1]
            if "does not have any commits yet" in answer.stderr:
                return ""
            raise GitError(f"git {arguments[0]} in {self.top}: {last}")
        return answer.stdout


def _command(folder: str, arguments: Sequence[str]) -> list[str]:
    return ["git", *_OPTIONS, "-c", "safe.directory=*", "-C", folder, *arguments]
