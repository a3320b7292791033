# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge JetStream streams and consumers from what NATS says on its monitoring port."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Callable

from ..common.errors import PlatformError
from ..common.http import fetcher
from ..common.secrets import mask_text
from ..common.times import unix_seconds
from .result import ERROR, FAIL, CheckResult, judge
from .wait import CheckSet, Look

Fetch = Callable[[str], tuple[int, bytes]]

BROKER = "broker"
JSZ = "/jsz?streams=true&consumers=true&config=true"
VARZ = "/varz"


class MonitorError(PlatformError):
    """The monitoring endpoint did not say what is needed; the text is for the user."""


#: The suboptions of one entry of the module's option.
STREAM_OPTIONS = {
    "stream": {"type": "str", "required": True},
    "consumer": {"type": "str"},
    "account": {"type": "str"},
    "max_pending": {"type": "int", "default": 0},
    "max_ack_pending": {"type": "int", "default": 0},
    "max_redelivered": {"type": "int"},
    "min_messages": {"type": "int", "default": 1},
    "tables": {"type": "list", "elements": "str", "default": []},
}


@dataclass
class ConsumerSpec:
    """How far a consumer may be behind its stream."""

    stream: str
    consumer: str | None = None
    account: str | None = None
    max_pending: int = 0
    max_ack_pending: int = 0
    max_redelivered: int | None = None
    min_messages: int = 1
    tables: Sequence[str] = ()

    @property
    def name(self) -> str:
        return f"{self.stream}/{self.consumer}" if self.consumer else self.stream


def consumer_spec(options: dict[str, Any]) -> ConsumerSpec:
    """Turn one entry of the module's ``streams`` option into a spec."""

    def number(key: str, default: int) -> int:
        value = options.get(key)
        return default if value is None else int(value)

    redelivered = options.get("max_redelivered")
    return ConsumerSpec(
        stream=str(options["stream"]),
        consumer=str(options["consumer"]) if options.get("consumer") else None,
        account=str(options["account"]) if options.get("account") else None,
        max_pending=number("max_pending", 0),
        max_ack_pending=number("max_ack_pending", 0),
        max_redelivered=None if redelivered is None else int(redelivered),
        min_messages=number("min_messages", 1),
        tables=[str(name) for name in options.get("tables") or []],
    )


class Monitor:
    """Asks one NATS server; ``fetch`` returns the HTTP status and the body, or raises OSError."""

    def __init__(self, base_url: str, fetch: Fetch) -> None:
        if not re.match(r"^https?://[^\s/]+", base_url):
            raise MonitorError(
                f"monitor_url is {mask_text(base_url)!r}, expected a URL like http://127.0.0.1:8222"
            )
        self._base = base_url.rstrip("/")
        self._fetch = fetch
        self.shown = mask_text(self._base)

    def ask(self, path: str) -> dict[str, Any]:
        where = self.shown + path.split("?", maxsplit=1)[0]
        try:
            status, body = self._fetch(self._base + path)
        except OSError as exc:
            raise MonitorError(
                f"{where} is not reachable: {mask_text(str(exc))}; "
                "expected a NATS server with its monitoring port open there"
            ) from exc
        if status != 200:
            raise MonitorError(f"{where} answered with HTTP status {status}, expected 200 from a NATS server")
        try:
            answer = json.loads(body)
        except ValueError as exc:
            raise MonitorError(
                f"{where} answered with something that is no JSON, expected NATS monitoring"
            ) from exc
        if not isinstance(answer, dict):
            raise MonitorError(f"{where} answered with a JSON {type(answer).__name__}, expected an object")
        return answer

    def server(self) -> dict[str, Any]:
        answer = self.ask(VARZ)
        if not answer.get("server_id"):
            raise MonitorError(f"{self.shown}{VARZ} names no server_id, expected a NATS server there")
        return {
            key: answer.get(key) for key in ("server_id", "server_name", "version", "uptime", "connections")
        }

    def streams(self) -> list[Stream]:
        answer = self.ask(JSZ)
        if answer.get("disabled"):
            raise MonitorError(f"the NATS server at {self.shown} runs without JetStream, expected it enabled")
        if "streams" not in answer and "account_details" not in answer:
            raise MonitorError(f"{self.shown}/jsz says nothing about streams, expected a NATS server there")
        return [
            Stream(str(account.get("name", "")), item, str(answer.get("now") or ""))
            for account in answer.get("account_details") or []
            for item in account.get("stream_detail") or []
        ]


