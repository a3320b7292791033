# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the benchmark prints must be what it has measured: its statistics, its table, its counting, its tables."""

from __future__ import annotations

import socket
import sys
import threading
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess

from bench.contenders import Contender
from bench.proxy import Meter, Proxy
from bench.schema import Applying, BenchError, Runs, peak_memory
from bench.tables import (
    BEGIN,
    COLUMNS,
    END,
    Spread,
    between_markers,
    ddl,
    ratio,
    render,
    request,
    table_names,
    verdict,
)


def test_spread_of_odd_and_even_numbers_of_runs():
    assert Spread.of([3.0, 1.0, 9.0]) == Spread(3.0, 1.0, 9.0)
    assert Spread.of([4.0, 1.0, 2.0, 9.0]).median == 3.0
    assert Spread.of([0.5]).text(2) == "0.50 (0.50-0.50)"
    with pytest.raises(ValueError, match="no run"):
        Spread.of([])


def test_ratio_and_verdict():
    assert ratio(1.0, 4.0) == "0.25"
    assert ratio(1.0, 0.0) == "unknown"
    assert verdict(1.99, 2.0, "s") == "met: < 2 s"
    assert verdict(2.0, 2.0, "s") == "missed: < 2 s"


def test_table_is_aligned_and_complete():
    assert render(("a", "long"), [("value", "x")]) == "| a     | long |\n| ----- | ---- |\n| value | x    |"
    with pytest.raises(ValueError, match="expected 2 cells, found 1"):
        render(("a", "b"), [("only",)])


def test_only_the_text_between_the_markers_is_replaced():
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    assert between_markers(text, "new") == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    for wrong in ("none", f"{END} {BEGIN}", f"{BEGIN} {BEGIN} {END}"):
        with pytest.raises(ValueError, match="each once"):
            between_markers(wrong, "new")


def test_readme_has_a_place_for_the_table():
    readme = Path(__file__).resolve().parents[3] / "bench" / "README.md"
    assert "the new table" in between_markers(readme.read_text(encoding="utf-8"), "the new table")


def test_tables_have_the_columns_and_names_that_were_asked_for():
    names = table_names(500)
    assert len(set(names)) == 500
    assert names == sorted(names)
    for columns in (2, 29, COLUMNS):
        assert ddl("b", "t", columns).count("\n    `") == columns
    with pytest.raises(ValueError, match="at least 2"):
        ddl("b", "t", 1)


@pytest.mark.parametrize("missing", [0, 1])
def test_planner_finds_in_each_table_the_change_that_was_put_in(missing):
    with PlannerProcess() as planner:
        answer = planner.ask(request("bench", 3, missing))
        status = Path(f"/proc/{planner.pid}/status").read_text(encoding="ascii")
    assert [step["object"] for step in answer["steps"]] == [
        f"bench.{name}" for name in table_names(3) if missing
    ]
    assert all(step["statement"].startswith("ALTER TABLE") for step in answer["steps"])
    assert answer["refused"] == []
    assert 50 < peak_memory(status) < 1024


def test_peak_memory_that_is_not_told_is_an_error():
    assert peak_memory("VmRSS:\t 10 kB\nVmHWM:\t 2048 kB\n") == 2.0
    with pytest.raises(BenchError, match="VmHWM"):
        peak_memory("VmRSS:\t 10 kB\n")


def test_meter_counts_from_the_last_question_to_the_last_answer():
    meter = Meter()
    for now, event in (
        (0.0, meter.asked),
        (1.0, meter.asked),  # the question in two pieces
        (2.0, meter.answered),
        (4.0, meter.answered),  # the answer in two pieces
        (9.0, meter.asked),  # the client has worked for 5 s
        (9.5, meter.answered),
        (20.0, meter.asked),  # a farewell without an answer
    ):
        event(now)
    meter.close()
    assert (meter.seconds, meter.exchanges) == (3.5, 2)


def test_meter_counts_no_answer_without_a_question():
    meter = Meter()
    meter.answered(1.0)
    meter.close()
    assert (meter.seconds, meter.exchanges) == (0.0, 0)


def test_proxy_passes_bytes_on_and_counts_the_servers_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            peer, _address = listener.accept()
            with peer:
                while data := peer.recv(100):
                    time.sleep(0.05)
                    peer.sendall(data.upper())

        threading.Thread(target=serve, daemon=True).start()
        with (
            Proxy(*listener.getsockname()) as proxy,
            proxy.measure() as waited,
            socket.create_connection(("127.0.0.1", proxy.port)) as client,
        ):
            began = time.perf_counter()
            for word in (b"one", b"two"):
                client.sendall(word)
                assert client.recv(100) == word.upper()
                time.sleep(0.2)
            took = time.perf_counter() - began
    assert (waited.connections, waited.exchanges) == (1, 2)
    assert 0.1 <= waited.seconds <= took - 0.4  # without the client's own time


def test_rows_compare_the_others_with_the_modules_code():
    def contender(name, is_ours):
        return Contender(name, lambda at: ([], {}), is_ours)

    mine, other, absent = contender("mine", True), contender("other", False), contender("absent", False)
    applying = Applying(None, None)
    for place in (applying.fresh, applying.again):
        place["mine"] = Runs([1.0], [30.0], [7.0])
        place["other"] = Runs([0.5], [40.0], [9.0])
    rows = applying.rows([mine, other, absent])
    assert [row[1] for row in rows] == ["mine", "other"] * 2
    assert rows[0][-1] == ""
    assert rows[1][2:] == (
        "0.50 (0.50-0.50)",
        "40.0 (40.0-40.0)",
        "9",
        "",
        "our server time is 0.75 of theirs",
    )
