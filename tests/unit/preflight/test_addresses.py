"""Hosts are found in every spelling in which services are told of them, and nowhere else."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.preflight.addresses import (
    Address,
    addresses,
    words,
)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("CLICKHOUSE_HOST", "clickhouse", [("clickhouse", None)]),
        ("DB_HOST", "db.example.com.", [("db.example.com.", None)]),
        ("REDIS_HOST", "redis:6379", [("redis", 6379)]),
        ("KAFKA_BROKERS", "kafka-1:9092, kafka-2:9092", [("kafka-1", 9092), ("kafka-2", 9092)]),
        ("KAFKA_BOOTSTRAP_SERVERS", "kafka:9092", [("kafka", 9092)]),
        ("CASSANDRA_SEEDS", "a:1;b:2 c", [("a", 1), ("b", 2)]),
        ("NATS_URL", "nats://nats:4222", [("nats", 4222)]),
        ("NATS_URLS", "nats://a:4222,nats://b:4222", [("a", 4222), ("b", 4222)]),
        ("NATS_SERVERS", '["nats://a:4222","nats://b:4222"]', [("a", 4222), ("b", 4222)]),
        ("NATS_URL", "nats://token@nats:4222", [("nats", 4222)]),
        ("DATABASE_URL", "postgresql://u:p@db:5432/market?sslmode=disable", [("db", 5432)]),
        ("DATABASE_URL", "postgresql://u:p@ss/w@rd@db/market", [("db", None)]),
        ("DATABASE_URL", "postgresql+psycopg2://u:p@db/market", [("db", None)]),
        ("PG", "postgresql://u:p@a:1,b:2/market", [("a", 1), ("b", 2)]),
        ("JDBC", "jdbc:postgresql://db:5432/market", [("db", 5432)]),
        ("MYSQL_DSN", "user:password@tcp(db:3306)/market", [("db", 3306)]),
        ("PG_DSN", "host=db port=5433 user=x password=y", [("db", 5433)]),
        ("PG_DSN", "host=a,b port=1,2", [("a", 1), ("b", 2)]),
        ("MONGO", "mongodb+srv://u:p@cluster.example.com/x", [("cluster.example.com", None)]),
        ("API_BASE_URL", "https://api.example.com/v2?x=http", [("api.example.com", None)]),
        ("ANYTHING", "http://hub:8080", [("hub", 8080)]),
        ("PEER", "[fe80::1]:80", [("fe80::1", 80)]),
        ("PEER_HOST", "::1", [("::1", None)]),
        ("SMTP_SERVER", "mail", [("mail", None)]),
        ("URL", "http://hub", [("hub", None)]),
        ("X_HOST", "10.0.0.7:80", [("10.0.0.7", 80)]),
        ("clickhouse.host", "clickhouse", [("clickhouse", None)]),
        ("storage.bootstrapServers", "kafka:9092", [("kafka", 9092)]),
    ],
)
def test_a_host_is_found(name: str, value: str, expected: list[tuple[str, int | None]]) -> None:
    assert [(one.host, one.port) for one in addresses(name, value)] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CLICKHOUSE_HOST", ""),
        ("CLICKHOUSE_HOST", "${OTHER}"),
        ("CLICKHOUSE_HOST", "{{ host }}"),
        ("LISTEN_HOST", "0.0.0.0"),
        ("BIND_ADDRESS", "eth0"),
        ("CORS_ORIGINS", "https://app.example.com"),
        ("ALLOWED_HOSTS", "*"),
        ("LOG_LEVEL", "INFO"),
        ("GREETING", "hello:there"),
        ("DATA_URL", "file:///data/x.csv"),
        ("SOCKET_URL", "unix:///run/x.sock"),
        ("HOST", "suho-bridge-1"),
        ("HOSTNAME", "suho-bridge-1"),
        ("WALLET_ADDRESS", "0x52908400098527886E0F7030069857D2E4169EE7"),
        ("BILLING_ADDRESS", "Main Street 12"),
        ("NODES", "3"),
        ("OPS_HOST", "ask the team!"),
        ("NUMBER_OF_HOSTS", "3"),
        ("PG_DSN", "host=/var/run/postgresql user=x"),
    ],
)
def test_no_host_is_seen_where_there_is_none(name: str, value: str) -> None:
    assert addresses(name, value) == []


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "0.0.0.0"])
def test_the_container_itself_is_told_from_others(host: str) -> None:
    assert Address(host).is_own


@pytest.mark.parametrize("host", ["clickhouse", "10.0.0.1", "localhost.example.com"])
def test_others_are_no_container_itself(host: str) -> None:
    assert not Address(host).is_own


@pytest.mark.parametrize(
    "name", ["CLICKHOUSE_HTTP_PORT", "clickhouse.http.port", "clickhouseHttpPort", "clickhouse-http_port"]
)
def test_every_spelling_of_a_name_has_the_same_words(name: str) -> None:
    assert words(name) == ["clickhouse", "http", "port"]
