# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks that come before the first change. Each says what it found, what it expected, and how to fix it.

All of them only read, and all of them run, so that one run shows everything that is in the way.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..clickhouse.client import ClickhouseError, Login, connect
from ..common.command import CommandError
from ..compose.config import (
    ComposeConfig,
    ComposeError,
    ComposeProject,
    ComposeReader,
    locate_project,
    running_project_name,
)
from ..docker.engine import Engine
from ..sources.digest import build_spec
from ..sources.git import GitError, GitTree
from .connectivity import Connectivity
from .finding import ERROR, WARNING, Finding, as_findings
from .project import listening, same_names, taken, unset_variables
from .services import PLACEHOLDERS, ServiceChecks

_GIB = 1024**3


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
    # Where unset variables and placeholders are errors, and not only warnings.
    strict: bool = False
    placeholders: Sequence[str] = PLACEHOLDERS
    try_logins: bool = True
    connectivity_image: str = ""


def existing_parent(path: str) -> str:
    """Return the path itself or its nearest parent that exists."""
    while not os.path.exists(path):
        path = os.path.dirname(path) or "/"
    return path


def _is_read_only(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


class Preflight:
    """Runs every check and collects what each found."""

    def __init__(self, wanted: Wanted, engine: Engine | None = None) -> None:
        self.wanted = wanted
        self.engine = engine or Engine()
        # As the compose file is now, and with the services that the deploy adds.
        self.config: ComposeConfig | None = None
        self.full: ComposeConfig | None = None
        self.project: ComposeProject | None = None
        # The name that the running containers carry; one that differs from the wanted one is a finding.
        self.running = wanted.project_name
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
            ("state directory", self.records_can_be_kept),
            ("variables", self.variables_are_set),
            ("names and ports", self.names_and_ports_are_free),
            ("services' settings", self.settings_hold),
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
        except CommandError as error:
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
            reader = ComposeReader(self.engine, project)
            self.config = self.full = reader.config()
            self.project = project
            known = self.config.services
            extras = {name: one for name, one in wanted.extra_services.items() if name not in known}
            if extras:
                self.full = reader.config(extra={"services": extras})
            given = wanted.project_name or self.config.name
            self.running = running_project_name(self.engine, project, given)
        except (ComposeError, CommandError) as error:
            remedy = "Set platform_project_dir and platform_compose_file, or fix the file."
            yield Finding(
                "compose file", path, str(error), "a file that 'docker compose config' accepts", remedy
            )
            return
        if wanted.project_name and self.running != wanted.project_name:
            found = f"containers of this folder in project {self.running}"
            remedy = "Set platform_project_name: another name would mean new, empty volumes."
            yield Finding("compose file", path, found, f"project {wanted.project_name}", remedy)

    def services_exist(self) -> Iterator[Finding]:
        if self.config is None:
            return
        known = ", ".join(sorted(self.config.services))
        for name in self.wanted.services:
            if name not in self.config.services and name not in self.wanted.extra_services:
                remedy = "Correct the name in platform_services."
                yield Finding(
                    "services",
                    name,
                    f"no such service in the compose file (it has {known})",
                    "a service",
                    remedy,
                )

    def code_exists(self) -> Iterator[Finding]:
        for name, path in self._dockerfiles():
            if not os.path.isfile(path):
                remedy = "Bring the service's code to this host first."
                expected = "the Dockerfile that the service is built from"
                yield Finding("service code", name, f"no file {path}", expected, remedy)

    def code_is_committed(self) -> Iterator[Finding]:
        folder = self.wanted.project_dir
        sources = [os.path.dirname(path) for _name, path in self._dockerfiles()]
        if not sources or not os.path.isdir(folder):
            return
        remedy = "Deploy from a git work tree, so that a release can say which code it is."
        try:
            tree = GitTree.containing(folder)
            if tree is None:
                yield Finding(
                    "committed code", folder, "a folder that is not in git", "a git work tree", remedy
                )
                return
            dirty = tree.dirty(lambda path: any(path.startswith(source + os.sep) for source in sources))
        except GitError as error:
            yield Finding("committed code", folder, str(error), "an answer from git", remedy)
            return
        if dirty:
            shown = ", ".join(dirty[:5]) + (f" and {len(dirty) - 5} more" if len(dirty) > 5 else "")
            remedy = "Commit or stash it: what is deployed must be what git knows."
            yield Finding(
                "committed code", folder, f"uncommitted changes in {shown}", "committed code", remedy
            )

    def disk_has_room(self) -> Iterator[Finding]:
        places = {"the release records": self.wanted.state_dir, "the backend": self.wanted.project_dir}
        with contextlib.suppress(CommandError):  # engine_answers has said so already
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
            remedy = "Check platform_clickhouse_host, _port, _user and _password against the server."
            yield Finding("ClickHouse", login.address, str(error), f"a login as {login.user!r}", remedy)
            return
        if self.wanted.database not in databases:
            remedy = "Check platform_clickhouse_database, or create the database."
            yield Finding(
                "ClickHouse",
                login.address,
                f"no database {self.wanted.database}",
                "the platform's database",
                remedy,
            )

    def records_can_be_kept(self) -> Iterator[Finding]:
        """Backups and records need a place that can be written, and the compose file a folder that can."""
        places = [
            (self.wanted.state_dir, "the release records"),
            (self.wanted.project_dir, "the compose file"),
        ]
        for path, what in places:
            place = existing_parent(path)
            if not os.path.isdir(place) or not os.access(place, os.W_OK | os.X_OK) or _is_read_only(place):
                remedy = "Give this user the right to write there, or name another place."
                found = "no folder that this user can write to"
                yield Finding("state directory", f"{path} ({what})", found, "one that it can", remedy)

    def variables_are_set(self) -> Iterator[Finding]:
        if self.full is None or self.project is None:
            return
        texts = {}
        for path in self.project.files:
            with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as handle:
                texts[path] = handle.read()
        yield from unset_variables(self.full, texts, ERROR if self.wanted.strict else WARNING)

    def names_and_ports_are_free(self) -> Iterator[Finding]:
        if self.full is None:
            return
        yield from same_names(self.full)
        try:
            containers = self.engine.containers_by_filter([])
        except CommandError:
            return  # engine_answers has said so already
        yield from taken(self.full, self.wanted.services, containers, self.running)
        yield from listening(self.full, self.wanted.services, containers)

    def settings_hold(self) -> Iterator[Finding]:
        """The configuration of the services: values, hosts, mounted files, and their logins tried for real."""
        if self.full is None:
            return
        wanted = self.wanted
        checks = ServiceChecks(self.full, wanted.services, wanted.strict, wanted.placeholders)
        connectivity = Connectivity(self.engine, self.connectivity_images()) if wanted.try_logins else None
        yield from checks.placeholders_left()
        yield from checks.files_contradict()
        yield from checks.hosts_resolve(connectivity)
        if connectivity is not None:
            yield from checks.logins_work(connectivity)

    def connectivity_images(self) -> list[str]:
        """The images that a connection may be tried in: those of the services to deploy, then those of the project's other containers."""
        if self.wanted.connectivity_image:
            return [self.wanted.connectivity_image]
        try:
            own = self.engine.containers(self.running)
        except CommandError:
            return []
        own.sort(key=lambda one: (one.service not in self.wanted.services, not self._is_built(one.service)))
        return [one.image_id for one in own]

    def _is_built(self, service: str) -> bool:
        known = self.full.services if self.full else {}
        return service in known and build_spec(known[service]) is not None

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
