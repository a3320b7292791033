"""One parser for the times that Docker, Git, Ansible and this collection write."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.times import (
    UTC,
    creation_time,
    id_time,
    moment_text,
    next_since,
    read_date,
    read_time,
    release_time,
    seconds_of,
    unix_seconds,
    utc_now,
    utc_text,
)

AT = datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.000Z",
        "2026-01-31T12:00:00.000000000Z",
        "2026-01-31t12:00:00z",
        "2026-01-31 12:00:00",
        "2026-01-31 12:00",
        "2026-01-31 12:00:00 +0000",
        "2026-01-31T14:00:00+02:00",
        "2026-01-31T09:30:00,0-0230",
    ],
)
def test_every_spelling_is_the_same_time(text: str) -> None:
    assert read_time(text) == AT
    assert unix_seconds(text) == AT.timestamp()


@pytest.mark.parametrize(
    "text", ["", "never", "2026-01-31", "2026-13-31T12:00:00Z", "2026-01-31T12:00:00Z x"]
)
def test_what_is_no_time_is_none(text: str) -> None:
    assert read_time(text) is None
    assert unix_seconds(text) is None
    assert next_since(text) == text
    assert moment_text(text) == (text or "-")


def test_numbers_are_seconds_already() -> None:
    assert unix_seconds(12) == 12.0
    assert unix_seconds(True) is None
    assert unix_seconds(None) is None


def test_nanoseconds_count() -> None:
    assert unix_seconds("2026-01-31T12:00:00.123456789Z") == pytest.approx(AT.timestamp() + 0.123456789)
    assert read_time("2026-01-31T12:00:00.123456789Z") == AT.replace(microsecond=123456)


def test_never_is_no_time_and_1970_no_creation() -> None:
    assert unix_seconds("0001-01-01T00:00:00Z") is None
    assert creation_time("0001-01-01T00:00:00Z") is None
    assert creation_time("1970-01-01T00:00:01Z") is None
    assert creation_time("2026-01-31T12:00:00Z") == AT


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00:00.000000001Z"),
        ("2026-01-31T12:00:00.999999999Z", "2026-01-31T12:00:01.000000000Z"),
        ("2026-01-31T23:59:59.999999999+07:00", "2026-02-01T00:00:00.000000000+07:00"),
    ],
)
def test_the_next_nanosecond(before: str, after: str) -> None:
    assert next_since(before) == after


def test_a_release_says_when_it_was_opened() -> None:
    assert release_time("20260131T120000Z-abc1234") == AT.timestamp()
    assert id_time(AT.timestamp()) == "20260131T120000Z"
    assert release_time("20261331T120000Z-abc1234") is None
    assert release_time("latest") is None


def test_what_is_written_is_read() -> None:
    assert utc_text(AT.timestamp()) == "2026-01-31T12:00:00Z"
    assert utc_text(AT.timestamp() + 0.5, 3) == "2026-01-31T12:00:00.500Z"
    now = unix_seconds(utc_now())
    assert now is not None
    assert abs(now - datetime.datetime.now(UTC).timestamp()) < 60


def test_a_day() -> None:
    assert read_date("2026-01-31") == AT.date()
    assert read_date("2026-01-31T12:00:00Z") == AT.date()
    assert read_date("31.01.2026") is None


@pytest.mark.parametrize(
    ("item", "seconds"),
    [
        ({"seconds": 1.5}, 1.5),
        ({"seconds": "2"}, 2.0),
        ({"seconds": -1}, 0.0),
        ({"seconds": "long"}, None),
        ({"started": "2026-01-31T12:00:00Z", "finished": "2026-01-31T12:00:03Z"}, 3.0),
        ({"started": "2026-01-31T12:00:00Z"}, None),
    ],
)
def test_how_long_something_took(item: dict[str, object], seconds: float | None) -> None:
    assert seconds_of(item) == seconds
