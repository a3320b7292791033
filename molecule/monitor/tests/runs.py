"""The records of monitoring runs on the target."""

from __future__ import annotations

import json


def runs(lab) -> list[str]:
    return sorted(path.name for path in (lab.state / "bakes").iterdir())


def rounds_of(lab, run: str) -> list[dict]:
    text = (lab.state / "bakes" / run / "rounds.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]
