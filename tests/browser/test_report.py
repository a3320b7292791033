"""The report in a real browser: it renders, it loads nothing, it holds every number, and everybody can read it."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.text import human_duration
from axe_playwright_python.sync_playwright import Axe
from conftest import PICTURES

LOOKS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
look = pytest.mark.parametrize(
    ("width", "scheme"), LOOKS, ids=[f"{width}-{scheme}" for width, scheme in LOOKS]
)


def words(page) -> str:
    """What a reader sees, without the breaks of lines."""
    return " ".join(page.inner_text("body").split())


@look
def test_it_renders_and_loads_nothing(view, report, width, scheme):
    seen = view(width, scheme)
    assert seen.console == []
    assert [one for one in seen.requests if not one.startswith(("data:", "about:"))] == []
    assert seen.page.locator("h1").count() == 1
    assert seen.page.evaluate("document.scripts.length") == 0
    broken = "[...document.images].filter(one => !one.complete || one.naturalWidth === 0).map(one => one.alt)"
    assert seen.page.evaluate(broken) == []
    seen.page.screenshot(path=PICTURES / f"{report.name}-{width}-{scheme}.png", full_page=True)


@look
def test_nothing_runs_out_of_the_window(view, width, scheme):
    page = view(width, scheme).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@look
def test_axe_finds_no_serious_violation(view, width, scheme):
    found = Axe().run(view(width, scheme).page).response["violations"]
    serious = [
        f"{one['id']} ({one['impact']}): {one['help']}: {[node['html'][:200] for node in one['nodes'][:3]]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == []


def test_every_number_of_the_facts_is_on_the_page(view, report):
    text = words(view().page)
    data = report.data
    assert data["meta"]["verdict"].upper() in text.upper()
    assert data["meta"]["release_id"] in text
    missing = []
    for phase in data["phases"]:
        missing += [one for one in (phase["name"], human_duration(phase.get("seconds"))) if one not in text]
    for row in data["downtime"]:
        wanted = (row["service"], human_duration(row.get("seconds")), human_duration(row.get("budget")))
        missing += [one for one in wanted if one not in text]
    for one in data["assertions"]:
        for key in ("name", "observed", "expected", "verdict"):
            value = one.get(key)
            wanted = [value] if isinstance(value, (str, int, float)) else []
            missing += [item for item in wanted if " ".join(str(item).split()) not in text]
    assert missing == []


def test_on_paper_it_is_dark_on_light_and_whole(view, report):
    page = view(1280, "dark").page
    page.emulate_media(media="print")
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert brightness(ink) < 100
    assert paper == "rgba(0, 0, 0, 0)" or brightness(paper) > 200
    page.screenshot(path=PICTURES / f"{report.name}-print.png", full_page=True)


def brightness(colour: str) -> float:
    """0 is black and 255 is white."""
    numbers = [
        float(one) for one in colour[colour.index("(") + 1 : -1].replace(",", " ").replace("/", " ").split()
    ]
    return sum(numbers[:3]) / 3
