# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker engine, asked through the docker CLI.

The CLI and not an SDK: a target host of a Compose platform has it anyway, and it brings the user's own
context, credentials and proxies. Commands are argument lists, every call has a time bound, and every failure
is one :class:`CommandError` that names the command, the exit code and the last lines of stderr, but no value
of an environment variable or build argument.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..common.command import CommandError, CommandResult, run_command, try_command

LABEL_PROJECT = "com.docker.compose.project"
LABEL_SERVICE = "com.docker.compose.service"
LABEL_CONFIG_HASH = "com.docker.compose.config-hash"
LABEL_DEPENDS_ON = "com.docker.compose.depends_on"
LABEL_WORKING_DIR = "com.docker.compose.project.working_dir"
LABEL_REPLACE = "com.docker.compose.replace"
LABEL_NUMBER = "com.docker.compose.container-number"
LABEL_ONEOFF = "com.docker.compose.oneoff"


@dataclass(frozen=True)
class ImageInfo:
    """What ``docker image inspect`` says about one image."""

    id: str
    created: str
    size: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    layers: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    digests: tuple[str, ...] = ()


@dataclass(frozen=True)
class Container:
    """What ``docker inspect`` says about one container; its environment is deliberately left out."""

    id: str
    name: str
    image_id: str
    image_ref: str
    state: str
    exit_code: int
    started_at: str
    health: str
    restart_count: int
    labels: Mapping[str, str] = field(default_factory=dict)
    networks: tuple[str, ...] = ()
    error: str = ""
    # Published ports: address and port of the host, and the protocol.
    ports: tuple[tuple[str, int, str], ...] = ()

    @property
    def project(self) -> str:
        return self.labels.get(LABEL_PROJECT, "")

    @property
    def service(self) -> str:
        return self.labels.get(LABEL_SERVICE, "")

    @property
    def config_hash(self) -> str:
        return self.labels.get(LABEL_CONFIG_HASH, "")

    @property
    def number(self) -> int:
        text = self.labels.get(LABEL_NUMBER, "1")
        return int(text) if text.isdigit() else 1

    @property
    def oneoff(self) -> bool:
        """True for a container that is no part of the service, as Compose sees it: one that ``docker compose run`` made, or one that somebody
        made of an image of Compose, whose labels it has inherited. Only Compose's own have a label that says False.
        """
        return self.labels.get(LABEL_ONEOFF, "").lower() != "false"


