"""A sign of life for Docker's healthcheck: a file that the service touches after work that succeeded.

``python -m suho_shared.heartbeat --max-age 30`` is the check.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

FILE = "/tmp/heartbeat"  # noqa: S108 - private to the container


def beat() -> None:
    Path(os.environ.get("HEARTBEAT_FILE", FILE)).touch()


def verdict(path: Path, max_age: float, now: float) -> str | None:
    """What is wrong, or None."""
    try:
        age = now - path.stat().st_mtime
    except FileNotFoundError:
        return f"{path}: no heartbeat yet, expected one after the first successful poll"
    if age > max_age:
        return f"{path}: last heartbeat {age:.0f} s ago, expected at most {max_age:.0f} s"
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--max-age", type=float, default=30)
    wrong = verdict(Path(os.environ.get("HEARTBEAT_FILE", FILE)), parser.parse_args().max_age, time.time())
    if wrong:
        sys.exit(wrong)


if __name__ == "__main__":
    main()
