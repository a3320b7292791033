"""What a healthy platform has is taken away, a thing at a time; each turns its own checks red in one round, and no others.

What can be taken away together is, so that one run shows it all: a failure hides no other.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass

import nats
import pytest
from conftest import play_command
from lab_facts import Lab, run, wait_for

QUICK = {"verify_timeout": 4, "verify_interval": 1}


@contextmanager
def changed(lab: Lab, there: list[str], back: list[str]) -> Iterator[None]:
    """The server does the first statements, and the others afterwards."""
    for sql in there:
        lab.query(sql)
    try:
        yield
    finally:
        for sql in back:
            lab.query(sql)


def emptied(lab: Lab, table: str) -> AbstractContextManager[None]:
    """Rows that are written go nowhere; those of before come back with the table."""
    exchange = f"EXCHANGE TABLES {table} AND {table}_molecule"
    create = f"CREATE TABLE {table}_molecule AS {table} ENGINE = Null"
    return changed(lab, [create, exchange], [exchange, f"DROP TABLE {table}_molecule"])


def no_table(lab: Lab, table: str) -> AbstractContextManager[None]:
    back = [f"DROP TABLE IF EXISTS {table}", f"RENAME TABLE {table}_molecule TO {table}"]
    return changed(lab, [f"RENAME TABLE {table} TO {table}_molecule"], back)


def no_column(lab: Lab, table: str, column: str) -> AbstractContextManager[None]:
    rename = f"ALTER TABLE {table} RENAME COLUMN"
    there, back = f"{rename} {column} TO {column}_molecule", f"{rename} {column}_molecule TO {column}"
    return changed(lab, [there], [back])


@contextmanager
def no_consumer(lab: Lab, stream: str, consumer: str) -> Iterator[None]:
    """The service that reads with it makes it again when it starts."""

    async def remove() -> None:
        connection = await nats.connect(f"nats://127.0.0.1:{lab.settings['NATS_HOST_PORT']}")
        try:
            await connection.jetstream().delete_consumer(stream, consumer)
        finally:
            await connection.close()

    asyncio.run(remove())
    try:
        yield
    finally:
        run("docker", "restart", "--time", "2", lab.container("data-bridge"))


@contextmanager
def stopped(lab: Lab, service: str) -> Iterator[None]:
    run("docker", "stop", "--time", "2", lab.container(service))
    try:
        yield
    finally:
        run("docker", "start", lab.container(service))


@contextmanager
def silent(lab: Lab, service: str) -> Iterator[None]:
    lab.signal(service, signal.SIGSTOP)
    try:
        yield
    finally:
        lab.signal(service, signal.SIGCONT)


@contextmanager
def error_line(lab: Lab, service: str) -> Iterator[None]:
    lab.log_error(service)
    yield


@contextmanager
def killed(lab: Lab, service: str) -> Iterator[None]:
    lab.crash(service)
    yield
    # A container that is made anew has never been restarted.
    compose = ["docker", "compose", "--file", str(lab.compose_file), "--project-name", lab.name]
    recreate = ["up", "--detach", "--no-deps", "--no-build", "--force-recreate"]
    run(*compose, *recreate, lab.inspect(service)["Config"]["Labels"]["com.docker.compose.service"])


@contextmanager
def moved_tag(lab: Lab, service: str, other: str) -> Iterator[None]:
    """As a build does that nobody has rolled out."""
    found = lab.inspect(service)
    run("docker", "tag", lab.inspect(other)["Image"], found["Config"]["Image"])
    try:
        yield
    finally:
        run("docker", "tag", found["Image"], found["Config"]["Image"])


@contextmanager
def other_journal(lab: Lab, service: str) -> Iterator[None]:
    """As if another image had been rolled out than the one that runs."""
    folder = lab.folder / "state-molecule/releases/20260101T000000Z-abcdef0"
    folder.mkdir(parents=True)
    swap = {"time": "2026-01-01T00:00:00.000Z", "phase": "rollout", "object": service, "event": "done"}
    (folder / "journal.jsonl").write_text(json.dumps({**swap, "image": "sha256:" + "0" * 64}) + "\n")
    try:
        yield
    finally:
        shutil.rmtree(folder.parents[1])


@dataclass
class Mutation:
    """What is taken away, and the checks that have to turn red: a part of each name, and what its reason says."""

    what: str
    strike: Callable[[Lab], object]
    red: dict[str, str]


TOGETHER = [
    # The first one: what is silent since then has said nothing since the time from which the logs are read.
    Mutation(
        "a producer's expected line",
        lambda lab: silent(lab, "tick-aggregator"),
        {"tick-aggregator: publishes all 26 indicators": "0 lines match"},
    ),
    Mutation(
        "the rows of a table",
        lambda lab: emptied(lab, "external_market_sessions"),
        {"market sessions arrives": "no row"},
    ),
    Mutation(
        "a table",
        lambda lab: no_table(lab, "external_fred_economic"),
        {"fred economic arrives": "external_fred_economic"},
    ),
    Mutation(
        "the consumer of a stream",
        lambda lab: no_consumer(lab, "EXTERNAL", "data-bridge-external"),
        {"EXTERNAL/data-bridge-external": "data-bridge-external"},
    ),
    Mutation(
        "a log without errors",
        lambda lab: error_line(lab, "external-collector"),
        {"external-collector: no error lines": r"1x \(new\) 2026-01-01"},
    ),
    Mutation(
        "an image under its tag",
        lambda lab: moved_tag(lab, "tick-aggregator", "data-bridge"),
        {"tick-aggregator": "it runs image [0-9a-f]{12}, expected .* which is [0-9a-f]{12}"},
    ),
    Mutation(
        "the image that the journal names",
        lambda lab: other_journal(lab, "data-bridge"),
        {"data-bridge": "expected 000000000000, with which the last replacement in the journal has left it"},
    ),
]
ALONE = [
    Mutation(
        "the column of the indicators",
        lambda lab: no_column(lab, "aggregates", "indicators"),
        {
            "the column indicators is there": "indicators",
            "new bars carry exactly the 26 indicators, all finite": "indicators",
            "RSI, EMA and MACD are plausible numbers": "indicators",
        },
    ),
    Mutation(
        "a running container",
        lambda lab: stopped(lab, "tick-aggregator"),
        {"tick-aggregator": "expected running"},
    ),
    Mutation(
        "a process that stays up",
        lambda lab: killed(lab, "external-collector"),
        {"external-collector": "it restarted 1 times, at most 0 expected"},
    ),
]


def shown(output: str) -> dict[str, str]:
    """The checks that a run showed as not passed, with what it said of each."""
    text = " ".join(output.split())
    parts = re.split(r" - (?=[^\[\]]{1,120} \[(?:fail|error|inconclusive)\]: observed )", text)
    return {part.split(" [", 1)[0]: part for part in parts[1:]}


def demand(found: dict[str, str], lab: Lab, mutation: Mutation) -> None:
    for name, reason in mutation.red.items():
        wanted = [one for one in found if one.removeprefix(f"{lab.container('')}") == name]
        assert len(wanted) == 1, (name, sorted(found))
        assert re.search(reason, found[wanted[0]]), found[wanted[0]]


@pytest.fixture(scope="module")
def together(lab, role):
    """What one run says when all of them are gone at once, with the time of before read as the hour before a deploy is."""
    with ExitStack() as stack:
        stack.enter_context(TOGETHER[0].strike(lab))
        time.sleep(1.1)
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        for mutation in TOGETHER[1:]:
            stack.enter_context(mutation.strike(lab))
        state = str(lab.folder / "state-molecule")
        done = role("verify", **QUICK, verify_log_since=since, verify_state_dir=state)
    assert done.code != 0, done.said
    assert "Traceback (most recent call last)" not in done.said
    return shown(done.said)


@pytest.mark.parametrize("mutation", TOGETHER, ids=[one.what for one in TOGETHER])
def test_of_many_things_that_are_gone_each_is_shown(lab, together, mutation):
    demand(together, lab, mutation)


def test_what_is_still_there_stays_green(lab, together):
    for name in ("the column indicators is there", "economic calendar arrives", "crypto sentiment arrives"):
        assert name not in together
    assert f"{lab.container('external-collector')}" not in together
    assert "BARS/data-bridge-bars" not in together


@pytest.mark.parametrize("mutation", ALONE, ids=[one.what for one in ALONE])
def test_each_thing_that_is_gone_is_seen_in_one_run(lab, role, together, mutation):
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    with mutation.strike(lab):
        done = role("verify", **QUICK, verify_log_since=since, verify_streams=[])
    assert done.code != 0, done.said
    found = shown(done.said)
    demand(found, lab, mutation)
    assert "economic calendar arrives" not in found


def test_after_the_faults_it_passes_again(role):
    """Logs count from here on: the data-bridge may rightly have complained about what was gone."""
    time.sleep(1)
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    role("verify", verify_timeout=120, verify_interval=1, verify_log_since=since).assert_passed(changed=0)


SUITE = ["pytest", "-q", "-p", "no:cacheprovider", "tests/testinfra", "--hosts=ansible://platform"]


def suite(play_options: dict, **variables) -> subprocess.CompletedProcess:
    """The suite for users, as they run it on an inventory."""
    given = json.dumps({"verify_timeout": 30, **variables})
    return subprocess.run(
        [*SUITE, "--ansible-inventory=inventories/lab", "--variables", given],
        check=False,
        capture_output=True,
        **play_options,
    )


def test_the_suite_for_users_says_the_same(lab, role):
    """It misses nothing on the deployed lab, and names the service that is stopped."""
    _command, options = play_command("", {})
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    wait_for("a line", lambda: run("docker", "logs", "--since", since, lab.container("tick-aggregator")), 30)
    found = suite(options, verify_log_since=since)
    failed = re.findall(r"^FAILED \S+::(\w+)", found.stdout, re.MULTILINE)
    assert (found.returncode, failed) == (0, []), found.stdout
    with stopped(lab, "tick-aggregator"):
        found = suite(options, verify_log_since=since, verify_timeout=2)
    failed = re.findall(r"^FAILED \S+::(\w+)", found.stdout, re.MULTILINE)
    assert "test_the_services_are_up_with_the_images_of_their_tags_and_of_the_journal" in failed, found.stdout
    assert "it is exited with code" in found.stdout
    assert lab.settings["CLICKHOUSE_PASSWORD"] not in found.stdout