class Engine:
    """The few questions that the modules ask of a Docker engine. All of them only read."""

    def __init__(
        self, binary: str = "docker", timeout: float = 60, env: Mapping[str, str] | None = None
    ) -> None:
        self.binary = binary
        self.timeout = timeout
        self.env = dict(env or {})

    def run(
        self,
        arguments: Sequence[str],
        timeout: float | None = None,
        cwd: str | None = None,
        stdin: str | None = None,
    ) -> CommandResult:
        """Run ``docker <arguments>``."""
        return run_command(
            [self.binary, *arguments], self.timeout if timeout is None else timeout, cwd, stdin, self.env
        )

    def run_json(self, arguments: Sequence[str], timeout: float | None = None, cwd: str | None = None) -> Any:
        """Run ``docker <arguments>`` and parse its output as one JSON document."""
        result = self.run(arguments, timeout, cwd)
        return self._parse(arguments, result.stdout)

    def info(self) -> dict[str, Any]:
        """``docker info``; raises when the client runs but no engine answers (the CLI exits 0 then)."""
        arguments = ["info", "--format", "{{json .}}"]
        answer = self.run_json(arguments)
        if not isinstance(answer, dict) or answer.get("ServerErrors"):
            problems = answer.get("ServerErrors", []) if isinstance(answer, dict) else []
            raise CommandError([self.binary, *arguments], 0, "\n".join(problems), "no engine answers")
        return answer

    def memory(self, names: Sequence[str]) -> dict[str, tuple[int, int]]:
        """What running containers use and may use of the memory, in bytes, by ``docker stats``; those that do not run are left out."""
        running = [one.name for one in self.inspect_containers(names) if one.state == "running"]
        if not running:
            return {}
        arguments = ["stats", "--no-stream", "--no-trunc", "--format", "{{json .}}", *running]
        found = {}
        for line in self.run(arguments).stdout.splitlines():
            said = self._parse(arguments, line)
            used, _slash, limit = str(said["MemUsage"]).partition(" / ")
            found[str(said["Name"])] = bytes_of(used), bytes_of(limit)
        return found

    def images(self, references: Sequence[str]) -> dict[str, ImageInfo | None]:
        """Inspect many images in one call; an image that does not exist is None, not an error.

        References may be names with or without tag, ``name@sha256:…`` or image ids.
        """
        wanted = list(dict.fromkeys(reference for reference in references if reference))
        if not wanted:
            return {}
        documents = self._inspect(["image", "inspect", *wanted], "no such image")
        found = [_image(document) for document in documents]
        return {reference: _matching(reference, found) for reference in wanted}

    def containers(self, project: str, service: str | None = None) -> list[Container]:
        """All containers (running or not) of a compose project, or of one of its services.

        One ``docker ps`` and one ``docker inspect``, however many containers there are. Those that are no part of a service
        are left out. Sorted by service, then by number.
        """
        filters = [f"label={LABEL_PROJECT}={project}"]
        if service is not None:
            filters.append(f"label={LABEL_SERVICE}={service}")
        found = [one for one in self.containers_by_filter(filters) if not one.oneoff]
        return sorted(found, key=lambda one: (one.service, one.number, one.name))

    def containers_by_filter(self, filters: Sequence[str]) -> list[Container]:
        """All containers that pass every filter of ``docker ps --filter``."""
        arguments = ["ps", "--all", "--no-trunc", "--quiet"]
        for one in filters:
            arguments += ["--filter", one]
        ids = self.run(arguments).stdout.split()
        return self.inspect_containers(ids)

    def inspect_containers(self, names: Sequence[str]) -> list[Container]:
        """Inspect containers by name or id in one call; those that are gone by now are left out."""
        if not names:
            return []
        documents = self._inspect(["container", "inspect", *names], "no such container")
        return [_container(document) for document in documents]

    def _inspect(self, arguments: Sequence[str], absent: str) -> list[dict[str, Any]]:
        """``docker … inspect``, where missing objects are no error: it prints the others and exits 1."""
        command = [self.binary, *arguments]
        done = try_command(command, self.timeout, env=self.env)
        problems = [line for line in done.stderr.splitlines() if line.strip() and absent not in line.lower()]
        if done.returncode != 0 and problems:
            raise CommandError(command, done.returncode, "\n".join(problems))
        documents = self._parse(arguments, done.stdout.strip() or "[]")
        return documents if isinstance(documents, list) else []

    def _parse(self, arguments: Sequence[str], text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError as error:
            raise CommandError([self.binary, *arguments], 0, text[:200], "the output is not JSON") from error


def _image(document: Mapping[str, Any]) -> ImageInfo:
    config = document.get("Config") or {}
    return ImageInfo(
        id=document.get("Id") or "",
        created=document.get("Created") or "",
        size=int(document.get("Size") or 0),
        labels=config.get("Labels") or {},
        layers=tuple((document.get("RootFS") or {}).get("Layers") or ()),
        tags=tuple(document.get("RepoTags") or ()),
        digests=tuple(document.get("RepoDigests") or ()),
    )


def _container(document: Mapping[str, Any]) -> Container:
    config = document.get("Config") or {}
    state = document.get("State") or {}
    return Container(
        id=document.get("Id") or "",
        name=(document.get("Name") or "").lstrip("/"),
        image_id=document.get("Image") or "",
        image_ref=config.get("Image") or "",
        state=state.get("Status") or "",
        exit_code=int(state.get("ExitCode") or 0),
        started_at=state.get("StartedAt") or "",
        health=(state.get("Health") or {}).get("Status") or "",
        restart_count=int(document.get("RestartCount") or 0),
        labels=config.get("Labels") or {},
        networks=tuple(sorted((document.get("NetworkSettings") or {}).get("Networks") or ())),
        error=state.get("Error") or "",
        ports=tuple(_ports((document.get("NetworkSettings") or {}).get("Ports") or {})),
    )


def _ports(published: Mapping[str, Any]) -> Iterator[tuple[str, int, str]]:
    for inside, bindings in published.items():
        for binding in bindings or ():
            if str(binding.get("HostPort") or "").isdigit():
                protocol = inside.partition("/")[2] or "tcp"
                yield str(binding.get("HostIp") or ""), int(binding["HostPort"]), protocol


def engine_options() -> dict[str, Any]:
    """The argument_spec that belongs to the documentation fragment suho.platform.engine."""
    return {
        "docker_cli": {"type": "str", "default": "docker"},
        "command_timeout": {"type": "float", "default": 60},
    }


def engine_from(params: Mapping[str, Any]) -> Engine:
    """The engine that such options name."""
    return Engine(params["docker_cli"], params["command_timeout"])


_UNITS = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_UNITS |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


def bytes_of(text: str) -> int:
    """The number of bytes that the docker client wrote as ``12.5MiB``; 0 where it wrote something else, such as ``--``."""
    found = re.match(r"^([0-9.]+)([A-Za-z]+)$", text.strip())
    return round(float(found.group(1)) * _UNITS.get(found.group(2), 0)) if found else 0


def short_id(image_id: str) -> str:
    """The first 12 digits of the id of an image or a container, as the engine's own tables show it; none for an empty one."""
    return image_id.rpartition(":")[2][:12] or "none"


def full_reference(reference: str) -> str:
    """The name under which the engine lists an image: no docker.io, and a tag."""
    for prefix in ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/"):
        if reference.startswith(prefix):
            reference = reference[len(prefix) :]
            break
    name_part = reference.rsplit("/", 1)[-1]
    return reference if ":" in name_part or "@" in name_part else reference + ":latest"


def _matching(reference: str, images: Sequence[ImageInfo]) -> ImageInfo | None:
    name = full_reference(reference)
    for image in images:
        listed = [full_reference(tag) for tag in image.tags] + [full_reference(one) for one in image.digests]
        if name in listed or reference == image.id:
            return image
        # name:tag@sha256:… is listed by the engine without the tag.
        base, at, digest = reference.partition("@")
        if at and full_reference(base).rpartition(":")[0] + "@" + digest in listed:
            return image
    for image in images:
        if len(reference) >= 12 and image.id.replace("sha256:", "").startswith(
            reference.replace("sha256:", "")
        ):
            return image
    return None
