# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recreate one service of a compose project: recreate its container, wait until it is up, measure the gap.

"Up" means: healthy where the image or the compose file has a healthcheck, else running without a restart for
a settle time. A container that is merely *running* proves nothing: one that crashes every few seconds is
running most of the time.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.command import CommandError
from ..common.errors import PlatformError
from ..common.files import replace_file
from ..common.secrets import mask_text
from ..docker.engine import (
    LABEL_DEPENDS_ON,
    LABEL_PROJECT,
    LABEL_REPLACE,
    LABEL_SERVICE,
    Container,
    Engine,
    short_id,
)
from .config import ComposeReader, runs_once

_NANO = 1_000_000_000
_POLL_SECONDS = 0.5
_LOG_LINES = 15
_STORY_SECONDS = 600
_KEPT_LINES = 5000


class RolloutError(PlatformError):
    """A service that did not come up, or a container that was touched and should not have been."""


@dataclass(frozen=True)
class Downtime:
    """How long a service was away, in seconds, from the engine's own events.

    ``down``: from the end of the old container to the start of the new one. ``unready``: to the first healthy
    report, None where there is no healthcheck. ``down`` is 0.0 for a service that did not run before, and None if
    the engine's events did not tell: it keeps a few hundred only, and not measured is not the same as no gap.
    """

    down: float | None = 0.0
    unready: float | None = None


def differs(own: Sequence[Container], image_id: str, config_hash: str) -> str:
    """Say why the running container is not what the compose file and the image tag ask for; "" if it is."""
    if not own:
        return "there is no container"
    current = own[-1]
    if current.image_id != image_id:
        return f"the container runs image {short_id(current.image_id)}, the tag names {short_id(image_id)}"
    if current.config_hash != config_hash:
        return "the compose configuration has changed since the container was made"
    if current.state != "running":
        return f"the container is {current.state}, expected running"
    return ""


def replaced_log(service: str) -> str:
    """Name of the file that keeps the log of a service's container that was replaced."""
    return f"replaced-{service}.log"


def is_replacement(container: Container) -> bool:
    """Whether a container still has the name that compose gives to one that is to replace another: a replacement was interrupted."""
    replaced = container.labels.get(LABEL_REPLACE, "")
    return bool(replaced) and container.name.startswith(f"{replaced[:12]}_")


def health_seconds(healthcheck: Mapping[str, Any] | None) -> float:
    """How long a container may take to become healthy by its healthcheck's own numbers (seconds)."""
    check = healthcheck or {}
    interval, once = check.get("Interval") or 30 * _NANO, check.get("Timeout") or 30 * _NANO
    rounds = (check.get("Retries") or 3) + 1
    return float((check.get("StartPeriod") or 0) + (interval + once) * rounds) / _NANO


def downtime(events: Iterable[Mapping[str, Any]], old_id: str | None, new_id: str) -> Downtime:
    """Work out the downtime from engine events (dicts as ``docker events --format '{{json .}}'`` gives)."""
    ended = started = healthy = None
    for event in events:
        at = int(event.get("timeNano") or 0) / _NANO
        who, action = (
            str(event.get("id") or event.get("ID") or ""),
            str(event.get("Action") or event.get("status") or ""),
        )
        if who == old_id and action == "die" and ended is None:
            ended = at
        elif who == new_id and action == "start" and started is None:
            started = at
        elif who == new_id and action == "health_status: healthy" and healthy is None:
            healthy = at
    if old_id is None:
        return Downtime()
    if ended is None or started is None:
        return Downtime(None, None)
    down = round(max(0.0, started - ended), 3)
    return Downtime(down, round(healthy - ended, 3) if healthy is not None else None)


def disturbed(before: Sequence[Container], after: Sequence[Container], service: str) -> list[str]:
    """Name the containers of other services that were replaced or restarted while this service was recreated.

    A container that its own restart policy brought back is not counted: nobody here did that.
    """
    later = {one.name: one for one in after}
    names = []
    for one in before:
        now = later.get(one.name)
        if one.service == service:
            continue
        if now is None or now.id != one.id:
            names.append(f"{one.name} was replaced")
        elif (
            one.state == "running"
            and now.started_at != one.started_at
            and now.restart_count == one.restart_count
        ):
            names.append(f"{one.name} was restarted")
    return names


