"""When a source is polled, and the message that a poll becomes."""

from __future__ import annotations

import json
from datetime import datetime, timezone

from external_collector.sources import Source


def interval(source: Source, scale: int) -> float:
    """Seconds between two polls; never more often than once a second, whatever the scale."""
    return max(1.0, source.every_seconds / scale)


def subject(source: Source) -> str:
    return f"market.external.{source.name}"


def message(source: Source, now: datetime) -> tuple[str, bytes, int]:
    """Id, body and number of rows of one poll."""
    collected = now.astimezone(timezone.utc).isoformat(timespec="seconds")
    rows = source.fetch(now)
    body = {"source": source.name, "collected_at": collected, "rows": rows}
    return f"{source.name}:{collected}", json.dumps(body, allow_nan=False).encode(), len(rows)
