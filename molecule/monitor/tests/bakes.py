"""The records of bakes on the target."""

from __future__ import annotations

import json


def bakes(lab) -> list[str]:
    return sorted(path.name for path in (lab.state / "bakes").iterdir())


def rounds_of(lab, bake: str) -> list[dict]:
    text = (lab.state / "bakes" / bake / "rounds.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
