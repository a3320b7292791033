# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the compose project itself lacks or shares with others: variables without a value, names and ports that are taken."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..compose.config import ComposeConfig
from ..docker.engine import Container
from .finding import Finding

_LISTENING = "0A"
_PROC_TABLES = {"/proc/net/tcp": "tcp", "/proc/net/tcp6": "tcp"}


def unset_variables(config: ComposeConfig, texts: Mapping[str, str], severity: str) -> Iterator[Finding]:
    """Variables that a compose file uses and nothing sets: compose puts "" in their place. ``texts``: path → text."""
    for name in config.unset_variables:
        use = re.compile(r"\$(?:\{" + re.escape(name) + r"\b|" + re.escape(name) + r"\b)")
        places = [
            f"{path}:{number}"
            for path, text in texts.items()
            for number, line in enumerate(text.splitlines(), start=1)
            if not line.lstrip().startswith("#") and use.search(line.partition(" #")[0].replace("$$", ""))
        ]
        yield Finding(
            "variables",
            name,
            f"no value for ${{{name}}} ({', '.join(places[:5]) or 'in the services to add'})",
            "a value, or a default as in ${NAME:-default}",
            "Set it in .env.",
            severity,
        )


def taken(
    config: ComposeConfig, services: Sequence[str], containers: Sequence[Any], project: str
) -> Iterator[Finding]:
    """Container names and ports that another container holds. ``containers`` are those of the whole engine."""
    for service in services:
        definition = config.services.get(service) or {}
        own = [
            one for one in containers if one.project == project and one.service == service and not one.oneoff
        ]
        others = [one for one in containers if one not in own]
        name = definition.get("container_name")
        for other in others:
            if other.name == name:
                yield Finding(
                    "names",
                    service,
                    f"the container name {name} taken by {_whose(other)}",
                    "a name that is free",
                    "Remove that container, or give this service another container_name.",
                )
        for published in _published(definition):
            for other in others:
                if other.state == "running" and any(_collides(published, port) for port in other.ports):
                    yield Finding(
                        "ports",
                        service,
                        f"port {published[1]}/{published[2]} taken by {other.name} ({_whose(other)})",
                        "a port that is free",
                        "Publish another port.",
                    )


def same_names(config: ComposeConfig) -> Iterator[Finding]:
    """Two services of the project that want the same container name."""
    seen: dict[str, str] = {}
    for service, definition in config.services.items():
        name = definition.get("container_name")
        if name and name in seen:
            yield Finding(
                "names",
                service,
                f"the container name {name} that {seen[name]} has, too",
                "a name of its own",
                "Give one of them another container_name.",
            )
        elif name:
            seen[name] = service


def _whose(container: Container) -> str:
    if container.project:
        return f"service {container.service} of project {container.project}"
    return "a container of no compose project"


def _published(definition: Mapping[str, Any]) -> list[tuple[str, int, str]]:
    """(address, port, protocol) of every fixed port that the service publishes on the host."""
    found = []
    for port in definition.get("ports") or ():
        number = str(port.get("published") or "") if isinstance(port, Mapping) else ""
        first, dash, last = number.partition("-")
        if first.isdigit() and (not dash or last.isdigit()):
            rest = str(port.get("host_ip") or ""), str(port.get("protocol") or "tcp")
            found += [(rest[0], one, rest[1]) for one in range(int(first), int(last or first) + 1)]
    return found


def _collides(one: tuple[str, int, str], other: tuple[str, int, str]) -> bool:
    anywhere = ("", "0.0.0.0", "::")  # noqa: S104 - compared, not listened on
    return one[1:] == other[1:] and (one[0] == other[0] or one[0] in anywhere or other[0] in anywhere)


def listening(
    config: ComposeConfig, services: Sequence[str], containers: Sequence[Container]
) -> Iterator[Finding]:
    """Ports that a process of this host listens on, without being one of the engine's."""
    engine = {port[1:] for one in containers for port in one.ports}
    busy = set(listening_ports()) - engine
    for service in services:
        for _address, port, protocol in _published(config.services.get(service) or {}):
            if (port, protocol) in busy:
                yield Finding(
                    "ports",
                    service,
                    f"port {port}/{protocol} taken by a process of this host",
                    "a port that is free",
                    "Publish another port, or end that process.",
                )


def listening_ports(tables: Mapping[str, str] | None = None) -> Iterable[tuple[int, str]]:
    """The ports on which something listens in this network, from the kernel's own tables."""
    for path, protocol in (_PROC_TABLES if tables is None else tables).items():
        try:
            with open(path, encoding="ascii") as handle:
                lines = handle.read().splitlines()[1:]
        except OSError:
            continue  # another system than Linux, or no IPv6
        for words in (line.split() for line in lines):
            if len(words) > 3 and words[3] == _LISTENING:
                yield int(words[1].rpartition(":")[2], 16), protocol
