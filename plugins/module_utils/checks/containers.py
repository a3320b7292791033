# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the state of containers from what ``docker container inspect`` says about them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Callable, Protocol

from ..common.command import CommandError
from ..common.secrets import mask_text
from ..common.times import seconds_since
from ..docker.engine import Container, ImageInfo, engine_from, short_id
from ..releases.journal import journaled_images
from ..releases.store import ReleaseError, ReleaseStore
from .result import ERROR, FAIL, CheckNotValid, CheckResult, judge
from .wait import CheckSet, Look

CONTAINERS = "containers"
AUTO, HEALTHY, ANY = "auto", "healthy", "any"


#: The suboptions of one entry of the module's option.
CONTAINER_OPTIONS = {
    "container": {"type": "str", "required": True},
    "state": {"type": "str", "default": "running", "choices": ["running", "exited", "created", "paused"]},
    "health": {"type": "str", "default": "auto", "choices": ["auto", "healthy", "any"]},
    "max_restarts": {"type": "int", "default": 0},
    "min_uptime": {"type": "float"},
    "image": {"type": "str"},
    "current_image": {"type": "bool", "default": False},
    "exited_ok": {"type": "bool", "default": False},
}


@dataclass
class ContainerSpec:
    """How one container has to be."""

    container: str
    state: str = "running"
    health: str = AUTO
    max_restarts: int = 0
    min_uptime: float = 0.0
    image: str | None = None
    current_image: bool = False
    exited_ok: bool = False


