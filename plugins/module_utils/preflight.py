# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that come before the first change. Each says what it found, what it expected, and how to mend it.

All of them only read, and all of them run, so that one run shows everything that is in the way.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .clickhouse_client import ClickhouseError, Login, connect
from .compose_config import ComposeConfig, ComposeError, ComposeReader, locate_project, running_project_name
from .engine import Engine, EngineError
from .git_source import GitError, GitTree

_GIB = 1024**3


@dataclass(frozen=True)
class Finding:
    """Something that is in the way of a deploy."""

    check: str
    object: str
    found: str
    expected: str
    mend: str

    def text(self) -> str:
        return f"[{self.check}] {self.object}: found {self.found}, expected {self.expected}. {self.mend}"


@dataclass(frozen=True)
class Wanted:
    """What a deploy needs. Sizes in bytes, paths as on this host."""

    project_dir: str
    files: tuple[str, ...]
    env_files: tuple[str, ...]
    project_name: str
    services: tuple[str, ...]
    extra_services: Mapping[str, Any]
    state_dir: str
    min_free: int
    database: str
    login: Login | None


def as_findings(findings: Sequence[Finding]) -> list[dict[str, str]]:
    """Return findings as plain dictionaries, each with its sentence under ``text``."""
    return [{**asdict(finding), "text": finding.text()} for finding in findings]


