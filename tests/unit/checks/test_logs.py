# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected lines must be there and error lines must not; what could not be read is never a pass."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.log_baseline import known_kinds
from ansible_collections.suho.platform.plugins.module_utils.checks.log_lines import Line
from ansible_collections.suho.platform.plugins.module_utils.checks.log_spec import (
    LogNotReadable,
    check_levels,
    log_spec,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.logs import (
    LogChecks,
    LogContainer,
    LogText,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.result import CheckNotValid, overall
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import wait_for_pass
from ansible_collections.suho.platform.plugins.module_utils.common.times import next_since

TODAY = datetime.date(2026, 6, 15)
STARTED = "2026-06-15T10:00:00.5Z"
WRITES = {"name": "writes", "pattern": r"Writing \d+ aggregates"}


class Source:
    """A log source with fixed lines; each read may bring more of them."""

    def __init__(
        self, *reads: list[str], state: str = "running", missing: bool = False, cut: bool = False
    ) -> None:
        self.reads = list(reads) or [[]]
        self.state, self.missing, self.cut = state, missing, cut
        self.asked: list[str] = []
        self.started = STARTED

    def container(self, name: str) -> LogContainer | None:
        return None if self.missing else LogContainer(self.state, self.started)

    def read(self, name: str, since: str, max_lines: int) -> LogText:
        self.asked.append(since)
        texts = self.reads.pop(0) if len(self.reads) > 1 else self.reads[0]
        lines = [Line(f"2026-06-15T10:00:{i:02d}.000000000Z", text) for i, text in enumerate(texts)]
        return LogText(lines, self.cut)


def check(source: Any, **options: Any) -> LogChecks:
    spec = log_spec({"container": "bridge", **options})
    return LogChecks(source, [spec], ["ERROR", "CRITICAL", "FATAL"], max_lines=100, today=TODAY)


def verdicts(logs: LogChecks) -> dict[str, str]:
    return {item.name: item.verdict for item in logs.look().results}


def test_expected_line_and_no_error_passes() -> None:
    logs = check(Source(["INFO bridge Writing 3 aggregates"]), expect=[WRITES])
    assert verdicts(logs) == {"bridge: no error lines": "pass", "bridge: writes": "pass"}


def test_missing_line_fails_and_names_the_pattern() -> None:
    result = check(Source(["INFO bridge idle"]), expect=[WRITES]).look()
    assert [item.verdict for item in result.results] == ["pass", "fail"]
    assert r"0 lines match 'Writing \\d+ aggregates'" in result.results[1].reason
    assert not result.settled


def test_minimum_counts_lines() -> None:
    spec = [{**WRITES, "min": 2}]
    assert verdicts(check(Source(["Writing 1 aggregates"]), expect=spec))["bridge: writes"] == "fail"
    assert verdicts(check(Source(["Writing 1 aggregates"] * 2), expect=spec))["bridge: writes"] == "pass"


def test_error_line_fails_and_is_a_masked_finding() -> None:
    logs = check(
        Source(["ERROR bridge insert 1 password=hunter2", "ERROR bridge insert 2 password=hunter2", "INFO x"])
    )
    result = logs.look()
    assert result.results[0].verdict == "fail"
    assert result.results[0].facts["errors"] == 2
    assert [(item.count, item.allowed) for item in logs.kinds] == [(2, False)]
    assert "hunter2" not in str(logs.kinds) + str(result.results)
    assert result.settled  # an error line does not go away by waiting


def test_the_word_error_in_a_text_is_no_error_line() -> None:
    assert verdicts(check(Source(["INFO bridge 0 errors, error rate 0"]))) == {
        "bridge: no error lines": "pass"
    }


@pytest.mark.parametrize(
    ("entry", "verdict", "word"),
    [
        ({}, "pass", ""),
        ({"max": 2}, "pass", ""),
        ({"max": 1}, "fail", "at most 1"),
        ({"max": 0}, "fail", "at most 0"),
        ({"expires": "2026-06-15"}, "pass", ""),
        ({"expires": "2026-06-14"}, "fail", "expired on 2026-06-14"),
        ({"pattern": "something else"}, "fail", "2 error lines"),
    ],
)
def test_allowance_has_a_maximum_and_an_end(entry: dict[str, Any], verdict: str, word: str) -> None:
    allow = [{"pattern": "nats lost", "reason": "weekly restart", **entry}]
    logs = check(Source(["ERROR bridge nats lost 1", "ERROR bridge nats lost 2"]), allow=allow)
    assertion = logs.look().results[0].to_dict()
    assert assertion["verdict"] == verdict
    assert word in assertion["reason"]
    assert [(item.count, item.allowed) for item in logs.kinds] == [(2, verdict == "pass")]


def test_allowance_does_not_cover_other_errors() -> None:
    allow = [{"pattern": "nats lost", "reason": "weekly restart"}]
    logs = check(Source(["ERROR bridge nats lost", "ERROR bridge insert failed"]), allow=allow)
    assert verdicts(logs) == {"bridge: no error lines": "fail"}
    assert [item.line for item in logs.kinds if not item.allowed] == ["ERROR bridge insert failed"]


def test_silent_container_does_not_pass() -> None:
    assert verdicts(check(Source([]))) == {"bridge: no error lines": "fail"}
    assert verdicts(check(Source([]), min_lines=0)) == {"bridge: no error lines": "pass"}


def test_missing_container_does_not_pass() -> None:
    result = check(Source(missing=True), expect=[WRITES]).look()
    assert [item.verdict for item in result.results] == ["fail", "fail"]
    assert "container bridge does not exist" in result.results[0].reason
    assert result.settled


def test_stopped_container_does_not_pass_and_its_last_error_is_shown() -> None:
    logs = check(Source(["INFO a", "ERROR bridge no database"], state="exited"), expect=[WRITES])
    result = logs.look()
    assert [item.verdict for item in result.results] == ["fail", "fail"]
    assert "is exited, expected running; its log says: ERROR bridge no database" in result.results[0].reason
    assert logs.kinds


def test_one_shot_container_may_have_exited() -> None:
    source = Source(["INFO Writing 5 aggregates"], state="exited")
    assert overall(check(source, expect=[WRITES], running=False).look().results) == "pass"


def test_log_that_was_not_read_whole_does_not_prove_the_absence_of_errors() -> None:
    logs = check(Source(["Writing 1 aggregates"], cut=True), expect=[WRITES])
    assert verdicts(logs) == {"bridge: no error lines": "error", "bridge: writes": "pass"}
    logs = check(Source(["INFO a"], cut=True), expect=[WRITES])
    assert verdicts(logs)["bridge: writes"] == "error"


def test_unreadable_log_is_an_error() -> None:
    class Broken(Source):
        def read(self, name: str, since: str, max_lines: int) -> LogText:
            raise LogNotReadable("configured logging driver does not support reading")

    result = check(Broken(), expect=[WRITES]).look()
    assert [item.verdict for item in result.results] == ["error", "error"]
    assert "does not support reading" in result.results[0].reason


def test_wait_ends_when_the_line_appears() -> None:
    source = Source(["INFO a"], ["INFO a"], ["INFO a", "Writing 1 aggregates"])
    logs = check(source, expect=[WRITES])
    found = wait_for_pass({"logs": logs}, timeout=60, interval=1, sleep=lambda _seconds: None)
    assert (overall(found.results), found.attempts) == ("pass", 3)


def test_start_of_the_window_is_fixed_at_the_first_look() -> None:
    source = Source(["INFO a"])
    logs = check(source)
    logs.look()
    source.started = "2026-06-15T11:00:00Z"  # it crashed and was started again: the crash stays in view
    logs.look()
    assert source.asked == [STARTED, STARTED]
    assert logs.windows[0]["next_since"] == "2026-06-15T10:00:00.000000001Z"


def test_since_created_reads_the_whole_log() -> None:
    source = Source(["INFO a"])
    check(source, since="created").look()
    assert source.asked == [""]


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-06-15T10:00:00Z", "2026-06-15T10:00:00.000000001Z"),
        ("2026-06-15T10:00:00.5Z", "2026-06-15T10:00:00.500000001Z"),
        ("2026-12-31T23:59:59.999999999Z", "2027-01-01T00:00:00.000000000Z"),
    ],
)
def test_next_scan_begins_one_nanosecond_later(moment: str, expected: str) -> None:
    assert next_since(moment) == expected


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"container": "--all"}, "container '--all'"),
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"since": "2026-01-01 10:00"}, "expected 'start'"),
        ({"expect": [{"name": "x", "pattern": "("}]}, "no regular expression"),
        ({"expect": [{"name": "x", "pattern": ""}]}, "the pattern is empty"),
        ({"expect": [{"name": "x", "pattern": "a", "min": 0}]}, "min is 0"),
        ({"allow": [{"pattern": "", "reason": "r"}]}, "the pattern is empty"),
        ({"allow": [{"pattern": "a", "reason": " "}]}, "the reason is empty"),
        ({"allow": [{"pattern": "a", "reason": "r", "expires": "soon"}]}, "expires is 'soon'"),
    ],
)
def test_mistakes_in_options_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(CheckNotValid, match=r".") as caught:
        log_spec({"container": "bridge", **options})
    assert words in str(caught.value)


