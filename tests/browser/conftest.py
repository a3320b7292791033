"""A page for each report, in a browser that runs already."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible.plugins.loader import init_plugin_loader
from playwright.sync_api import sync_playwright

PROJECT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(PROJECT / "tests/unit"))
init_plugin_loader([str(PROJECT / "collections")])
PICTURES = PROJECT / ".cache/browser"


@dataclass
class Report:
    name: str
    html: str
    data: dict[str, Any]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--browser", required=True, help="address of a Chromium's debugging port")
    parser.addoption(
        "--report", action="append", default=[], help="a report.html, with its report.json beside it"
    )


def _reports(paths: list[str]) -> list[Report]:
    from report_render import render
    from report_sample import hostile, sample

    found = [Report("sample", render(sample()), sample()), Report("hostile", render(hostile(sample())), {})]
    for path in map(Path, paths):
        data = json.loads(path.with_name("report.json").read_text(encoding="utf-8"))
        found.append(Report(path.parent.name, path.read_text(encoding="utf-8"), data))
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "report" in metafunc.fixturenames:
        reports = _reports(metafunc.config.getoption("report"))
        if "facts" in metafunc.function.__name__:
            reports = [one for one in reports if one.data]
        metafunc.parametrize("report", reports, ids=[one.name for one in reports])


@pytest.fixture(scope="session")
def browser(request):
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        yield playwright.chromium.connect_over_cdp(request.config.getoption("browser"))


@dataclass
class View:
    """An open page, and what the browser said while it was opened."""

    page: Any
    console: list[str]
    requests: list[str]


@pytest.fixture
def view(browser, report):
    """Open the report in a window of a size, in light or dark."""
    contexts = []

    def opened(width: int = 1280, scheme: str = "light") -> View:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, is_mobile=width < 600
        )
        contexts.append(context)
        page = context.new_page()
        found = View(page, [], [])
        page.on("console", lambda message: found.console.append(message.text))
        page.on("pageerror", lambda error: found.console.append(str(error)))
        page.on("dialog", lambda dialog: (found.console.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: found.requests.append(request.url))
        page.set_content(report.html, wait_until="load")
        return found

    yield opened
    for context in contexts:
        context.close()