def existing_parent(path: str) -> str:
    """Return the path itself or its nearest parent that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    return path


class Preflight:
    """Runs every check and collects what each found."""

    def __init__(self, wanted: Wanted, engine: Engine | None = None) -> None:
        self.wanted = wanted
        self.engine = engine or Engine()
        self.config: ComposeConfig | None = None
        self.checks: list[str] = []

    def run(self) -> list[dict[str, str]]:
        """Run all checks; a check whose ground another one found missing has nothing to say of its own."""
        steps: Sequence[tuple[str, Callable[[], Iterator[Finding]]]] = (
            ("engine", self.engine_answers),
            ("compose file", self.compose_file_reads),
            ("services", self.services_exist),
            ("service code", self.code_exists),
            ("committed code", self.code_is_committed),
            ("disk space", self.disk_has_room),
            ("ClickHouse", self.clickhouse_answers),
        )
        findings: list[Finding] = []
        for name, check in steps:
            self.checks.append(name)
            findings.extend(check())
        return as_findings(findings)

    def engine_answers(self) -> Iterator[Finding]:
        try:
            self.engine.info()
            self.engine.run(["compose", "version", "--short"])
            self.engine.run(["buildx", "version"])
        except EngineError as error:
            expected = "a Docker engine with the plugins compose (v2) and buildx"
            yield Finding(
                "engine",
                "docker",
                str(error),
                expected,
                "Start or install it, or give this user access to it.",
            )

    def compose_file_reads(self) -> Iterator[Finding]:
        wanted = self.wanted
        path = os.path.join(wanted.project_dir, wanted.files[0] if wanted.files else "docker-compose.yml")
        try:
            project = locate_project(wanted.project_dir, wanted.files, wanted.env_files, wanted.project_name)
            self.config = ComposeReader(self.engine, project).config()
            running = running_project_name(self.engine, project, wanted.project_name)
        except (ComposeError, EngineError) as error:
            mend = "Set platform_project_dir and platform_compose_file, or mend the file."
            yield Finding(
                "compose file", path, str(error), "a file that 'docker compose config' accepts", mend
            )
            return
        if running != wanted.project_name:
            found = f"containers of this folder in project {running}"
            mend = "Set platform_project_name: another name would mean new, empty volumes."
            yield Finding("compose file", path, found, f"project {wanted.project_name}", mend)

    def services_exist(self) -> Iterator[Finding]:
        if self.config is None:
            return
        known = ", ".join(sorted(self.config.services))
        for name in self.wanted.services:
            if name not in self.config.services and name not in self.wanted.extra_services:
                mend = "Correct the name in platform_services."
                yield Finding(
                    "services",
                    name,
                    f"no such service in the compose file (it has {known})",
                    "a service",
                    mend,
                )

    def code_exists(self) -> Iterator[Finding]:
        for name, path in self._dockerfiles():
            if not os.path.isfile(path):
                mend = "Bring the service's code to this host first."
                expected = "the Dockerfile that the service is built from"
                yield Finding("service code", name, f"no file {path}", expected, mend)

    def code_is_committed(self) -> Iterator[Finding]:
        folder = self.wanted.project_dir
        sources = [os.path.dirname(path) for _name, path in self._dockerfiles()]
        if not sources or not os.path.isdir(folder):
            return
        mend = "Deploy from a git work tree, so that a release can say which code it is."
        try:
            tree = GitTree.containing(folder)
            if tree is None:
                yield Finding(
                    "committed code", folder, "a folder that is not in git", "a git work tree", mend
                )
                return
            dirty = tree.dirty(lambda path: any(path.startswith(source + os.sep) for source in sources))
        except GitError as error:
            yield Finding("committed code", folder, str(error), "an answer from git", mend)
            return
        if dirty:
            shown = ", ".join(dirty[:5]) + (f" and {len(dirty) - 5} more" if len(dirty) > 5 else "")
            mend = "Commit or stash it: what is deployed must be what git knows."
            yield Finding("committed code", folder, f"uncommitted changes in {shown}", "committed code", mend)

    def disk_has_room(self) -> Iterator[Finding]:
        places = {"the release records": self.wanted.state_dir, "the backend": self.wanted.project_dir}
        with contextlib.suppress(EngineError):  # engine_answers has said so already
            places["the images"] = str(self.engine.info().get("DockerRootDir") or "/")
        seen: set[int] = set()
        for what, path in places.items():
            place = existing_parent(path)
            device = os.stat(place).st_dev
            free = shutil.disk_usage(place).free
            if device not in seen and free < self.wanted.min_free:
                found, expected = (
                    f"{free / _GIB:.2f} GiB free",
                    f"at least {self.wanted.min_free / _GIB:.2f} GiB",
                )
                yield Finding(
                    "disk space",
                    f"{place} ({what})",
                    found,
                    expected,
                    "Free some space, or lower preflight_min_free_gib.",
                )
            seen.add(device)

    def clickhouse_answers(self) -> Iterator[Finding]:
        login = self.wanted.login
        if login is None:
            return
        try:
            with connect(login) as connection:
                databases = {row[0] for row in connection.query("SELECT name FROM system.databases").rows}
        except ClickhouseError as error:
            mend = "Check platform_clickhouse_host, _port, _user and _password against the server."
            yield Finding("ClickHouse", login.address, str(error), f"a login as {login.user!r}", mend)
            return
        if self.wanted.database not in databases:
            mend = "Check platform_clickhouse_database, or create the database."
            yield Finding(
                "ClickHouse",
                login.address,
                f"no database {self.wanted.database}",
                "the platform's database",
                mend,
            )

    def revision(self) -> str:
        """Return the commit that the backend is at, "" if git does not know one."""
        try:
            tree = GitTree.containing(self.wanted.project_dir)
            return tree.head() if tree else ""
        except GitError:
            return ""

    def _dockerfiles(self) -> Iterator[tuple[str, str]]:
        """Yield each service that is built here, with the path of its Dockerfile."""
        known = self.config.services if self.config else {}
        for name in self.wanted.services:
            service = known.get(name) or self.wanted.extra_services.get(name) or {}
            build = service.get("build")
            if isinstance(build, str):
                build = {"context": build}
            if isinstance(build, Mapping):
                context = os.path.join(self.wanted.project_dir, str(build.get("context") or "."))
                yield (
                    name,
                    os.path.normpath(os.path.join(context, str(build.get("dockerfile") or "Dockerfile"))),
                )
