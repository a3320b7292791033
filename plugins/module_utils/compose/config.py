# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A Compose project as ``docker compose config`` sees it.

Compose is the only judge of a compose file: interpolation, merging, profiles, path rules and the config hash
are its own, so they are asked for and never imitated.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..common.command import CommandError, CommandResult, run_command
from ..common.errors import PlatformError
from ..docker.engine import LABEL_PROJECT, LABEL_WORKING_DIR, Container, Engine

DEFAULT_FILES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
DEFAULT_OVERRIDES = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)

_WARNING = re.compile(r'level=warning msg="(?P<text>(?:[^"\\]|\\.)*)"')
_UNSET = re.compile(r'The "(?P<name>[^"]+)" variable is not set')


class ComposeError(PlatformError):
    """The compose project cannot be read, or compose refuses it."""


@dataclass(frozen=True)
class ComposeProject:
    """Where a project lies and how it is to be read; everything is as the user gave it, made absolute."""

    directory: str
    files: tuple[str, ...]
    env_files: tuple[str, ...] = ()
    name: str | None = None


@dataclass(frozen=True)
class ComposeConfig:
    """The resolved model, with what compose warned about on the way."""

    model: Mapping[str, Any]
    warnings: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return str(self.model.get("name") or "")

    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]:
        return self.model.get("services") or {}

    @property
    def unset_variables(self) -> list[str]:
        """Variables that the file uses without a default and that nothing sets (compose takes "")."""
        found = (_UNSET.search(warning) for warning in self.warnings)
        return sorted({match.group("name") for match in found if match})


