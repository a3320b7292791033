"""Settings of the lab's services: a mounted config file beats the environment, and the log can say so."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import lab_tree  # noqa: F401 - makes the services importable
import pytest
import yaml
from suho_shared import heartbeat, settings
from suho_shared.settings import Settings, SettingsError

COMPOSE = Path(__file__).parents[3] / "lab/backend/stages/01-platform/docker-compose.yml"
DEFAULTS: dict[str, settings.Value] = {
    "clickhouse.host": "clickhouse",
    "clickhouse.port": 9000,
    "clickhouse.password": "",
    "batch.seconds": 1.0,
    "names": ["a"],
}


def test_default_environment_file_in_this_order() -> None:
    env = {"CLICKHOUSE_HOST": "from-env", "CLICKHOUSE_PORT": "9001"}
    found = Settings(DEFAULTS, env, {"clickhouse.host": "from-file"})
    assert found.text("clickhouse.host") == "from-file"
    assert found.integer("clickhouse.port") == 9001
    assert found.number("batch.seconds") == 1.0
    assert found.origins["clickhouse.host"] == "config file"
    assert found.notes == ["config file overrides environment CLICKHOUSE_HOST for clickhouse.host"]


def test_an_empty_variable_counts_as_absent() -> None:
    assert Settings(DEFAULTS, {"CLICKHOUSE_HOST": ""}, {}).text("clickhouse.host") == "clickhouse"


def test_no_note_where_file_and_environment_agree() -> None:
    assert not Settings(DEFAULTS, {"CLICKHOUSE_PORT": "9000"}, {"clickhouse.port": 9000}).notes


def test_lists_from_text_and_from_yaml() -> None:
    assert Settings(DEFAULTS, {"NAMES": "x, y,"}, {}).names("names") == ["x", "y"]
    assert Settings(DEFAULTS, {}, {"names": ["q"]}).names("names") == ["q"]


@pytest.mark.parametrize("value", ["nine", True, None, [1]])
def test_a_wrong_type_names_setting_origin_and_expectation(value: object) -> None:
    with pytest.raises(
        SettingsError, match=r"setting clickhouse.port: found .* in config file, expected int"
    ):
        Settings(DEFAULTS, {}, {"clickhouse.port": value})


def test_secrets_are_never_shown() -> None:
    found = Settings(DEFAULTS, {"CLICKHOUSE_PASSWORD": "hunter2"}, {})
    assert "hunter2" not in "\n".join(found.describe())
    with pytest.raises(SettingsError) as caught:
        Settings(DEFAULTS, {}, {"clickhouse.password": ["hunter2"]})
    assert "hunter2" not in str(caught.value)


def test_an_unknown_name_in_the_file_is_noted() -> None:
    assert Settings(DEFAULTS, {}, {"clickhous.host": "x"}).notes == [
        "config file names clickhous.host, which is no setting"
    ]


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    assert settings.read_file(file) == {}
    file.write_text("# nothing\n")
    assert settings.read_file(file) == {}
    file.write_text("a:\n  b: {c: 1}\nd: [1, 2]\n")
    assert settings.read_file(file) == {"a.b.c": 1, "d": [1, 2]}
    for wrong in ("a: [", "- 1\n"):
        file.write_text(wrong)
        with pytest.raises(SettingsError, match="config file"):
            settings.read_file(file)


@pytest.mark.parametrize(("age", "code"), [(None, 1), (0, 0), (13, 0), (17, 1)])
def test_heartbeat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, age: int | None, code: int) -> None:
    """What the healthchecks ask of the file that a service touches."""
    file = tmp_path / "beat"
    checks = {
        check["test"][1]
        for service in yaml.safe_load(COMPOSE.read_text())["services"].values()
        if str(heartbeat.FILE) in str(check := service.get("healthcheck", {}))
    }
    assert len(checks) == 1
    monkeypatch.setattr(heartbeat, "FILE", file)
    if age is not None:
        heartbeat.beat()
        os.utime(file, (at := time.time() - age, at))
    (check,) = (one.replace("/tmp/heartbeat", str(file)) for one in checks)
    assert subprocess.run(["sh", "-c", check]).returncode == code
