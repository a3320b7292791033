"""The lab's backend tree, put together from its stages as the lab does it, and importable."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

LAB = Path(__file__).resolve().parents[2] / "lab"
STAGES = LAB / "backend" / "stages"
CODE = (
    "01-core-infrastructure/central-hub/shared",
    "00-data-ingestion/polygon-live-collector",
    "00-data-ingestion/polygon-historical-downloader",
    "00-data-ingestion/external-data-collector",
    "02-data-processing/data-bridge",
    "02-data-processing/tick-aggregator",
)


def history() -> list[dict[str, str]]:
    return yaml.safe_load((LAB / "backend" / "history.yml").read_text(encoding="utf-8"))


def assemble(stages: int | None = None) -> Path:
    """A folder with the first stages copied over each other; without a number, all of them."""
    tree = Path(tempfile.mkdtemp(prefix="lab-tree-"))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    for entry in history()[:stages]:
        shutil.copytree(STAGES / entry["stage"], tree, dirs_exist_ok=True)
    return tree


def paths(tree: Path) -> list[str]:
    return [str(tree / folder) for folder in CODE]


TREE = assemble()
# The packages have names of their own, so the order does not matter to anybody else.
sys.path.extend([*paths(TREE), str(LAB / "seed")])
