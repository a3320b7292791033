# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the services' way: swaps beside raw compose, a deploy under a writer, the audit, the digest, a deploy without work.

Works on the lab that LAB_NAME names, which is deployed (scripts/bench-services raises one of its own). Prints one table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import nats

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lab_facts import Lab

from plugins.module_utils.audit.collect import AuditSpec, ServiceInspector
from plugins.module_utils.audit.report import audit_report
from plugins.module_utils.common.command import CommandError
from plugins.module_utils.compose.config import ComposeReader, named_project
from plugins.module_utils.compose.rollout import RolloutError, ServiceRollout, downtime
from plugins.module_utils.docker.engine import Engine
from plugins.module_utils.sources.digest import BuildSpec, read_sources

from .contenders import BenchError
from .schema import conditions, say
from .tables import SERVICES_BEGIN, SERVICES_END, Spread, between_markers, ratio, render

PROJECT = Path(__file__).resolve().parents[1]
README = PROJECT / "bench/README.md"
HEAD = ("what", "who", "median (least-greatest)", "unit", "compared")
SERVICE = "data-bridge"
SYMBOL = "BENCH"
SERVICES, CONTEXT_FILES = 20, 10_000
Row = tuple[str, str, str, str, str]


def goal(found: float, limit: float, unit: str = "") -> str:
    return f"{'met' if found <= limit else 'missed'}: at most {limit:g} {unit}".rstrip()


def row(what: str, who: str, values: Sequence[float], unit: str, compared: str = "") -> Row:
    return (what, who, Spread.of(values).text(2), unit, compared)


def run(*command: str, cwd: Path | None = None, stdin: str | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd, input=stdin)
    if done.returncode:
        raise BenchError(f"{' '.join(command[:4])} failed: {(done.stdout + done.stderr)[-1500:]}")
    return done.stdout


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


# Swaps ---------------------------------------------------------------------------------------------------------


