"""What the lab's services promise about each message: published once, acknowledged only after it is stored."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import lab_tree  # noqa: F401 - makes the services importable
import pytest
from clickhouse_driver import errors as clickhouse
from data_bridge import external, reader, rows, tables
from data_bridge import writer as bridge
from data_bridge.writer import WriteError
from external_collector import polling
from external_collector.sources import SOURCES
from nats.js.errors import APIError, NotFoundError
from suho_shared.bars import Bar, message
from suho_shared.lifecycle import Fatal
from suho_shared.settings import Settings
from tick_aggregator import aggregator as work
from tick_aggregator.series import Series

LOG = logging.getLogger("test")
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=timezone.utc)


def bar(start: int, close: float = 1.1) -> Bar:
    return Bar("EURUSD", "5m", start, start + 5000, 1.0, 1.2, 0.9, close, 5, 1.05)


def body(start: int = 5000, **more: Any) -> dict[str, Any]:
    return {**message(bar(start), "live_aggregated"), **more}


class Broker:
    """A stream as the server behaves: ids within its window, and the expected last sequence of a subject."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any], str]] = []
        self.fail_after_store = False

    def last(self, subject: str) -> int:
        return max((n for n, m in enumerate(self.messages, 1) if m[0] == subject), default=0)

    async def get_last_msg(self, _stream: str, subject: str) -> Any:
        number = self.last(subject)
        if not number:
            raise NotFoundError(code=404, err_code=10037, description="no message found")
        return SimpleNamespace(data=json.dumps(self.messages[number - 1][1]).encode(), seq=number)

    async def publish(self, subject: str, data: bytes, stream: str, headers: dict[str, str]) -> Any:
        for number, known in enumerate(self.messages, 1):
            if known[2] == headers["Nats-Msg-Id"]:
                return SimpleNamespace(seq=number, duplicate=True)
        if int(headers["Nats-Expected-Last-Subject-Sequence"]) != self.last(subject):
            raise APIError(code=400, err_code=10071, description="wrong last sequence")
        self.messages.append((subject, json.loads(data), headers["Nats-Msg-Id"]))
        if self.fail_after_store:
            raise asyncio.TimeoutError
        return SimpleNamespace(seq=len(self.messages), duplicate=False)

    def starts(self) -> list[int]:
        return [m[1]["timestamp_ms"] for m in self.messages]


