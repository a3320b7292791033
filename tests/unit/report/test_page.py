# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page shows every fact, escapes every text, loads nothing, and never looks better than its facts."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.suho.platform.plugins.module_utils.report.page import final_verdict, timeline
from jinja2 import Environment, nodes
from report_render import FILTERS, ROLE, TEMPLATE, render
from report_sample import ERROR, hostile, sample

META = sample()["meta"]


class Reader(HTMLParser):
    """Collects tags, attributes and the text of a page, and checks that tags are closed in order."""

    VOID = ("meta", "br", "img", "link", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.texts).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_page_shows_every_fact() -> None:
    page = Reader(render(sample(error=ERROR)))
    assert page.open == []
    for fact in (
        "failed",
        "1 of 1 checks passed",
        "3 min 07 s",
        "2026-06-15 10:00:00 UTC",
        "4f1c2d3e",
        "schema 30 s done",
        "over budget",
        "not measured",
        "26 keys in 120 rows",
        "12.9 ms",
        "8192 rows read",
        "[ERR] slow consumer",
        "allowed: known",
        "code is newer, digest differs",
        "ALTER TABLE a ADD COLUMN b",
        "found: 3650 days, expected: 365 days",
        "Restored from the quarantine: db.last_week.",
        "+ tick-aggregator:",
        *ERROR.values(),
    ):
        assert fact in page.text, fact
    assert "1 min 11 s of 1 min 00 s" in page.text


def test_page_shows_what_a_monitoring_run_measured() -> None:
    def look(number: int, last: int) -> dict[str, Any]:
        details = {"last_sequence": last, "acknowledged_sequence": last - 1, "pending": 1}
        name = {"name": "BARS", "kind": "jetstream", "stream": "BARS", "consumer": "bridge"}
        return {**name, "tables": ["aggregates"], "round": number, "verdict": "pass", "details": details}

    rows = {"name": "bars arrive", "kind": "fresh", "table": "aggregates", "rows_per_second": 1.25}
    checks = [look(1, 100), look(2, 220), {**rows, "round": 2, "verdict": "pass"}]
    page = Reader(render(sample(assertions=checks)))
    assert page.open == []
    for fact in (
        "Monitoring run 20260615T100100Z, 2026-06-15 10:01:00 UTC to 2026-06-15 10:02:05 UTC (1 min 05 s): round 2 failed, none may.",
        "every symbol: EURUSD: no row of the last 60 s",
        "2026-06-15 10:02:00 UTC",
        "New rows: every symbol",
        "Round EURUSD 1 12 2 0",
        "publishers 2.00 messages/s stream BARS, 1 wait 2.00 messages/s consumer bridge 1.25 rows/s aggregates",
    ):
        assert fact in page.text, fact


@pytest.mark.parametrize(
    ("head", "verdict", "story"),
    [
        (
            {"id": "b1", "reason": ""},
            "pass",
            "Monitoring run b1, 2026-06-15 10:01:00 UTC to 2026-06-15 10:01:05 UTC (5.0 s): no limit was broken.",
        ),
        ({}, "fail", "A single round, 2026-06-15 10:01:00 UTC to 2026-06-15 10:01:05 UTC (5.0 s): failed."),
        ({}, "pass", "A single round, 2026-06-15 10:01:00 UTC to 2026-06-15 10:01:05 UTC (5.0 s): passed."),
    ],
)
def test_page_says_what_was_watched_and_what_came_of_it(
    head: dict[str, Any], verdict: str, story: str
) -> None:
    one = {**sample()["monitoring"]["rounds"][0], "verdict": verdict}
    meta = {**META, "monitored_release": "20260615T090000Z-abc"}
    page = Reader(render(sample(monitoring={"head": head, "rounds": [one]}, meta=meta)))
    assert story in page.text
    assert "Monitored release 20260615T090000Z-abc" in page.text


def test_page_says_how_to_undo_a_run_that_went_well() -> None:
    meta = {**META, "rollback_command": "ansible-playbook playbooks/rollback.yml -e rollback_release=r1"}
    assert (
        "Undo it with ansible-playbook playbooks/rollback.yml -e rollback_release=r1"
        in Reader(render(sample(meta=meta))).text
    )
    assert "Undo it with" not in Reader(render(sample())).text


def test_hostile_text_is_only_ever_text() -> None:
    tame, wild = Reader(render(sample(error=ERROR))), Reader(render(hostile(sample(error=ERROR))))
    assert wild.open == []
    assert wild.tags == tame.tags
    assert "script" not in wild.tags
    assert {(tag, name) for tag, name, _v in wild.attributes} == {
        (tag, name) for tag, name, _v in tame.attributes
    }
    assert "<script>alert(1)</script>" in wild.text  # it is shown, as text
    assert "{{ 7*7 }}" in wild.text
    assert all(character.isprintable() or character == "\n" for character in "".join(wild.texts))