@dataclass
class Stream:
    """One stream of the answer."""

    account: str
    item: dict[str, Any]
    now: str = ""

    @property
    def name(self) -> str:
        return str(self.item.get("name", ""))

    def state(self, key: str) -> int:
        return int((self.item.get("state") or {}).get(key) or 0)

    def seconds_held(self) -> float:
        """Seconds since the first message came that the stream still holds."""
        first = unix_seconds(str((self.item.get("state") or {}).get("first_ts") or ""))
        now = unix_seconds(self.now)
        return 0.0 if first is None or now is None else round(max(0.0, now - first), 3)

    def consumer(self, name: str) -> dict[str, Any] | None:
        for item in self.item.get("consumer_detail") or []:
            if item.get("name") == name:
                return dict(item)
        return None

    def consumer_names(self) -> list[str]:
        return sorted(str(item.get("name")) for item in self.item.get("consumer_detail") or [])


def _sequence(item: dict[str, Any], key: str) -> int:
    return int((item.get(key) or {}).get("stream_seq") or 0)


def _numbers(stream: Stream, consumer: dict[str, Any] | None) -> dict[str, Any]:
    numbers: dict[str, Any] = {
        "account": stream.account,
        "messages": stream.state("messages"),
        "last_sequence": stream.state("last_seq"),
        "bytes": stream.state("bytes"),
        "consumers": stream.state("consumer_count"),
        "first_sequence": stream.state("first_seq"),
        "seconds_held": stream.seconds_held(),
        "retention": str((stream.item.get("config") or {}).get("retention") or ""),
    }
    if consumer is not None:
        numbers.update(
            pending=int(consumer.get("num_pending") or 0),
            ack_pending=int(consumer.get("num_ack_pending") or 0),
            redelivered=int(consumer.get("num_redelivered") or 0),
            waiting=int(consumer.get("num_waiting") or 0),
            delivered_sequence=_sequence(consumer, "delivered"),
            acknowledged_sequence=_sequence(consumer, "ack_floor"),
        )
    return numbers


def _reasons(spec: ConsumerSpec, numbers: dict[str, Any]) -> list[str]:
    why = []
    if numbers["last_sequence"] < spec.min_messages:
        why.append(
            f"the stream has received {numbers['last_sequence']} messages, "
            f"expected at least {spec.min_messages}: with no message, being caught up proves nothing"
        )
    if "pending" not in numbers:
        return why
    if spec.min_messages and not numbers["delivered_sequence"]:
        why.append("the consumer was never given a message: being caught up proves nothing")
    # On a busy stream something is always on its way: what counts is what was there when the check began.
    if numbers["acknowledged_sequence"] >= numbers["target_sequence"] > 0:
        return why + _redelivered(spec, numbers)
    if numbers["pending"] > spec.max_pending:
        why.append(f"{numbers['pending']} messages are pending, at most {spec.max_pending} expected")
    if numbers["ack_pending"] > spec.max_ack_pending:
        why.append(
            f"{numbers['ack_pending']} messages are delivered but not acknowledged, "
            f"at most {spec.max_ack_pending} expected"
        )
    return why + _redelivered(spec, numbers)


def _redelivered(spec: ConsumerSpec, numbers: dict[str, Any]) -> list[str]:
    if spec.max_redelivered is None or numbers["redelivered"] <= spec.max_redelivered:
        return []
    return [
        f"{numbers['redelivered']} messages are being redelivered, at most {spec.max_redelivered} expected"
    ]


def _observed(numbers: dict[str, Any]) -> str:
    text = f"{numbers['messages']} messages, last sequence {numbers['last_sequence']}"
    if "pending" in numbers:
        text += f", {numbers['pending']} pending, {numbers['ack_pending']} unacknowledged"
        text += f", {numbers['redelivered']} redelivered"
    return text


