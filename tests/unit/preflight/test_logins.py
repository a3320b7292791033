"""The logins that a service would use, read from its configuration."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.preflight.logins import logins
from ansible_collections.suho.platform.plugins.module_utils.preflight.settings import Setting


def configured(**values: str) -> list[Setting]:
    return [
        Setting(name.replace("__", "."), value, "environment of svc", "__" in name)
        for name, value in values.items()
    ]


def only(**values: str) -> dict[str, object]:
    (found,) = logins(configured(**values))
    target = found.target
    names = ("way", "host", "port", "user", "password", "database", "token", "tls", "verify")
    shown = {name: getattr(target, name) for name in names}
    return {name: value for name, value in shown.items() if value not in ("", False)}


CH = {"CLICKHOUSE_HOST": "ch", "CLICKHOUSE_USER": "u", "CLICKHOUSE_PASSWORD": "p", "CLICKHOUSE_DATABASE": "d"}
WHOLE = {"host": "ch", "user": "u", "password": "p", "database": "d", "verify": True}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (CH, {**WHOLE, "way": "clickhouse", "port": 9000}),
        ({**CH, "CLICKHOUSE_PORT": "8123"}, {**WHOLE, "way": "clickhouse_http", "port": 8123}),
        ({**CH, "CLICKHOUSE_PORT": "9440"}, {**WHOLE, "way": "clickhouse", "port": 9440, "tls": True}),
        ({**CH, "CLICKHOUSE_SECURE": "true"}, {**WHOLE, "way": "clickhouse", "port": 9000, "tls": True}),
        ({**CH, "CLICKHOUSE_HOST": "ch:9001"}, {**WHOLE, "way": "clickhouse", "port": 9001}),
        ({**CH, "CLICKHOUSE_HOST": "https://ch"}, {**WHOLE, "way": "clickhouse_http", "port": 8443, "tls": True}),
        ({"CLICKHOUSE_URL": "clickhouse://u:p@ch/d"}, {**WHOLE, "way": "clickhouse", "port": 9000}),
        ({"CLICKHOUSE_URL": "http://u:p@ch:8123/d"}, {**WHOLE, "way": "clickhouse_http", "port": 8123}),
        ({"app__clickhouse__host": "ch", "app__clickhouse__user": "u", "app__clickhouse__password": "p",
          "app__clickhouse__db": "d"}, {**WHOLE, "way": "clickhouse", "port": 9000}),
        ({"TIMESCALEDB_HOST": "ch", "TIMESCALEDB_USER": "u", "TIMESCALEDB_PASSWORD": "p", "TIMESCALEDB_DB": "d"},
         {**WHOLE, "way": "postgresql", "port": 5432}),
        ({"PGHOST": "ch", "PGUSER": "u", "PGPASSWORD": "p", "PGDATABASE": "d", "PGPORT": "1"},
         {**WHOLE, "way": "postgresql", "port": 1}),
        ({"DATABASE_URL": "postgresql://u:p@ch/d?sslmode=require"},
         {**WHOLE, "way": "postgresql", "port": 5432, "tls": True}),
        ({"POSTGRES_DSN": "host=ch user=u password=p dbname=d sslmode=disable"},
         {**WHOLE, "way": "postgresql", "port": 5432}),
        ({"CLICKHOUSE_HOST": "ch", "CLICKHOUSE_PORT": "9000"},
         {"way": "connect", "host": "ch", "port": 9000, "verify": True}),
        ({"TIMESCALEDB_HOST": "ts"}, {"way": "connect", "host": "ts", "port": 5432, "verify": True}),
        ({"NATS_URL": "nats://n:4223"}, {"way": "nats", "host": "n", "port": 4223, "verify": True}),
        ({"NATS_URL": "nats://secret@n"}, {"way": "nats", "host": "n", "port": 4222, "token": "secret", "verify": True}),
        ({"NATS_URL": "tls://u:p%40@n"},
         {"way": "nats", "host": "n", "port": 4222, "user": "u", "password": "p@", "tls": True, "verify": True}),
        ({"NATS_URL": "nats://n", "NATS_USER": "u", "NATS_PASSWORD": "p"},
         {"way": "nats", "host": "n", "port": 4222, "user": "u", "password": "p", "verify": True}),
    ],
)  # fmt: skip
def test_a_login_is_read(values: dict[str, str], expected: dict[str, object]) -> None:
    assert only(**values) == expected


def test_servers_of_a_list_are_tried_each() -> None:
    found = logins(configured(NATS_URL="nats://a:1,nats://b:2"))
    assert [(one.target.host, one.target.port) for one in found] == [("a", 1), ("b", 2)]


def test_groups_are_kept_apart() -> None:
    found = logins(
        configured(
            CLICKHOUSE_HOST="a", CLICKHOUSE_READ_HOST="b", CLICKHOUSE_READ_USER="r", NATS_URL="nats://n"
        )
    )
    assert [(one.target.host, one.target.user) for one in found] == [("a", ""), ("b", "r"), ("n", "")]


@pytest.mark.parametrize(
    "values",
    [
        {"CLICKHOUSE_USER": "u", "CLICKHOUSE_PASSWORD": "p"},  # the server's own container
        {"REDIS_HOST": "redis"},
        {"API_URL": "https://api.example.com"},
        {"CLICKHOUSE_HOST": ""},
        {"CLICKHOUSE_HOST": "${X}"},
    ],
)
def test_without_a_host_or_a_known_kind_there_is_no_login(values: dict[str, str]) -> None:
    assert logins(configured(**values)) == []


def test_neither_the_text_nor_the_representation_shows_a_password() -> None:
    (found,) = logins(configured(**{**CH, "CLICKHOUSE_PASSWORD": "s3cret"}))
    assert found.text == "ch:9000 as u"
    assert "CLICKHOUSE_PASSWORD" in found.source
    assert "s3cret" not in found.text + found.source + repr(found.target)