@pytest.mark.parametrize("levels", [[], ["LOUD"]])
def test_levels_must_be_known(levels: list[str]) -> None:
    with pytest.raises(CheckNotValid, match="error_levels"):
        check_levels(levels)


# -- compared with the time before ------------------------------------------------------------------------------


class Past(Source):
    """What a container wrote before 10:00 comes only if it is asked for; afterwards come the lines of the deploy."""

    def __init__(self, before: list[str], after: list[str]) -> None:
        super().__init__(after)
        self.before = [Line(f"2026-06-15T09:{i:02d}:00.5Z", text) for i, text in enumerate(before, 1)]

    def read(self, name: str, since: str, max_lines: int) -> LogText:
        earlier = [line for line in self.before if line.time >= since]
        return LogText([*earlier, *super().read(name, since, max_lines).lines])


SINCE = "2026-06-15T10:00:00Z"


def compared(source: Any, **options: Any) -> LogChecks:
    spec = log_spec({"container": "bridge", "since": SINCE, "compare_seconds": 3600, **options})
    levels = ["ERROR", "CRITICAL", "FATAL"]
    return LogChecks(
        source,
        [spec],
        levels,
        max_lines=100,
        today=TODAY,
        baseline=lambda one, since: known_kinds(source, one, since, levels, 100),
    )