def test_page_loads_nothing_and_runs_nothing() -> None:
    text = render(sample(error=ERROR))
    page = Reader(text)
    assert not page.tags & {"script", "link", "iframe", "object", "form", "base"}
    assert not [name for _tag, name, _value in page.attributes if name == "href" or name.startswith("on")]
    # Charts are images that lie in the page itself.
    sources = [value for _tag, name, value in page.attributes if name == "src"]
    assert len(sources) == 2
    assert all(value.startswith("data:image/svg+xml;base64,") for value in sources)
    assert "@import" not in text
    assert "url(" not in text
    assert "default-src 'none'" in text


def test_every_printed_value_in_the_template_is_escaped() -> None:
    tree = Environment().parse((ROLE / "templates" / TEMPLATE).read_text(encoding="utf-8"))
    printed = [
        node
        for output in tree.find_all(nodes.Output)
        for node in output.nodes
        if not isinstance(node, nodes.TemplateData)
    ]
    assert len(printed) > 50
    # What a macro of this file gives was printed in it.
    own = {macro.name for macro in tree.find_all(nodes.Macro)}

    def is_escaped(node: nodes.Node) -> bool:
        if isinstance(node, nodes.Call):
            return isinstance(node.node, nodes.Name) and node.node.name in own
        return isinstance(node, nodes.Filter) and node.name == "e"

    assert [node.lineno for node in printed if not is_escaped(node)] == []


def test_the_audit_of_before_and_the_one_after_stand_beside_each_other() -> None:
    text = Reader(render(sample())).text
    before, after = text.index("Audit before the run"), text.index("Audit after the run")
    assert "code 20h newer than the image" in text[before:]
    assert after < text.index("somebody has edited main.py meanwhile") < before
    assert "Audit after the run" not in Reader(render({**sample(), "audit_after": {}})).text
    failed = {"services": [], "reasons": {}, "problem": "the engine did not <answer>"}
    text = Reader(render({**sample(), "audit_after": failed})).text
    assert "The services could not be audited at the end: the engine did not <answer>" in text


def test_little_data_makes_a_page_too() -> None:
    page = Reader(render({"meta": {**sample()["meta"], "verdict": "fail"}}))
    assert page.open == []
    assert "No check was made" in page.text


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "pass"),
        ({"error": ERROR}, "fail"),
        ({"assertions": []}, "error"),
        ({"assertions": None}, "error"),
        ({"assertions": [{"verdict": "inconclusive"}]}, "inconclusive"),
        ({"assertions": [{"verdict": "pass"}, {"verdict": "fail"}]}, "fail"),
        ({"assertions": [{"verdict": "pass"}, {}]}, "error"),
        ({"assertions": [{"verdict": "pass"}, {"verdict": "fail", "borne": True}]}, "pass"),
        ({"assertions": [{"verdict": "fail", "borne": True}]}, "error"),
        ({"error": ERROR, "meta": {**META, "verdict": "inconclusive"}}, "inconclusive"),
        ({"error": ERROR, "meta": {**META, "verdict": "error"}}, "error"),
    ],
)
def test_report_never_looks_better_than_its_facts(changes: dict[str, Any], verdict: str) -> None:
    data = sample(**changes)
    assert final_verdict(data)[0] == verdict
    assert FILTERS["report_page"](data)["verdict"] == verdict


def test_audit_needs_no_checks_and_may_have_its_own_word() -> None:
    meta = {**sample()["meta"], "operation": "audit"}
    assert final_verdict({"meta": meta})[0] == "pass"
    assert final_verdict({"meta": {**meta, "verdict": "drift"}})[0] == "drift"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "expected a dict"),
        ({}, "has no 'meta'"),
        ({"meta": {"host": "h1"}}, "meta has no environment, release_id, operation, verdict"),
        ({"meta": {**sample()["meta"], "environment": "../etc"}}, "meta.environment is '../etc'"),
        ({"meta": {**sample()["meta"], "release_id": "a/b"}}, "meta.release_id is 'a/b'"),
        ({"meta": {**sample()["meta"], "host": ".."}}, "meta.host is '..'"),
        ({"meta": {**sample()["meta"], "release_id": "latest"}}, "'latest'"),
    ],
)
def test_unusable_meta_is_named(data: Any, words: str) -> None:
    with pytest.raises(AnsibleFilterError) as caught:
        FILTERS["report_page"](data)
    assert words in str(caught.value)


def test_bars_lie_where_the_times_say() -> None:
    bars = timeline(sample()["phases"])
    assert [(bar["offset"], bar["width"], bar["seconds"]) for bar in bars] == [
        (0.0, 10.0, 10.0),
        (10.0, 30.0, 30.0),
        (40.0, 60.0, 60.0),
    ]
    assert [bar["tone"] for bar in bars] == ["good", "good", "bad"]


def test_bars_stay_inside_whatever_the_times_are() -> None:
    odd = [
        {"name": "a"},
        {"name": "b", "seconds": "x"},
        {"name": "c", "started": 5, "finished": 1},
        {"seconds": -3},
    ]
    assert all(0 <= bar["offset"] <= 100 and 0 <= bar["width"] <= 100 for bar in timeline(odd))
    assert timeline([]) == []


def test_role_documents_all_its_settings() -> None:
    defaults = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = specs["argument_specs"]["main"]["options"]
    required = {name for name, option in options.items() if option.get("required")}
    assert set(options) - required == set(defaults)
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    assert [name for name in options if name not in readme] == []
