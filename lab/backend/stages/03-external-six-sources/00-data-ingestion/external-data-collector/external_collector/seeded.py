"""Figures that the moment seeds: fresh at every poll, and the same for the same moment."""

from __future__ import annotations

import math
import random
from datetime import datetime

SEED = 20251006


def dice(name: str, now: datetime) -> random.Random:
    return random.Random(f"{SEED}:{name}:{int(now.timestamp())}")


def wave(now: datetime, period: float, phase: float = 0.0) -> float:
    return math.sin(2 * math.pi * (now.timestamp() / period + phase))
