# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer has caught up only when numbers say so, and numbers about nothing say nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.jetstream import (
    JSZ,
    Monitor,
    MonitorError,
    StreamChecks,
    consumer_spec,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.result import overall
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import Waited, wait_for_pass

VARZ = {"server_id": "NABC", "version": "2.10.27", "connections": 3}


def jsz(
    pending: int = 0, ack: int = 0, redelivered: int = 0, last: int = 10, delivered: int | None = None
) -> dict[str, Any]:
    delivered = max(last - pending, 0) if delivered is None else delivered
    consumer = {
        "name": "bridge",
        "num_pending": pending,
        "num_ack_pending": ack,
        "num_redelivered": redelivered,
        "delivered": {"stream_seq": delivered},
        "ack_floor": {"stream_seq": delivered - ack},
    }
    stream = {"name": "BARS", "state": {"messages": last, "last_seq": last}, "consumer_detail": [consumer]}
    return {"streams": 1, "account_details": [{"name": "$G", "stream_detail": [stream]}]}


def monitor(*answers: Any, url: str = "http://127.0.0.1:8222") -> Monitor:
    queue = list(answers)

    def fetch(asked: str) -> tuple[int, bytes]:
        if not asked.endswith(JSZ):
            return 200, json.dumps(VARZ).encode()
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, tuple):
            return answer
        return 200, json.dumps(answer).encode()

    return Monitor(url, fetch)


def look(answer: Any, **spec: Any) -> dict[str, Any]:
    wanted = consumer_spec({"stream": "BARS", "consumer": "bridge", **spec})
    return StreamChecks(monitor(answer), [wanted]).look().results[0].to_dict()


@pytest.mark.parametrize(
    ("numbers", "spec"),
    [
        ({}, {}),
        ({"pending": 5}, {"max_pending": 5}),
        ({"ack": 2}, {"max_ack_pending": 2}),
        ({"redelivered": 9}, {}),
        ({"redelivered": 1}, {"max_redelivered": 1}),
        ({"last": 0, "delivered": 0}, {"min_messages": 0}),
        ({"pending": 99}, {"consumer": None}),
    ],
)
def test_passes(numbers: dict[str, int], spec: dict[str, Any]) -> None:
    result = look(jsz(**numbers), **spec)
    assert (result["verdict"], result["reason"]) == ("pass", "")
    assert result["details"]["last_sequence"] == numbers.get("last", 10)


@pytest.mark.parametrize(
    ("now", "first", "seconds"),
    [
        (None, "2026-01-01T00:00:00Z", 0.0),
        ("2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", 0.0),
        ("2026-01-01T00:01:00.123456789Z", "2026-01-01T00:00:00.5Z", 59.623),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", 0.0),
    ],
)
def test_how_long_a_stream_reaches_back_and_where_it_leads_to(
    now: str | None, first: str, seconds: float
) -> None:
    answer = jsz() | ({} if now is None else {"now": now})
    answer["account_details"][0]["stream_detail"][0]["state"] |= {"first_ts": first, "first_seq": 3}
    result = look(answer, tables=["aggregates"])
    assert (result["details"]["seconds_held"], result["details"]["first_sequence"]) == (seconds, 3)
    assert (result["tables"], result["details"]["retention"]) == (["aggregates"], "")
    answer["account_details"][0]["stream_detail"][0]["config"] = {"retention": "workqueue"}
    assert look(answer)["details"]["retention"] == "workqueue"


@pytest.mark.parametrize(
    ("numbers", "spec", "words"),
    [
        ({"pending": 1}, {}, "1 messages are pending, at most 0"),
        ({"ack": 3}, {"max_ack_pending": 2}, "3 messages are delivered but not acknowledged"),
        ({"redelivered": 1}, {"max_redelivered": 0}, "1 messages are being redelivered"),
        ({"last": 0, "delivered": 0}, {}, "being caught up proves nothing"),
        ({"delivered": 0}, {}, "the consumer was never given a message"),
        ({"last": 9}, {"min_messages": 10}, "received 9 messages, expected at least 10"),
        ({"last": 0}, {"consumer": None}, "received 0 messages"),
        ({}, {"stream": "NOPE"}, "stream NOPE does not exist; the server has: BARS"),
        ({}, {"consumer": "nope"}, "stream BARS has no consumer nope; it has: bridge"),
        ({}, {"account": "OTHER"}, "stream BARS does not exist"),
    ],
)
def test_each_difference_fails(numbers: dict[str, int], spec: dict[str, Any], words: str) -> None:
    result = look(jsz(**numbers), **spec)
    assert result["verdict"] == "fail"
    assert words in result["reason"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({"disabled": True}, "runs without JetStream"),
        ({"something": "else"}, "says nothing about streams"),
        ([1], "a JSON list, expected an object"),
        ((200, b"<html>"), "is no JSON"),
        ((404, b""), "HTTP status 404"),
        (OSError("Connection refused"), "not reachable: Connection refused"),
    ],
)
def test_what_could_not_be_asked_is_an_error(answer: Any, words: str) -> None:
    result = look(answer)
    assert result["verdict"] == "error"
    assert words in result["reason"]


def test_stream_of_two_accounts_needs_its_account() -> None:
    answer = jsz()
    answer["account_details"].append({**answer["account_details"][0], "name": "B"})
    assert look(answer)["verdict"] == "error"
    assert look(answer, account="B")["verdict"] == "pass"


def waited(streams: StreamChecks, timeout: float) -> Waited:
    return wait_for_pass({"broker": streams}, timeout=timeout, interval=1, sleep=lambda _seconds: None)


def test_on_a_busy_stream_what_was_there_when_the_check_began_is_what_counts() -> None:
    """Ten messages come between two looks, and some are always on their way."""
    busy = [jsz(ack=3, last=100), jsz(pending=1, ack=3, last=110), jsz(ack=4, last=120)]
    streams = StreamChecks(monitor(*busy), [consumer_spec({"stream": "BARS", "consumer": "bridge"})])
    found = waited(streams, 60)
    assert (overall(found.results), found.attempts) == ("pass", 2)
    assert found.results[0].details["target_sequence"] == 100


def test_a_consumer_that_stands_still_on_a_busy_stream_fails() -> None:
    still = [jsz(pending=10 * number, ack=3, last=100 + 10 * number, delivered=100) for number in range(4)]
    streams = StreamChecks(monitor(*still), [consumer_spec({"stream": "BARS", "consumer": "bridge"})])
    found = waited(streams, 2)
    assert overall(found.results) == "fail"


def test_waits_until_the_consumer_has_caught_up() -> None:
    streams = StreamChecks(
        monitor(OSError("refused"), jsz(pending=4), jsz()),
        [consumer_spec({"stream": "BARS", "consumer": "bridge"})],
    )
    found = waited(streams, 60)
    assert (overall(found.results), found.attempts) == ("pass", 3)
    assert streams.server["version"] == "2.10.27"


def test_password_in_the_url_is_not_shown() -> None:
    streams = StreamChecks(
        monitor(OSError("no"), url="http://sys:hunter2@nats:8222"), [consumer_spec({"stream": "BARS"})]
    )
    reason = streams.look().results[0].reason
    assert "hunter2" not in reason
    assert "nats:8222" in reason


@pytest.mark.parametrize("url", ["", "nats://127.0.0.1:4222", "127.0.0.1:8222", "file:///etc/passwd"])
def test_only_http_is_asked(url: str) -> None:
    with pytest.raises(MonitorError, match="monitor_url"):
        monitor({}, url=url)
