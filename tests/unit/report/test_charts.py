"""What the rounds of a monitoring run measured, as charts and as numbers."""

from __future__ import annotations

import base64
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.text import MissingLibrary
from ansible_collections.suho.platform.plugins.module_utils.report import charts as report_charts
from ansible_collections.suho.platform.plugins.module_utils.report.charts import (
    MOST_SERIES,
    charts,
    rounds_table,
)
from ansible_collections.suho.platform.plugins.module_utils.report.flow import flow
from report_sample import HOSTILE

SVG = "{http://www.w3.org/2000/svg}"


def run(*samples: dict[str, Any]) -> dict[str, Any]:
    return {
        "head": {"id": "b1"},
        "rounds": [
            {
                "number": number,
                "began": f"2026-01-01T00:0{number}:00.000Z",
                "ended": f"2026-01-01T00:0{number}:10.000Z",
                "verdict": "pass",
                "reasons": [],
                "samples": one,
            }
            for number, one in enumerate(samples, start=1)
        ],
    }


def picture(chart: dict[str, Any]) -> ElementTree.Element:
    head, _, body = chart["src"].partition(",")
    assert head == "data:image/svg+xml;base64"
    return ElementTree.fromstring(base64.b64decode(body))


def test_every_number_is_in_the_table_and_every_series_is_a_line() -> None:
    found = charts(
        run(
            {"rows": {"bars": {"EURUSD": 4, "XAUUSD": 0}}, "memory_bytes": {"bridge": 3 * 2**20}},
            {"rows": {"bars": {"EURUSD": 6}}, "memory_bytes": {"bridge": 2**20}, "pending": {"BARS": 2}},
        )
    )
    assert [(one["title"], one["unit"]) for one in found] == [
        ("New rows: bars", "rows"),
        ("Messages that wait for a consumer", "messages"),
        ("Memory of the containers", "MiB"),
    ]
    assert found[0]["columns"] == ["Round", "EURUSD", "XAUUSD"]
    assert found[0]["rows"] == [["1", "4", "0"], ["2", "6", "not measured"]]
    assert found[1]["rows"] == [["1", "not measured"], ["2", "2"]]
    assert found[2]["rows"] == [["1", "3"], ["2", "1"]]
    assert all("in 2 rounds" in one["alt"] for one in found)
    root = picture(found[0])
    assert "EURUSD" in "".join(root.itertext())
    assert len({one.get("class") for one in root.iter() if "serie-" in one.get("class", "")}) >= 2


def test_the_same_numbers_are_the_same_picture_and_other_numbers_another_one() -> None:
    one, same, other = (
        charts(run({"pending": {"B": 1}}, {"pending": {"B": last}}))[0]["src"] for last in (5, 5, 6)
    )
    assert one == same
    assert one != other


def test_nothing_measured_is_no_chart() -> None:
    assert charts({}) == []
    assert charts(run({}, {"rows": {}, "pending": {}})) == []


def test_many_groups_are_few_lines_and_no_number_is_left_out() -> None:
    groups = {f"S{number:02d}": number for number in range(30)}
    (chart,) = charts(run({"rows": {"bars": groups}}, {"rows": {"bars": groups}}))
    assert len(chart["columns"]) == 31
    text = "".join(picture(chart).itertext())
    assert "S29" in text
    assert f"{30 - MOST_SERIES + 1} others" in text
    assert "S00" not in text
    # The names of the lines lie within the picture, however many there are.
    root = picture(chart)
    (legend,) = [one for one in root.iter() if one.get("class") == "legends"]
    top = float(legend.get("transform", "").rstrip(")").split(",")[1])
    rows = [float(one.get("y", "0")) for one in legend.iter(f"{SVG}rect")]
    assert top + max(rows) + 12 <= float(root.get("height", "0"))


def test_hostile_names_are_text_only() -> None:
    (chart,) = charts(run({"pending": {HOSTILE: 1}}, {"pending": {HOSTILE: 2}}))
    root = picture(chart)
    assert {one.tag for one in root.iter()} & {
        f"{SVG}script",
        f"{SVG}img",
        f"{SVG}image",
        f"{SVG}foreignObject",
    } == set()
    assert not [name for one in root.iter() for name in one.attrib if name.lower().startswith("on")]


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_charts, "_pygal", None)
    assert charts({}) == []
    with pytest.raises(MissingLibrary, match="pip install pygal"):
        charts(run({"pending": {"B": 1}}))


def look(round_number: int, last: int, acknowledged: int, pending: int) -> dict[str, Any]:
    details = {"last_sequence": last, "acknowledged_sequence": acknowledged, "pending": pending}
    return {
        "kind": "jetstream",
        "round": round_number,
        "stream": "BARS",
        "consumer": "bridge",
        "verdict": "pass",
        "details": details,
    }


