# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Times: one parser for what Docker, Git, Ansible and this collection write (RFC 3339), and the formats for people.

A time is Unix seconds (float) in calculations, an aware :class:`datetime.datetime` where a calendar is needed, and text in records.
Text without a zone is UTC.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Mapping
from typing import Any

from .text import cell

UTC = datetime.timezone.utc
# RFC 3339, and what is near it: a blank instead of T, a comma, a zone without colon or none at all, nanoseconds.
_TIME = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9})\d*)?\s?(?:([Zz])|([+-]\d\d):?(\d\d))?\s*\Z"
)
_IN_A_RELEASE = re.compile(r"^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z")
# Docker writes 0001-01-01 for "never", and reproducible builds write 1970: neither is a time of creation.
_FIRST_CREDIBLE = datetime.datetime(2000, 1, 1, tzinfo=UTC)


def _read(text: str) -> tuple[datetime.datetime, int] | None:
    """The whole second that a text names, with its zone, and the nanoseconds; None if the text is no time."""
    match = _TIME.match(text)
    if match is None:
        return None
    day, clock, fraction, zulu, hours, minutes = match.groups()
    zone = "+00:00" if zulu or not hours else f"{hours}:{minutes}"
    try:
        second = datetime.datetime.fromisoformat(f"{day}T{clock}{zone}")
    except ValueError:
        return None
    return second, int((fraction or "0").ljust(9, "0"))


def read_time(text: str) -> datetime.datetime | None:
    """Return the time that a text names, aware, in microseconds; None if the text is no time."""
    found = _read(text)
    return None if found is None else found[0] + datetime.timedelta(microseconds=found[1] // 1000)


def unix_seconds(value: Any) -> float | None:
    """Return a time as Unix seconds: a text, or a number that is seconds already; None if it is neither, and for Docker's "never"."""
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, (int, float)):
        return float(value)
    found = _read(str(value))
    if found is None or found[0].year == 1:
        return None
    return found[0].timestamp() + found[1] / 1_000_000_000


def creation_time(text: str) -> datetime.datetime | None:
    """Return when something was made; None for "never" and for times that no clock gave (before 2000)."""
    found = read_time(text)
    return found if found is not None and found >= _FIRST_CREDIBLE else None


def read_date(text: str) -> datetime.date | None:
    """Return the day that a text names or begins with; None if it does neither."""
    found = _read(f"{text[:10]}T00:00")
    return None if found is None else found[0].date()


def seconds_since(moment: str, now: float) -> float | None:
    """Return the seconds from a time to ``now`` (Unix seconds); None when it never was."""
    start = unix_seconds(moment)
    return None if start is None else now - start


def next_since(moment: str) -> str:
    """Return the time one nanosecond after ``moment``: a next scan then neither repeats nor skips a line. What is no time stays."""
    found = _read(moment)
    if found is None:
        return moment
    second, nanos = found[0], found[1] + 1
    second += datetime.timedelta(seconds=nanos // 1_000_000_000)
    zone = second.isoformat()[19:]
    return f"{second:%Y-%m-%dT%H:%M:%S}.{nanos % 1_000_000_000:09d}{'Z' if zone == '+00:00' else zone}"


def release_time(release: str) -> float | None:
    """Return when a release was opened, in Unix seconds, from its identifier; None if that does not begin with a time."""
    match = _IN_A_RELEASE.match(release)
    return None if match is None else unix_seconds("{}-{}-{}T{}:{}:{}Z".format(*match.groups()))


# Writing ------------------------------------------------------------------------------------------------------


def utc_text(seconds: float, digits: int = 0) -> str:
    """Return Unix seconds as RFC 3339 text, UTC: with 0, 3 or 6 ``digits`` of a second."""
    unit = {0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits]
    found = datetime.datetime.fromtimestamp(seconds, UTC).isoformat(timespec=unit)
    return found.replace("+00:00", "Z")


def id_time(seconds: float) -> str:
    """Return Unix seconds as the names of releases and runs begin with them: 20261128T041500Z."""
    return datetime.datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def utc_now() -> str:
    """Return the time now, UTC, RFC 3339 with milliseconds."""
    return utc_text(time.time(), 3)


def utc_today() -> datetime.date:
    """Return the day that it is now, in UTC."""
    return datetime.datetime.now(UTC).date()


def moment_text(value: Any) -> str:
    """Return a time as people read it; a text that is no time stays as it is."""
    found = unix_seconds(value)
    if found is None:
        return cell(value)
    return datetime.datetime.fromtimestamp(found, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def table_time(when: datetime.datetime | None) -> str:
    """Return Oct 6 01:13, in UTC; N/A for a time that there is not."""
    if when is None:
        return "N/A"
    utc = when.astimezone(UTC)
    return f"{utc:%b} {utc.day} {utc:%H:%M}"


def age(seconds: float | None) -> str:
    """Return a duration in the unit that says it shortest: 40s, 12m, 28h, 5d."""
    seconds = max(seconds or 0, 0)
    if seconds < 60:
        return f"{int(seconds)}s"
    if seconds < 3600:
        return f"{int(seconds // 60)}m"
    if seconds < 72 * 3600:
        return f"{int(seconds // 3600)}h"
    return f"{int(seconds // 86400)}d"


def seconds_of(item: Mapping[str, Any]) -> float | None:
    """Return how long something took, in seconds: as given, or from its two times; None if neither says it."""
    given = item.get("seconds")
    if given not in (None, "") and not isinstance(given, bool):
        try:
            return max(0.0, float(given))
        except (TypeError, ValueError):
            return None
    start, end = unix_seconds(item.get("started")), unix_seconds(item.get("finished"))
    return None if start is None or end is None else max(0.0, end - start)
