# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read container logs with the docker CLI, and check them."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from typing import Any

from ..common.command import CommandError, try_command
from ..common.secrets import mask_text
from ..common.times import utc_today
from ..docker.engine import Engine, engine_from
from .log_baseline import known_kinds
from .log_lines import log_lines
from .log_spec import LogNotReadable, LogSpec, check_levels, log_spec
from .logs import LogChecks, LogContainer, LogText
from .result import CheckNotValid
from .wait import CheckSet

LOGS = "logs"


class DockerLogs:
    """The log source of a docker engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def container(self, name: str) -> LogContainer | None:
        try:
            found = self._engine.inspect_containers([name])
        except CommandError as exc:
            raise LogNotReadable(str(exc)) from exc
        return LogContainer(found[0].state, found[0].started_at) if found else None

    def read(self, name: str, since: str, max_lines: int) -> LogText:
        """Read the lines since a time; without a time, all that the engine still has of this container."""
        window = ["--since", since] if since else []
        command = [self._engine.binary, "logs", "--timestamps", *window, "--tail", str(max_lines + 1), name]
        try:
            done = try_command(command, self._engine.timeout, env=self._engine.env)
        except CommandError as exc:
            raise LogNotReadable(str(exc)) from exc
        if done.returncode != 0:
            # The container's own stderr comes out here, too: only the last line is the command's complaint.
            complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise LogNotReadable(
                f"docker logs failed with exit code {done.returncode}: {mask_text(complaint)}"
            )
        # The command writes the container's two streams apart; the engine's times put them together again.
        lines = list(heapq.merge(log_lines(done.stdout), log_lines(done.stderr), key=lambda line: line.time))
        cut = len(lines) > max_lines
        return LogText(lines[-max_lines:] if cut else lines, cut)


def log_checks(params: Mapping[str, Any]) -> dict[str, CheckSet]:
    """Return the checks of a module's options ``containers``, ``error_levels`` and ``max_lines`` by group.

    Raises CheckNotValid for bad input.
    """
    specs = [log_spec(entry) for entry in params["containers"]]
    levels = check_levels(params["error_levels"])
    most = int(params["max_lines"])
    if most < 1:
        raise CheckNotValid(f"max_lines is {most}, expected 1 or more")
    source = DockerLogs(engine_from(params))

    def baseline(spec: LogSpec, since: str) -> set[str]:
        return known_kinds(source, spec, since, levels, most)

    today = utc_today()
    return {LOGS: LogChecks(source, specs, levels, max_lines=most, today=today, baseline=baseline)}
