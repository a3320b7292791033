# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has executed: statements with their seconds, images of services before and after, quarantine tables with their rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..common.text import block, cell, human_duration, table
from ..docker.engine import short_id
from ..releases.model import Executed

# Of a statement on the terminal; the page shows all of it.
_LONGEST = 110


def executed(schema: Sequence[Mapping[str, Any]], rollout: Sequence[Mapping[str, Any]]) -> Executed:
    """Put it together from the results of clickhouse_schema and service_rollout, in the order in which they came. Returns

    - statements: ``statement`` and ``seconds`` (a float) of each
    - images: ``service``, ``before`` and ``after`` (image ids; empty where there is no container) of each container that was replaced or removed
    - quarantined, restored: ``object``, ``quarantine`` and ``rows`` of each, as clickhouse_schema returns them
    """
    return {
        "statements": [dict(item) for one in schema for item in one.get("executed") or []],
        "images": [_image(one) for one in rollout if one.get("changed") and one.get("diff")],
        "quarantined": [dict(item) for one in schema for item in one.get("quarantined") or []],
        "restored": [dict(item) for one in schema for item in one.get("restored") or []],
    }


def _duration(seconds: Any) -> str:
    """Most statements take milliseconds, which is no time for people otherwise."""
    short = isinstance(seconds, (int, float)) and 0 <= seconds < 1
    return f"{round(seconds * 1000)} ms" if short else human_duration(seconds)


def _image(result: Mapping[str, Any]) -> dict[str, str]:
    sides = {"before": result["diff"].get("before") or {}, "after": result["diff"].get("after") or {}}
    return {
        "service": str(result.get("service", "")),
        **{side: str(found.get("image_id", "")) for side, found in sides.items()},
    }


def executed_section(found: Mapping[str, Any]) -> dict[str, Any]:
    """The same as texts for the page."""
    return {
        "present": any(found.get(key) for key in ("statements", "images", "quarantined", "restored")),
        "statements": [
            {"statement": block(item.get("statement")), "duration": _duration(item.get("seconds"))}
            for item in found.get("statements") or []
        ],
        "images": [
            {
                "service": cell(item.get("service")),
                **{side: cell(short_id(str(item.get(side) or ""))) for side in ("before", "after")},
            }
            for item in found.get("images") or []
        ],
        "tables": [
            {
                "what": what,
                **{key: cell(item.get(key)) for key in ("object", "quarantine", "rows")},
                "note": _note(item),
            }
            for key, what in (("quarantined", "to the quarantine"), ("restored", "from the quarantine"))
            for item in found.get(key) or []
        ],
    }


def executed_lines(found: Mapping[str, Any]) -> Iterator[str]:
    """The same for the terminal; no line if nothing was executed."""
    section = executed_section(found)
    if not section["present"]:
        return
    statements = found.get("statements") or []
    seconds = sum(float(item.get("seconds") or 0) for item in statements)
    yield ""
    yield f"Executed: {len(statements)} statement{'' if len(statements) == 1 else 's'} in {_duration(seconds)}"
    for item in section["statements"]:
        text = cell(item["statement"])
        yield f"  {item['duration']:>9}  {text if len(text) <= _LONGEST else text[: _LONGEST - 3] + '...'}"
    if section["images"]:
        yield ""
        yield "Images"
        yield table(section["images"], ["service", "before", "after"])
    if section["tables"]:
        yield ""
        yield "Quarantine"
        yield table(
            section["tables"], [{"key": "what", "title": "rows went"}, "object", "quarantine", "rows", "note"]
        )


def _note(item: Mapping[str, Any]) -> str:
    notes = [str(item["kept"])] if item.get("kept") else []
    notes += [f"{item['without_row']} rows have no place to return to"] if item.get("without_row") else []
    return cell("; ".join(notes)) if notes else ""
