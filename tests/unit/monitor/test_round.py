"""One round: what it takes over from the one before, and what it calls hard."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.checks.clickhouse.kinds import build
from ansible_collections.suho.platform.plugins.module_utils.checks.clickhouse.run import (
    CLICKHOUSE,
    ServerChecks,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.containers import container_spec
from ansible_collections.suho.platform.plugins.module_utils.checks.jetstream import (
    BROKER,
    Monitor,
    StreamChecks,
    consumer_spec,
)
from ansible_collections.suho.platform.plugins.module_utils.checks.log_lines import Line
from ansible_collections.suho.platform.plugins.module_utils.checks.log_spec import log_spec
from ansible_collections.suho.platform.plugins.module_utils.checks.logs import LogContainer, LogText
from ansible_collections.suho.platform.plugins.module_utils.checks.resources import ResourceSpec
from ansible_collections.suho.platform.plugins.module_utils.checks.wait import CheckSet
from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import Answer, ClickhouseError
from ansible_collections.suho.platform.plugins.module_utils.common.command import CommandError
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Container, ImageInfo
from ansible_collections.suho.platform.plugins.module_utils.monitor.round import RoundRunner, RoundSpec

BRIDGE = Container(
    id="c1",
    name="bridge",
    image_id="sha256:aa",
    image_ref="bridge",
    state="running",
    exit_code=0,
    started_at="2026-01-01T00:00:00Z",
    health="healthy",
    restart_count=3,
)
SPEC = {
    "name": "grows",
    "kind": "steady",
    "table": "bars",
    "time_column": "t",
    "max_age": 60,
    "group_by": "s",
}
JSZ = {
    "account_details": [
        {
            "name": "$G",
            "stream_detail": [
                {
                    "name": "BARS",
                    "state": {"messages": 5, "last_seq": 5},
                    "consumer_detail": [
                        {
                            "name": "bridge",
                            "num_pending": 2,
                            "delivered": {"stream_seq": 3},
                            "ack_floor": {"stream_seq": 3},
                        }
                    ],
                }
            ],
        }
    ]
}


class World:
    """An engine, its logs, a server and a broker that answer as they are told to."""

    def __init__(self) -> None:
        self.container: Container | None = BRIDGE
        self.engine_error = ""
        self.lines: list[Line] = []
        self.asked_since: list[str] = []
        self.rows: list[tuple[Any, ...]] = [("EURUSD", 4), ("XAUUSD", 2)]
        self.clickhouse_error = ""
        self.used = (100, 1000)
        self.free = (50, 100)
        self.spec = RoundSpec(
            engine=self,
            log_source=self,
            containers=[container_spec({"container": "bridge"})],
            logs=[log_spec({"container": "bridge", "min_lines": 0})],
            levels=["ERROR"],
            others=[lambda: {CLICKHOUSE: ServerChecks([self], build([SPEC], "db"))}],  # type: ignore[list-item]
            resources=ResourceSpec(
                memory=lambda names: dict.fromkeys(names, self.used),
                disks=["/data"],
                statvfs=lambda _path: SimpleNamespace(f_bavail=self.free[0], f_blocks=self.free[1]),
            ),
        )

    # the engine
    def inspect_containers(self, _names: Any) -> list[Container]:
        if self.engine_error:
            raise CommandError(["docker", "inspect"], 1, self.engine_error)
        return [self.container] if self.container else []

    def images(self, _references: Any) -> dict[str, ImageInfo | None]:
        return {}

    # the logs
    def container_of(self, name: str) -> LogContainer | None:
        return LogContainer("running", "2026-01-01T00:00:00Z") if name == "bridge" else None

    def read(self, _name: str, since: str, max_lines: int) -> LogText:
        self.asked_since.append(since)
        lines = [line for line in self.lines if line.time >= since]
        return LogText(lines[:max_lines], len(lines) > max_lines)

    # the server's session
    def open(self) -> World:
        if self.clickhouse_error:
            raise ClickhouseError(self.clickhouse_error, "unreachable")
        return self

    def evaluate(self, result: Any, now: float, shared: Any) -> None:
        result.attempts += 1
        result.observed, result.judgement, result.rows_per_second = result.check.evaluate(
            lambda _sql, _params: Answer(self.rows, []), now
        )

    def close(self) -> None:
        self.closed = True

    def round(self, number: int = 1, before: dict[str, Any] | None = None) -> dict[str, Any]:
        found = RoundRunner(self.spec, grace=0).round(number, before)
        return dict(json.loads(json.dumps(found)))  # as the next process reads it

    def one(self, name: str, before: dict[str, Any] | None = None) -> dict[str, Any]:
        return next(one for one in self.round(2, before)["assertions"] if one["name"] == name)


class Logs:
    """The two meanings of ``container`` are kept apart: the engine's attribute here, the log source's question there."""

    def __init__(self, world: World) -> None:
        self.container = world.container_of
        self.read = world.read


@pytest.fixture
def world() -> World:
    world = World()
    world.spec.log_source = Logs(world)
    return world


def test_a_round_in_which_all_is_well(world: World) -> None:
    found = world.round()
    assert (found["number"], found["verdict"], found["reasons"], found["hard"]) == (1, "pass", [], [])
    assert {one["group"] for one in found["assertions"]} == {"containers", "ClickHouse", "logs", "resources"}
    assert found["samples"] == {
        "rows": {"grows": {"EURUSD": 4, "XAUUSD": 2}},
        "pending": {},
        "memory_bytes": {"bridge": 100},
        "disk_free_percent": {"/data": 50.0},
    }
    assert world.closed  # nothing stays open between two rounds


def test_restarts_of_before_are_no_failure_and_new_ones_are_hard(world: World) -> None:
    first = world.round()
    assert first["containers"] == {"bridge": {"id": "c1", "restarts": 3}}
    world.container = dataclasses.replace(BRIDGE, restart_count=4)
    second = world.round(2, first)
    assert (second["verdict"], second["hard"]) == ("fail", ["bridge"])
    assert "restarted 4 times, at most 3 expected" in second["reasons"][0]
    # The monitoring run's beginning stays the measure.
    assert second["containers"] == first["containers"]


def test_a_container_that_is_gone_is_hard(world: World) -> None:
    first = world.round()
    world.container = None
    second = world.round(2, first)
    assert second["hard"] == ["bridge"]
    assert second["containers"] == first["containers"]


def test_a_container_that_does_not_run_is_a_failure_that_may_pass(world: World) -> None:
    first = world.round()
    world.container = dataclasses.replace(BRIDGE, state="exited", exit_code=1)
    second = world.round(2, first)
    assert (second["verdict"], second["hard"]) == ("fail", [])


def test_a_container_that_was_replaced_has_not_been_stable(world: World) -> None:
    first = world.round()
    world.container = dataclasses.replace(BRIDGE, id="c2", restart_count=0)
    second = world.round(2, first)
    assert (second["verdict"], second["hard"]) == ("fail", [])
    assert "bridge was replaced since the round before" in second["reasons"][0]
    third = world.round(3, second)
    assert (third["verdict"], third["containers"]["bridge"]) == ("pass", {"id": "c2", "restarts": 0})


def test_an_engine_that_does_not_answer_is_an_error(world: World) -> None:
    first = world.round()
    world.engine_error = "Cannot connect to the Docker daemon"
    second = world.round(2, first)
    assert (second["verdict"], second["hard"]) == ("error", [])
    assert second["containers"] == first["containers"]


def test_logs_are_read_on_from_the_last_line(world: World) -> None:
    world.lines = [Line("2026-01-01T00:00:01.000000005Z", "INFO one")]
    first = world.round()
    assert first["cursors"] == {"bridge": "2026-01-01T00:00:01.000000006Z"}
    world.lines.append(Line("2026-01-01T00:00:09.000000000Z", "ERROR two"))
    second = world.round(2, first)
    assert world.asked_since == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01.000000006Z"]
    assert second["verdict"] == "fail"
    assert [(one["level"], one["line"]) for one in second["findings"]] == [("ERROR", "ERROR two")]
    # An error line is told in the round in which it came, and not again.
    assert world.round(3, second)["verdict"] == "pass"


def test_a_silent_log_keeps_its_cursor(world: World) -> None:
    world.lines = [Line("2026-01-01T00:00:01.000000000Z", "INFO one")]
    first = world.round()
    assert world.round(2, first)["cursors"] == first["cursors"]


def test_a_symbol_that_stalls_fails(world: World) -> None:
    world.rows = [("EURUSD", 4), ("XAUUSD", 0)]
    found = world.one("grows")
    assert (found["verdict"], found["reason"]) == ("fail", "XAUUSD: no row of the last 60 s")


def test_a_server_that_does_not_answer_is_an_error(world: World) -> None:
    world.clickhouse_error = "nobody there"
    found = world.one("grows")
    assert (found["verdict"], found["reason"]) == ("error", "nobody there")


def test_memory_and_disk_have_limits(world: World) -> None:
    world.used, world.free = (901, 1000), (9, 100)
    assert world.one("bridge: memory")["verdict"] == "fail"
    assert world.one("/data: disk")["verdict"] == "fail"
    world.used, world.free = (900, 1000), (10, 100)
    assert world.one("bridge: memory")["verdict"] == "pass"
    assert world.one("/data: disk")["verdict"] == "pass"


def test_what_cannot_be_asked_is_an_error(world: World) -> None:
    def no_memory(_names: Any) -> Any:
        raise CommandError(["docker", "stats"], 1, "no")

    def no_disk(_path: str) -> Any:
        raise FileNotFoundError(2, "No such file or directory")

    world.spec.resources.memory, world.spec.resources.statvfs = no_memory, no_disk
    assert world.one("bridge: memory")["verdict"] == "error"
    assert world.one("/data: disk")["verdict"] == "error"


def test_a_consumer_that_is_behind_fails_and_is_drawn(world: World) -> None:
    answers = {"/varz": {"server_id": "N"}, "/jsz": JSZ}

    def fetch(url: str) -> tuple[int, bytes]:
        return 200, json.dumps(answers["/" + url.split("/")[-1].split("?")[0]]).encode()

    spec = consumer_spec({"stream": "BARS", "consumer": "bridge"})

    def streams() -> dict[str, CheckSet]:
        return {BROKER: StreamChecks(Monitor("http://127.0.0.1:1", fetch), [spec])}

    world.spec.others = [*world.spec.others, streams]
    found = world.round()
    assert found["verdict"] == "fail"
    assert list(found["samples"]["pending"].values()) == [2]
