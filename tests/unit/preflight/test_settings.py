"""A mounted file and the environment are compared by what they are about, whatever they call it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.preflight.settings import (
    ConfigFiles,
    Setting,
    contradictions,
    effective,
    environment_settings,
)


def read(tmp_path: Path, **files: str) -> list[Setting]:
    for name, text in files.items():
        (tmp_path / name.replace("__", ".")).write_text(text)
    service = {"volumes": [{"type": "bind", "source": str(tmp_path), "target": "/app/config"}]}
    return ConfigFiles().settings(service)


def environment(**values: str) -> list[Setting]:
    return environment_settings("svc", {"environment": values})


def test_every_scalar_has_its_path_and_line(tmp_path: Path) -> None:
    text = "# head\nclickhouse:\n  host: ch\n  port: 9000\nnats:\n  urls: [nats://a, nats://b]\nsources:\n- {name: x}\nnothing:\n"
    found = {(one.name, one.value, one.place.rpartition(":")[2]) for one in read(tmp_path, config__yaml=text)}
    assert found == {
        ("clickhouse.host", "ch", "3"),
        ("clickhouse.port", "9000", "4"),
        ("nats.urls", "nats://a,nats://b", "6"),
        ("sources.0.name", "x", "8"),
    }


def test_json_and_single_files_are_read(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('{"clickhouse": {"host": "ch"}}')
    found = ConfigFiles().settings({"volumes": [{"type": "bind", "source": str(path)}]})
    assert [(one.name, one.value) for one in found] == [("clickhouse.host", "ch")]


def test_anchors_count_where_they_are_used(tmp_path: Path) -> None:
    found = read(tmp_path, a__yml="x: &h ch\nclickhouse: {host: *h}\n")
    assert ("clickhouse.host", "ch") in [(one.name, one.value) for one in found]


def test_what_is_no_configuration_is_left_out(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/x.yaml").write_text("a: b")
    os.symlink(tmp_path / "gone", tmp_path / "dead.yaml")
    assert read(tmp_path, big__yaml="a: " + "x" * 300_000, code__py="a: b", empty__yaml="# only this\n") == []


def test_volumes_that_are_no_bind_mounts_are_left_alone() -> None:
    assert ConfigFiles().settings({"volumes": [{"type": "volume", "source": "data"}]}) == []


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text("a: [1\nb: 2\n")
    files = ConfigFiles()
    assert files.settings({"volumes": [{"type": "bind", "source": str(tmp_path)}]}) == []
    assert list(files.unreadable) == [str(path)]
    assert "not YAML" in files.unreadable[str(path)]


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("CLICKHOUSE_HOST", "clickhouse.host"),
        ("CLICKHOUSE_HOST", "storage.clickhouse.hostname"),
        ("CLICKHOUSE_DB", "clickhouse.database"),
        ("CLICKHOUSE_USERNAME", "clickhouse.user"),
        ("POSTGRES_HOST", "postgresql.host"),
        ("NATS_URL", "nats.urls"),
        ("DEBUG", "debug"),
        ("CLICKHOUSE_HOST", "CLICKHOUSE_HOST"),
        ("CLICKHOUSE_HOST", "clickhouseHost"),
    ],
)
def test_a_contradiction_is_found(name: str, path: str) -> None:
    file = Setting(path, "other", "config.yaml:3", from_file=True)
    (found,) = contradictions([Setting(name, "one", "environment of svc")], [file])
    assert (found.environment.name, found.file) == (name, file)


@pytest.mark.parametrize(
    ("name", "value", "path", "other"),
    [
        ("CLICKHOUSE_HOST", "ch", "nats.host", "x"),
        ("DEBUG", "1", "logging.debug", "0"),
        ("CLICKHOUSE_HOST", "ch", "clickhouse.host", "ch"),
        ("CLICKHOUSE_PORT", "9000", "clickhouse.port", "9000.0"),
        ("APP_DEBUG", "true", "app.debug", "yes"),
        ("CLICKHOUSE_HOST", "ch", "clickhouse.host", "${CLICKHOUSE_HOST}"),
    ],
)
def test_what_is_the_same_or_another_matter_is_none(name: str, value: str, path: str, other: str) -> None:
    assert contradictions([Setting(name, value, "e")], [Setting(path, other, "f", from_file=True)]) == []


def test_a_file_wins_under_the_variables_name(tmp_path: Path) -> None:
    files = read(tmp_path, c__yaml="clickhouse: {host: other, secure: true}\n")
    found = {
        one.name: (one.value, one.from_file)
        for one in effective(environment(CLICKHOUSE_HOST="ch", X_Y="1"), files)
    }
    assert found == {
        "CLICKHOUSE_HOST": ("other", True),
        "X_Y": ("1", False),
        "clickhouse.secure": ("true", True),
    }


def test_a_variable_without_a_value_is_no_setting() -> None:
    assert environment_settings("svc", {"environment": {"A": None, "B": ""}}) == [
        Setting("B", "", "environment of svc")
    ]
