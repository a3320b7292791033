# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The level of a line is where its logger wrote it; a traceback is one event; a fingerprint repeats."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.log_lines import (
    TRACEBACK,
    Line,
    events,
    fingerprint,
    level_of,
)
from ansible_collections.suho.platform.plugins.module_utils.common.text import plain, shown

LEVELS = ["ERROR", "CRITICAL", "FATAL"]


def lines(text: str) -> list[Line]:
    return [Line(f"2026-01-01T00:00:{i:02d}.000000000Z", line) for i, line in enumerate(text.split("\n"))]


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("ERROR data-bridge insert failed", "ERROR"),
        ("ERROR: relation does not exist", "ERROR"),
        ("Error: Cannot find module 'x'", "ERROR"),
        ("CRITICAL data-bridge stopping", "CRITICAL"),
        ("FATAL:  password authentication failed", "FATAL"),
        ("panic: runtime error: index out of range", "FATAL"),
        ("2026-01-31 12:00:00,123 - data_bridge - ERROR - insert failed", "ERROR"),
        ("2026-01-31 12:00:00,123 data_bridge ERROR insert failed", "ERROR"),
        ("2026-01-31 12:00:00.123 UTC [71] FATAL:  database does not exist", "FATAL"),
        ("2026-01-31T12:00:00.123Z ERROR message", "ERROR"),
        ("2026-01-31 12:00:00 | ERROR | app.main:10 - text", "ERROR"),
        ("2026-01-31 12:00:00 ERROR:app:text", "ERROR"),
        ("[1] 2026/01/31 12:00:00.123456 [ERR] slow consumer", "ERROR"),
        ("2026.01.31 12:00:00.123456 [ 71 ] {f3a} <Error> TCPHandler: Code: 516", "ERROR"),
        ("2026-01-31 12:00:00 app.db [ERROR] text", "ERROR"),
        ("[ERROR] text", "ERROR"),
        ("[error] text", "ERROR"),
        ('time="2026-01-31T12:00:00Z" level=error msg="x"', "ERROR"),
        ('{"level": "error", "message": "x"}', "ERROR"),
        ('{"levelname": "CRITICAL", "msg": "x"}', "CRITICAL"),
        ('{"level": 50, "msg": "x"}', "ERROR"),
        ('{"log": {"level": "fatal"}}', "FATAL"),
        ("WARNING data-bridge retry", "WARNING"),
        ("INFO data-bridge no ERROR seen", "INFO"),
        ("INFO data-bridge [ERROR] in the text", "INFO"),
        ('{"level": "info", "message": "ERROR handling is on"}', "INFO"),
        ('{"message": "ERROR"}', None),
        ("Connected to the ERROR queue", None),
        ("0 errors, error rate 0.0", None),
        ("retrying after error", None),
        ("ERRORS 0", None),
        ("errors: none", None),
        ("", None),
        ("{not json}", None),
        ('{"level": true}', None),
    ],
)
def test_level_is_read_where_the_logger_wrote_it(text: str, level: str | None) -> None:
    assert level_of(text) == level


def test_error_line_and_its_traceback_are_one_event() -> None:
    found = list(
        events(
            lines(
                "INFO app start\nERROR app insert failed\nTraceback (most recent call last):\n"
                '  File "a.py", line 1, in f\n    INFO = 20\nValueError: bad\nINFO app on'
            ),
            LEVELS,
        )
    )
    assert [(event.level, event.text, event.detail) for event in found] == [
        ("ERROR", "ERROR app insert failed", "ValueError: bad")
    ]


def test_traceback_alone_names_its_exception() -> None:
    found = list(
        events(
            lines('INFO app x\nTraceback (most recent call last):\n  File "a.py", line 1\nKeyError: 7'),
            LEVELS,
        )
    )
    assert [(event.level, event.text) for event in found] == [(TRACEBACK, "KeyError: 7")]


def test_chain_of_tracebacks_is_one_event_and_two_crashes_are_two() -> None:
    one = 'Traceback (most recent call last):\n  File "a.py", line 1\nKeyError: 7'
    chain = one + "\n\nDuring handling of the above exception, another exception occurred:\n\n" + one
    assert len(list(events(lines(chain), LEVELS))) == 1
    assert len(list(events(lines(one + "\n" + one), LEVELS))) == 2


def test_line_of_another_thread_inside_a_traceback_is_not_lost() -> None:
    text = (
        "Traceback (most recent call last):\nERROR other thread\n"
        '  File "a.py", line 1\nINFO other\nKeyError: 7'
    )
    assert sorted(event.text for event in events(lines(text), LEVELS)) == [
        "ERROR other thread",
        "KeyError: 7",
    ]


def test_traceback_cut_at_the_end_of_the_log_counts() -> None:
    assert len(list(events(lines('Traceback (most recent call last):\n  File "a.py", line 1'), LEVELS))) == 1
    assert len(list(events(lines("Traceback (most recent call last):"), LEVELS))) == 1


def test_traceback_after_a_warning_still_counts() -> None:
    text = "WARNING app odd\nTraceback (most recent call last):\n  x\nKeyError: 7"
    assert [event.level for event in events(lines(text), LEVELS)] == [TRACEBACK]


def test_only_wanted_levels_are_events() -> None:
    text = "WARNING a\nERROR b\nCRITICAL c"
    assert [event.level for event in events(lines(text), ["CRITICAL"])] == ["CRITICAL"]
    assert [event.level for event in events(lines(text), ["WARN", "ERROR"])] == ["WARNING", "ERROR"]


def test_fingerprint_ignores_what_varies_and_nothing_else() -> None:
    first = "2026-01-31 12:00:00,1 insert 17 of 0xdeadbeef at 10.0.0.1:9000 id 550e8400-e29b-41d4-a716-446655440000"
    second = "2027-02-28 01:02:03,9 insert 9 of 0x1 at 10.9.8.7:1 id 00000000-e29b-41d4-a716-446655440009"
    assert fingerprint("ERROR", first) == fingerprint("ERROR", second)
    assert fingerprint("ERROR", first) != fingerprint("ERROR", second.replace("insert", "select"))
    assert fingerprint("ERROR", first) != fingerprint("FATAL", first)


def test_shown_text_is_masked_before_it_is_cut() -> None:
    text = "ERROR nats://user:" + "p" * 400 + "@host refused"
    assert "ppp" not in shown(text)
    assert len(shown("x" * 1000)) == 300


def test_colours_and_control_characters_are_removed() -> None:
    assert plain("\x1b[31mERROR\x1b[0m a\x07b\x1b]0;title\x07c\r\n") == "ERROR abc"
    assert level_of(plain("\x1b[31mERROR\x1b[0m app")) == "ERROR"
