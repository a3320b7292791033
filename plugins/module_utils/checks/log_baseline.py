# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of error lines a service wrote before the time that is judged: in its own log, and in the kept log of a container that it replaced."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..common.times import unix_seconds, utc_text
from .log_lines import Line, events, fingerprint, log_lines
from .log_spec import LogNotReadable, LogSpec
from .logs import LogSource

_MOST_BYTES = 16 * 1024 * 1024  # of a kept log; its end is read


def known_kinds(
    source: LogSource, spec: LogSpec, since: str, levels: Sequence[str], max_lines: int
) -> set[str]:
    """Return the fingerprints of the error lines of the ``spec.compare_seconds`` before ``since``, and of the end of the kept log.

    Raises :class:`LogNotReadable` if a log is there and cannot be read.
    """
    before: list[Line] = []
    start = unix_seconds(since)
    if start is not None:
        first = utc_text(int(start - spec.compare_seconds))
        found = source.read(spec.container, first, max_lines).lines
        before = [line for line in found if (unix_seconds(line.time) or start) < start]
    kept = _kept(spec.compare_file, spec.compare_seconds) if spec.compare_file else []
    # Each log on its own: a traceback that one ends with is not continued in the other.
    return {
        fingerprint(event.level, event.full_text)
        for lines in (before, kept)
        for event in events(lines, levels)
    }


def _kept(path: str, seconds: float) -> list[Line]:
    """The lines of the last ``seconds`` of a kept log; none if there is no such file, for nothing was replaced then."""
    try:
        with Path(path).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, 2) - _MOST_BYTES))
            text = stream.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise LogNotReadable(f"the kept log {path} cannot be read: {exc.strerror}") from exc
    # Standard output and standard error stand one after the other in it.
    lines = sorted(log_lines(text), key=lambda line: line.time)
    end = unix_seconds(lines[-1].time) if lines else None
    return [line for line in lines if end is not None and (unix_seconds(line.time) or 0.0) >= end - seconds]
