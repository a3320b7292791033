# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""JUnit XML from check results, so that any CI shows them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree  # it only writes here

from ..checks.result import ERROR, FAIL, PASS
from .run import shown_name

# XML 1.0 has no way at all to hold these, escaped or not.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _text(value: Any) -> str:
    return _NOT_XML.sub("\ufffd", "" if value is None else str(value))


def _seconds(milliseconds: Any) -> float:
    try:
        return max(0.0, float(milliseconds or 0)) / 1000
    except (TypeError, ValueError):
        return 0.0


def _case(parent: ElementTree.Element, suite: str, item: Mapping[str, Any]) -> None:
    case = ElementTree.SubElement(
        parent,
        "testcase",
        {
            "classname": f"{suite}.{_text(item.get('kind') or 'check')}",
            "name": _text(shown_name(item) if item.get("name") else "unnamed"),
            "time": f"{_seconds(item.get('milliseconds')):.3f}",
        },
    )
    verdict = item.get("verdict")
    if verdict != PASS:
        tag = "failure" if verdict == FAIL else "error"
        problem = ElementTree.SubElement(
            case, tag, {"type": _text(verdict or "none"), "message": _text(item.get("reason"))}
        )
        problem.text = _text(
            f"observed: {item.get('observed')}\nexpected: {item.get('expected')}\n{item.get('reason')}"
        )
    if item.get("query"):
        ElementTree.SubElement(case, "system-out").text = _text(item["query"])


def junit(
    results: Sequence[Mapping[str, Any]],
    name: str = "suho.platform",
    properties: Mapping[str, Any] | None = None,
    error: Mapping[str, Any] | None = None,
    proof: bool = True,
) -> str:
    """Return one JUnit document.

    An error of the run is a test case of its own. With ``proof``, no check at all is an error as well:
    an empty suite is green in every CI.
    """
    items = list(results)
    if error:
        where = f"{error.get('phase') or 'run'}: {error.get('object') or 'unknown object'}"
        items.append(_problem(where, str(error.get("message") or "the run failed without a message")))
    if proof and not results:
        items.append(_problem("checks", "no check was made, so nothing is proved"))
    suite_name = _text(name)
    failures = sum(item.get("verdict") == FAIL for item in items)
    errors = sum(item.get("verdict") not in (PASS, FAIL) for item in items)
    spent = sum(_seconds(item.get("milliseconds")) for item in items)
    totals = {
        "name": suite_name,
        "tests": str(len(items)),
        "failures": str(failures),
        "errors": str(errors),
        "time": f"{spent:.3f}",
    }
    root = ElementTree.Element("testsuites", totals)
    suite = ElementTree.SubElement(root, "testsuite", {**totals, "skipped": "0"})
    if properties:
        holder = ElementTree.SubElement(suite, "properties")
        for key, value in properties.items():
            ElementTree.SubElement(holder, "property", {"name": _text(key), "value": _text(value)})
    for item in items:
        _case(suite, suite_name, item)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _problem(name: str, reason: str) -> dict[str, Any]:
    return {
        "name": name,
        "kind": "run",
        "observed": reason,
        "expected": "no error",
        "verdict": ERROR,
        "reason": reason,
        "milliseconds": 0,
    }
