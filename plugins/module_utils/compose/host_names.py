# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which host names a service of a Compose project can reach, by the networks that it shares with others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from .config import ComposeConfig


class NameBook:
    """The names of a project's containers, network by network."""

    def __init__(self, config: ComposeConfig) -> None:
        self.config = config

    def networks(self, service: str) -> dict[str, Mapping[str, Any]]:
        """The networks of a service: key in the compose file to its options there; {} for the host's own and for none."""
        definition = self.config.services.get(service) or {}
        mode = str(definition.get("network_mode") or "")
        if mode.startswith("service:"):
            return self.networks(mode.partition(":")[2])
        if mode:
            return {}
        found = definition.get("networks") or {"default": None}
        return {str(name): options or {} for name, options in found.items()}

    def on_host_network(self, service: str) -> bool:
        """True if the service has the host's network, and so the host's names."""
        return str((self.config.services.get(service) or {}).get("network_mode") or "") == "host"

    def real_network(self, key: str) -> str:
        """The engine's name of a network."""
        options = (self.config.model.get("networks") or {}).get(key) or {}
        return str(options.get("name") or f"{self.config.name}_{key}")

    def owner(self, service: str, host: str) -> str | None:
        """The service that the host name leads to for a service; "" for a name of its own list, None if unknown."""
        wanted = host.rstrip(".").lower()
        definition = self.config.services.get(service) or {}
        if wanted in self._own_list(definition):
            return ""
        for other in self.config.services:
            shared = self.networks(service).keys() & self.networks(other).keys()
            names = self._names(other)
            for key in shared:
                names |= {str(one) for one in self.networks(other)[key].get("aliases") or ()}
            if shared and wanted in {name.lower() for name in names}:
                return other
        return None

    def advice(self, service: str, host: str) -> str:
        """What may be meant by a name that leads nowhere; "" if nothing comes to mind."""
        wanted = host.rstrip(".").lower()
        for other in self.config.services:
            if wanted in {name.lower() for name in self._names(other)}:
                own, theirs = ", ".join(self.networks(service)), ", ".join(self.networks(other))
                return (
                    f"{host} is there, but on other networks: {service} is on {own or 'none'}, "
                    f"{other} on {theirs or 'none'}"
                )
        reachable = [
            one for one in self.config.services if self.owner(service, one) == one and one != service
        ]
        by_image = [one for one in reachable if wanted in self._image(one).lower()]
        close = difflib.get_close_matches(wanted, reachable, n=1, cutoff=0.6)
        if by_image:
            return f"{by_image[0]} may be meant, its image is {self._image(by_image[0])}"
        return f"{close[0]} may be meant" if close else ""

    def reachable(self, service: str) -> list[str]:
        """The services that share a network with this one."""
        own = self.networks(service).keys()
        return sorted(
            one for one in self.config.services if one != service and own & self.networks(one).keys()
        )

    def _image(self, service: str) -> str:
        return str(self.config.services[service].get("image") or "").rsplit("/", 1)[-1]

    def _names(self, service: str) -> set[str]:
        definition = self.config.services[service]
        given = (service, definition.get("container_name"), definition.get("hostname"))
        return {str(name) for name in given if name}

    @staticmethod
    def _own_list(definition: Mapping[str, Any]) -> set[str]:
        """Names that the service brings along: extra_hosts and the aliases of links."""
        names = {_first(entry) for entry in _entries(definition.get("extra_hosts"))}
        for kind in ("links", "external_links"):
            names |= {str(entry).rpartition(":")[2] for entry in definition.get(kind) or ()}
        return {name.lower() for name in names}


def _entries(value: Any) -> Iterable[str]:
    return [str(one) for one in (value or ())]


def _first(entry: str) -> str:
    """The name in "name:address" or "name=address"."""
    return entry.partition("=")[0] if "=" in entry else entry.partition(":")[0]
