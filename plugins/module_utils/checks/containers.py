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
from ..docker.engine import Container, ImageInfo
from .result import ERROR, FAIL, PASS, Assertion, Round, assertion, judge

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
class Wish:
    """How one container has to be."""

    container: str
    state: str = "running"
    health: str = AUTO
    max_restarts: int = 0
    min_uptime: float = 0.0
    image: str | None = None
    current_image: bool = False
    exited_ok: bool = False


def parse_wish(options: dict[str, Any]) -> Wish:
    """Turn one entry of the module's option into a wish; a mistake is a ValueError with a text for the user."""
    name = str(options["container"])
    if not re.match(r"^[A-Za-z0-9][A-Za-z0-9_.-]*$", name):
        raise ValueError(f"container {name!r}: expected a name of letters, digits, '_', '.' and '-'")
    restarts = options.get("max_restarts")
    return Wish(
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


def _short(image_id: str) -> str:
    return image_id.replace("sha256:", "")[:12] or "none"


def _state_reasons(wish: Wish, seen: Container) -> list[str]:
    finished = wish.exited_ok and seen.state == "exited"
    if finished and seen.exit_code == 0:
        return []
    if seen.state == wish.state and not finished:
        return []
    wanted = f"{wish.state} or exited with code 0" if wish.exited_ok else wish.state
    why = f" ({mask_text(seen.error)})" if seen.error else ""
    return [f"it is {_state_text(seen)}{why}, expected {wanted}"]


def _health_reasons(wish: Wish, seen: Container) -> list[str]:
    if wish.health == ANY or seen.state != "running":
        return []
    if seen.health in ("", "none"):
        return ["it has no healthcheck, expected a healthy one"] if wish.health == HEALTHY else []
    return [] if seen.health == "healthy" else [f"its health is {seen.health}, expected healthy"]


def _image_reasons(
    wish: Wish, seen: Container, images: Mapping[str, ImageInfo | None], recorded: Mapping[str, str]
) -> list[str]:
    found = []
    wanted = [wish.image] if wish.image else []
    # The name under which the container was created may mean another image by now.
    wanted += [seen.image_ref] if wish.current_image and seen.image_ref != wish.image else []
    for name in wanted:
        image = images.get(name)
        if image is None:
            found.append(f"image {name} does not exist on this engine, expected the container to run it")
        elif image.id != seen.image_id:
            found.append(
                f"it runs image {_short(seen.image_id)}, expected {name} which is {_short(image.id)}"
            )
    last = recorded.get(seen.service)
    if last and last != seen.image_id:
        found.append(
            f"it runs image {_short(seen.image_id)}, expected {_short(last)}, "
            "with which the last swap in the journal has left it"
        )
    return found


def reasons(
    wish: Wish,
    seen: Container,
    images: Mapping[str, ImageInfo | None],
    now: float,
    recorded: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """Return everything in which the container is not as wished. ``recorded`` are the images of the journal by service."""
    found = _state_reasons(wish, seen) + _health_reasons(wish, seen)
    if seen.restart_count > wish.max_restarts:
        found.append(f"it restarted {seen.restart_count} times, at most {wish.max_restarts} expected")
    uptime = _uptime(seen, now)
    if wish.min_uptime and seen.state == "running" and (uptime is None or uptime < wish.min_uptime):
        found.append(f"it has been up for {uptime or 0:.0f} s, expected at least {wish.min_uptime:g} s")
    return found + _image_reasons(wish, seen, images, recorded)


def _expected_text(wish: Wish, recorded: str = "") -> str:
    parts = [f"{wish.state} or exited with code 0" if wish.exited_ok else wish.state]
    if wish.health == HEALTHY:
        parts.append("healthy")
    elif wish.health == AUTO:
        parts.append("healthy if checked")
    parts.append(f"at most {wish.max_restarts} restarts")
    if wish.min_uptime:
        parts.append(f"up {wish.min_uptime:g} s")
    if wish.image:
        parts.append(f"image {wish.image}")
    if wish.current_image:
        parts.append("the image that its tag names")
    if recorded:
        parts.append(f"image {_short(recorded)} of the journal")
    return ", ".join(parts)


class Inspector(Protocol):
    """The part of the engine that is needed here."""

    def inspect_containers(self, names: Sequence[str]) -> list[Container]: ...

    def images(self, references: Sequence[str]) -> dict[str, ImageInfo | None]: ...


class ContainerAssertions:
    """All wishes of one module call; each look is one ``docker container inspect`` for all of them."""

    def __init__(
        self,
        engine: Inspector,
        wishes: Sequence[Wish],
        now: Callable[[], float] = time.time,
        recorded: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """``recorded`` holds by service the id of the image that the journal names; a service that it lacks may run any."""
        self._engine = engine
        self._wishes = list(wishes)
        self._now = now
        self._recorded = recorded

    def look(self) -> Round:
        started = time.monotonic()
        names = list(dict.fromkeys(wish.container for wish in self._wishes))
        try:
            found = {item.name: item for item in self._engine.inspect_containers(names)}
            refs = [wish.image for wish in self._wishes if wish.image]
            refs += [
                found[wish.container].image_ref
                for wish in self._wishes
                if wish.current_image and wish.container in found
            ]
            refs = list(dict.fromkeys(refs))
            images = self._engine.images(refs) if refs else {}
        except CommandError as exc:
            return Round([self._unreadable(wish, str(exc)) for wish in self._wishes])
        spent = (time.monotonic() - started) * 1000
        results, settled = [], True
        for wish in self._wishes:
            seen = found.get(wish.container)
            result = self._one(wish, seen, images, spent)
            results.append(result)
            # The engine never counts restarts down: waiting cannot help then.
            final = seen is not None and seen.restart_count > wish.max_restarts
            settled = settled and (final or result["verdict"] == PASS)
        return Round(results, settled)

    def _one(
        self, wish: Wish, seen: Container | None, images: dict[str, ImageInfo | None], spent: float
    ) -> Assertion:
        if seen is None:
            reason = f"container {wish.container} does not exist, expected it to be {wish.state}"
            return self._result(wish, "no such container", FAIL, reason, spent, {})
        now = self._now()
        why = reasons(wish, seen, images, now, self._recorded)
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
        reason = f"container {wish.container}: " + "; ".join(why) if why else ""
        expected = _expected_text(wish, self._recorded.get(seen.service, ""))
        return self._result(wish, _observed(seen, now), judge(why), reason, spent, details, expected)

    @staticmethod
    def _result(
        wish: Wish,
        observed: str,
        verdict: str,
        reason: str,
        spent: float,
        details: dict[str, Any],
        expected: str = "",
    ) -> Assertion:
        return assertion(
            wish.container,
            "container",
            observed=observed,
            expected=expected or _expected_text(wish),
            verdict=verdict,
            reason=reason,
            milliseconds=spent,
            container=wish.container,
            details=details,
        )

    def _unreadable(self, wish: Wish, reason: str) -> Assertion:
        return self._result(wish, "not readable", ERROR, f"container {wish.container}: {reason}", 0.0, {})
