# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services that the compose file need not have yet: each is one entry of a list in the inventory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..common.errors import PlatformError

#: Words of ``--tags`` that are no names of services.
_RESERVED = ("all", "always", "never", "schema", "services", "tagged", "tick_aggregator", "untagged")


class NewServiceError(PlatformError):
    """An entry of the list that describes no service."""


@dataclass(frozen=True)
class NewService:
    """A service with its compose entry as data; where it goes in the file; and how the platform sees it."""

    name: str
    definition: Mapping[str, Any]
    #: Container's name; by default the one in the definition.
    container: str = ""
    insert_after: str = ""
    header_comment: Sequence[str] = ()
    allow_change: bool = False
    #: Whether it reads from the broker: such services are replaced before those that write to it.
    consumes: bool = False
    expect_logs: Sequence[Mapping[str, Any]] = ()
    allow_logs: Sequence[Mapping[str, Any]] = field(default=())

    @classmethod
    def from_dict(cls, found: Any) -> NewService:
        """Read one entry; raises :class:`NewServiceError` that names it, what was found and what was expected."""
        if not isinstance(found, Mapping) or not found.get("name"):
            raise NewServiceError(
                f"platform_new_services: found {found!r:.80}, expected a dict with name and definition"
            )
        name = str(found["name"])
        known = {one.name for one in fields(cls)}
        unknown = sorted(set(found) - known)
        if unknown:
            raise NewServiceError(
                f"platform_new_services, {name}: found {', '.join(unknown)}, expected some of {', '.join(sorted(known))}"
            )
        if name in _RESERVED:
            raise NewServiceError(
                f"platform_new_services: found a service {name}, which --tags could not tell from a part"
            )
        definition = found.get("definition")
        if not isinstance(definition, Mapping) or not definition:
            raise NewServiceError(
                f"platform_new_services, {name}: found definition {definition!r:.80}, expected the service as the compose file has it"
            )
        container = found.get("container") or definition.get("container_name") or ""
        if not isinstance(container, str) or not container:
            seen = (
                f"container {container!r:.80}, expected its name"
                if container
                else "no container, expected it"
            )
            raise NewServiceError(
                f"platform_new_services, {name}: found {seen}, or a container_name in the definition"
            )
        place = f"platform_new_services, {name}"
        read = {key: _truth(found[key], key, place) for key in ("allow_change", "consumes") if key in found}
        for key in ("header_comment", "expect_logs", "allow_logs"):
            if not isinstance(found.get(key, ()), (list, tuple)):
                raise NewServiceError(f"{place}: found {key} {found[key]!r:.80}, expected a list")
        return cls(**{**found, **read, "name": name, "container": container})

    def entry(self) -> dict[str, Any]:
        """The service as an entry of the module compose_entries."""
        return {
            "name": self.name,
            "definition": dict(self.definition),
            "insert_after": self.insert_after,
            "header_comment": list(self.header_comment),
            "allow_change": self.allow_change,
        }

    def service(self) -> dict[str, Any]:
        """The service as one of the platform's services."""
        return {
            "container": self.container,
            "consumes": self.consumes,
            "expect_logs": list(self.expect_logs),
            "allow_logs": list(self.allow_logs),
        }


def _truth(found: Any, key: str, place: str) -> bool:
    """What is given on the command line is text: C(false) there is no permission."""
    try:
        return bool(boolean(found))
    except TypeError as error:
        raise NewServiceError(f"{place}: found {key} {found!r:.80}, expected true or false") from error


def _services(found: Sequence[Any]) -> list[NewService]:
    known: dict[str, NewService] = {}
    for one in found:
        service = NewService.from_dict(one)
        known[service.name] = service
    return list(known.values())


def compose_entries(new: Sequence[Any]) -> list[dict[str, Any]]:
    """Return the new services as entries of the module compose_entries; of two of the same name the later one."""
    return [one.entry() for one in _services(new)]


def with_new_services(
    known: Mapping[str, Mapping[str, Any]], new: Sequence[Any]
) -> dict[str, Mapping[str, Any]]:
    """Return the platform's services with the new ones, in the order in which they are replaced.

    A new service that reads from the broker comes before the first that does not, the others come at the end. What the platform says
    of a service of the same name stays. C(consumes) is read as true or false, however it is written.
    """
    known = {
        name: {**one, "consumes": _truth(one["consumes"], "consumes", f"platform_services, {name}")}
        if isinstance(one, Mapping) and "consumes" in one
        else one
        for name, one in known.items()
    }
    added = {one.name: one.service() for one in _services(new) if one.name not in known}
    readers = {name: one for name, one in added.items() if one["consumes"]}
    found: dict[str, Mapping[str, Any]] = {}
    for name, one in known.items():
        if readers and not one.get("consumes"):
            found.update(readers)
            readers = {}
        found[name] = one
    return {**found, **readers, **{name: one for name, one in added.items() if name not in found}}
