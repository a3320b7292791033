# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of the data from the broker to the tables, with its rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.text import cell
from ..common.times import unix_seconds


def flow(run: Mapping[str, Any], results: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The way of the data, an entry for each stream: what is published, what its consumer has taken in, what waits, and what arrives.

    The rates are those between the first and the last round that saw the stream. A run that looked once knows how many messages came, and
    how far its consumer has acknowledged them, since the first one came that the stream still holds. What arrives in a table is what
    the last round's checks that count new rows have seen.
    """
    ended = {one.get("number"): unix_seconds(one.get("ended")) for one in run.get("rounds") or []}
    seen: dict[tuple[str, str], list[tuple[float, Mapping[str, Any]]]] = {}
    tables: dict[tuple[str, str], list[str]] = {}
    for item in results:
        at, details = ended.get(item["round"]) if "round" in item else 0.0, item.get("details") or {}
        if item.get("kind") == "jetstream" and "last_sequence" in details and at is not None:
            key = cell(item.get("stream")), cell(item.get("consumer") or "nobody")
            seen.setdefault(key, []).append((at, details))
            tables[key] = [str(name) for name in item.get("tables") or []]
    arriving = _arriving(results, max(ended, default=None))
    found = []
    for (stream, consumer), looks in seen.items():
        (first_at, first), (last_at, last) = looks[0], looks[-1]
        seconds = last_at - first_at
        found.append(
            {
                "stream": stream,
                "consumer": consumer,
                "published": _between(first, last, "last_sequence", seconds)
                or _on_average(last, "last_sequence"),
                "consumed": _between(first, last, "acknowledged_sequence", seconds)
                or _on_average(last, "acknowledged_sequence"),
                "pending": str(last.get("pending", "not measured")),
                "tables": [
                    {
                        "table": cell(name),
                        "rate": _rate(arriving[name], "rows") if name in arriving else "not measured",
                    }
                    for name in tables[stream, consumer]
                ],
            }
        )
    return found


def _arriving(results: Sequence[Mapping[str, Any]], last_round: Any) -> dict[str, float]:
    """New rows per second by table: of several checks the one that has seen most, for the others look at a part of it."""
    found: dict[str, float] = {}
    for item in results:
        if item.get("rows_per_second") is not None and item.get("round") == last_round:
            name = str(item.get("table"))
            found[name] = max(found.get(name, 0.0), float(item["rows_per_second"]))
    return found


def _rate(per_second: float, what: str) -> str:
    """A rate as people read it. What comes seldom is given by the hour, so that it is not taken for nothing."""
    if 0 < per_second < 0.05:
        return f"{per_second * 3600:.3g} {what}/h"
    return f"{per_second:.2f} {what}/s"


def _between(first: Mapping[str, Any], last: Mapping[str, Any], key: str, seconds: float) -> str:
    if seconds <= 0 or key not in first or key not in last:
        return ""
    return _rate((int(last[key]) - int(first[key])) / seconds, "messages")


def _on_average(look: Mapping[str, Any], key: str) -> str:
    """The mean rate up to *key* since the first message came that a stream still holds. Messages that it has removed since count, too.

    Where a message goes as soon as it is acknowledged, the first one that is held says nothing of those that were.
    """
    seconds = float(look.get("seconds_held") or 0)
    gone = key == "acknowledged_sequence" and look.get("retention", _KEPT) not in ("", _KEPT)
    if seconds <= 0 or not look.get("first_sequence") or key not in look or gone:
        return "not measured"
    came = max(0, int(look[key]) - int(look["first_sequence"]))
    return f"{_rate(came / seconds, 'messages')} on average"


# The retention of a stream whose messages do not go because somebody has acknowledged them.
_KEPT = "limits"
