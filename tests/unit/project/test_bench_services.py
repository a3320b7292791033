# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmark of the services says must follow from what it has seen."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from bench.services import BenchError, goal, judged, row, run, timed
from bench.tables import SERVICES_BEGIN, SERVICES_END, between_markers


def test_every_bar_that_was_stored_once_is_well():
    assert judged({1: 10.0, 2: 11.0}, [(1, 1, 10.4), (2, 1, 13.0)]) == (0, 2.0)


@pytest.mark.parametrize(
    ("stored", "wrong"),
    [([], 2), ([(1, 1, 10.0)], 1), ([(1, 2, 10.0), (2, 1, 11.0)], 1), ([(3, 1, 1.0)], 2)],
)
def test_what_is_lost_or_twice_is_counted(stored, wrong):
    assert judged({1: 10.0, 2: 11.0}, stored)[0] == wrong


def test_a_goal_is_met_or_missed():
    assert goal(0, 0, "rows") == "met: at most 0 rows"
    assert goal(1.2, 1.1) == "missed: at most 1.1"


def test_a_row_has_median_and_spread():
    assert row("x", "ours", [3.0, 1.0, 2.0], "s", "y") == ("x", "ours", "2.00 (1.00-3.00)", "s", "y")


def test_a_command_that_fails_ends_the_benchmark():
    with pytest.raises(BenchError, match="no-such-file"):
        run("ls", "/no-such-file")
    assert run("cat", stdin="x") == "x"


def test_work_is_timed():
    assert 0 <= timed(lambda: None) < 1


def test_the_two_tables_of_the_readme_stay_apart():
    text = (Path(__file__).resolve().parents[3] / "bench/README.md").read_text(encoding="utf-8")
    changed = between_markers(text, "NEW", SERVICES_BEGIN, SERVICES_END)
    assert f"{SERVICES_BEGIN}\nNEW\n{SERVICES_END}" in changed
    assert changed.split(SERVICES_BEGIN)[0] == text.split(SERVICES_BEGIN)[0]