def _expected(spec: ConsumerSpec) -> str:
    text = f"at least {spec.min_messages} messages"
    if spec.consumer:
        text += f", at most {spec.max_pending} pending, {spec.max_ack_pending} unacknowledged of those before this check"
        if spec.max_redelivered is not None:
            text += f", {spec.max_redelivered} redelivered"
    return text


def _names(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none"


class StreamChecks:
    """All specs of one call; each look is one question to the server."""

    looks_on = looks_last = False

    def __init__(self, monitor: Monitor, specs: Sequence[ConsumerSpec]) -> None:
        self._monitor = monitor
        self._specs = list(specs)
        self.server: dict[str, Any] = {}
        # The last sequence of each stream when the check began.
        self._targets: dict[tuple[str, str], int] = {}

    def look(self) -> Look:
        started = time.monotonic()
        try:
            self.server = self.server or self._monitor.server()
            streams = self._monitor.streams()
        except MonitorError as exc:
            return Look([self._result(spec, "not readable", ERROR, str(exc), 0.0) for spec in self._specs])
        spent = time.monotonic() - started
        return Look([self._one(spec, streams, spent) for spec in self._specs])

    def _one(self, spec: ConsumerSpec, streams: list[Stream], spent: float) -> CheckResult:
        found = [
            item for item in streams if item.name == spec.stream and spec.account in (None, item.account)
        ]
        if not found:
            have = _names(sorted(item.name for item in streams))
            reason = f"stream {spec.stream} does not exist; the server has: {have}"
            return self._result(spec, "no such stream", FAIL, reason, spent)
        if len(found) > 1:
            reason = (
                f"stream {spec.stream} exists in accounts {_names(sorted(item.account for item in found))}, "
                "expected one: give its account"
            )
            return self._result(spec, f"{len(found)} streams", ERROR, reason, spent)
        consumer = found[0].consumer(spec.consumer) if spec.consumer else None
        if spec.consumer and consumer is None:
            have = _names(found[0].consumer_names())
            reason = f"stream {spec.stream} has no consumer {spec.consumer}; it has: {have}"
            return self._result(spec, "no such consumer", FAIL, reason, spent, _numbers(found[0], None))
        numbers = _numbers(found[0], consumer)
        place = (found[0].account, found[0].name)
        numbers["target_sequence"] = self._targets.setdefault(place, numbers["last_sequence"])
        why = _reasons(spec, numbers)
        reason = f"{spec.name}: " + "; ".join(why) if why else ""
        return self._result(spec, _observed(numbers), judge(why), reason, spent, numbers)

    @staticmethod
    def _result(
        spec: ConsumerSpec,
        observed: str,
        verdict: str,
        reason: str,
        spent: float,
        details: dict[str, Any] | None = None,
    ) -> CheckResult:
        return CheckResult(
            spec.name,
            "jetstream",
            verdict,
            observed,
            _expected(spec),
            reason,
            spent,
            details or {},
            {"stream": spec.stream, "consumer": spec.consumer, "tables": list(spec.tables)},
        )

    def extra(self) -> dict[str, Any]:
        return {"server": self.server}

    def close(self) -> None:
        """Nothing is held open."""


def stream_checks(params: Mapping[str, Any]) -> StreamChecks:
    """Return the checks of a module's options ``monitor_url`` and ``streams``; raises MonitorError for bad input.

    Certificates are verified, and no proxy is used, unless ``validate_certs`` and ``use_proxy`` say otherwise.
    """
    fetch = fetcher(
        params["request_timeout"], params.get("validate_certs", True), params.get("use_proxy", False)
    )
    specs = [consumer_spec(entry) for entry in params["streams"]]
    return StreamChecks(Monitor(params["monitor_url"], fetch), specs)


def broker_checks(params: Mapping[str, Any]) -> dict[str, CheckSet]:
    """Return the same by group."""
    return {BROKER: stream_checks(params)}
