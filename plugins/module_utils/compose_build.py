# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build images of a compose project with labels that the compose file does not have.

``docker compose build`` does the work, so everything that a build section can say holds (arguments, secrets,
targets, caches); the labels come in one more compose document, laid over the files.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from .compose_config import ComposeReader
from .engine import EngineError, ImageInfo, try_command
from .redact import mask_text

_LOG_LINES = 25


class BuildError(Exception):
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


def build(reader: ComposeReader, services: Sequence[str], document: str, timeout: float) -> str:
    """Build services in one call, in parallel as far as the builder does that; return the log's end."""
    files = [*reader.project.files, "-"]
    command = [reader.engine.binary, *reader.arguments(files), "--progress", "plain", "build", *services]
    try:
        done = try_command(command, timeout, reader.project.directory, document, {"DOCKER_BUILDKIT": "1"})
    except EngineError as error:
        raise BuildError(str(error)) from error
    lines = (done.stdout + "\n" + done.stderr).strip().splitlines()
    tail = mask_text("\n  ".join(line for line in lines[-_LOG_LINES:] if line.strip()))
    if done.returncode:
        names = ", ".join(services)
        raise BuildError(
            f"building {names} failed with exit code {done.returncode}. The log's last lines:\n  {tail}"
        )
    return tail
