# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program, bounded in time; what may not be shown of its command line and its errors is masked."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from .errors import PlatformError

# Options whose value may be a secret: "NAME=value" is shown as "NAME=***".
_ASSIGNMENT_OPTIONS = ("-e", "--env", "--build-arg", "--label", "-l")


_STDERR_LINES = 8


class CommandError(PlatformError):
    """A docker (or other) command that could not be run, ran too long or failed."""

    def __init__(self, command: Sequence[str], returncode: int | None, stderr: str, reason: str = "") -> None:
        self.command = shown_command(command)
        self.returncode = returncode
        hidden = _assigned_values(command)
        self.stderr_tail = [_without(line, hidden) for line in stderr.strip().splitlines()[-_STDERR_LINES:]]
        what = reason or f"exit code {returncode}"
        detail = ": " + " | ".join(self.stderr_tail) if self.stderr_tail else ""
        super().__init__(f"'{' '.join(self.command)}' failed ({what}){detail}")


@dataclass(frozen=True)
class CommandResult:
    stdout: str
    stderr: str
    returncode: int = 0


def run_command(
    command: Sequence[str],
    timeout: float = 60,
    cwd: str | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """Run one command and return its output; every failure is an :class:`CommandError`.

    ``env`` is added to the process's own environment. Output is decoded as UTF-8, undecodable bytes replaced.
    """
    result = try_command(command, timeout, cwd, stdin, env)
    if result.returncode != 0:
        raise CommandError(command, result.returncode, result.stderr)
    return result


def try_command(
    command: Sequence[str],
    timeout: float = 60,
    cwd: str | None = None,
    stdin: str | None = None,
    env: Mapping[str, str] | None = None,
) -> CommandResult:
    """As :func:`run_command`, but an exit code other than 0 is an answer, too."""
    environment = {**os.environ, **(env or {})}
    try:
        done = subprocess.run(
            list(command),
            check=False,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL if stdin is None else None,
            input=None if stdin is None else stdin.encode("utf-8"),
            capture_output=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(command, None, "", f"no answer within {timeout:g} s") from error
    except FileNotFoundError as error:
        missing = cwd if cwd is not None and not os.path.isdir(cwd) else command[0]
        raise CommandError(command, None, "", f"not found: {missing}") from error
    except OSError as error:
        raise CommandError(command, None, "", f"cannot be run: {error.strerror}") from error
    return CommandResult(
        done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace"), done.returncode
    )


def shown_command(command: Sequence[str]) -> list[str]:
    """The command as it may be shown: values given to -e, --env, --build-arg and --label are masked."""
    shown: list[str] = []
    after_option = False
    for word in command:
        option, equals, rest = word.partition("=")
        if after_option:
            shown.append(option + "=***" if equals else word)
        elif equals and option in _ASSIGNMENT_OPTIONS and "=" in rest:
            shown.append(f"{option}={rest.partition('=')[0]}=***")
        else:
            shown.append(word)
        after_option = word in _ASSIGNMENT_OPTIONS
    return shown


def _assigned_values(command: Sequence[str]) -> list[str]:
    """The values that :func:`shown_command` masks, so that stderr cannot echo them either."""
    values = []
    previous = ""
    for word in command:
        option, _equals, rest = word.partition("=")
        if previous in _ASSIGNMENT_OPTIONS:
            values.append(rest)
        elif option in _ASSIGNMENT_OPTIONS and "=" in rest:
            values.append(rest.partition("=")[2])
        previous = word
    # Very short values would blank out half of every message and hide nothing worth hiding.
    return [value for value in values if len(value) > 3]


def _without(line: str, hidden: Sequence[str]) -> str:
    for value in hidden:
        line = line.replace(value, "***")
    return line
