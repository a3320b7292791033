# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's settings, all from the environment, with the names of the official image where it has one."""

from __future__ import annotations

import hmac
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


class ConfigError(Exception):
    """A setting that cannot be used; the text names it."""


@dataclass(frozen=True)
class Config:
    user: str
    password: str = field(repr=False)
    database: str
    data_dir: Path
    host: str
    native_port: int
    http_port: int
    max_connections: int
    idle_timeout: float
    receive_timeout: float
    max_block_bytes: int
    stop_timeout: float
    # Name of a cluster to its hosts; statements ON CLUSTER of this name are run on each of them.
    clusters: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)

    def accepts(self, user: str, password: str) -> bool:
        """Compare both parts in constant time, so that neither can be found out by timing."""
        right_user = hmac.compare_digest(user.encode(), self.user.encode())
        right_password = hmac.compare_digest(password.encode(), self.password.encode())
        return right_user and right_password


def _number(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = env.get(name, "")
    if not text:
        return default
    if not text.isdigit() or not low <= int(text) <= high:
        raise ConfigError(f"{name}: found {text!r}, expected a whole number from {low} to {high}")
    return int(text)


def _secret(env: Mapping[str, str], name: str) -> str:
    """NAME, or the content of the file that NAME_FILE points to (as the official image does)."""
    path = env.get(f"{name}_FILE", "")
    if not path:
        return env.get(name, "")
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as exc:
        raise ConfigError(f"{name}_FILE: cannot read {path}: {exc.strerror}") from exc


def _clusters(env: Mapping[str, str]) -> dict[str, tuple[tuple[str, int], ...]]:
    """CLICKHOUSE_CLUSTER: name=host:port,host:port."""
    text = env.get("CLICKHOUSE_CLUSTER", "")
    if not text:
        return {}
    name, equals, listed = text.partition("=")
    pairs = [one.rpartition(":") for one in listed.split(",")]
    if not (name and equals and all(host and port.isdigit() for host, _colon, port in pairs)):
        raise ConfigError(f"CLICKHOUSE_CLUSTER: found {text!r}, expected name=host:port,host:port")
    return {name: tuple((host, int(port)) for host, _colon, port in pairs)}


def from_env(env: Mapping[str, str] = os.environ) -> Config:
    return Config(
        user=env.get("CLICKHOUSE_USER") or "default",
        password=_secret(env, "CLICKHOUSE_PASSWORD"),
        database=env.get("CLICKHOUSE_DB", ""),
        data_dir=Path(env.get("CLICKHOUSE_DATA_DIR") or "/var/lib/clickhouse"),
        host=env.get("CLICKHOUSE_LISTEN_HOST") or "0.0.0.0",
        native_port=_number(env, "CLICKHOUSE_NATIVE_PORT", 9000, 0, 65535),
        http_port=_number(env, "CLICKHOUSE_HTTP_PORT", 8123, 0, 65535),
        max_connections=_number(env, "CLICKHOUSE_MAX_CONNECTIONS", 256, 1, 10000),
        idle_timeout=_number(env, "CLICKHOUSE_IDLE_TIMEOUT", 3600, 1, 86400),
        receive_timeout=_number(env, "CLICKHOUSE_RECEIVE_TIMEOUT", 300, 1, 86400),
        max_block_bytes=_number(env, "CLICKHOUSE_MAX_BLOCK_BYTES", 1 << 30, 1 << 20, 1 << 32),
        stop_timeout=_number(env, "CLICKHOUSE_STOP_TIMEOUT", 8, 1, 600),
        clusters=_clusters(env),
    )