@pytest.fixture
def database(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bucket of five seconds has a bar."""

    async def read(_link: Any, _series: Series, begin: int, end: int) -> list[Bar]:
        return [bar(start, 1 + start % 70_000 / 1e6) for start in range(begin, end, 5000)]

    async def history(_link: Any, _series: Series, before: int) -> list[Bar]:
        return await read(None, _series, before - 300 * 5000, before)

    monkeypatch.setattr(work.ticks, "read", read)
    monkeypatch.setattr(work.ticks, "history", history)


def aggregator() -> work.Aggregator:
    return work.Aggregator([Series("EURUSD", "5m", 60)], 15, asyncio.Event(), LOG)


def advance(a: work.Aggregator, broker: Broker, closed: int) -> None:
    asyncio.run(a.advance(None, broker, a.series[0], closed))  # type: ignore[arg-type]


@pytest.mark.usefixtures("database")
def test_a_new_series_begins_with_the_newest_closed_bar() -> None:
    a, broker = aggregator(), Broker()
    advance(a, broker, 3_000_000)
    assert broker.starts() == [2_995_000]
    assert len(broker.messages[0][1]["indicators"]) == 26


@pytest.mark.usefixtures("database")
def test_each_bar_is_published_once_over_restarts() -> None:
    broker = Broker()
    for closed in (3_000_000, 3_010_000, 3_010_000, 3_035_000):
        a = aggregator()
        advance(a, broker, closed)
        advance(a, broker, closed)
    assert broker.starts() == list(range(2_995_000, 3_035_000, 5000))


@pytest.mark.usefixtures("database")
def test_a_lost_acknowledgement_neither_loses_nor_doubles_a_bar() -> None:
    a, broker = aggregator(), Broker()
    advance(a, broker, 3_000_000)
    broker.fail_after_store = True
    with pytest.raises(asyncio.TimeoutError):
        advance(a, broker, 3_010_000)
    broker.fail_after_store = False
    a.connected()
    advance(a, broker, 3_010_000)
    assert broker.starts() == [2_995_000, 3_000_000, 3_005_000]


@pytest.mark.usefixtures("database")
def test_a_second_publisher_is_noticed() -> None:
    first, second, broker = aggregator(), aggregator(), Broker()
    advance(first, broker, 3_000_000)
    advance(second, broker, 3_020_000)
    broker.messages = [
        (s, b, f"forgotten {i}") for s, b, i in broker.messages
    ]  # the window of ids has passed
    advance(first, broker, 3_020_000)
    advance(first, broker, 3_020_000)
    assert broker.starts() == [2_995_000, 3_000_000, 3_005_000, 3_010_000, 3_015_000]


@pytest.mark.usefixtures("database")
def test_a_broker_that_lost_its_data_costs_no_bar() -> None:
    a, broker = aggregator(), Broker()
    advance(a, broker, 3_000_000)
    broker.messages.clear()
    a.connected()
    advance(a, broker, 3_015_000)
    assert broker.starts() == [3_000_000, 3_005_000, 3_010_000]


@pytest.mark.usefixtures("database")
def test_indicators_are_the_same_after_a_restart() -> None:
    one, many = Broker(), Broker()
    a = aggregator()
    advance(a, one, 3_000_000)
    advance(a, one, 3_100_000)
    for closed in range(3_000_000, 3_105_000, 5000):
        advance(aggregator(), many, closed)
    assert [m[1] for m in one.messages] == [m[1] for m in many.messages]


def test_a_bucket_closes_with_a_later_tick_or_after_silence() -> None:
    each = Series("EURUSD", "5m", 60)
    assert each.closed_until(newest_tick_ms=9_999, silent_until_ms=0) == 5000
    assert each.closed_until(newest_tick_ms=10_000, silent_until_ms=0) == 10_000
    assert each.closed_until(newest_tick_ms=9_999, silent_until_ms=21_000) == 20_000


def test_after_a_new_connection_silence_counts_from_there() -> None:
    a = aggregator()
    a.connected_ms = 100_000
    assert a.silent_until(114_999) == 0
    assert a.silent_until(115_000) == 100_000


def test_bar_rows() -> None:
    table, [row] = rows.bar(json.dumps(body(indicators={"rsi": 1.5, "atr": 2})).encode())
    values = dict(zip(table.columns, row, strict=True))
    assert values["timestamp"] == datetime.fromtimestamp(5, tz=timezone.utc)
    assert values["open"] == Decimal("1.00000")
    assert json.loads(values["indicators"]) == {"rsi": 1.5, "atr": 2}
    assert rows.describe(table, [row]) == ["Writing 1 aggregates with indicators"]
    _, [bare] = rows.bar(json.dumps(body()).encode())
    assert bare[-1] == ""
    assert rows.describe(table, [row, bare])[1] == "Writing 1 aggregates without indicators"


@pytest.mark.parametrize(
    "data",
    [
        b"no json",
        b"[]",
        b"{}",
        json.dumps(body(open="x")).encode(),
        json.dumps(body(open=float("inf"))).encode(),
        json.dumps(body(indicators={"rsi": float("nan")})).encode(),
        json.dumps(body(indicators={"rsi": "50"})).encode(),
        json.dumps(body(indicators=[1])).encode(),
        json.dumps(body(start_time=5)).encode(),
    ],
)
def test_malformed_bars_are_told_apart(data: bytes) -> None:
    with pytest.raises(rows.Malformed):
        rows.bar(data)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_fills_its_table(name: str) -> None:
    for hours in range(0, 24 * 8, 7):
        _, data, count = polling.message(SOURCES[name], NOW + timedelta(hours=hours))
        table, found = external.poll(data)
        assert table.name == f"external_{name}"
        assert len(found) == count > 0
        assert all(len(row) == len(table.columns) for row in found)
        assert len({table.key_of(row) for row in found}) == count


def test_six_sources_at_their_rates() -> None:
    rates = {name: polling.interval(source, 60) for name, source in SOURCES.items()}
    assert rates == {
        "economic_calendar": 60,
        "fred_economic": 60,
        "fear_greed_index": 60,
        "crypto_sentiment": 30,
        "commodity_prices": 30,
        "market_sessions": 5,
    }
    assert polling.interval(SOURCES["market_sessions"], 60_000) == 1.0


@pytest.mark.parametrize(
    "data", [b"{}", b'{"source":"x"}', b'{"source":"market_sessions","collected_at":"2026"}', b"3"]
)
def test_malformed_polls_are_told_apart(data: bytes) -> None:
    with pytest.raises(rows.Malformed):
        external.poll(data)


def test_rows_that_are_stored_are_left_out() -> None:
    made = [rows.bar(json.dumps(body(start)).encode())[1][0] for start in (0, 5000, 5000, 10_000)]
    stored = {tables.comparable(("EURUSD", "5m", 5000, "live_aggregated"))}
    fresh = tables.missing(rows.AGGREGATES, made, stored)
    assert [row[3] for row in fresh] == [0, 10_000]


def test_a_time_compares_with_and_without_its_zone() -> None:
    assert tables.comparable([NOW]) == tables.comparable([NOW.replace(tzinfo=None)])


class Message:
    def __init__(self, data: bytes) -> None:
        self.data, self.subject, self.fate = data, "bars.EURUSD.5m", "left"
        self.metadata = SimpleNamespace(sequence=SimpleNamespace(stream=7))

    async def ack(self) -> None:
        self.fate = "acknowledged"

    async def nak(self, delay: float) -> None:
        self.fate = "returned"

    async def term(self) -> None:
        self.fate = "set aside"


class FakeWriter:
    def __init__(self, messages: list[Message], error: Exception | None = None) -> None:
        self.messages, self.error = messages, error
        self.stored = 0

    def store(self, _table: tables.Table, found: list[tables.Row]) -> list[tables.Row]:
        assert all(m.fate in ("left", "set aside") for m in self.messages), (
            "acknowledged before it was stored"
        )
        if self.error:
            raise self.error
        self.stored += len(found)
        return found


def handle(messages: list[Message], writer: FakeWriter) -> list[bool]:
    feed = reader.Feed("BARS", "d", "bars.>", rows.bar, rows.describe)
    each = reader.Reader(feed, Settings(reader.DEFAULTS, {}, {}), writer, LOG)  # type: ignore[arg-type]

    async def go() -> list[bool]:
        return [await each.store(part, 1.0) for part in await each.split(messages)]  # type: ignore[arg-type]

    return asyncio.run(go())


def test_acknowledged_only_after_the_insert() -> None:
    messages = [Message(json.dumps(body(start)).encode()) for start in (0, 5000)]
    writer = FakeWriter(messages)
    assert handle(messages, writer) == [True]
    assert [m.fate for m in messages] == ["acknowledged"] * 2
    assert writer.stored == 2


def test_not_acknowledged_when_the_insert_fails(caplog: pytest.LogCaptureFixture) -> None:
    messages = [Message(json.dumps(body()).encode())]
    assert handle(messages, FakeWriter(messages, WriteError("table x: code 60"))) == [False]
    assert messages[0].fate == "returned"
    assert "1 rows not written, the broker keeps them (table x: code 60)" in caplog.text
    assert caplog.records[0].levelname == "ERROR"


class Server:
    """A ClickHouse client that answers the look-up with what is stored, and remembers the inserts."""

    def __init__(self, stored: list[tuple[Any, ...]]) -> None:
        self.stored, self.inserted = stored, []  # type: ignore[var-annotated]
        self.query = ""

    def execute(self, query: str, data: list[Any] | None = None) -> list[tuple[Any, ...]]:
        if data is not None:
            self.inserted.append((query, data))
            return []
        self.query = query
        return self.stored


def writer(server: Server) -> bridge.Writer:
    made = bridge.Writer(Settings(bridge.DEFAULTS, {}, {}), LOG)
    made.client = server
    return made


def test_rows_that_come_again_are_stored_once() -> None:
    found = [rows.bar(json.dumps(body(start)).encode())[1][0] for start in (5000, 10_000)]
    server = Server([("EURUSD", "5m", 5000, "live_aggregated")])
    assert writer(server).store(rows.AGGREGATES, found) == found[1:]
    [(statement, inserted)] = server.inserted
    assert statement.startswith("INSERT INTO suho_analytics.aggregates (symbol, timeframe, timestamp, ")
    assert [row[3] for row in inserted] == [10_000]
    assert "timestamp >= fromUnixTimestamp64Milli(toInt64(5000))" in server.query
    assert "timestamp <= fromUnixTimestamp64Milli(toInt64(10000))" in server.query


def test_nothing_new_means_no_insert() -> None:
    server = Server([("EURUSD", "5m", 5000, "live_aggregated")])
    assert writer(server).store(rows.AGGREGATES, [rows.bar(json.dumps(body()).encode())[1][0]]) == []
    assert writer(server).store(rows.AGGREGATES, []) == []
    assert not server.inserted


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (clickhouse.ServerException("DB::Exception: no. Stack trace:\n\n0. x", 516), Fatal, "(code 516)"),
        (
            clickhouse.ServerException("DB::Exception: No column. Stack trace:\n0. x", 16),
            WriteError,
            "table suho_analytics.aggregates: code 16: No column",
        ),
        (EOFError("gone"), WriteError, "EOFError: gone"),
        (UnicodeDecodeError("utf-8", b"", 0, 1, "odd"), WriteError, "UnicodeDecodeError"),
    ],
)
def test_every_failure_is_one_line(error: Exception, kind: type[Exception], text: str) -> None:
    class Broken:
        def execute(self, *_: Any) -> None:
            raise error

        def disconnect(self) -> None:
            pass

    made = bridge.Writer(Settings(bridge.DEFAULTS, {"CLICKHOUSE_PASSWORD": "hunter2"}, {}), LOG)
    made.client = Broken()
    with pytest.raises(kind) as caught:
        made.store(rows.AGGREGATES, [rows.bar(json.dumps(body()).encode())[1][0]])
    assert text in str(caught.value)
    assert not [part for part in ("\n", "hunter2", "Stack trace") if part in str(caught.value)]


def test_a_malformed_message_blocks_nobody(caplog: pytest.LogCaptureFixture) -> None:
    messages = [Message(b"nonsense"), Message(json.dumps(body()).encode())]
    writer = FakeWriter(messages)
    assert handle(messages, writer) == [True]
    assert [m.fate for m in messages] == ["set aside", "acknowledged"]
    assert "bars.EURUSD.5m (sequence 7) is malformed" in caplog.text