class ServiceRollout:
    """The changes of one service, through ``docker compose`` where it brings a container up."""

    def __init__(self, reader: ComposeReader, project: str, service: str) -> None:
        self.reader = reader
        self.engine: Engine = reader.engine
        self.project = project
        self.service = service

    def config_hash(self, container: Container) -> str:
        """Return the hash that compose gives the service's configuration, had it the container's dependencies.

        ``up --no-deps`` leaves the dependencies out of the hash that it writes, so they have to be left out here.
        """
        dependencies = {self.service: container.labels.get(LABEL_DEPENDS_ON, "")}
        return self.reader.hashes(dependencies).get(self.service, "")

    def bring_up(self, anyway: bool = False) -> None:
        """Recreate the service's container from its tag; no other service, no build, no pull.

        ``anyway`` recreates it even if compose sees no difference.
        """
        arguments = ["up", "--detach", "--no-deps", "--no-build", "--pull", "never"]
        arguments += ["--force-recreate", self.service] if anyway else [self.service]
        directory = self.reader.project.directory
        self.engine.run([*self.reader.arguments(), *arguments], timeout=300, cwd=directory)

    def keep_log(self, container: Container, folder: str | None) -> None:
        """Write the last lines of a container that is about to go into ``folder``; None keeps nothing.

        What lies there already stays: a replacement that is done again replaces a container that the first one has made.
        Raises OSError if it cannot be written.
        """
        path = Path(folder or "") / replaced_log(self.service)
        if not folder or path.exists():
            return
        try:
            done = self.engine.run(["logs", "--timestamps", "--tail", str(_KEPT_LINES), container.id])
            text = mask_text(done.stdout + done.stderr)
        except CommandError as error:
            text = f"(its log cannot be read: {error})\n"
        os.makedirs(folder, mode=0o700, exist_ok=True)
        replace_file(path, text.encode("utf-8", "replace"))

    def remove(self, containers: Sequence[Container], timeout: int) -> None:
        """Stop and remove the service's containers, whatever the compose file says of the service by now."""
        names = [one.name for one in containers]
        self.engine.run(["stop", "--time", str(timeout), *names], timeout=timeout * len(names) + 60)
        self.engine.run(["rm", *names])

    def runs_once(self) -> bool:
        """True if the service is meant to end."""
        config = self.reader.config()
        return self.service in config.services and runs_once(config, self.service)

    def wait_until_up(
        self, timeout: float | None, settle: float, clock: Any = time, ends: bool = False
    ) -> Container:
        """Wait for the new container; raise :class:`RolloutError` as soon as it is clear that it will not come up.

        With ``ends`` the service runs once: it is up if it still runs after ``settle``, or has ended with exit code 0.
        """
        container = self.current()
        limit = timeout if timeout is not None else self._limit(container)
        begin = clock.monotonic()
        while True:
            waited = clock.monotonic() - begin
            if ends and container.state == "exited" and container.exit_code == 0:
                return container
            if container.state != "running" or container.restart_count > 0:
                raise RolloutError(self._story(container, "did not stay up"))
            if container.health == "healthy" or (not container.health and waited >= settle):
                return container
            if container.health == "unhealthy":
                raise RolloutError(self._story(container, "is unhealthy"))
            if container.health and waited > limit:
                raise RolloutError(self._story(container, f"was not healthy within {limit:g} s"))
            clock.sleep(_POLL_SECONDS)
            container = self.current()

    def events_since(self, since: float) -> list[dict[str, Any]]:
        """Return the engine's events of this service since a time (Unix seconds)."""
        arguments = [
            "events",
            "--since",
            f"{since:.6f}",
            "--until",
            f"{time.time():.6f}",
            "--format",
            "{{json .}}",
        ]
        for label, value in ((LABEL_PROJECT, self.project), (LABEL_SERVICE, self.service)):
            arguments += ["--filter", f"label={label}={value}"]
        return [json.loads(line) for line in self.engine.run(arguments).stdout.splitlines() if line.strip()]

    def current(self) -> Container:
        """The service's container, whatever its state."""
        containers = self.engine.containers(self.project, self.service)
        if not containers:
            raise RolloutError(
                f"service {self.service} of project {self.project} has no container after it was started"
            )
        return containers[-1]

    def _limit(self, container: Container) -> float:
        arguments = ["container", "inspect", "--format", "{{json .Config.Healthcheck}}", container.id]
        return health_seconds(json.loads(self.engine.run(arguments).stdout or "null"))

    def _exit_code(self, container: Container) -> int | str:
        """The code that a container has ended with last. One that runs again says 0, so the engine's events are asked."""
        if not container.restart_count:
            return container.exit_code
        try:
            events = self.events_since(time.time() - _STORY_SECONDS)
        except CommandError:
            return container.exit_code
        ends = [one for one in events if one.get("id") == container.id and one.get("Action") == "die"]
        return (
            ((ends[-1].get("Actor") or {}).get("Attributes") or {}).get("exitCode", "unknown")
            if ends
            else container.exit_code
        )

    def _story(self, container: Container, what: str) -> str:
        try:
            done = self.engine.run(["logs", "--tail", str(_LOG_LINES), container.id])
            lines = (done.stdout + done.stderr).strip().splitlines()[-_LOG_LINES:]
        except CommandError as error:
            lines = [f"(its log cannot be read: {error})"]
        code = self._exit_code(container)
        state = f"state {container.state}, exit code {code}, {container.restart_count} restarts"
        log = mask_text("\n  ".join(lines)) or "(no output)"
        return f"container {container.name} {what} ({state}). Its last lines:\n  {log}"
