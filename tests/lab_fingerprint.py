"""Write a lab's fingerprint, or compare the lab with the one that was written: --write or --compare."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lab_facts import Lab


def main() -> None:
    lab = Lab()
    now = lab.fingerprint()
    if sys.argv[1:] == ["--write"]:
        lab.remembered.write_text(json.dumps(now, indent=1, sort_keys=True), encoding="utf-8")
        return
    before = json.loads(lab.remembered.read_text(encoding="utf-8"))
    parts = [part for part in before if before[part] != now[part]]
    for part in parts:
        print(f"{part}:\n  before {before[part]}\n  now    {now[part]}")
    sys.exit(f"changed: {', '.join(parts)}" if parts else 0)


if __name__ == "__main__":
    main()
