# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The configuration of the services to deploy, judged before they start: hosts, contradictions, logins, placeholders.

A container that starts with a host that does not resolve or with a password that the server refuses is "Up" all the
same, and restarts in a loop. So the values are followed to their end before anything is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..common.secrets import is_secret_name, mask_text
from ..compose.config import ComposeConfig
from ..compose.host_names import NameBook
from .addresses import Address, addresses
from .connectivity import Connectivity, ConnectivityError, ConnectivityResult, Target
from .finding import ERROR, WARNING, Finding
from .logins import ServiceLogin, logins
from .settings import ConfigFiles, Setting, contradictions, effective, environment_settings

# Values that stand in examples until somebody puts the real one there.
PLACEHOLDERS = (
    r"your[_-]?(?:secure|secret|strong|own|real)?[_-]?(?:password|passwd|key|token|secret|api)",
    r"change[_-]?(?:me|this|it|in[_-]production|before)",
    r"(?:insert|put|enter|add|replace)[_-].*(?:here|password|key|token)",
    r"^<.*>$|^\[.*\]$|^x{3,}$|^\*{3,}$|^\.{3}$",
    r"^(?:password|passwd|secret|example|placeholder|todo|fixme|tbd|dummy|none|null)$",
)
# These can stand for themselves in a value of any name.
_PLAIN_PLACEHOLDERS = re.compile(r"your_secure_password|change[_-]in[_-]production", re.IGNORECASE)
# Where a file says something else of these, the service goes to another place or logs in as somebody else.
_DECISIVE = re.compile(
    r"(?:^|[_.])(?:host(?:name|s)?|port|user(?:name)?|pass(?:word|wd)?|database|db|urls?|uri|dsn|servers?|brokers?|token)$",
    re.IGNORECASE,
)