def test_error_lines_that_a_deploy_has_brought_are_told_from_known_ones() -> None:
    source = Past(
        ["ERROR app order 17 is late", "INFO app started"],
        ["ERROR app order 4711 is late", "ERROR app no column"],
    )
    logs = compared(source)
    result = logs.look().results[0].to_dict()
    assert result["verdict"] == "fail"
    assert result["errors"] == 2
    assert "(known from before) ERROR app order 4711 is late" in result["reason"]
    assert "(new) ERROR app no column" in result["reason"]
    assert {one.line: one.new for one in logs.kinds} == {
        "ERROR app order 4711 is late": False,
        "ERROR app no column": True,
    }


def test_known_error_lines_can_be_allowed_and_new_ones_still_fail() -> None:
    before, late, column = (
        ["ERROR app order 17 is late"],
        "ERROR app order 4711 is late",
        "ERROR app no column",
    )
    passed = compared(Past(before, [late]), known="allow")
    assert verdicts(passed) == {"bridge: no error lines": "pass"}
    assert [(one.allowed, one.allow_reason) for one in passed.kinds] == [
        (True, "known: it was there in the 3600 s before")
    ]
    failed = compared(Past(before, [late, column]), known="allow").look().results[0].to_dict()
    assert (failed["verdict"], failed["errors"], failed["allowed"]) == ("fail", 1, 1)


def test_only_the_asked_time_counts_as_before() -> None:
    source = Past(["ERROR app order 17 is late"], ["ERROR app order 4711 is late"])
    long = compared(source, compare_seconds=3600)
    long.look()
    short = compared(source, compare_seconds=600)
    short.look()
    assert [one.new for one in (*long.kinds, *short.kinds)] == [False, True]


def test_the_time_before_is_read_only_where_there_are_errors() -> None:
    source = Past(["ERROR app order 17 is late"], ["INFO app fine"])
    compared(source).look()
    assert source.asked == [SINCE]


def test_a_kept_log_of_the_replaced_container_counts_as_before(tmp_path: Path) -> None:
    kept = tmp_path / "replaced-bridge.log"
    kept.write_text(
        "2026-06-15T06:00:00.1Z ERROR app long ago\n"
        "2026-06-15T09:30:00.1Z ERROR app order 1 is late\n"
        "2026-06-15T09:20:00.1Z INFO app on standard error\n"
    )
    after = ["ERROR app order 4711 is late", "ERROR app long ago"]
    logs = compared(Past([], after), compare_file=str(kept))
    logs.look()
    assert {one.line: one.new for one in logs.kinds} == {after[0]: False, after[1]: True}


def test_a_kept_log_that_is_not_there_is_nothing_to_compare_with(tmp_path: Path) -> None:
    logs = compared(Past([], ["ERROR app new"]), compare_file=str(tmp_path / "none.log"))
    assert verdicts(logs) == {"bridge: no error lines": "fail"}
    assert [one.new for one in logs.kinds] == [True]


def test_a_kept_log_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    result = compared(Past([], ["ERROR app new"]), compare_file=str(tmp_path)).look().results[0].to_dict()
    assert result["verdict"] == "error"
    assert f"the kept log {tmp_path} cannot be read" in result["reason"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"compare_seconds": -1}, "compare_seconds is -1, expected 0 or more"),
        ({"known": "allow"}, "compare_seconds is 0, expected 1 or more, for known is 'allow'"),
    ],
)
def test_a_comparison_that_cannot_be_made_is_refused(options: dict[str, Any], text: str) -> None:
    with pytest.raises(CheckNotValid, match=text):
        log_spec({"container": "bridge", **options})
