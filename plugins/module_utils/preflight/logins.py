# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work out the logins that a service would use, from its configuration: ClickHouse, PostgreSQL, NATS.

Settings that name a server and neither user nor password are followed as far as a connection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from .addresses import Address, addresses, words
from .connectivity import Target
from .settings import Setting

# The first word of a setting's name to the kind of server that it speaks of.
KINDS: Mapping[str, str] = {
    "clickhouse": "clickhouse",
    "ch": "clickhouse",
    "timescaledb": "postgresql",
    "timescale": "postgresql",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "pg": "postgresql",
    "nats": "nats",
}
_PORTS = {"clickhouse": 9000, "postgresql": 5432, "nats": 4222}
_SCHEMES = {
    "clickhouse": "clickhouse",
    "clickhouses": "clickhouse",
    "clickhousedb": "clickhouse",
    "postgres": "postgresql",
    "postgresql": "postgresql",
    "timescaledb": "postgresql",
    "nats": "nats",
    "tls": "nats",
}
_PARTS = {
    "host": "host", "hostname": "host", "server": "host", "hosts": "host", "servers": "host", "addr": "host", "address": "host",
    "port": "port", "user": "user", "username": "user", "login": "user", "password": "password", "passwd": "password",
    "pass": "password", "pwd": "password", "database": "database", "db": "database", "dbname": "database", "name": "database",
    "url": "url", "urls": "url", "uri": "url", "dsn": "url", "token": "token", "secure": "tls", "tls": "tls", "ssl": "tls",
    "sslmode": "tls", "verify": "verify",
}  # fmt: skip
_HTTP_PORTS = (8123, 8443)
_TLS_PORTS = (8443, 9440)
_NO = frozenset({"", "0", "false", "no", "off", "disable", "allow", "prefer"})


@dataclass(frozen=True)
class ServiceLogin:
    """A login of a service: what is tried, and the settings that it was made of."""

    target: Target
    settings: tuple[Setting, ...]

    @property
    def text(self) -> str:
        """Where and as whom, without the password."""
        user = f" as {self.target.user}" if self.target.user else ""
        return f"{self.target.host}:{self.target.port}{user}"

    @property
    def source(self) -> str:
        """The settings that the login is made of, with the place of each that does not come from the environment."""
        return ", ".join(f"{one.name} ({one.place})" if one.from_file else one.name for one in self.settings)


def logins(settings: Sequence[Setting], timeout: float = 5.0) -> list[ServiceLogin]:
    """Every login that the settings describe; a group of settings without a host describes none."""
    found: list[ServiceLogin] = []
    for kind, group in _groups(settings):
        found += _group_logins(kind, group, timeout)
    return found


def _groups(settings: Sequence[Setting]) -> Iterator[tuple[str, dict[str, Setting]]]:
    """Settings of one server each: its kind, and part (host, port, user, …) to setting."""
    groups: dict[tuple[str, ...], dict[str, Setting]] = {}
    for setting in settings:
        key, part = _read_name(setting)
        if part:
            groups.setdefault(key, {}).setdefault(part, setting)
    for key, group in groups.items():
        yield KINDS.get(key[0], "") or _SCHEMES.get(_scheme(group), ""), group


def _read_name(setting: Setting) -> tuple[tuple[str, ...], str]:
    """The group and the part that a name speaks of: CLICKHOUSE_HOST is (clickhouse,), host; ("", "") if of neither."""
    parts = words(setting.name)
    first = next((number for number, word in enumerate(parts[:-1]) if word in KINDS), None)
    if first is not None:
        return tuple(parts[first:-1]), _PARTS.get(parts[-1], "")
    # DATABASE_URL and the like say by their scheme what they are.
    is_url = parts and _PARTS.get(parts[-1]) == "url" and "://" in setting.value
    return (setting.name,), "url" if is_url else ""


def _scheme(group: Mapping[str, Setting]) -> str:
    url = group.get("url")
    return re.split(r"[:+]", url.value.strip(), maxsplit=1)[0].lower() if url else ""


def _group_logins(kind: str, group: Mapping[str, Setting], timeout: float) -> Iterator[ServiceLogin]:
    if not kind:
        return
    place = group.get("url") or group.get("host")
    if place is None:
        return
    values = {part: one.value.strip() for part, one in group.items()}
    if "url" in group:
        values = {**values, **_url_values(values["url"])}
    for address in addresses(place.name, place.value):
        port = address.port or _port(values, kind, address)
        tls = address.scheme in ("https", "clickhouses", "tls") or port in _TLS_PORTS
        tls = tls or values.get("tls", "").lower() not in _NO
        http = kind == "clickhouse" and (address.scheme in ("http", "https") or port in _HTTP_PORTS)
        # Without user and password nobody knows how the service logs in, if it does: it has to reach the server.
        known = kind == "nats" or values.get("user") or values.get("password")
        way = "clickhouse_http" if http else kind
        target = Target(
            way if known else "connect",
            address.host,
            port,
            values.get("user", ""),
            values.get("password", ""),
            values.get("database", ""),
            values.get("token", ""),
            tls,
            values.get("verify", "true").lower() not in _NO,
            timeout,
        )
        yield ServiceLogin(target, tuple(group.values()))


def _port(values: Mapping[str, str], kind: str, address: Address) -> int:
    if values.get("port", "").isdigit():
        return int(values["port"])
    http = {"http": 8123, "https": 8443}
    return http.get(address.scheme, _PORTS[kind]) if kind == "clickhouse" else _PORTS[kind]


def _url_values(url: str) -> dict[str, str]:
    """User, password, database and TLS of a URL; only those that it has."""
    first = url.split(",", 1)[0].strip()
    head, separator, rest = first.partition("://")
    if not separator:
        return _libpq_values(url)
    userinfo, at, place = rest.rpartition("@")
    found: dict[str, str] = {}
    if at:
        user, _colon, password = userinfo.partition(":")
        key = "token" if head.startswith(("nats", "tls")) and not password else "user"
        found[key] = unquote(user)
        if password:
            found["password"] = unquote(password)
    split = urlsplit(f"x://{place}")
    if split.path.strip("/"):
        found["database"] = unquote(split.path.strip("/"))
    options = {name: many[-1] for name, many in parse_qs(split.query).items()}
    for name in ("secure", "sslmode", "tls"):
        if name in options:
            found["tls"] = options[name]
    for name in ("user", "password", "database"):
        if name in options:
            found[name] = options[name]
    return found


def _libpq_values(dsn: str) -> dict[str, str]:
    pairs = re.findall(r"(?<!\S)(user|password|dbname|sslmode)\s*=\s*('(?:[^'\\]|\\.)*'|\S+)", dsn)
    return {_PARTS[name]: value.strip("'") for name, value in pairs}