class ServiceChecks:
    """Judges the settings of the services that a deploy works on."""

    def __init__(
        self,
        config: ComposeConfig,
        services: Sequence[str],
        strict: bool,
        placeholders: Sequence[str] = PLACEHOLDERS,
    ) -> None:
        self.config = config
        self.services = [name for name in services if name in config.services]
        self.lax = ERROR if strict else WARNING
        self.names = NameBook(config)
        self.placeholder = re.compile(
            "|".join(f"(?:{one})" for one in placeholders) or r"(?!)", re.IGNORECASE
        )
        reader = ConfigFiles()
        self.environment = {name: environment_settings(name, config.services[name]) for name in self.services}
        self.files = {name: reader.settings(config.services[name]) for name in self.services}
        self.unreadable = dict(reader.unreadable)

    def files_contradict(self) -> Iterator[Finding]:
        """A mounted file that says something else than the environment."""
        for path, problem in sorted(self.unreadable.items()):
            yield Finding(
                "mounted files",
                path,
                problem,
                "a file that can be compared with the environment",
                "Fix the file, or keep what is no configuration out of the mounted folder.",
                WARNING,
            )
        for service in self.services:
            for one in contradictions(self.environment[service], self.files[service]):
                inside, other = one.environment, one.file
                yield Finding(
                    "mounted files",
                    service,
                    f"{inside.name}={_shown(inside)} in the environment and "
                    f"{other.name}: {_shown(other)} in {other.place}",
                    "one value: a service that reads the file goes by it and not by the environment",
                    "Take the value out of the file, or make both the same.",
                    ERROR if _DECISIVE.search(inside.name) else WARNING,
                )

    def hosts_resolve(self, connectivity: Connectivity | None) -> Iterator[Finding]:
        """A host that is no name on the service's networks, and that does not resolve from there."""
        doubtful: list[tuple[str, Setting, Address]] = []
        for service in self.services:
            for setting in [*self.environment[service], *self.files[service]]:
                for address in addresses(setting.name, setting.value):
                    if address.is_own and not self.names.on_host_network(service):
                        yield self._own_host(service, setting, address)
                    elif (
                        not address.is_ip
                        and not address.is_own
                        and self.names.owner(service, address.host) is None
                    ):
                        doubtful.append((service, setting, address))
        resolved = self._resolve(doubtful, connectivity)
        for service, setting, address in doubtful:
            problem = resolved[service, address.host]
            if problem:
                yield self._unknown_host(service, setting, address, problem)

    def logins_work(self, connectivity: Connectivity) -> Iterator[Finding]:
        """Logins that the server refuses, tried with what the service would use, from its own networks."""
        wanted: dict[tuple[str, ...], list[tuple[str, ServiceLogin]]] = {}
        for service in self.services:
            for login in logins(effective(self.environment[service], self.files[service])):
                # A host that leads nowhere is another check's finding.
                known = login.target.host and self.names.owner(service, login.target.host) is not None
                if known or Address(login.target.host).is_ip:
                    wanted.setdefault(self._networks(service), []).append((service, login))
        for networks, entries in wanted.items():
            targets = list(dict.fromkeys(login.target for _service, login in entries))
            try:
                outcomes = dict(zip(targets, connectivity.attempt(networks, targets)))
            except ConnectivityError as error:
                yield self._not_tried(entries, str(error))
                continue
            for service, login in entries:
                if not outcomes[login.target].ok:
                    yield self._refused_login(service, login, outcomes[login.target])

    def placeholders_left(self) -> Iterator[Finding]:
        """Example values where a real one belongs; the value itself is not shown."""
        for service in self.services:
            for setting in [*self.environment[service], *self.files[service]]:
                if self._is_placeholder(setting):
                    yield Finding(
                        "placeholder values",
                        service,
                        f"an example value in {setting.name} ({setting.place})",
                        "a value of this environment",
                        "Put the real value into .env or the vault.",
                        self.lax,
                    )

    def _is_placeholder(self, setting: Setting) -> bool:
        value = setting.value.strip()
        if _PLAIN_PLACEHOLDERS.search(value):
            return True
        return bool(value) and is_secret_name(setting.name) and bool(self.placeholder.search(value))

    def _networks(self, service: str) -> tuple[str, ...]:
        if self.names.on_host_network(service):
            return ("host",)
        return tuple(sorted(self.names.real_network(key) for key in self.names.networks(service)))

    def _resolve(
        self, doubtful: Sequence[tuple[str, Setting, Address]], connectivity: Connectivity | None
    ) -> dict[tuple[str, str], str]:
        """(service, host) → why the name does not resolve, "" if it does."""
        found = {(service, address.host): "no such name" for service, _setting, address in doubtful}
        wanted: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for service, host in found:
            wanted.setdefault(self._networks(service), []).append((service, host))
        for networks, keys in wanted.items() if connectivity is not None else ():
            targets = [Target("resolve", host) for _service, host in keys]
            try:
                outcomes = connectivity.attempt(networks, targets) if connectivity is not None else []
            except ConnectivityError as error:
                outcomes = [
                    ConnectivityResult(False, error=f"no such name in the compose project, and: {error}")
                ] * len(keys)
            found.update({key: "" if one.ok else one.error for key, one in zip(keys, outcomes)})
        return found

    def _unknown_host(self, service: str, setting: Setting, address: Address, problem: str) -> Finding:
        reachable = ", ".join(self.names.reachable(service)) or "none"
        advice = self.names.advice(service, address.host)
        remedy = f"{advice[0].upper()}{advice[1:]}. " if advice else ""
        return Finding(
            "hosts",
            service,
            f"{setting.name} ({setting.place}) names {address.host}: {problem}",
            f"a service on its networks ({reachable}) or a host that resolves there",
            f"{remedy}Correct the value.",
        )

    def _own_host(self, service: str, setting: Setting, address: Address) -> Finding:
        return Finding(
            "hosts",
            service,
            f"{setting.name} ({setting.place}) names {address.host}, which is the container itself",
            "the service that is meant",
            "Name the service, or ignore this if the container serves it itself.",
            WARNING,
        )

    def _refused_login(self, service: str, login: ServiceLogin, outcome: ConnectivityResult) -> Finding:
        stages = {
            "resolve": "Bring the server up, or correct the host.",
            "connect": "Bring the server up, or correct host and port.",
            "login": "Make the service's values and the server agree: the server is right about what it takes.",
        }
        return Finding(
            "logins",
            f"{service} at {login.text}",
            mask_text(outcome.error),
            f"a login with {login.source}",
            stages.get(outcome.stage, "Correct the values."),
        )

    def _not_tried(self, entries: Sequence[tuple[str, ServiceLogin]], problem: str) -> Finding:
        shown = ", ".join(f"{service} at {login.text}" for service, login in entries)
        return Finding(
            "logins",
            shown,
            f"that the logins could not be tried: {problem}",
            "a container that tries them from inside the network",
            "Set preflight_connectivity_image to an image on the host that has python3, or preflight_try_logins to false.",
        )


def _shown(setting: Setting) -> str:
    """The value for people; that of a secret only as such."""
    return "(a secret)" if is_secret_name(setting.name) else mask_text(repr(setting.value))
