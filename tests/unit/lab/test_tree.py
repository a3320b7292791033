"""The stages make the tree that the audit describes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import lab_tree
import pytest
import yaml

COMPOSE = lab_tree.STAGES / "01-platform" / "docker-compose.yml"
BUILT = {"live-collector", "polygon-historical-downloader", "external-data-collector", "data-bridge"}


@pytest.fixture(scope="module")
def text() -> str:
    return COMPOSE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def compose(text: str) -> dict:
    return yaml.safe_load(text)


def run_old(code: str) -> str:
    """Run code with the modules of the first stage only, in a process of its own."""
    path = os.pathsep.join(lab_tree.paths(lab_tree.assemble(1)))
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    return done.stdout


def test_every_stage_is_listed_once_and_in_order() -> None:
    listed = [entry["stage"] for entry in lab_tree.history()]
    assert listed == sorted(path.name for path in lab_tree.STAGES.iterdir())
    assert all(entry[key] for entry in lab_tree.history() for key in ("author", "email", "date", "message"))


def test_only_the_stale_services_change_after_the_first_stage() -> None:
    later = [
        path for stage in sorted(lab_tree.STAGES.iterdir())[1:] for path in stage.rglob("*") if path.is_file()
    ]
    folders = {str(Path(*path.relative_to(lab_tree.STAGES).parts[1:3])) for path in later}
    assert folders == {
        "02-data-processing/data-bridge",
        "00-data-ingestion/external-data-collector",
        "02-data-processing/tick-aggregator",
    }


def test_every_overlay_changes_something() -> None:
    first = lab_tree.STAGES / "01-platform"
    for stage in ("02-data-bridge-indicators", "03-external-six-sources"):
        for path in (lab_tree.STAGES / stage).rglob("*.py"):
            before = first / path.relative_to(lab_tree.STAGES / stage)
            assert not before.exists() or before.read_bytes() != path.read_bytes(), path


def test_mounted_files_stay_as_they_were() -> None:
    """A mounted file that changed would make a service stale for another reason than its code."""
    for stage in ("02-data-bridge-indicators", "03-external-six-sources"):
        assert not list((lab_tree.STAGES / stage).rglob("config/*"))


def test_compose_file_is_hand_formatted(text: str) -> None:
    assert len(text.splitlines()) >= 300
    assert text.count("#") > 60
    assert "\n\n\n" in text
    assert re.search(r"- '", text)
    assert re.search(r'- "', text)
    for sign in ("x-lab-label: &lab-label", "<<: *service-defaults", 'restart: "no"', "labels: *lab-label"):
        assert sign in text


def test_compose_file_has_no_tick_aggregator(text: str, compose: dict) -> None:
    assert set(compose["services"]) == BUILT | {"postgresql", "clickhouse", "nats"}
    assert "tick-aggregator" not in text


@pytest.mark.parametrize("name", sorted(BUILT))
def test_built_services_have_a_dockerfile_and_no_image(compose: dict, name: str) -> None:
    service = compose["services"][name]
    assert "image" not in service
    assert service["build"]["context"] == "."
    dockerfile = COMPOSE.parent / service["build"]["dockerfile"]
    sources = re.findall(r"^COPY (\S+) ", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    assert sources
    assert all((COMPOSE.parent / source).is_dir() for source in sources)


def test_everything_carries_the_lab_label(compose: dict) -> None:
    label = "${SUHO_LAB:-none}"
    for kind in ("services", "volumes", "networks"):
        for name, thing in compose[kind].items():
            labels = thing["labels"]
            found = labels.get("com.suho.lab") if isinstance(labels, dict) else None
            assert found == label or f"com.suho.lab={label}" in labels, name


def test_environments_come_as_lists_and_as_maps(compose: dict) -> None:
    kinds = {
        type(service["environment"]) for service in compose["services"].values() if "environment" in service
    }
    assert kinds == {list, dict}


def test_old_data_bridge_drops_indicators_and_knows_no_external_data() -> None:
    body = {
        "symbol": "EURUSD",
        "timeframe": "5m",
        "timestamp_ms": 0,
        "volume": 1,
        "source": "live_aggregated",
        **dict.fromkeys(("open", "high", "low", "close", "vwap", "range_pips", "body_pips"), 1.0),
        **dict.fromkeys(("start_time", "end_time"), "2026-01-01T00:00:00+00:00"),
        "indicators": {"rsi": 50.0},
    }
    code = (
        "import json\nfrom data_bridge import rows, __main__ as m\n"
        f"table, found = rows.bar({json.dumps(body)!r}.encode())\n"
        "print(json.dumps([table.columns, len(found[0]), [f.subject for f in m.FEEDS]]))"
    )
    columns, width, subjects = json.loads(run_old(code))
    assert "indicators" not in columns
    assert width == len(columns) == 16
    assert subjects == ["bars.>"]


def test_old_collector_has_two_sources_that_the_new_bridge_can_read() -> None:
    code = (
        "import json, datetime as d\nfrom external_collector import polling, sources\n"
        "now = d.datetime(2026, 1, 2, 3, 4, 5, tzinfo=d.timezone.utc)\n"
        "print(json.dumps([polling.message(s, now)[1].decode() for s in sources.SOURCES.values()]))"
    )
    messages = json.loads(run_old(code))
    from data_bridge import external

    tables = [external.poll(message.encode())[0].name for message in messages]
    assert sorted(tables) == ["external_crypto_sentiment", "external_fear_greed_index"]
