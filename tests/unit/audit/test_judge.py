"""Verdicts: what is seen of a service decides what it is called, why, and what is to be done."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

import pytest
from ansible_collections.suho.platform.plugins.module_utils.audit.judge import (
    CodeState,
    NewerFile,
    ServiceFacts,
    judge,
    table_row,
)
from ansible_collections.suho.platform.plugins.module_utils.common.times import age, creation_time, table_time
from ansible_collections.suho.platform.plugins.module_utils.docker.engine import Container, ImageInfo


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


DIGEST = "v1:aaaa"
IMAGE = ImageInfo("sha256:new", "2025-10-06T01:13:05.123456789Z")
LABELLED = replace(IMAGE, labels={"com.suho.source-digest": DIGEST})
OLD_CODE = CodeState(at("2025-10-04T21:14:00"), "c0ffee" * 6, "old")
NEW_CODE = CodeState(at("2025-10-06T22:05:00"), "c0ffee" * 6, "indicators", (), 3)
CONTAINER = Container(
    id="c1", name="suho-data-bridge", image_id="sha256:new", image_ref="backend-data-bridge", state="running",
    exit_code=0, started_at="2025-10-06T01:14:00Z", health="", restart_count=0,
)  # fmt: skip
GOOD = ServiceFacts(
    name="data-bridge",
    image_ref="backend-data-bridge:latest",
    image=IMAGE,
    containers=(CONTAINER,),
    source_digest=DIGEST,
    code=OLD_CODE,
    config_matches=True,
)
EXTERNAL = replace(
    GOOD, name="nats", image_ref="nats:2.10", built_locally=False, source_digest=None, code=None
)


def with_container(facts: ServiceFacts, **changes: object) -> ServiceFacts:
    return replace(facts, containers=(replace(CONTAINER, **changes),))  # type: ignore[arg-type]


CASES = {
    "image newer than code": (GOOD, "ok", "none", ["current"]),
    "label equals digest": (replace(GOOD, image=LABELLED), "ok", "none", ["current"]),
    "label equals digest, commit newer": (replace(GOOD, image=LABELLED, code=NEW_CODE), "ok", "none", ["current"]),
    "label equals digest, no git": (replace(GOOD, image=LABELLED, code=None), "ok", "none", ["current"]),
    "code newer, no label": (replace(GOOD, code=NEW_CODE), "stale", "build", ["code_newer"]),
    # git keeps whole seconds, the engine nanoseconds: a commit of that second may have come after the build.
    "code of the image's own second, no label": (
        replace(GOOD, code=replace(NEW_CODE, time=at("2025-10-06T01:13:05"))), "stale", "build", ["code_newer"],
    ),
    "code of the second before, no label": (
        replace(GOOD, code=replace(NEW_CODE, time=at("2025-10-06T01:13:04"))), "ok", "none", ["current"],
    ),
    "label differs": (replace(GOOD, image=LABELLED, source_digest="v1:b"), "stale", "build", ["source_changed"]),
    "label of another version says nothing": (
        replace(GOOD, image=replace(IMAGE, labels={"com.suho.source-digest": "v0:b"})), "ok", "none", ["current"],
    ),
    "code newer, container gone": (
        replace(GOOD, code=NEW_CODE, containers=()), "stale", "build_and_start", ["code_newer", "no_container"],
    ),
    "not in the compose file, no image": (
        replace(GOOD, in_compose=False, image=None, containers=(), config_matches=None),
        "missing", "build_and_start", ["not_in_compose", "image_missing"],
    ),
    "not in the compose file, image there": (
        replace(GOOD, in_compose=False, containers=(), config_matches=None), "missing", "start", ["not_in_compose"],
    ),
    "never built": (
        replace(GOOD, image=None, containers=(), config_matches=None),
        "missing", "build_and_start", ["image_missing", "no_container"],
    ),
    "image of a registry is missing": (
        replace(EXTERNAL, image=None, containers=(), config_matches=None),
        "missing", "start", ["image_missing", "no_container"],
    ),
    "image was removed under a running container": (
        replace(GOOD, image=None), "missing", "build", ["image_missing"],
    ),
    "running container older than tag": (
        with_container(GOOD, image_id="sha256:old"), "stale", "recreate", ["image_not_running"],
    ),
    "configuration changed": (replace(GOOD, config_matches=False), "stale", "recreate", ["config_changed"]),
    "no config hash": (replace(GOOD, config_matches=None), "unknown", "none", ["config_unknown"]),
    "mounted file newer": (
        replace(GOOD, newer_files=(NewerFile("/b/config.yaml", 1.0),)), "stale", "recreate", ["mount_newer"],
    ),
    "mounted path missing": (replace(GOOD, missing_mounts=("/b/x",)), "ok", "none", ["mount_missing"]),
    "no container": (replace(EXTERNAL, containers=()), "not_running", "start", ["no_container"]),
    "exited": (with_container(EXTERNAL, state="exited", exit_code=1), "not_running", "start", ["not_running"]),
    "exited with 0, but is no one-shot": (
        with_container(EXTERNAL, state="exited"), "not_running", "start", ["not_running"],
    ),
    "created, never started": (with_container(EXTERNAL, state="created"), "not_running", "start", ["not_running"]),
    "paused": (with_container(EXTERNAL, state="paused"), "not_running", "start", ["not_running"]),
    "crash loop": (
        with_container(EXTERNAL, state="restarting", exit_code=1, restart_count=9),
        "not_running", "recreate", ["crash_loop"],
    ),
    "unhealthy": (with_container(EXTERNAL, health="unhealthy"), "not_running", "recreate", ["unhealthy"]),
    "healthy": (with_container(EXTERNAL, health="healthy"), "ok", "none", ["running"]),
    "health starting": (with_container(EXTERNAL, health="starting"), "ok", "none", ["health_starting"]),
    "one-shot that ended well": (
        replace(with_container(EXTERNAL, state="exited"), one_shot=True), "ok", "none", ["ran_once"],
    ),
    "built one-shot that ended well": (
        replace(with_container(GOOD, state="exited"), one_shot=True),
        "ok",
        "none",
        ["ran_once"],
    ),
    "one-shot that failed": (
        replace(with_container(EXTERNAL, state="exited", exit_code=3), one_shot=True),
        "not_running", "start", ["one_shot_failed"],
    ),
    "one-shot that still runs": (replace(EXTERNAL, one_shot=True), "ok", "none", ["running"]),
    "one-shot with an old image": (
        replace(with_container(EXTERNAL, state="exited", image_id="sha256:old"), one_shot=True),
        "stale", "recreate", ["image_not_running"],
    ),
    "profile not in use": (
        replace(GOOD, wanted=False, image=None, containers=(), config_matches=None), "ok", "none", ["profile_inactive"],
    ),
    "profile in use": (replace(GOOD, wanted=False, code=NEW_CODE), "stale", "build", ["code_newer"]),
    "dirty": (
        replace(GOOD, code=replace(OLD_CODE, dirty_paths=("a.py",))), "dirty", "none", ["dirty"],
    ),
    "dirty and stale": (
        replace(GOOD, code=replace(NEW_CODE, dirty_paths=("a.py",))), "stale", "build", ["code_newer", "dirty"],
    ),
    "no git, no label": (
        replace(GOOD, code=None, code_problem="/b lies in no git work tree"), "unknown", "none", ["freshness_unknown"],
    ),
    "image without a credible time": (
        replace(GOOD, image=replace(IMAGE, created="1970-01-01T00:00:00Z")), "unknown", "none", ["freshness_unknown"],
    ),
    "sources unknown": (
        replace(GOOD, source_digest=None, source_problem="the build context x is not a folder of this host"),
        "unknown", "none", ["source_unknown"],
    ),
    "a COPY source is missing": (replace(GOOD, missing_sources=("app",)), "unknown", "none", ["source_missing"]),
    "older base image": (
        replace(GOOD, base_current=False, base_image="python:3.13"), "ok", "none", ["base_image_changed"],
    ),
    "older base image that counts": (
        replace(GOOD, base_current=False, base_image="python:3.13", stale_base_counts=True),
        "stale", "build", ["base_image_changed"],
    ),
    "everything at once": (
        replace(
            with_container(GOOD, image_id="sha256:old", state="exited", exit_code=1),
            code=replace(NEW_CODE, dirty_paths=("a.py",)), config_matches=False,
        ),
        "stale", "build_and_start", ["code_newer", "image_not_running", "config_changed", "not_running", "dirty"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("facts", "verdict", "action", "codes"), CASES.values(), ids=CASES.keys())
def test_verdict(facts: ServiceFacts, verdict: str, action: str, codes: list[str]) -> None:
    found = judge(facts)
    assert (found.verdict, found.action) == (verdict, action)
    assert [reason.code for reason in found.reasons] == codes


@pytest.mark.parametrize("facts", [case[0] for case in CASES.values()], ids=CASES.keys())
def test_every_verdict_has_a_reason_that_argues_for_it_and_a_row(facts: ServiceFacts) -> None:
    found = judge(facts)
    assert found.verdict in {reason.verdict for reason in found.reasons}
    assert all(reason.text and reason.short for reason in found.reasons)
    row = table_row(facts, found)
    assert list(row) == ["service", "image_built", "code_modified", "status", "action"]
    assert all(row.values())


def test_a_second_container_counts_as_the_first() -> None:
    second = replace(CONTAINER, name="suho-data-bridge-2", image_id="sha256:old")
    assert judge(replace(GOOD, containers=(CONTAINER, second))).verdict == "stale"


def test_reason_says_how_much_newer_the_code_is_and_which_commit() -> None:
    text = judge(replace(GOOD, code=NEW_CODE)).reasons[0].text
    assert text == "code 20h newer than the image: 3 commits since, the last is c0ffeec0ffee"


PLAN_TABLE = [
    (
        replace(GOOD, code=NEW_CODE),
        {
            "service": "data-bridge",
            "image_built": "Oct 6 01:13",
            "code_modified": "Oct 6 22:05",
            "status": "❌ Code 20h newer",
            "action": "REBUILD",
        },
    ),
    (
        replace(GOOD, name="tick-aggregator", in_compose=False, image=None, containers=(), code=NEW_CODE),
        {
            "service": "tick-aggregator",
            "image_built": "N/A",
            "code_modified": "Oct 6 22:05",
            "status": "❌ Not deployed",
            "action": "BUILD + DEPLOY",
        },
    ),
    (
        replace(GOOD, name="polygon-historical-downloader"),
        {
            "service": "polygon-historical-downloader",
            "image_built": "Oct 6 01:13",
            "code_modified": "Oct 4 21:14",
            "status": "✅ Image newer",
            "action": "OK",
        },
    ),
    (
        EXTERNAL,
        {
            "service": "nats",
            "image_built": "Oct 6 01:13",
            "code_modified": "-",
            "status": "✅ Running",
            "action": "OK",
        },
    ),
]


@pytest.mark.parametrize(("facts", "row"), PLAN_TABLE, ids=[row["service"] for _facts, row in PLAN_TABLE])
def test_rows_read_like_the_table_of_the_plan(facts: ServiceFacts, row: dict[str, str]) -> None:
    assert table_row(facts, judge(facts)) == row


@pytest.mark.parametrize(
    ("name", "status", "action"),
    [
        ("dirty", "⚠️ Uncommitted code", "COMMIT"),
        ("no git, no label", "❓ Age of code unknown", "CHECK"),
        ("label equals digest", "✅ Image matches code", "OK"),
        ("label differs", "❌ Code changed", "REBUILD"),
        ("one-shot that ended well", "✅ Ran once", "OK"),
        ("built one-shot that ended well", "✅ Image newer", "OK"),
        ("older base image", "✅ Image newer", "OK"),
        ("running container older than tag", "❌ Container older than image", "RECREATE"),
        ("exited", "❌ Not running (exited)", "START"),
        ("profile not in use", "✅ Not in use", "OK"),
    ],
)
def test_status_and_action_of_a_row(name: str, status: str, action: str) -> None:
    row = table_row(CASES[name][0], judge(CASES[name][0]))
    assert (row["status"], row["action"]) == (status, action)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2025-10-06T01:13:05.123456789Z", 1759713185.123457),
        ("2025-10-06T01:13:05Z", 1759713185),
        ("2025-10-06T03:13:05.5+02:00", 1759713185.5),
        ("0001-01-01T00:00:00Z", None),
        ("1970-01-01T00:00:00Z", None),
        ("", None),
        ("yesterday", None),
    ],
)
def test_times_as_docker_prints_them(text: str, seconds: float | None) -> None:
    found = creation_time(text)
    assert (found.timestamp() if found else None) == (pytest.approx(seconds) if seconds else None)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (3600, "1h"),
        (28 * 3600, "28h"),
        (71.9 * 3600, "71h"),
        (73 * 3600, "3d"),
    ],
)
def test_ages(seconds: float, text: str) -> None:
    assert age(seconds) == text


def test_table_time_is_utc() -> None:
    assert table_time(creation_time("2025-10-06T03:13:05+02:00")) == "Oct 6 01:13"
    assert table_time(None) == "N/A"