def locate_project(
    directory: str,
    files: Sequence[str] = (),
    env_files: Sequence[str] = (),
    name: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> ComposeProject:
    """Find the files of a project by compose's own rules and check that they are there.

    Relative paths are relative to the project directory. Without ``files``: ``COMPOSE_FILE`` from the
    environment or from the env files, else the first default name with its override file beside it.
    """
    root = os.path.abspath(os.path.expanduser(directory))
    if not os.path.isdir(root):
        found = "a file" if os.path.exists(root) else "nothing"
        raise ComposeError(f"project directory {root}: expected a directory, found {found}")
    chosen_env = tuple(_absolute(root, one) for one in env_files)
    for path in chosen_env:
        if not os.path.isfile(path):
            raise ComposeError(f"env file {path}: no such file")
    chosen = [_absolute(root, one) for one in files] or _files_from_settings(root, chosen_env, environment)
    if not chosen:
        chosen = default_files(root)
    if not chosen:
        raise ComposeError(f"no compose file in {root}: expected one of {', '.join(DEFAULT_FILES)}")
    for path in chosen:
        if not os.path.isfile(path):
            raise ComposeError(f"compose file {path}: no such file")
    return ComposeProject(root, tuple(chosen), chosen_env, name or None)


def default_files(root: str) -> list[str]:
    """The compose file that compose picks in a directory, and the override file that it adds."""
    chosen = [os.path.join(root, name) for name in DEFAULT_FILES if os.path.isfile(os.path.join(root, name))]
    if not chosen:
        return []
    overrides = [os.path.join(root, name) for name in DEFAULT_OVERRIDES]
    return chosen[:1] + [path for path in overrides if os.path.isfile(path)][:1]


def _absolute(root: str, path: str) -> str:
    return os.path.normpath(os.path.join(root, os.path.expanduser(path)))


def _files_from_settings(
    root: str, env_files: Sequence[str], environment: Mapping[str, str] | None
) -> list[str]:
    settings: dict[str, str] = {}
    for path in env_files or [os.path.join(root, ".env")]:
        settings.update(_compose_settings(path))
    settings.update(os.environ if environment is None else environment)
    listed = settings.get("COMPOSE_FILE", "")
    separator = settings.get("COMPOSE_PATH_SEPARATOR") or os.pathsep
    return [_absolute(root, one) for one in listed.split(separator) if one]


def _compose_settings(path: str) -> dict[str, str]:
    """The COMPOSE_* settings of an env file; its other lines are no business of ours."""
    try:
        with open(path, encoding="utf-8", errors="replace") as handle:
            lines = handle.read().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        name, equals, value = line.strip().partition("=")
        name = name.strip()
        if equals and name.startswith("COMPOSE_"):
            found[name] = value.strip().strip("'\"")
    return found


class ComposeReader:
    """Asks ``docker compose config`` about one project."""

    def __init__(self, engine: Engine, project: ComposeProject) -> None:
        self.engine = engine
        self.project = project

    def arguments(self, files: Sequence[str] | None = None) -> list[str]:
        """The global options of ``docker compose`` that select this project."""
        arguments = ["compose", "--project-directory", self.project.directory]
        for path in self.project.files if files is None else files:
            arguments += ["--file", path]
        for path in self.project.env_files:
            arguments += ["--env-file", path]
        if self.project.name:
            arguments += ["--project-name", self.project.name]
        return arguments

    def config(
        self,
        extra: Mapping[str, Any] | None = None,
        files: Sequence[str] | None = None,
        stdin: str | None = None,
    ) -> ComposeConfig:
        """The resolved model with every profile switched on.

        ``extra`` is one more compose document, laid over the files. ``files`` and ``stdin`` replace the
        project's own list: "-" in the list stands for the text.
        """
        paths = list(self.project.files if files is None else files)
        if extra is not None:
            paths.append("-")
            stdin = json.dumps(extra)
        result = self._config(paths, ["--format", "json"], stdin)
        try:
            model = json.loads(result.stdout)
        except ValueError as error:
            raise ComposeError(f"docker compose config of {paths[0]}: its output is not JSON") from error
        return ComposeConfig(model, tuple(compose_warnings(result.stderr)))

    def hashes(self, dependencies: Mapping[str, str] | None = None) -> dict[str, str]:
        """Service name → config hash, as ``docker compose up`` would write it into the container's label.

        With ``dependencies`` (service → label ``com.docker.compose.depends_on`` of its container) the hashes
        are those of a file in which the services have just these dependencies: ``up --no-deps`` drops the
        dependencies that it leaves out *before* it computes the hash, so the hash of such a container never
        equals that of the file, although nothing differs.
        """
        files = [*self.project.files, "-"] if dependencies else list(self.project.files)
        stdin = _dependency_override(dependencies) if dependencies else None
        lines = self._config(files, ["--hash", "*"], stdin).stdout.splitlines()
        pairs = (line.split() for line in lines if line.strip())
        return {words[0]: words[1] for words in pairs if len(words) == 2}

    def _config(self, files: Sequence[str], options: Sequence[str], stdin: str | None) -> CommandResult:
        arguments = [*self.arguments(files), "--profile", "*", "config", *options]
        try:
            return run_command(
                [self.engine.binary, *arguments],
                self.engine.timeout,
                self.project.directory,
                stdin,
                self.engine.env,
            )
        except CommandError as error:
            if error.returncode is None:
                raise ComposeError(str(error)) from error
            said = "; ".join(clean_compose_message(line) for line in error.stderr_tail) or str(error)
            raise ComposeError(said) from error


def _dependency_override(dependencies: Mapping[str, str]) -> str:
    """A compose document that replaces depends_on; the tags !override and !reset keep it from being JSON."""
    lines = ["services:"]
    for service, label in dependencies.items():
        wanted = parse_depends_on(label)
        lines.append(f"  {json.dumps(service)}:")
        lines.append(f"    depends_on: {'!override ' + json.dumps(wanted) if wanted else '!reset []'}")
    return "\n".join(lines) + "\n"


def named_project(
    engine: Engine, directory: str, files: Sequence[str], env_files: Sequence[str], name: str | None
) -> ComposeProject:
    """The project under its real name: the given one, else that of the directory's containers, else that of the files."""
    project = locate_project(directory, files, env_files, name)
    containers = running_containers(engine, project.directory)
    project = spelled_as_running(project, containers)
    if project.name:
        return project
    given = ComposeReader(engine, project).config().name
    return replace(project, name=running_project_name(engine, project, given, containers))


def text_judge(
    engine: Engine,
    path: str,
    directory: str | None = None,
    files: Sequence[str] = (),
    env_files: Sequence[str] = (),
    name: str | None = None,
) -> Callable[[str], Mapping[str, Any]]:
    """A function that has compose resolve the project with another text in the place of one of its files.

    The text goes in through stdin, so nothing is written beside the file, in check mode either.
    """
    root = os.path.abspath(directory or os.path.dirname(path))
    chosen = [_absolute(root, one) for one in files] or default_files(root)
    if path not in chosen:
        chosen = [path, *chosen] if files else [path]
    project = locate_project(root, chosen, env_files, name)
    reader = ComposeReader(engine, project)
    listed = ["-" if one == path else one for one in chosen]

    def judge(text: str) -> Mapping[str, Any]:
        return reader.config(files=listed, stdin=text).model

    return judge


def parse_depends_on(label: str) -> dict[str, dict[str, Any]]:
    """The label's "db:service_started:false,nats:…" as a depends_on mapping."""
    wanted: dict[str, dict[str, Any]] = {}
    for entry in label.split(","):
        words = entry.split(":")
        if words[0]:
            wanted[words[0]] = {
                "condition": words[1] if len(words) > 1 and words[1] else "service_started",
                "restart": len(words) > 2 and words[2] == "true",
                "required": True,
            }
    return wanted


def compose_warnings(stderr: str) -> list[str]:
    """The texts of compose's warnings, once each."""
    texts = (match.group("text").replace('\\"', '"') for match in _WARNING.finditer(stderr))
    return list(dict.fromkeys(texts))


def clean_compose_message(line: str) -> str:
    """One line of compose's stderr without time and level."""
    match = re.search(r'level=\w+ msg="(?P<text>(?:[^"\\]|\\.)*)"', line)
    return match.group("text").replace('\\"', '"') if match else line.strip()


def image_name(config: ComposeConfig, service: str) -> str:
    """The image that compose uses for a service: its ``image``, or ``<project>-<service>``."""
    return str(config.services[service].get("image") or f"{config.name}-{service}")


def runs_once(config: ComposeConfig, service: str) -> bool:
    """True for a service that is meant to end: by its restart policy, or because another one waits for its successful end."""
    if config.services[service].get("restart") in ("no", "on-failure"):
        return True
    return any(
        (other.get("depends_on") or {}).get(service, {}).get("condition") == "service_completed_successfully"
        for other in config.services.values()
    )


def check_known(config: ComposeConfig, services: Iterable[str]) -> None:
    """Raise for the first service that the project does not have, and list those that it has."""
    for service in services:
        if service not in config.services:
            known = ", ".join(sorted(config.services)) or "none"
            raise ComposeError(f"service {service} is not in the compose project; it has: {known}")


def running_containers(engine: Engine, directory: str) -> list[Container]:
    """The containers that compose made in a directory, however it was spelled then."""
    real = os.path.realpath(directory)
    found = engine.containers_by_filter([f"label={LABEL_WORKING_DIR}"])
    return [
        one
        for one in found
        if not one.oneoff and os.path.realpath(one.labels.get(LABEL_WORKING_DIR, "")) == real
    ]


def running_project_name(
    engine: Engine, project: ComposeProject, default: str, containers: Sequence[Container] | None = None
) -> str:
    """The project name that the directory's containers carry; ``default`` when it has none.

    Another name than that of the running containers would mean new, empty volumes, so what runs wins over
    the name that the files would give. Two names for one directory are a question for the user.
    """
    found = running_containers(engine, project.directory) if containers is None else containers
    names = {one.labels.get(LABEL_PROJECT, "") for one in found}
    names.discard("")
    if not names or default in names:
        return default
    if len(names) == 1:
        return names.pop()
    raise ComposeError(
        f"containers of {project.directory} belong to several projects ({', '.join(sorted(names))}), "
        f"and none of them is {default}: set project_name"
    )


def spelled_as_running(project: ComposeProject, containers: Sequence[Container]) -> ComposeProject:
    """The project with its directory spelled as its containers have it.

    Through a link the same directory has another name, so mounts would have other paths, and compose would see another
    configuration and recreate what nobody has changed.
    """
    spellings = {one.labels.get(LABEL_WORKING_DIR, "") for one in containers}
    if len(spellings) != 1 or project.directory in spellings:
        return project
    directory = spellings.pop()

    def moved(path: str) -> str:
        inside = os.path.relpath(path, project.directory)
        return path if inside.startswith("..") else os.path.join(directory, inside)

    return replace(
        project,
        directory=directory,
        files=tuple(moved(path) for path in project.files),
        env_files=tuple(moved(path) for path in project.env_files),
    )
