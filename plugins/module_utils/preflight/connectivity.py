# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolve names and try logins from inside the platform's networks, in a container that lives for a moment.

The container runs an image that is on the host anyway and has a Python, with nothing mounted and no rights. What it is asked, secrets
among it, goes in through its standard input: not into its arguments, environment or labels, where others could read it.
"""

from __future__ import annotations

import inspect
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.command import CommandError
from ..common.errors import PlatformError
from ..docker.engine import LABEL_PROJECT, LABEL_SERVICE, Engine
from . import connectivity_inside

CONNECTIVITY_LABEL = "com.suho.preflight"
_BOOTSTRAP = (
    "import json, sys, types; request = json.load(sys.stdin); inside = types.ModuleType('inside'); "
    "exec(compile(request['code'], 'inside', 'exec'), inside.__dict__); "
    "print(json.dumps(inside.attempt_all(request['targets'])))"
)
# What the engine and the container's runtime answer if there is no such program in the image.
_NO_PROGRAM = (126, 127)
# Seconds; far more than a try takes.
_LEFT_OVER = 600


class ConnectivityError(PlatformError):
    """Nothing could be tried: no image has a Python, or a network is not there."""


@dataclass(frozen=True)
class Target:
    """One thing to try. ``way`` is resolve, connect, clickhouse, clickhouse_http, postgresql or nats; ``timeout`` in seconds."""

    way: str
    host: str
    port: int = 0
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    token: str = field(default="", repr=False)
    tls: bool = False
    verify: bool = True
    timeout: float = 5.0


@dataclass(frozen=True)
class ConnectivityResult:
    """What became of a target. ``stage`` is where it ended: resolve, connect or login."""

    ok: bool
    said: str = ""
    stage: str = ""
    error: str = ""
    milliseconds: float = 0.0


class Connectivity:
    """Tries targets from inside networks of one engine."""

    def __init__(self, engine: Engine, images: Sequence[str], timeout: float = 60) -> None:
        self.engine = engine
        self.images = list(dict.fromkeys(image for image in images if image))
        self.timeout = timeout

    def attempt(self, networks: Sequence[str], targets: Sequence[Target]) -> list[ConnectivityResult]:
        """Try all targets from a container that is on all the networks, the engine's names of which are given."""
        request = json.dumps(
            {
                "code": inspect.getsource(connectivity_inside),
                "targets": [asdict(target) for target in targets],
            }
        )
        if not self.images:
            raise ConnectivityError("the project has no image on this host")
        self._remove_leftovers()
        while self.images:
            answer = self._run(self.images[0], networks, request)
            if answer is not None:
                return [_outcome(one) for one in answer]
            self.images.pop(0)
        raise ConnectivityError("no image of the project has a python3")

    def _run(self, image: str, networks: Sequence[str], request: str) -> list[dict[str, Any]] | None:
        """The container's answers; None if its image has no python3."""
        name = f"suho-preflight-{secrets.token_hex(6)}"
        create = [
            "create",
            "--rm",
            "--interactive",
            "--name",
            name,
            "--label",
            f"{CONNECTIVITY_LABEL}={int(time.time())}",
        ]
        # An image that Compose has built has labels by which its containers are found.
        for inherited in (LABEL_PROJECT, LABEL_SERVICE):
            create += ["--label", f"{inherited}="]
        create.append("--network")
        create += [
            networks[0] if networks else "none",
            "--read-only",
            "--user",
            "65534:65534",
            "--cap-drop",
            "ALL",
        ]
        create += ["--security-opt", "no-new-privileges", "--pids-limit", "64", "--memory", "256m"]
        # The healthcheck and the restart policy of the image's service are no concern of this container.
        create += ["--no-healthcheck", "--restart", "no", "--log-driver", "none", "--pull", "never"]
        create += ["--workdir", "/", "--env", "PYTHONDONTWRITEBYTECODE=1", "--entrypoint", "python3", image]
        try:
            self.engine.run([*create, "-I", "-c", _BOOTSTRAP])
            for other in networks[1:]:
                self.engine.run(["network", "connect", other, name])
            done = self.engine.run(["start", "--attach", "--interactive", name], self.timeout, stdin=request)
            found = json.loads(done.stdout)
        except CommandError as error:
            if error.returncode in _NO_PROGRAM or _lacks_program(error):
                return None
            # The command itself is long, and no help to anybody.
            raise ConnectivityError(error.stderr_tail[-1] if error.stderr_tail else str(error)) from error
        except ValueError as error:
            raise ConnectivityError(f"the connection tried in image {image} gave no answer") from error
        finally:
            self._remove(name)
        return found if isinstance(found, list) else None

    def _remove_leftovers(self) -> None:
        """Remove what runs that were killed have left. A container that is younger may be somebody's who is at work just now."""
        try:
            found = self.engine.containers_by_filter([f"label={CONNECTIVITY_LABEL}"])
        except CommandError:
            return  # the try itself says what is wrong with the engine
        for one in found:
            made = one.labels.get(CONNECTIVITY_LABEL, "")
            if not made.isdigit() or time.time() - int(made) > _LEFT_OVER:
                self._remove(one.name)

    def _remove(self, name: str) -> None:
        try:
            self.engine.run(["rm", "--force", "--volumes", name])
        except CommandError as error:
            said = str(error).lower()
            if "no such container" not in said and "already in progress" not in said:
                raise ConnectivityError(f"the container {name} could not be removed: {error}") from error


def _lacks_program(error: CommandError) -> bool:
    said = str(error).lower()
    return "executable file not found" in said or "no such file or directory" in said


def _outcome(found: Mapping[str, Any]) -> ConnectivityResult:
    names = ("ok", "said", "stage", "error", "milliseconds")
    return ConnectivityResult(**{name: found[name] for name in names if name in found})