class Swaps:
    """The same image change by our rollout and by raw compose, turn about."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.engine = Engine()
        project = named_project(self.engine, str(lab.backend), ["docker-compose.yml"], [], lab.name)
        self.rollout = ServiceRollout(ComposeReader(self.engine, project), lab.name, SERVICE)
        self.tag = f"{lab.name}-{SERVICE}:latest"

    def new_image(self, number: int) -> None:
        """The same program under another id, so that its container has to be made anew."""
        text = f"FROM {self.tag}\nLABEL bench={number}\n"
        run("docker", "build", "--quiet", "--tag", self.tag, "-", stdin=text)

    def ours(self) -> None:
        before = self.engine.containers(self.lab.name)
        if not [one for one in before if one.service == SERVICE]:
            raise BenchError(f"{SERVICE} does not run")
        self.rollout.bring_up()

    def raw(self) -> None:
        run("docker", "compose", "up", "--detach", "--no-deps", SERVICE, cwd=self.lab.backend)

    def once(self, act: Callable[[], None]) -> tuple[float, float]:
        """Seconds that the service was away, and until it was healthy again."""
        old = self.engine.containers(self.lab.name, SERVICE)[-1]
        since = time.time()
        act()
        events = self.rollout.events_since(since)
        new = self.rollout.wait_until_up(120, 5)
        gap = downtime(events + self.rollout.events_since(since), old.id, new.id)
        if gap.down is None or new.id == old.id:
            raise BenchError("the engine's events did not tell the downtime")
        return gap.down, gap.unready or 0.0

    def rows(self, runs: int) -> Iterator[Row]:
        found: dict[str, list[tuple[float, float]]] = {"ours": [], "raw": []}
        for number in range(runs):
            for who, act in (("ours", self.ours), ("raw", self.raw)):
                say(f"swap {number + 1} of {runs}: {who}")
                self.new_image(2 * number + (who == "raw"))
                found[who].append(self.once(act))
        for place, what in enumerate(("away", "away or not healthy yet")):
            ours, raw = ([one[place] for one in found[who]] for who in ("ours", "raw"))
            share = Spread.of(ours).median / Spread.of(raw).median
            compared = f"{ratio(Spread.of(ours).median, Spread.of(raw).median)} of raw"
            compared += f"; {goal(share, 1.1)}" if place == 0 else ""
            yield row(f"swap of {SERVICE}: {what}", "ours", ours, "s", compared)
            yield row(f"swap of {SERVICE}: {what}", "docker compose up --no-deps", raw, "s")


# A deploy under a writer ---------------------------------------------------------------------------------------


class Writer:
    """Publishes numbered bars all the time; knows when each was acknowledged by the broker."""

    def __init__(self, lab: Lab, pause: float = 0.1) -> None:
        self.lab, self.pause = lab, pause
        self.sent: dict[int, float] = {}
        self._stop = threading.Event()
        self._failed: list[str] = []

    @contextmanager
    def writing(self, first: int) -> Iterator[None]:
        thread = threading.Thread(target=lambda: asyncio.run(self._write(first)))
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
        if self._failed:
            raise BenchError(f"the writer failed: {self._failed[0]}")

    async def _write(self, number: int) -> None:
        connection = await nats.connect(f"nats://127.0.0.1:{self.lab.settings['NATS_HOST_PORT']}")
        try:
            broker = connection.jetstream()
            template = json.loads((await broker.get_last_msg("BARS", "bars.*.5m")).data)
            while not self._stop.is_set():
                number += 1
                bar = {**template, "symbol": SYMBOL, "timestamp_ms": number}
                await broker.publish(f"bars.{SYMBOL}.5m", json.dumps(bar).encode())
                self.sent[number] = time.time()
                await asyncio.sleep(self.pause)
        except Exception as error:  # told by the thread that waits for this one
            self._failed.append(f"{type(error).__name__}: {error}")
        finally:
            await connection.close()


def judged(sent: Mapping[int, float], stored: Sequence[tuple[int, int, float]]) -> tuple[int, float]:
    """How many bars are not stored exactly once, and the longest way of one in seconds.

    ``stored``: number, how many rows it has, when the last of them was stored (Unix seconds).
    """
    counts = {number: rows for number, rows, _at in stored}
    wrong = sum(counts.get(number, 0) != 1 for number in sent)
    delays = [at - sent[number] for number, _rows, at in stored if number in sent]
    return wrong, max(delays, default=0.0)


def deploy(lab: Lab) -> None:
    playbook = ("ansible-playbook", "playbooks/deploy.yml", "-i", "inventories/lab")
    run(*playbook, "-e", "deploy_approved=true", cwd=PROJECT)


def under_a_writer(lab: Lab) -> tuple[int, float]:
    """Deploy new code of the data-bridge while bars come in."""
    code = lab.backend / "02-data-processing/data-bridge/data_bridge/__init__.py"
    code.write_text(code.read_text() + f"# {time.time()}\n")
    author = ("-c", "user.name=Bench", "-c", "user.email=bench@suho.example")
    run("git", *author, "commit", "--quiet", "--all", "--message", "data-bridge: later", cwd=lab.backend)
    writer = Writer(lab)
    # Of today, or the table's TTL would take the rows away at once.
    first = int(time.time() * 1000)
    with writer.writing(first):
        time.sleep(1)
        deploy(lab)
        time.sleep(1)
    sql = (
        "SELECT toInt64(timestamp_ms), toInt64(count()), toFloat64(max(ingested_at)) FROM aggregates "
        "WHERE symbol = %(symbol)s AND timestamp_ms > %(first)s GROUP BY timestamp_ms"
    )
    deadline = time.monotonic() + 60
    while True:
        wrong, delay = judged(writer.sent, lab.query(sql, symbol=SYMBOL, first=first))
        if not wrong or time.monotonic() > deadline:
            return wrong, delay
        time.sleep(1)


def writer_rows(lab: Lab, runs: int) -> Iterator[Row]:
    found = []
    for number in range(1, runs + 1):
        say(f"deploy under a writer {number} of {runs}")
        found.append(under_a_writer(lab))
    lost, delays = [float(one[0]) for one in found], [one[1] for one in found]
    yield row("deploy under a writer: rows lost or twice", "ours", lost, "rows", goal(max(lost), 0, "rows"))
    longest = Spread.of(delays).median
    yield row("deploy under a writer: longest way of a bar", "ours", delays, "s", goal(longest, 5, "s"))


# Audit and digest ----------------------------------------------------------------------------------------------


@contextmanager
def twenty_services(lab: Lab, folder: Path) -> Iterator[str]:
    """A project of twenty services that run, each with code of its own in git."""
    name, image = f"{lab.name}-twenty", lab.settings["LAB_SERVICE_IMAGE"]
    services = {}
    for number in range(SERVICES):
        code = folder / f"s{number}/code"
        code.mkdir(parents=True)
        for part in range(30):
            (code / f"m{part}.py").write_text(f"x = {part}\n" * 50)
        (folder / f"s{number}/Dockerfile").write_text(f"FROM {image}\nCOPY s{number}/code /app\n")
        services[f"s{number}"] = {
            "build": {"context": ".", "dockerfile": f"s{number}/Dockerfile"},
            "command": ["sleep", "3600"],
            "init": True,
        }
        run("docker", "tag", image, f"{name}-s{number}:latest")
    (folder / "docker-compose.yml").write_text(json.dumps({"name": name, "services": services}))
    author = ("-c", "user.name=Bench", "-c", "user.email=bench@suho.example")
    for command in (("init", "--quiet"), ("add", "."), (*author, "commit", "--quiet", "--message", "code")):
        run("git", *command, cwd=folder)
    try:
        run("docker", "compose", "up", "--detach", "--no-build", "--pull", "never", cwd=folder)
        yield name
    finally:
        run("docker", "compose", "down", "--timeout", "1", cwd=folder)
        run("docker", "image", "rm", *(f"{name}-s{number}:latest" for number in range(SERVICES)))


def audit_rows(lab: Lab, runs: int) -> Iterator[Row]:
    say(f"audit of {SERVICES} services")
    with tempfile.TemporaryDirectory() as place, twenty_services(lab, Path(place)) as name:
        engine = Engine()
        project = named_project(engine, place, ["docker-compose.yml"], [], name)

        def audit() -> None:
            report = audit_report(ServiceInspector(engine, project, AuditSpec()))
            if len(report["rows"]) != SERVICES:
                raise BenchError(f"the audit has {len(report['rows'])} rows, expected {SERVICES}")

        seconds = [timed(audit) for _ in range(runs)]
    yield row(f"audit of {SERVICES} services", "ours", seconds, "s", goal(Spread.of(seconds).median, 3, "s"))


def digest_rows(runs: int) -> Iterator[Row]:
    say(f"digest of {CONTEXT_FILES} files")
    folder = Path(tempfile.mkdtemp())
    try:
        for number in range(CONTEXT_FILES):
            path = folder / f"d{number % 100}/s{number % 7}/f{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"x = {number}\n" * 60)
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /app/\n")
        first = [timed(lambda: read_sources(BuildSpec(str(folder))))]
        later = [timed(lambda: read_sources(BuildSpec(str(folder)))) for _ in range(runs)]
    finally:
        shutil.rmtree(folder)
    what = f"digest of a context of {CONTEXT_FILES} files"
    yield row(f"{what}: first time", "ours", first, "s", goal(first[0], 1, "s"))
    yield row(f"{what}: again", "ours", later, "s", goal(Spread.of(later).median, 0.3, "s"))


# A deploy without work -----------------------------------------------------------------------------------------


def look_by_hand(lab: Lab) -> None:
    """What a person would type to see that nothing is to be done: configuration, containers, images, code, schema."""
    compose = ("docker", "compose")
    run(*compose, "config", "--format", "json", cwd=lab.backend)
    run(*compose, "config", "--hash", "*", cwd=lab.backend)
    ids = run(*compose, "ps", "--all", "--quiet", cwd=lab.backend).split()
    run("docker", "container", "inspect", *ids)
    run("docker", "image", "inspect", f"{lab.name}-{SERVICE}:latest")
    run("git", "log", "-1", "--format=%h", cwd=lab.backend)
    run("git", "status", "--short", cwd=lab.backend)
    lab.query("SELECT name, create_table_query FROM system.tables WHERE database = 'suho_analytics'")
    run(
        "curl",
        "--silent",
        "--fail",
        f"http://127.0.0.1:{lab.settings['NATS_MONITOR_PORT']}/jsz?consumers=true",
    )


def no_op_rows(lab: Lab, runs: int) -> Iterator[Row]:
    deploy(lab)
    ours, raw = [], []
    for number in range(runs):
        say(f"deploy without work {number + 1} of {runs}")
        ours.append(timed(lambda: deploy(lab)))
        raw.append(timed(lambda: look_by_hand(lab)))
    compared = f"{ratio(Spread.of(ours).median, Spread.of(raw).median)} times raw"
    yield row(
        "deploy without work", "ours", ours, "s", f"{compared}; {goal(Spread.of(ours).median, 20, 's')}"
    )
    yield row("the same looking", "docker compose, docker, git, a query", raw, "s")


def measure(runs: int) -> str:
    lab, load = Lab(), os.getloadavg()[0]
    version = str(lab.query("SELECT version()")[0][0])
    rows = [*digest_rows(runs), *audit_rows(lab, runs), *no_op_rows(lab, runs), *Swaps(lab).rows(runs)]
    # The swaps left images that no code stands behind; the next deploy builds from the code again.
    rows += writer_rows(lab, runs)
    return "\n".join([conditions(version, runs, load), "", render(HEAD, rows)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the services' way on the lab that LAB_NAME names.")
    parser.add_argument("--runs", type=int, default=5, help="how often each is measured; 5 or more")
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    args = parser.parse_args()
    if args.runs < 5:
        parser.error(f"--runs is {args.runs}, expected 5 or more: less is no median")
    try:
        table = measure(args.runs)
    except (BenchError, CommandError, RolloutError) as error:
        sys.exit(f"bench-services: {error}")
    print(table)
    if args.write:
        text = README.read_text(encoding="utf-8")
        README.write_text(between_markers(text, table, SERVICES_BEGIN, SERVICES_END), encoding="utf-8")


if __name__ == "__main__":
    main()
