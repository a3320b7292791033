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
    """The folders that hold a package: one for each service, and the shared one."""
    found = {one.parent.parent for one in tree.rglob("__init__.py")}
    return sorted(str(folder) for folder in found if not (folder / "__init__.py").exists())


TREE = assemble()
# The packages have names of their own, so the order does not matter to anybody else.
sys.path.extend([*paths(TREE), str(LAB / "seed")])