def container_spec(options: dict[str, Any]) -> ContainerSpec:
    """Turn one entry of the module's option into a spec; a mistake is a CheckNotValid."""
    name = str(options["container"])
    if not re.match(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", name):
        raise CheckNotValid(f"container {name!r}: expected a name of letters, digits, '_', '.' and '-'")
    restarts = options.get("max_restarts")
    return ContainerSpec(
        container=name,
        state=str(options.get("state") or "running"),
        health=str(options.get("health") or AUTO),
        max_restarts=0 if restarts is None else int(restarts),
        min_uptime=float(options.get("min_uptime") or 0.0),
        image=str(options["image"]) if options.get("image") else None,
        current_image=bool(options.get("current_image")),
        exited_ok=bool(options.get("exited_ok")),
    )


def _uptime(container: Container, now: float) -> float | None:
    return seconds_since(container.started_at, now) if container.state == "running" else None


def _state_text(container: Container) -> str:
    return f"exited with code {container.exit_code}" if container.state == "exited" else container.state


def _observed(container: Container, now: float) -> str:
    parts = [
        _state_text(container),
        container.health or "no healthcheck",
        f"{container.restart_count} restarts",
    ]
    uptime = _uptime(container, now)
    if uptime is not None:
        parts.append(f"up {uptime:.0f} s")
    return ", ".join(parts)


def _state_reasons(spec: ContainerSpec, seen: Container) -> list[str]:
    finished = spec.exited_ok and seen.state == "exited"
    if finished and seen.exit_code == 0:
        return []
    if seen.state == spec.state and not finished:
        return []
    wanted = f"{spec.state} or exited with code 0" if spec.exited_ok else spec.state
    why = f" ({mask_text(seen.error)})" if seen.error else ""
    return [f"it is {_state_text(seen)}{why}, expected {wanted}"]


def _health_reasons(spec: ContainerSpec, seen: Container) -> list[str]:
    if spec.health == ANY or seen.state != "running":
        return []
    if seen.health in ("", "none"):
        return ["it has no healthcheck, expected a healthy one"] if spec.health == HEALTHY else []
    return [] if seen.health == "healthy" else [f"its health is {seen.health}, expected healthy"]


def _image_reasons(
    spec: ContainerSpec, seen: Container, images: Mapping[str, ImageInfo | None], recorded: Mapping[str, str]
) -> list[str]:
    found = []
    wanted = [spec.image] if spec.image else []
    # The name under which the container was created may mean another image by now.
    wanted += [seen.image_ref] if spec.current_image and seen.image_ref != spec.image else []
    for name in wanted:
        image = images.get(name)
        if image is None:
            found.append(f"image {name} does not exist on this engine, expected the container to run it")
        elif image.id != seen.image_id:
            found.append(
                f"it runs image {short_id(seen.image_id)}, expected {name} which is {short_id(image.id)}"
            )
    last = recorded.get(seen.service)
    if last and last != seen.image_id:
        found.append(
            f"it runs image {short_id(seen.image_id)}, expected {short_id(last)}, "
            "with which the last replacement in the journal has left it"
        )
    return found


def reasons(
    spec: ContainerSpec,
    seen: Container,
    images: Mapping[str, ImageInfo | None],
    now: float,
    recorded: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return everything in which the container differs from what is expected. ``recorded`` are the images of the journal by service."""
    found = _state_reasons(spec, seen) + _health_reasons(spec, seen)
    if seen.restart_count > spec.max_restarts:
        found.append(f"it restarted {seen.restart_count} times, at most {spec.max_restarts} expected")
    uptime = _uptime(seen, now)
    if spec.min_uptime and seen.state == "running" and (uptime is None or uptime < spec.min_uptime):
        found.append(f"it has been up for {uptime or 0:.0f} s, expected at least {spec.min_uptime:g} s")
    return found + _image_reasons(spec, seen, images, recorded)


def _expected_text(spec: ContainerSpec, recorded: str = "") -> str:
    parts = [f"{spec.state} or exited with code 0" if spec.exited_ok else spec.state]
    if spec.health == HEALTHY:
        parts.append("healthy")
    elif spec.health == AUTO:
        parts.append("healthy if checked")
    parts.append(f"at most {spec.max_restarts} restarts")
    if spec.min_uptime:
        parts.append(f"up {spec.min_uptime:g} s")
    if spec.image:
        parts.append(f"image {spec.image}")
    if spec.current_image:
        parts.append("the image that its tag names")
    if recorded:
        parts.append(f"image {short_id(recorded)} of the journal")
    return ", ".join(parts)


class Inspector(Protocol):
    """The part of the engine that is needed here."""

    def inspect_containers(self, names: Sequence[str]) -> list[Container]: ...

    def images(self, references: Sequence[str]) -> dict[str, ImageInfo | None]: ...


class ContainerChecks:
    """All specs of one call; each look is one ``docker container inspect`` for all of them."""

    looks_on = True
    looks_last = False

    def __init__(
        self,
        engine: Inspector,
        specs: Sequence[ContainerSpec],
        now: Callable[[], float] = time.time,
        recorded: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``recorded`` holds by service the id of the image that the journal names; a service that it lacks may run any."""
        self._engine = engine
        self._specs = list(specs)
        self._now = now
        self._recorded = recorded
        # Those that were exited at the last look.
        self._exited: set[str] = set()

    def look(self) -> Look:
        started = time.monotonic()
        names = list(dict.fromkeys(spec.container for spec in self._specs))
        try:
            found = {item.name: item for item in self._engine.inspect_containers(names)}
            refs = [spec.image for spec in self._specs if spec.image]
            refs += [
                found[spec.container].image_ref
                for spec in self._specs
                if spec.current_image and spec.container in found
            ]
            refs = list(dict.fromkeys(refs))
            images = self._engine.images(refs) if refs else {}
        except CommandError as exc:
            return Look([self._unreadable(spec, str(exc)) for spec in self._specs])
        spent = time.monotonic() - started
        results, settled, ended = [], True, False
        for spec in self._specs:
            seen = found.get(spec.container)
            result = self._one(spec, seen, images, spent)
            results.append(result)
            # The engine never counts restarts down: waiting cannot help then.
            final = seen is not None and seen.restart_count > spec.max_restarts
            settled = settled and (final or result.passed)
            ended = self._has_ended(spec, seen, result) or ended
        return Look(results, settled, ended)

    def extra(self) -> dict[str, Any]:
        return {}

    def close(self) -> None:
        """Nothing is held open."""

    def _has_ended(self, spec: ContainerSpec, seen: Container | None, result: CheckResult) -> bool:
        """Whether the container has exited for good.

        One that the engine restarts is never in the state exited, so this one stays as it is; unless somebody restarts it by hand
        at this moment, which is why it has to be seen twice.
        """
        over = seen is not None and seen.state in ("exited", "dead") and not result.passed
        twice = over and spec.container in self._exited
        (self._exited.add if over else self._exited.discard)(spec.container)
        return twice

    def _one(
        self,
        spec: ContainerSpec,
        seen: Container | None,
        images: dict[str, ImageInfo | None],
        spent: float,
    ) -> CheckResult:
        if seen is None:
            reason = f"container {spec.container} does not exist, expected it to be {spec.state}"
            return self._result(spec, "no such container", FAIL, reason, spent, {})
        now = self._now()
        why = reasons(spec, seen, images, now, self._recorded)
        uptime = _uptime(seen, now)
        details = {
            "state": seen.state,
            "health": seen.health or "none",
            "restarts": seen.restart_count,
            "uptime_seconds": None if uptime is None else round(uptime, 1),
            "exit_code": seen.exit_code,
            "image_id": seen.image_id,
            "image": seen.image_ref,
            "started_at": seen.started_at,
        }
        reason = f"container {spec.container}: " + "; ".join(why) if why else ""
        expected = _expected_text(spec, self._recorded.get(seen.service, ""))
        return self._result(spec, _observed(seen, now), judge(why), reason, spent, details, expected)

    @staticmethod
    def _result(
        spec: ContainerSpec,
        observed: str,
        verdict: str,
        reason: str,
        spent: float,
        details: dict[str, Any],
        expected: str = "",
    ) -> CheckResult:
        return CheckResult(
            spec.container,
            "container",
            verdict,
            observed,
            expected or _expected_text(spec),
            reason,
            spent,
            details,
            {"container": spec.container},
        )

    def _unreadable(self, spec: ContainerSpec, reason: str) -> CheckResult:
        return self._result(spec, "not readable", ERROR, f"container {spec.container}: {reason}", 0.0, {})


def container_checks(params: Mapping[str, Any]) -> dict[str, CheckSet]:
    """Return the checks of a module's options ``containers`` and ``state_dir`` by group; raises CheckNotValid for bad input."""
    specs = [container_spec(entry) for entry in params["containers"]]
    recorded: dict[str, str] = {}
    try:
        if params["state_dir"]:
            recorded = journaled_images(ReleaseStore(params["state_dir"]))
    except (OSError, ReleaseError) as error:
        raise CheckNotValid(f"the journals below {params['state_dir']} cannot be read: {error}") from error
    return {CONTAINERS: ContainerChecks(engine_from(params), specs, recorded=recorded)}
