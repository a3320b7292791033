# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build images of a compose project with labels that the compose file does not have.

``docker compose build`` does the work, so everything that a build section can say holds (arguments, secrets,
targets, caches); the labels come in one more compose document, laid over the files.
"""

from __future__ import annotations

import copy
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..common.command import CommandError, try_command
from ..common.errors import PlatformError
from ..common.files import replace_file
from ..common.secrets import mask_text
from ..docker.engine import Engine, ImageInfo
from .config import ComposeReader

_LOG_LINES = 25
_GIB = 1024**3
# BuildKit's plain progress: "#12 [data-bridge 3/5] RUN ..." begins a step, "#12 ..." goes on with it.
_STEP = re.compile(r"^#(?P<number>\d+) \[(?P<name>[^\s\]]+)")
_LINE = re.compile(r"^#(?P<number>\d+) ")
_FAILED = re.compile(r"^#(?P<number>\d+) ERROR\b")
# At the end it shows the failed step once more, between two rules.
_EXCERPT = re.compile(r"^ > \[(?P<name>[^\s\]]+)")


class BuildError(PlatformError):
    """A build that failed; the message ends with the last lines of its log."""


def overlay(
    services: Mapping[str, Mapping[str, str]], extra: Mapping[str, Mapping[str, Any]], known: Sequence[str]
) -> dict[str, Any]:
    """Return the document to lay over the compose files.

    ``services`` maps each service to the labels of its image. A service that the files do not have (``known``)
    is taken from ``extra``.
    """
    document: dict[str, Any] = {}
    for name, labels in services.items():
        service = {} if name in known else copy.deepcopy(dict(extra[name]))
        build = service.get("build") or {}
        build = {"context": build} if isinstance(build, str) else dict(build)
        document[name] = {
            **service,
            "build": {**build, "labels": {**dict(build.get("labels") or {}), **labels}},
        }
    return {"services": document}


def lacks_labels(image: ImageInfo | None, labels: Mapping[str, str]) -> bool:
    """Say whether an image has to be built: there is none, or it carries other labels."""
    return image is None or any(image.labels.get(name) != value for name, value in labels.items())


def demand_room(engine: Engine, images: Mapping[str, ImageInfo | None], factor: float, floor: float) -> str:
    """Refuse to build where the new images may not fit; say so ("" if it fits) where that is unknown.

    Needed are ``factor`` times the size of today's images, and ``floor`` GiB at least.
    """
    root = str(engine.info().get("DockerRootDir") or "")
    sizes = {name: image.size for name, image in images.items() if image is not None}
    needed = max(sum(sizes.values()) * factor, floor * _GIB)
    if not root or not os.path.isdir(root):
        return (
            f"the engine keeps its images in {root or 'an unknown place'}, which is not on this host: "
            f"whether {needed / _GIB:.2f} GiB are free there was not checked"
        )
    free = shutil.disk_usage(root).free
    if free < needed:
        shown = ", ".join(f"{name} {size / _GIB:.2f} GiB" for name, size in sizes.items()) or "no image yet"
        raise BuildError(
            f"{root}, where the engine keeps its images: found {free / _GIB:.2f} GiB free, expected "
            f"{needed / _GIB:.2f} GiB ({factor:g} times {shown}; at least {floor:g} GiB). "
            "Free some space (docker system df says where it goes), then run this again. Nothing was built"
        )
    return ""


def split_log(text: str, services: Sequence[str]) -> dict[str, list[str]]:
    """The lines of one build of several services, service by service; under "" what belongs to none.

    With one service the builder names none, so all lines are its own.
    """
    if len(services) == 1:
        return {services[0]: text.splitlines()}
    found: dict[str, list[str]] = {name: [] for name in ["", *services]}
    owners: dict[str, str] = {}
    excerpt = ""
    for line in text.splitlines():
        step, numbered, quoted = _STEP.match(line), _LINE.match(line), _EXCERPT.match(line)
        if step and step.group("name") in services:
            owners[step.group("number")] = step.group("name")
        if quoted:
            excerpt = quoted.group("name")
        elif line.startswith("------"):
            excerpt = ""
        owner = owners.get(numbered.group("number"), "") if numbered else excerpt
        found[owner if owner in found else ""].append(line)
    return found


def failed_service(log: Mapping[str, Sequence[str]]) -> str:
    """The service in whose lines an error stands; "" if none is named."""
    return next((name for name, lines in log.items() if name and any(map(_FAILED.match, lines))), "")


def write_logs(folder: str, log: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Keep each service's lines as build-<service>.log, for its owner only; returns the paths. Raises BuildError if that cannot be done."""
    paths = {}
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        for name, lines in log.items():
            if name:
                paths[name] = os.path.join(folder, f"build-{name}.log")
                text = mask_text("\n".join([*lines, *log.get("", ())])) + "\n"
                replace_file(Path(paths[name]), text.encode("utf-8", "replace"))
    except OSError as error:
        raise BuildError(
            f"the logs of the build cannot be written to {folder}: {error.strerror}. Make room, or name another log_dir"
        ) from error
    return paths


def roll_tags_back(engine: Engine, before: Mapping[str, ImageInfo | None]) -> list[str]:
    """After a failed build: every tag names again what it named before. Returns the tags that had moved."""
    now = engine.images(list(before))
    moved = []
    for tag, image in before.items():
        current = now[tag]
        if current is None or (image is not None and current.id == image.id):
            continue
        moved.append(tag)
        if image is not None:
            engine.run(["tag", image.id, tag])
        else:
            engine.run(["image", "rm", "--no-prune", tag])
    return moved


def build(
    reader: ComposeReader, services: Sequence[str], document: str, timeout: float, folder: str = ""
) -> str:
    """Build services in one call, in parallel as far as the builder does that; return the log's end.

    ``folder`` keeps a log for each service. A failure names the service, its last lines, and where its log is.
    """
    files = [*reader.project.files, "-"]
    command = [reader.engine.binary, *reader.arguments(files), "--progress", "plain", "build", *services]
    try:
        done = try_command(command, timeout, reader.project.directory, document, {"DOCKER_BUILDKIT": "1"})
    except CommandError as error:
        raise BuildError(str(error)) from error
    log = split_log((done.stdout + "\n" + done.stderr).strip(), services)
    paths = write_logs(folder, log) if folder else {}
    if done.returncode:
        name = failed_service(log)
        where = f" The whole log: {paths[name]}." if name in paths else ""
        raise BuildError(
            f"building {name or ', '.join(services)} failed with exit code {done.returncode}.{where} "
            f"The log's last lines:\n  {_tail([*log.get(name, ()), *(log.get('', ()) if name else ())])}"
        )
    return _tail([line for lines in log.values() for line in lines])


def _tail(lines: Sequence[str]) -> str:
    return mask_text("\n  ".join([line for line in lines if line.strip()][-_LOG_LINES:]))
