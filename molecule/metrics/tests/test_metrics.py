"""What node_exporter gets to read, and what becomes of a run whose metrics cannot be written."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

CONVERGE = "molecule/metrics/converge.yml"
PROJECT = Path(__file__).resolve().parents[3]
DATA = {
    "meta": {
        "environment": "lab",
        "host": "lab",
        "operation": "monitor",
        "release_id": "20260101T000000Z-abc",
        "verdict": "fail",
        "finished": "2026-01-01T00:10:00Z",
        "seconds": 90.5,
        "backend_revision": 'v1 "quoted" \\ {odd}',
    },
    "assertions": [
        {"name": "BARS", "round": 1, "kind": "jetstream", "verdict": "pass", "details": {"pending": 9}},
        {"name": "BARS", "round": 2, "kind": "jetstream", "verdict": "fail", "details": {"pending": 7}},
        {
            "name": "bars",
            "round": 2,
            "kind": "steady",
            "verdict": "fail",
            "observed": {"rows_of": {"EURUSD": 120, "XAUUSD": 0}, "seconds": 60},
        },
    ],
    "downtime": [{"service": "data-bridge", "seconds": 0.4}, {"service": "tick-aggregator"}],
    "monitoring": {"rounds": [{"verdict": "pass"}, {"verdict": "fail"}]},
}


@pytest.fixture(scope="session")
def promtool() -> str:
    """Prometheus' own checker, from Debian's package where it is not installed."""
    found = shutil.which("promtool")
    if found:
        return found
    folder = PROJECT / ".cache/promtool"
    program = folder / "usr/bin/promtool"
    if not program.exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "--quiet", "prometheus"], cwd=folder, check=True)
        (package,) = folder.glob("prometheus_*.deb")
        subprocess.run(["dpkg", "--extract", str(package), str(folder)], check=True)
    return str(program)


def samples(path: Path) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    found = {}
    for family in text_string_to_metric_families(path.read_text()):
        for one in family.samples:
            assert one.labels.pop("environment") == "lab"
            assert one.labels.pop("operation") == "monitor"
            found[one.name.removeprefix("suho_platform_"), tuple(sorted(one.labels.items()))] = one.value
    return found


def test_every_number_of_a_run_is_there_and_nothing_that_was_not_measured(play, tmp_path, promtool):
    play(CONVERGE, metrics_directory=str(tmp_path), metrics_data=DATA).assert_passed(changed=0)
    path = tmp_path / "suho_platform_monitor.prom"
    assert [one.name for one in tmp_path.iterdir()] == [path.name]
    assert path.stat().st_mode & 0o777 == 0o644
    assert samples(path) == {
        ("run_verdict", (("verdict", "pass"),)): 0,
        ("run_verdict", (("verdict", "fail"),)): 1,
        ("run_verdict", (("verdict", "error"),)): 0,
        ("run_verdict", (("verdict", "inconclusive"),)): 0,
        ("run_finished_timestamp_seconds", ()): 1767226200,
        ("run_duration_seconds", ()): 90.5,
        ("run_info", (("release", "20260101T000000Z-abc"), ("revision", 'v1 "quoted" \\ {odd}'))): 1,
        ("run_checks", (("verdict", "pass"),)): 1,
        ("run_checks", (("verdict", "fail"),)): 2,
        ("run_checks", (("verdict", "error"),)): 0,
        ("run_checks", (("verdict", "inconclusive"),)): 0,
        ("service_downtime_seconds", (("service", "data-bridge"),)): 0.4,
        ("monitoring_rounds", (("verdict", "pass"),)): 1,
        ("monitoring_rounds", (("verdict", "fail"),)): 1,
        ("monitoring_rounds", (("verdict", "error"),)): 0,
        ("monitoring_rounds", (("verdict", "inconclusive"),)): 0,
        ("consumer_pending_messages", (("check", "BARS"),)): 7,
        ("rows_per_second", (("check", "bars"), ("group", "EURUSD"))): 2,
        ("rows_per_second", (("check", "bars"), ("group", "XAUUSD"))): 0,
    }
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=path.read_text(), capture_output=True, text=True, check=False
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_check_mode_and_no_directory_write_nothing(play, tmp_path):
    play(CONVERGE, "--check", metrics_directory=str(tmp_path), metrics_data=DATA).assert_passed(changed=0)
    play(CONVERGE, metrics_data=DATA).assert_passed(changed=0)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_fails_nothing(play, tmp_path):
    done = play(CONVERGE, metrics_directory=str(tmp_path / "gone"), metrics_data=DATA)
    assert done.code == 0, done.said
    assert "WARNING: the metrics" in done.said


@pytest.mark.parametrize(
    "words", [("check", "rules", "prometheus-rules.yml"), ("test", "rules", "prometheus-rules.test.yml")]
)
def test_the_example_rules_are_sound_and_fire(promtool, words):
    done = subprocess.run(
        [promtool, *words], cwd=PROJECT / "docs/examples", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
