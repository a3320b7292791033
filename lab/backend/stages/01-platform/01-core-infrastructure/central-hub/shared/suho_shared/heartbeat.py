"""A sign of life for Docker's healthcheck: a file that the service touches after work that succeeded.

The check asks how old the file is, with a program that starts at once: it runs every few seconds.
"""

from __future__ import annotations

from pathlib import Path

FILE = Path("/tmp/heartbeat")  # noqa: S108 - private to the container


def beat() -> None:
    FILE.touch()
