# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Find the hosts that a configuration value names: host, host:port, URLs, DSNs, and lists of them.

Pure functions on names and values; nothing is looked up here.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote

# The last word of a name says that its value is an address: CLICKHOUSE_HOST, nats.url, KAFKA_BOOTSTRAP_SERVERS.
_ADDRESS_WORDS = frozenset({
    "host", "hosts", "hostname", "hostnames", "server", "servers", "broker", "brokers", "addr", "addrs", "address",
    "addresses", "endpoint", "endpoints", "url", "urls", "uri", "uris", "dsn", "dsns", "node", "nodes", "seed", "seeds",
    "peer", "peers",
})  # fmt: skip
# These also name streets, wallets and members of a cluster: only host:port is taken for an address.
_WEAK_WORDS = frozenset(
    ["addr", "addrs", "address", "addresses", "node", "nodes", "seed", "seeds", "peer", "peers"]
)
# Alone they are the container's own name, or what it listens on.
_OWN_NAMES = frozenset(["host", "hostname", "server"])
# What a service listens on is its own business, and no host that it calls.
_LISTEN_WORDS = frozenset(
    ["listen", "bind", "bindto", "advertised", "advertise", "allowed", "cors", "origin", "origins", "public"]
)
_NO_HOST_SCHEMES = frozenset(["file", "unix", "sqlite", "data", "mailto", "urn"])

_URL = re.compile(r"^(?:jdbc:|\w+\+)?(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)$", re.DOTALL)
_URL_INSIDE = re.compile(r"(?:jdbc:)?[A-Za-z][A-Za-z0-9+.-]*://")
# user:password@tcp(host:port)/database, as Go's MySQL driver takes it.
_GO_DSN = re.compile(r"@(?:tcp|tcp4|tcp6)\((?P<address>[^)]+)\)")
# host=db port=5432 user=x, as libpq takes it.
_LIBPQ = re.compile(r"(?<!\S)(?P<key>host|port)\s*=\s*(?P<value>'[^']*'|\S+)")
_HOST = re.compile(r"^[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$")
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+")
# libpq's own variables have no underscore: PGHOST, PGUSER.
_LIBPQ_NAME = re.compile(r"^(pg)(host|port|user|password|database|sslmode)$")


@dataclass(frozen=True)
class Address:
    """A host as a value names it; ``port`` is None where the value has none, ``scheme`` is "" without a URL."""

    host: str
    port: int | None = None
    scheme: str = ""

    @property
    def is_ip(self) -> bool:
        try:
            ipaddress.ip_address(self.host)
        except ValueError:
            return False
        return True

    @property
    def is_own(self) -> bool:
        """Loopback or "any address": for a container that is the container itself."""
        if self.host.rstrip(".").lower() in ("localhost", "ip6-localhost"):
            return True
        if not self.is_ip:
            return False
        found = ipaddress.ip_address(self.host)
        return found.is_loopback or found.is_unspecified


def words(name: str) -> list[str]:
    """The words of a name in lower case: CLICKHOUSE_HOST, clickhouse.host and clickhouseHost are the same two."""
    found: list[str] = []
    for word in (one.lower() for one in _WORDS.findall(name)):
        libpq = _LIBPQ_NAME.match(word)
        found += libpq.groups() if libpq else [word]
    return found


def names_an_address(name: str) -> bool:
    """True if the name says that its value is an address of something that is called."""
    parts = words(name)
    if not parts or (len(parts) == 1 and parts[0] in _OWN_NAMES):
        return False
    return parts[-1] in _ADDRESS_WORDS and not _LISTEN_WORDS.intersection(parts)


def addresses(name: str, value: str) -> list[Address]:
    """Every host in the value, once each; a URL tells by itself, anything else by the variable's name.

    Values that still hold ``${...}`` are left alone: they are not known here.
    """
    text = value.strip()
    if not text or "${" in text or "{{" in text or _LISTEN_WORDS.intersection(words(name)):
        return []
    found = _address_list(text) if "://" in text else list(_in_dsn(text))
    if not found and "://" not in text and names_an_address(name):
        weak = words(name)[-1] in _WEAK_WORDS
        listed = [_host_and_port(part) for part in _split(text)]
        # Where one part is no host, the value is no list of hosts but a text.
        if None not in listed:
            found = [one for one in listed if one is not None and (one.port is not None or not weak)]
    return list(dict.fromkeys(found))


def _split(text: str) -> list[str]:
    if re.fullmatch(r"\[[^]]*[^]:0-9a-fA-F.][^]]*\]", text):
        text = text[1:-1]  # a list, and no IPv6 address
    return [part for part in re.split(r"[,;\s]+", text) if part]


def _address_list(text: str) -> list[Address]:
    """Hosts of one URL, of a URL with several hosts, or of a list of URLs."""
    starts = [match.start() for match in _URL_INSIDE.finditer(text)]
    found: list[Address] = []
    for start, end in zip(starts, [*starts[1:], len(text)]):
        found += _url_addresses(text[start:end].rstrip(",; \t\n'\"]"))
    return found


def _url_addresses(url: str) -> Iterator[Address]:
    match = _URL.match(url)
    if match is None or match.group("scheme").lower() in _NO_HOST_SCHEMES:
        return
    scheme = match.group("scheme").lower()
    # A password may hold "/" and "@" itself: what is in front of the last "@" names no host.
    rest = match.group("rest")
    authority = rest.rpartition("@")[2] if "@" in rest else rest
    authority = re.split(r"[/?#]", authority, maxsplit=1)[0]
    for part in authority.split(","):
        found = _host_and_port(part)
        if found is not None:
            yield Address(found.host, found.port, scheme)


def _in_dsn(text: str) -> Iterator[Address]:
    for match in _GO_DSN.finditer(text):
        found = _host_and_port(match.group("address"))
        if found is not None:
            yield found
    parts = {match.group("key"): match.group("value").strip("'") for match in _LIBPQ.finditer(text)}
    hosts, ports = parts.get("host", ""), parts.get("port", "").split(",")
    for number, host in enumerate(one for one in hosts.split(",") if one and not one.startswith("/")):
        port = ports[number] if number < len(ports) else ports[-1]
        yield Address(host, int(port) if port.isdigit() else None)


def _host_and_port(text: str) -> Address | None:
    """host, host:port, [v6], [v6]:port or a bare IPv6 address; None for what is none of these."""
    text = unquote(text.strip().strip("'\""))
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        port = rest.lstrip(":")
        return Address(host, int(port) if port.isdigit() else None) if bracket else None
    if Address(text).is_ip:
        return Address(text)
    host, _colon, port = text.partition(":")
    # What follows the port is another matter (host:port/path, host:port:weight).
    port = re.split(r"[/:?]", port, maxsplit=1)[0]
    host = host.split("/", 1)[0]
    if not _HOST.match(host) or (port and not port.isdigit()) or host.isdigit():
        return None
    return Address(host, int(port) if port else None)
