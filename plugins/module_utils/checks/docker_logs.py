# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read container logs with the docker CLI."""

from __future__ import annotations

import heapq

from ..common.command import CommandError, try_command
from ..common.secrets import mask_text
from ..docker.engine import Engine
from .log_lines import Line
from .log_spec import TIME, LogCheckError
from .logs import LogContainer, LogText


class DockerLogs:
    """The log source of a docker engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def container(self, name: str) -> LogContainer | None:
        try:
            found = self._engine.inspect_containers([name])
        except CommandError as exc:
            raise LogCheckError(str(exc)) from exc
        return LogContainer(found[0].state, found[0].started_at) if found else None

    def read(self, name: str, since: str, max_lines: int) -> LogText:
        """Read the lines since a time; without a time, all that the engine still has of this container."""
        window = ["--since", since] if since else []
        command = [self._engine.binary, "logs", "--timestamps", *window, "--tail", str(max_lines + 1), name]
        try:
            done = try_command(command, self._engine.timeout, env=self._engine.env)
        except CommandError as exc:
            raise LogCheckError(str(exc)) from exc
        if done.returncode != 0:
            # The container's own stderr comes out here, too: only the last line is the command's complaint.
            complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise LogCheckError(
                f"docker logs failed with exit code {done.returncode}: {mask_text(complaint)}"
            )
        # The command writes the container's two streams apart; the engine's times put them together again.
        lines = list(heapq.merge(log_lines(done.stdout), log_lines(done.stderr), key=lambda line: line.time))
        cut = len(lines) > max_lines
        return LogText(lines[-max_lines:] if cut else lines, cut)


def log_lines(text: str) -> list[Line]:
    """Read what ``docker logs --timestamps`` has written."""
    found: list[Line] = []
    for raw in text.split("\n"):
        if not raw.strip():
            continue
        time, _blank, rest = raw.partition(" ")
        if TIME.match(time):
            found.append(Line(time, rest))
        else:  # the rest of a line that the engine had to split
            found.append(Line(found[-1].time if found else "", raw))
    return found
