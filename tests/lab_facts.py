"""What tests ask of a lab, through other ways than the modules under test: engine CLI, system tables, file hashes."""

from __future__ import annotations

import asyncio
import datetime
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
from clickhouse_driver import Client

PROJECT = Path(__file__).resolve().parents[1]
DATABASE = "suho_analytics"
QUARANTINE = f"{DATABASE}_quarantine"
EXTERNAL_TABLES = [
    "external_economic_calendar",
    "external_fred_economic",
    "external_crypto_sentiment",
    "external_fear_greed_index",
    "external_commodity_prices",
    "external_market_sessions",
]
# fmt: off
INDICATORS = {
    "sma_7", "sma_14", "sma_21", "sma_50", "sma_200", "ema_7", "ema_14", "ema_21", "ema_50", "ema_200", "rsi",
    "macd", "macd_signal", "macd_histogram", "stoch_k", "stoch_d", "bb_upper", "bb_middle", "bb_lower", "bb_width",
    "atr", "mfi", "obv", "adl", "cci", "vwap",
}
# fmt: on


def run(*command: str, **options: Any) -> str:
    return subprocess.run(command, check=True, text=True, capture_output=True, **options).stdout


class Lab:
    """The lab that LAB_NAME names."""

    def __init__(self) -> None:
        self.name = os.environ.get("LAB_NAME", "suho-lab")
        self.folder = PROJECT / ".lab" / self.name
        self.backend = self.folder / "backend"
        self.compose_file = self.backend / "docker-compose.yml"
        self.state = self.folder / "state"
        self.reports = (PROJECT if self.name == "suho-lab" else self.folder) / "reports/lab"
        self.remembered = self.folder / "fingerprint.json"
        lines = (self.backend / ".env").read_text(encoding="utf-8").splitlines()
        pairs = (line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
        self.settings = {name: value.strip("'") for name, value in pairs}

    def container(self, short: str) -> str:
        return f"{self.settings['SUHO_PREFIX']}-{short}"

    def inspect(self, short: str) -> dict[str, Any]:
        return json.loads(run("docker", "container", "inspect", self.container(short)))[0]

    def signal(self, short: str, number: int) -> None:
        """All processes of a service get a signal that the engine knows nothing of."""
        for line in run("docker", "top", self.container(short), "-eo", "pid").splitlines()[1:]:
            os.kill(int(line), number)

    def log_error(self, short: str) -> None:
        """A line in the log of the service's own process, as its logger would write it."""
        text = f"2026-01-01 00:00:00,000 - {short} - ERROR - injected fault, order 4711"
        run("docker", "exec", self.container(short), "sh", "-c", f"echo '{text}' > /proc/1/fd/1")

    def crash(self, short: str) -> None:
        """The service's first process dies, and the engine has started it again."""
        before = self.inspect(short)["RestartCount"]
        pid = wait_for("a process", lambda: self.inspect(short)["State"]["Pid"], 20)
        os.kill(pid, signal.SIGKILL)
        wait_for("a restart", lambda: self.inspect(short)["RestartCount"] > before, 30)

    def containers(self) -> dict[str, dict[str, Any]]:
        # As Compose does it: a container of somebody's who has used the image has the project's label, too, and not the other one.
        own = [f"label=com.docker.compose.project={self.name}", "label=com.docker.compose.oneoff=False"]
        ids = run("docker", "ps", "--all", "--quiet", "--filter", own[0], "--filter", own[1]).split()
        found = json.loads(run("docker", "container", "inspect", *ids)) if ids else []
        return {one["Name"].lstrip("/"): one for one in found}

    def query(self, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        client = Client(
            "127.0.0.1",
            port=int(self.settings["CLICKHOUSE_NATIVE_PORT"]),
            user=self.settings["CLICKHOUSE_USER"],
            password=self.settings["CLICKHOUSE_PASSWORD"],
            database=DATABASE,
        )
        try:
            return client.execute(sql, params or None)
        finally:
            client.disconnect()

    def count(self, table: str, where: str = "1") -> int:
        return self.query(f"SELECT count() FROM {table} WHERE {where}")[0][0]

    def tables(self, database: str = DATABASE) -> set[str]:
        rows = self.query("SELECT name FROM system.tables WHERE database = %(database)s", database=database)
        return {row[0] for row in rows}

    def columns(self, table: str) -> dict[str, str]:
        rows = self.query(
            "SELECT name, type FROM system.columns WHERE database = %(database)s AND table = %(table)s",
            database=DATABASE,
            table=table,
        )
        return dict(rows)

    def published(self, stream: str, until: int | None = None) -> dict[int, dict[str, Any]]:
        """Every message that a stream holds, by its sequence, up to a sequence."""

        async def read() -> dict[int, dict[str, Any]]:
            connection = await nats.connect(f"nats://127.0.0.1:{self.settings['NATS_HOST_PORT']}")
            try:
                broker = connection.jetstream()
                state = (await broker.stream_info(stream)).state
                sequences = range(state.first_seq, min(until or state.last_seq, state.last_seq) + 1)
                return {one: json.loads((await broker.get_msg(stream, one)).data) for one in sequences}
            finally:
                await connection.close()

        return asyncio.run(read())

    def fingerprint(self) -> dict[str, Any]:
        """Everything that a run which must change nothing has to leave as it is. Data flows, so rows are left out."""
        images = run(
            "docker", "image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"
        ).splitlines()
        schema = self.query(
            "SELECT database || '.' || name, create_table_query FROM system.tables "
            "WHERE database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA') ORDER BY 1"
        )
        return {
            "containers": {
                name: [one["Id"], one["Image"], one["State"]["StartedAt"]]
                for name, one in self.containers().items()
            },
            "images": sorted(line for line in images if line.startswith(f"{self.name}-")),
            "schema": dict(schema),
            "files": {
                str(path.relative_to(self.backend)): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in sorted(self.backend.rglob("*"))
                if path.is_file() and ".git" not in path.parts
            },
            "revision": run("git", "rev-parse", "HEAD", cwd=self.backend).strip(),
            "releases": sorted(path.name for path in (self.state / "releases").glob("*")),
        }


def missing_bars(messages: dict[int, dict[str, Any]], rows: list[tuple[Any, ...]]) -> list[str]:
    """Say which published bars with indicators are not stored exactly once with just these values.

    ``rows``: symbol, timeframe, timestamp_ms, indicators of what is stored.
    """
    stored: dict[tuple[Any, ...], list[Any]] = {}
    for symbol, timeframe, at, text in rows:
        stored.setdefault((symbol, timeframe, at), []).append(json.loads(text) if text else {})
    problems = []
    for body in messages.values():
        if body.get("indicators"):
            key = (body["symbol"], body["timeframe"], body["timestamp_ms"])
            if stored.get(key) != [body["indicators"]]:
                problems.append(
                    f"{key}: published once, stored {len(stored.get(key, []))} times or with other values"
                )
    return problems


def missing_polls(messages: dict[int, dict[str, Any]], table: str, rows: list[tuple[Any, ...]]) -> list[str]:
    """Say which published polls of a table's source are not stored as often as they were published.

    ``rows``: collected_at (Unix seconds) and number of rows of what is stored.
    """
    stored = dict(rows)
    expected: dict[int, int] = {}
    for body in messages.values():
        if f"external_{body['source']}" == table:
            at = int(datetime.datetime.fromisoformat(body["collected_at"]).timestamp())
            expected[at] = expected.get(at, 0) + len(body["rows"])
    return [
        f"{table} at {at}: published {n}, stored {stored.get(at, 0)}"
        for at, n in expected.items()
        if stored.get(at, 0) != n
    ]


def wait_for(what: str, probe: Callable[[], Any], seconds: float) -> Any:
    """Return the first true answer of a probe, or fail with the last one.

    ``seconds`` are those of a machine with nothing else to do; a busy one has four times as long. A limit proves nothing, it only ends a test.
    """
    seconds *= 4
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds:g} s, the last answer was {answer!r}")
        time.sleep(1)
