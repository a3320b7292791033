"""Tests against the lab of this scenario."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tests"))

from lab_facts import Lab


@pytest.fixture(scope="session")
def lab():
    return Lab()
