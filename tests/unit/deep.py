"""How many examples a property test draws: SUHO_DEEP=1 (`make test-deep`) asks for twenty times as many."""

from __future__ import annotations

import os

DEEP = bool(os.environ.get("SUHO_DEEP"))


def examples(count: int) -> int:
    return count * 20 if DEEP else count
