"""The four files, who may read them, and that they never look better than what they hold."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest

NAMES = {"report.html", "report.json", "junit.xml", "plan.json"}
PLAYBOOK = "molecule/report/converge.yml"


@pytest.fixture(scope="module")
def reports(lab_folder):
    return lab_folder / "reports/molecule"


@pytest.fixture(scope="module")
def first(reports):
    return reports / "20260101T000000Z-first"


class Page(HTMLParser):
    """Tags and text of a page, as a browser takes them in."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words.append(data)


def test_the_four_files_are_there_for_their_readers_only(reports, first):
    assert {path.name for path in first.iterdir()} == NAMES
    assert {oct(path.stat().st_mode & 0o777) for path in first.iterdir()} == {"0o640"}
    assert {oct(path.stat().st_mode & 0o777) for path in (reports.parent, reports, first)} == {"0o750"}


def test_the_verdict_is_that_of_its_worst_assertion(first):
    found = json.loads((first / "report.json").read_text())
    assert found["meta"]["verdict"] == "fail"
    assert [one["verdict"] for one in found["assertions"]] == ["pass", "fail"]
    assert found["downtime"] == [{"service": "data-bridge", "seconds": 6.3, "budget": 60}]


def test_the_plan_stands_alone(first):
    plan = json.loads((first / "plan.json").read_text())
    assert plan["hash"] == "0123abcd"
    assert plan["schema"]["steps"][0]["object"] == "suho_analytics.aggregates"


def test_junit_counts_what_did_not_pass(first):
    root = ElementTree.parse(first / "junit.xml").getroot()
    cases = {case.get("name"): case for case in root.iter("testcase")}
    assert set(cases) == {"bars arrive", "external data arrives"}
    assert len(list(root.iter("failure"))) == 1
    assert cases["external data arrives"].find("failure") is not None
    assert [suite.get("failures") for suite in root.iter("testsuite")] == ["1"]


def test_the_page_shows_hostile_text_as_text(first):
    page = Page((first / "report.html").read_text())
    tags = [tag for tag, _attributes in page.tags]
    assert "script" not in tags
    assert any('<script>alert("molecule")</script>' in words for words in page.words)
    assert any("external data arrives" in words for words in page.words)
    policies = [
        found.get("content", "") for tag, found in page.tags if tag == "meta" and "http-equiv" in found
    ]
    assert any("default-src 'none'" in policy for policy in policies), policies
    remote = [
        found for _tag, found in page.tags for name in ("src", "href") if "//" in (found.get(name) or "")
    ]
    assert remote == []


@pytest.mark.parametrize("name", sorted(NAMES))
def test_no_file_holds_the_secret(first, name):
    text = (first / name).read_text()
    assert text.strip()
    assert "s3cr3t-of-the-vault" not in text


def test_the_link_follows_the_newest_report_and_the_old_one_stays(reports, first, play):
    assert os.readlink(reports / "latest") == first.name
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    done = play(
        PLAYBOOK, release_id="20260102T000000Z-second", second_verdict="pass", expected_verdict="pass"
    )
    done.assert_passed(changed=0)
    assert os.readlink(reports / "latest") == "20260102T000000Z-second"
    assert json.loads((reports / "latest/report.json").read_text())["meta"]["verdict"] == "pass"
    assert {path.name: path.read_bytes() for path in first.iterdir()} == kept


def test_a_word_that_is_no_folder_name_is_refused(reports, play):
    play(PLAYBOOK, release_id="../elsewhere").assert_refused("elsewhere")
    assert not (reports.parent / "elsewhere").exists()


def test_the_same_facts_give_the_same_bytes(first, play):
    kept = {path.name: path.read_bytes() for path in first.iterdir()}
    play(PLAYBOOK).assert_passed(changed=0)
    assert {path.name: path.read_bytes() for path in first.iterdir()} == kept
