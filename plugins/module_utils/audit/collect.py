# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Collects what the audit judges: few calls for all services together, and none that changes anything."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.times import creation_time
from ..compose.config import (
    ComposeConfig,
    ComposeProject,
    ComposeReader,
    check_known,
    image_name,
    running_containers,
    running_project_name,
    runs_once,
    spelled_as_running,
)
from ..docker.engine import LABEL_DEPENDS_ON, Container, Engine, ImageInfo
from ..sources.context import FileHasher
from ..sources.digest import BuildSpec, SourceError, SourceState, base_is_current, build_spec, read_sources
from ..sources.git import GitError, GitTree
from .judge import CodeState, NewerFile, ServiceFacts

# More files than this in a mounted folder are data, not configuration.
_MOUNT_FILES = 20_000


@dataclass(frozen=True)
class AuditSpec:
    """What is to be looked at, and how."""

    services: Sequence[str] = ()
    extra_services: Mapping[str, Any] = field(default_factory=dict)
    source_paths: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ignored_mount_files: Sequence[str] = ()
    stale_base_counts: bool = False


@dataclass(frozen=True)
class ServiceSight:
    """Everything seen of one service: the facts to judge, and what only the report shows."""

    facts: ServiceFacts
    spec: BuildSpec | None
    sources: SourceState | None