def test_the_flow_has_the_rates_between_the_first_and_the_last_look() -> None:
    found = flow(run({}, {}, {}), [look(1, 100, 90, 10), look(2, 1, 1, 1), look(3, 340, 330, 0)])
    assert found == [
        {
            "stream": "BARS",
            "consumer": "bridge",
            "published": "2.00 messages/s",
            "consumed": "2.00 messages/s",
            "pending": "0",
            "tables": [],
        }
    ]


def test_one_look_is_no_rate() -> None:
    (found,) = flow(run({}), [look(1, 100, 90, 10)])
    assert (found["published"], found["consumed"], found["pending"]) == ("not measured", "not measured", "10")
    assert flow(run({}), [{"kind": "jetstream", "round": 1, "details": {}}]) == []
    assert flow({}, [look(1, 1, 1, 1)]) == []


def test_a_run_that_looked_once_shows_what_the_stream_holds_and_what_arrives() -> None:
    seen = look(1, 100, 90, 10)
    seen["tables"] = ["aggregates", "external_other"]
    seen["details"] |= {"messages": 7, "first_sequence": 40, "seconds_held": 30.0}
    del seen["round"]
    fresh = {"kind": "fresh", "table": "aggregates", "rows_per_second": 0.5, "verdict": "pass"}
    (found,) = flow({}, [fresh, seen])
    assert (found["published"], found["consumed"]) == (
        "2.00 messages/s on average",
        "1.67 messages/s on average",
    )
    assert found["tables"] == [
        {"table": "aggregates", "rate": "0.50 rows/s"},
        {"table": "external_other", "rate": "not measured"},
    ]
    assert flow({}, [{**seen, "details": {"last_sequence": 1}}])[0]["published"] == "not measured"


@pytest.mark.parametrize(
    ("more", "rates"),
    [
        ({"retention": "limits"}, ("2.00 messages/s on average", "1.67 messages/s on average")),
        # What was acknowledged is gone: how much that was, the stream does not say.
        ({"retention": "workqueue"}, ("2.00 messages/s on average", "not measured")),
        ({"retention": "interest"}, ("2.00 messages/s on average", "not measured")),
        ({"acknowledged_sequence": 12}, ("2.00 messages/s on average", "0.00 messages/s on average")),
        ({"seconds_held": 0.0}, ("not measured", "not measured")),
    ],
)
def test_what_one_look_knows_of_the_past(more: dict[str, Any], rates: tuple[str, str]) -> None:
    seen = look(1, 100, 90, 10)
    seen["details"] |= {"first_sequence": 40, "seconds_held": 30.0, **more}
    del seen["round"]
    (found,) = flow({}, [seen])
    assert (found["published"], found["consumed"]) == rates


def test_a_stream_without_a_consumer_has_no_second_arrow() -> None:
    seen = look(1, 100, 90, 10)
    seen["details"] = {"last_sequence": 100, "first_sequence": 40, "seconds_held": 30.0}
    del seen["round"]
    (found,) = flow({}, [seen])
    assert (found["published"], found["consumed"]) == ("2.00 messages/s on average", "not measured")


def arrives(rate: float | None, **more: Any) -> dict[str, Any]:
    return {"kind": "fresh", "table": "aggregates", "rows_per_second": rate, "verdict": "pass", **more}


@pytest.mark.parametrize(
    ("checks", "rate"),
    [
        ([arrives(2 / 7200)], "1 rows/h"),
        ([arrives(0.0)], "0.00 rows/s"),
        ([arrives(12.345)], "12.35 rows/s"),
        ([arrives(None)], "not measured"),
        ([arrives(3.0), arrives(0.5)], "3.00 rows/s"),
        ([{**arrives(3.0), "table": "other"}], "not measured"),
    ],
)
def test_what_arrives_is_what_the_widest_check_has_seen(checks: list[dict[str, Any]], rate: str) -> None:
    seen = {**look(1, 100, 90, 10), "tables": ["aggregates"]}
    del seen["round"]
    (found,) = flow({}, [*checks, seen])
    assert found["tables"] == [{"table": "aggregates", "rate": rate}]


def test_what_arrived_in_an_earlier_round_does_not_arrive_any_more() -> None:
    looks = [{**look(number, 100, 90, 10), "tables": ["aggregates"]} for number in (1, 2)]
    (found,) = flow(run({}, {}), [*looks, arrives(3.0, round=1), arrives(None, round=2)])
    assert found["tables"][0]["rate"] == "not measured"
    (found,) = flow(run({}, {}), [*looks, arrives(3.0, round=1), arrives(2.0, round=2)])
    assert found["tables"][0]["rate"] == "2.00 rows/s"


def test_rounds_in_a_line_each() -> None:
    found = rounds_table(
        run({}, {}), [look(1, 1, 1, 1), {"round": 2, "verdict": "fail"}, {"round": 2, "verdict": "pass"}]
    )
    assert [(one["number"], one["passed"]) for one in found] == [("1", "1 of 1"), ("2", "1 of 2")]
