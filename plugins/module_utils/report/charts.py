# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rounds of a monitoring run measured, as pictures that a page can hold, and the way of the data with its rates.

A chart is an image of its own (a data URI): nothing in it can run, load, or reach the page, whatever the names in it are.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any

from ..checks.result import PASS
from ..common.text import MissingLibrary, cell

_pygal: Any
try:
    import pygal
    import pygal.style

    _pygal = pygal
except ImportError:  # only where there is nothing to draw
    _pygal = None

MOST_SERIES = 10
# Seen on white as well as on the dark page: each has a contrast of 3 and more with both.
_COLOURS = (
    "#3d83d1",
    "#d0661f",
    "#2f9a63",
    "#bf55ad",
    "#9a8010",
    "#d4505c",
    "#1f939e",
    "#8577e0",
    "#80868e",
    "#64911f",
)
# The chart is a document of its own, so its rules meet nothing else.
_RULES = (
    ".axis .guides .line { stroke: #c9d0d8 !important } .axis .axis.line { stroke: #56616f !important } "
    "@media (prefers-color-scheme: dark) { text { fill: #e8ecf1 !important } "
    ".axis .guides .line { stroke: #56616f !important } .axis .axis.line { stroke: #a5b0bd !important } }"
)
_MIB = 2**20
# The time of drawing, and a script that an image would not run: names are escaped, so these are pygal's own.
_PASSIVE = re.compile("<!--.*?-->|<script.*?</script>", re.DOTALL)

Series = dict[str, list["float | None"]]


def _series(rounds: Sequence[Mapping[str, Any]], part: str, scale: float = 1) -> Series:
    """The numbers of one part of the samples by name, None for a round that does not have it."""
    samples = [(one.get("samples") or {}).get(part) or {} for one in rounds]
    names = list(dict.fromkeys(str(name) for found in samples for name in found))
    return {
        name: [None if found.get(name) is None else float(found[name]) / scale for found in samples]
        for name in names
    }


def _growth(rounds: Sequence[Mapping[str, Any]]) -> dict[str, Series]:
    """New rows by the check that counted them, and in it by group."""
    checks = list(
        dict.fromkeys(name for one in rounds for name in (one.get("samples") or {}).get("rows") or {})
    )
    found: dict[str, Series] = {}
    for check in checks:
        flat = [
            {"samples": {"rows": ((one.get("samples") or {}).get("rows") or {}).get(check) or {}}}
            for one in rounds
        ]
        found[str(check)] = _series(flat, "rows")
    return found


def _few(series: Series) -> Series:
    """The series that say most: where there are too many, the rest is one line of their sums."""
    if len(series) <= MOST_SERIES:
        return series
    ordered = sorted(series, key=lambda name: -sum(value or 0 for value in series[name]))
    shown, rest = ordered[: MOST_SERIES - 1], ordered[MOST_SERIES - 1 :]
    columns = zip(*(series[name] for name in rest))
    sums = [
        None if all(one is None for one in column) else sum(one or 0 for one in column) for column in columns
    ]
    return {**{name: series[name] for name in shown}, f"{len(rest)} others": sums}


def _draw(labels: Sequence[str], series: Series, unit: str) -> str:
    """Return the chart as a data URI."""
    style = _pygal.style.Style(
        background="transparent",
        plot_background="transparent",
        foreground="#1b2430",
        foreground_strong="#1b2430",
        foreground_subtle="#7c8794",
        colors=_COLOURS,
        font_family="system-ui, 'DejaVu Sans', sans-serif",
        label_font_size=13,
        major_label_font_size=13,
        legend_font_size=13,
    )
    chart = _pygal.Line(
        js=(),
        disable_xml_declaration=True,
        explicit_size=True,
        width=900,
        height=320,
        margin=8,
        margin_bottom=24,
        style=style,
        css=("file://style.css", "file://graph.css", f"inline:{_RULES}"),
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        truncate_legend=32,
        range=None,
        include_x_axis=True,  # from zero on: growth that stops is seen as what it is
        y_title=unit,
        dots_size=3,
        stroke_style={"width": 2},
    )
    chart.x_labels = list(labels)
    for name, values in series.items():
        chart.add(cell(name), values)
    chart.uuid = "1"  # the same numbers are the same bytes
    text = _PASSIVE.sub("", chart.render(is_unicode=True))
    return "data:image/svg+xml;base64," + base64.b64encode(text.encode()).decode("ascii")


def charts(run: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return a chart for each kind of number: title, unit, src (a data URI), alt (what it shows, in words) and rows for a table.

    There is none where nothing was measured. Raises MissingLibrary where pygal is not installed.
    """
    rounds = list(run.get("rounds") or [])
    parts: list[tuple[str, str, Series]] = [
        (f"New rows: {check}", "rows", series) for check, series in _growth(rounds).items()
    ]
    parts += [
        ("Messages that wait for a consumer", "messages", _series(rounds, "pending")),
        ("Memory of the containers", "MiB", _series(rounds, "memory_bytes", _MIB)),
        ("Free space of the disks", "%", _series(rounds, "disk_free_percent")),
    ]
    wanted = [(title, unit, series) for title, unit, series in parts if series]
    if wanted and _pygal is None:
        raise MissingLibrary(
            "the Python library 'pygal' is not installed on the controller: pip install pygal"
        )
    labels = [str(one.get("number")) for one in rounds]
    return [
        {
            "title": cell(title),
            "unit": unit,
            "src": _draw(labels, _few(series), unit),
            "alt": f"{cell(title)} in {len(labels)} rounds, {unit}; the numbers are in the table below",
            "columns": ["Round", *(cell(name) for name in series)],
            "rows": [
                [label, *(_number(series[name][place]) for name in series)]
                for place, label in enumerate(labels)
            ],
        }
        for title, unit, series in wanted
    ]


def _number(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1f}".removesuffix(".0")


def rounds_table(run: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The rounds in a line each; ``results`` are those of all rounds, each with its round."""
    found = []
    for one in run.get("rounds") or []:
        own = [item for item in results if item.get("round") == one.get("number")]
        found.append(
            {
                "number": str(one.get("number")),
                "began": cell(one.get("began")),
                "verdict": cell(one.get("verdict")),
                "passed": f"{sum(item.get('verdict') == PASS for item in own)} of {len(own)}",
                "reasons": "; ".join(cell(text) for text in one.get("reasons") or []),
            }
        )
    return found