class ServiceInspector:
    """Looks at the services of one project."""

    def __init__(self, engine: Engine, project: ComposeProject, spec: AuditSpec) -> None:
        self.engine = engine
        self.spec = spec
        self.project = project
        self.hasher = FileHasher()
        self._trees: dict[str, GitTree | None] = {}
        self.config, self.project_name, self.extras = self._read_config()

    def look(self) -> list[ServiceSight]:
        """Look at the wanted services, or at all that the compose file and the extras name."""
        names = list(dict.fromkeys(self.spec.services)) or list(self.config.services)
        check_known(self.config, names)
        specs = {name: build_spec(self.config.services[name]) for name in names}
        sources, problems = self._read_sources(specs)
        references = [self.image_reference(name) for name in names]
        bases = [state.inputs.target_base for state in sources.values()]
        images = self.engine.images([*references, *(base for base in bases if base not in ("", "scratch"))])
        containers: dict[str, list[Container]] = {}
        for container in self.engine.containers(self.project_name):
            containers.setdefault(container.service, []).append(container)
        matches = self._config_matches(containers)
        sights = []
        for name in names:
            state = sources.get(name)
            image = images.get(self.image_reference(name))
            base = images.get(state.inputs.target_base) if state is not None else None
            code, code_problem = self._code(name, specs[name], state, image)
            own = tuple(containers.get(name, ()))
            newer, missing = self._mounts(name, own)
            facts = ServiceFacts(
                name=name,
                image_ref=self.image_reference(name),
                in_compose=name not in self.extras,
                built_locally=specs[name] is not None,
                wanted=name in self.spec.services or not self.config.services[name].get("profiles"),
                one_shot=runs_once(self.config, name),
                image=image,
                containers=own,
                source_digest=state.digest if state is not None else None,
                source_problem=problems.get(name, ""),
                code=code,
                code_problem=code_problem,
                config_matches=matches.get(name) if own else None,
                newer_files=newer,
                missing_mounts=missing,
                missing_sources=state.missing if state is not None else (),
                base_current=base_is_current(image, base) if image is not None else None,
                base_image=state.inputs.target_base if state is not None else "",
                stale_base_counts=self.spec.stale_base_counts,
            )
            sights.append(ServiceSight(facts, specs[name], state))
        return sights

    def image_reference(self, name: str) -> str:
        """The image name of a service, with its tag."""
        reference = image_name(self.config, name)
        if not self.config.services[name].get("image") and self.project_name != self.config.name:
            reference = f"{self.project_name}-{name}"
        return reference if "@" in reference or ":" in reference.rsplit("/", 1)[-1] else f"{reference}:latest"

    def _read_config(self) -> tuple[ComposeConfig, str, set[str]]:
        """The model with the extra services in it, the project's real name, and which services are extra."""
        containers = running_containers(self.engine, self.project.directory)
        self.project = spelled_as_running(self.project, containers)
        reader = ComposeReader(self.engine, self.project)
        config = reader.config()
        name = self.project.name or running_project_name(self.engine, self.project, config.name, containers)
        if name != config.name:
            self.project = ComposeProject(
                self.project.directory, self.project.files, self.project.env_files, name
            )
            reader = ComposeReader(self.engine, self.project)
            config = reader.config()
        self.reader = reader
        extras = {name: one for name, one in self.spec.extra_services.items() if name not in config.services}
        if extras:
            config = reader.config(extra={"services": extras})
        return config, name, set(extras)

    def _read_sources(
        self, specs: Mapping[str, BuildSpec | None]
    ) -> tuple[dict[str, SourceState], dict[str, str]]:
        found: dict[str, SourceState] = {}
        problems: dict[str, str] = {}
        for name, spec in specs.items():
            if spec is None:
                continue
            try:
                found[name] = read_sources(spec, self.hasher)
            except SourceError as error:
                problems[name] = str(error)
        return found, problems

    def _config_matches(self, containers: Mapping[str, Sequence[Container]]) -> dict[str, bool | None]:
        """Service → whether its containers' config hash is the compose file's; None where it has none."""
        wanted = self.reader.hashes()
        matches: dict[str, bool | None] = {}
        for name, own in containers.items():
            labels = {one.config_hash for one in own}
            if "" in labels or name not in wanted:
                matches[name] = None
            else:
                matches[name] = labels == {wanted[name]}
        doubtful = {
            name: containers[name][0].labels.get(LABEL_DEPENDS_ON, "")
            for name, matching in matches.items()
            if matching is False and LABEL_DEPENDS_ON in containers[name][0].labels
        }
        # A dependency that the file no longer has cannot be put into an override.
        doubtful = {
            name: label
            for name, label in doubtful.items()
            if all(entry.split(":")[0] in self.config.services for entry in label.split(",") if entry)
        }
        if doubtful:
            without = self.reader.hashes(doubtful)
            for name in doubtful:
                matches[name] = {one.config_hash for one in containers[name]} == {without.get(name)}
        return matches

    def _code(
        self, name: str, spec: BuildSpec | None, state: SourceState | None, image: ImageInfo | None
    ) -> tuple[CodeState | None, str]:
        if spec is None or spec.is_remote:
            return None, ""
        try:
            tree = self._tree(spec.context)
            if tree is None:
                return None, f"{spec.context} lies in no git work tree"
            paths = [
                os.path.join(self.project.directory, path) for path in self.spec.source_paths.get(name, ())
            ]
            paths = [os.path.realpath(path) for path in paths]
            specs = [tree.literal(path) for path in paths] or self._pathspecs(tree, spec, state)
            commit = tree.last_commit(specs)
            dirty = tree.dirty(lambda path: _below(path, paths) if paths else _reads(state, path))
            if commit is None:
                return None, "no commit holds its code"
            created = creation_time(image.created) if image is not None else None
            since = tree.commits_after(created.timestamp(), specs) if created is not None else 0
        except GitError as error:
            return None, str(error)
        return CodeState(commit.time, commit.id, commit.subject, tuple(dirty), since), ""

    def _pathspecs(self, tree: GitTree, spec: BuildSpec, state: SourceState | None) -> list[str]:
        """What git is asked about: the Dockerfile and what it copies; its folder if that is unknown."""
        if state is None:
            return [tree.literal(os.path.realpath(os.path.dirname(spec.dockerfile_path)))]
        specs = [one for pattern in state.patterns for one in tree.pathspecs(state.context, pattern)]
        if state.dockerfile and tree.holds(state.dockerfile):
            specs.append(tree.literal(state.dockerfile))
        return specs or [tree.literal(state.context)]

    def _tree(self, folder: str) -> GitTree | None:
        if folder not in self._trees:
            found = GitTree.containing(folder)
            known = [
                one for one in self._trees.values() if one is not None and found and one.top == found.top
            ]
            self._trees[folder] = known[0] if known else found
        return self._trees[folder]

    def _mounts(self, name: str, own: Sequence[Container]) -> tuple[tuple[NewerFile, ...], tuple[str, ...]]:
        """Mounted files that changed after the oldest container started, and mounts that are not there."""
        starts = [found for found in (creation_time(one.started_at) for one in own) if found is not None]
        if not starts:
            return (), ()
        start = min(starts).timestamp()
        newer: list[NewerFile] = []
        missing: list[str] = []
        for path, writable in self._mounted_paths(name):
            if not os.path.lexists(path):
                missing.append(path)
            elif not writable or (os.path.isfile(path) and self._is_tracked(path)):
                newer += self._newer_files(path, start)
        return tuple(newer), tuple(missing)

    def _mounted_paths(self, name: str) -> Iterator[tuple[str, bool]]:
        """Bind mounts, and the configs and secrets that are files of this host, with whether they are writable."""
        service = self.config.services[name]
        for mount in service.get("volumes") or ():
            if isinstance(mount, Mapping) and mount.get("type") == "bind" and mount.get("source"):
                yield str(mount["source"]), not mount.get("read_only")
        for kind in ("configs", "secrets"):
            for one in service.get(kind) or ():
                source = (self.config.model.get(kind) or {}).get(
                    one.get("source") if isinstance(one, Mapping) else one
                )
                if isinstance(source, Mapping) and source.get("file"):
                    yield str(source["file"]), False

    def _is_tracked(self, path: str) -> bool:
        """A writable mounted file is configuration if git knows it; else it may be the container's own data."""
        real = os.path.realpath(path)
        try:
            tree = self._tree(os.path.dirname(real))
            return tree is not None and tree.tracks(real)
        except GitError:
            return False

    def _newer_files(self, root: str, start: float) -> list[NewerFile]:
        newer: list[NewerFile] = []
        for count, path in enumerate(self._files_below(root)):
            if count >= _MOUNT_FILES:
                break
            try:
                changed = os.stat(path).st_mtime
            except OSError:
                continue  # gone between listing and looking, or a link that leads nowhere
            if changed > start:
                newer.append(NewerFile(path, changed))
        return newer

    def _files_below(self, root: str) -> Iterator[str]:
        if os.path.isfile(root):
            yield root
            return
        for folder, folders, names in os.walk(root):
            folders[:] = sorted(one for one in folders if not self._is_ignored(one))
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not self._is_ignored(name) and os.path.isfile(path):
                    yield path

    def _is_ignored(self, name: str) -> bool:
        return any(fnmatch.fnmatchcase(name, pattern) for pattern in self.spec.ignored_mount_files)


def _below(path: str, folders: Sequence[str]) -> bool:
    return any(path == folder or path.startswith(folder.rstrip("/") + "/") for folder in folders)


def _reads(state: SourceState | None, path: str) -> bool:
    return state is None or state.reads(path)
