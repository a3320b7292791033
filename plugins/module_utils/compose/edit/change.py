# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to happen to a compose file so that a service is in it, or is not.

Works on texts and on a ``judge``: a function that gives the resolved model of a text (``docker compose config``)
or raises. Nothing is written here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Callable

from ...common.errors import PlatformError
from ...common.secrets import mask_text
from ..config import ComposeError
from .document import ComposeText, EditError
from .entries import block_sha256, entry_text, insert_entry, remove_entry, replace_entry
from .yaml_tree import Node, anchors_of, plain_data

Judge = Callable[[str], Mapping[str, Any]]

# Keys that compose takes as a list of "NAME=value" or as a mapping, with the same meaning.
_LIST_OR_MAPPING = ("environment", "labels", "args", "annotations", "sysctls", "extra_hosts")
_RESOURCES = ("volumes", "networks")


class ChangeError(PlatformError):
    """The change is refused; the file must stay as it is."""


@dataclass(frozen=True)
class EntrySpec:
    """What the user asked for."""

    name: str
    present: bool = True
    definition: Mapping[str, Any] = field(default_factory=dict)
    insert_after: str | None = None
    allow_change: bool = False
    header_comment: Sequence[str] = ()
    volumes: Mapping[str, Any] = field(default_factory=dict)
    networks: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ComposeChange:
    """The file's text afterwards; equal to the one before when nothing has to change."""

    text: str
    line: int = 0
    block: str = ""
    notes: tuple[str, ...] = ()


def plan_change(text: str, spec: EntrySpec, judge: Judge | None = None) -> ComposeChange:
    """The text that fulfils the spec; raises :class:`ChangeError` when it must not be done."""
    try:
        return _plan_present(text, spec, judge) if spec.present else _plan_absent(text, spec, judge)
    except EditError as error:
        raise ChangeError(str(error)) from error


@dataclass(frozen=True)
class PlannedEntry:
    """What becomes of one of several services: its entry, and whether it was written, and whether it is new to the file."""

    service: str
    changed: bool
    inserted: bool
    line: int
    block: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "service": self.service,
            "changed": self.changed,
            "inserted": self.inserted,
            "line": self.line,
            "block": self.block,
            "block_sha256": block_sha256(self.block),
        }


def plan_entries(
    text: str, specs: Sequence[EntrySpec], judge: Judge | None = None
) -> tuple[str, list[PlannedEntry]]:
    """The text that has all the services, one edit after the other; raises :class:`ChangeError` where one must not be done."""
    names = [spec.name for spec in specs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ChangeError(f"entries: found {', '.join(twice)} more than once, expected each service once")
    entries = []
    for spec in specs:
        if not spec.definition:
            raise ChangeError(
                f"service {spec.name}: expected a definition with the service's keys, found nothing in it"
            )
        change = plan_change(text, spec, judge)
        services = ComposeText(text).section("services")
        known = services is not None and services.entry(spec.name) is not None
        block = entry_text(change.text, "services", spec.name)
        entries.append(
            PlannedEntry(spec.name, change.text != text, not known, change.line, block, change.notes)
        )
        text = change.text
    return text, entries


def _plan_present(text: str, spec: EntrySpec, judge: Judge | None) -> ComposeChange:
    document = ComposeText(text)
    services = document.section("services")
    present = services.entry(spec.name) if services is not None else None
    base = _with_resources(text, spec)
    if present is None:
        comment = spec.header_comment
        edit = insert_entry(base, "services", spec.name, spec.definition, spec.insert_after, comment)
    else:
        edit = replace_entry(base, "services", spec.name, spec.definition)
    before = _judged(judge, text, "the compose file as it is") if services and services.entries else {}
    after = _judged(judge, edit.text, "the compose file with the new block")
    if present is None:
        if judge is not None and spec.name in (before.get("services") or {}):
            raise ChangeError(
                f"service {spec.name} is defined by another file of the project, not by this one; "
                "it can only be edited where it stands"
            )
    else:
        same = _same_service(document, present.value, spec, before, after, judge)
        if same and (edit.text == base or not spec.allow_change):
            return _resources_only(text, base, spec, judge, before, edit.block)
        if not same and not spec.allow_change:
            raise ChangeError(_refusal(text, spec.name, edit.block, before, after))
    _check_text(document, ComposeText(edit.text), spec)
    if judge is not None:
        _check_model(before, after, spec)
    return ComposeChange(edit.text, edit.line, edit.block)


def _resources_only(
    text: str, candidate: str, spec: EntrySpec, judge: Judge | None, before: Mapping[str, Any], block: str
) -> ComposeChange:
    """The service is there already; volumes and networks that it needs may still be missing."""
    current = entry_text(text, "services", spec.name)
    notes = () if current == block else (f"service {spec.name} has the same meaning, written in another way",)
    if candidate != text:
        _check_text(ComposeText(text), ComposeText(candidate), spec)
        if judge is not None:
            _check_model(before, _judged(judge, candidate, "the compose file with its new sections"), spec)
    return ComposeChange(candidate, _line_of(candidate, spec.name), current, notes)


def _plan_absent(text: str, spec: EntrySpec, judge: Judge | None) -> ComposeChange:
    document = ComposeText(text)
    services = document.section("services")
    if services is None:
        raise EditError(f"expected a section services, found: {', '.join(document.sections().names)}")
    if services.entry(spec.name) is None:
        return ComposeChange(text)
    edit = remove_entry(text, "services", spec.name)
    candidate = edit.text
    for section_name in _RESOURCES:
        for name in getattr(spec, section_name):
            section = ComposeText(candidate).section(section_name)
            if section is not None and section.entry(name) is not None:
                candidate = remove_entry(candidate, section_name, name).text
    before = _judged(judge, text, "the compose file as it is")
    after = _judged(judge, candidate, f"the compose file without {spec.name}")
    _check_text(document, ComposeText(candidate), spec)
    if judge is not None:
        _check_model(before, after, spec)
    return ComposeChange(candidate, edit.line, edit.block)


def _with_resources(text: str, spec: EntrySpec) -> str:
    """The text with the wanted volumes and networks; one that is there with another meaning is refused."""
    for section_name in _RESOURCES:
        for name, definition in getattr(spec, section_name).items():
            document = ComposeText(text)
            section = document.section(section_name)
            present = section.entry(name) if section is not None else None
            if present is None:
                text = insert_entry(text, section_name, name, definition or None).text
            elif (normal(_data(document, present.value)) or {}) != normal(definition or {}):
                raise ChangeError(
                    f"{section_name} entry {name} (line {document.line_of(present.start)}) is defined otherwise "
                    "than wanted; an existing one is never changed, since its data hangs on it"
                )
    return text


def _judged(judge: Judge | None, text: str, what: str) -> Mapping[str, Any]:
    if judge is None:
        return {}
    try:
        return judge(text)
    except ComposeError as error:
        raise ChangeError(f"docker compose rejects {what}: {error}") from error


def _same_service(
    document: ComposeText,
    value: Node,
    spec: EntrySpec,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    judge: Judge | None,
) -> bool:
    if judge is None:
        return normal(_data(document, value)) == normal(spec.definition)
    return bool(before["services"].get(spec.name) == after["services"].get(spec.name))


def _data(document: ComposeText, value: Node) -> Any:
    return plain_data(value, anchors_of(document.root))


def normal(value: Any, key: str = "") -> Any:
    """A definition in one spelling: scalars as text, NAME=value lists as mappings, no empty mappings."""
    if isinstance(value, Mapping):
        return {str(name): normal(inner, str(name)) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        if key in _LIST_OR_MAPPING and all(isinstance(item, str) for item in value):
            split = (item.partition("=") for item in value)
            return {name: text for name, _equals, text in split}
        if key in ("depends_on", "networks") and all(isinstance(item, str) for item in value):
            return dict.fromkeys(value, "")
        return [normal(item) for item in value]
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or value == "" else str(value)


def _check_text(before: ComposeText, after: ComposeText, spec: EntrySpec) -> None:
    """Everything but the named entries must read the same, in the same order, anchors and x- blocks too."""
    if _rest(before, spec) != _rest(after, spec):
        raise ChangeError(f"the edit would change more than service {spec.name}; the file is left as it is")


def _rest(document: ComposeText, spec: EntrySpec) -> list[Any]:
    own: dict[str, set[str]] = {
        "services": {spec.name},
        "volumes": set(spec.volumes),
        "networks": set(spec.networks),
    }
    rest: list[Any] = []
    for key, value in document.root.pairs():
        if key.value not in own or value.kind not in ("mapping", "scalar"):
            rest.append((key.meaning(), value.meaning()))
            continue
        pairs = [
            (name.meaning(), inner.meaning())
            for name, inner in value.pairs()
            if name.value not in own[key.value]
        ]
        # A section that holds nothing but our entries may come and go with them.
        if pairs or key.value == "services":
            rest.append((key.meaning(), pairs))
    return rest


def _check_model(before: Mapping[str, Any], after: Mapping[str, Any], spec: EntrySpec) -> None:
    """The resolved models may differ in the service, and in resources that come or go with it."""
    unexpected = unexpected_differences(before, after, spec)
    if unexpected:
        raise ChangeError(
            f"the edit would change more than service {spec.name}: {', '.join(unexpected)}; "
            "the file is left as it is"
        )
    if spec.present and spec.name not in (after.get("services") or {}):
        raise ChangeError(f"docker compose does not see service {spec.name} in the edited file")


def unexpected_differences(before: Mapping[str, Any], after: Mapping[str, Any], spec: EntrySpec) -> list[str]:
    """Paths in which two resolved models differ, other than the wanted service and what it uses."""
    if not before:  # a file without any service has no model to compare with
        return []
    unexpected = []
    for section_name in sorted({*before, *after}):
        old, new = before.get(section_name), after.get(section_name)
        if section_name not in ("services", "volumes", "networks", "secrets", "configs"):
            if old != new:
                unexpected.append(section_name)
            continue
        old, new = old or {}, new or {}
        for name in sorted({*old, *new}):
            mine = section_name == "services" and name == spec.name
            # Compose leaves out of the model what no service uses, so an entry may appear with its first user.
            came_or_went = section_name != "services" and (name not in old or name not in new)
            if old.get(name) != new.get(name) and not mine and not came_or_went:
                unexpected.append(f"{section_name}.{name}")
    return unexpected


def _refusal(text: str, name: str, block: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    current = entry_text(text, "services", name)
    paths = differing_paths((before.get("services") or {}).get(name), (after.get("services") or {}).get(name))
    where = f" (differs in: {', '.join(paths)})" if paths else ""
    # The texts of the file, not the resolved models: those hold the values of the environment.
    diff = "\n".join(
        difflib.unified_diff(
            current.splitlines(), block.splitlines(), "in the file", "wanted", lineterm="", n=2
        )
    )
    return f"service {name} is in the file with another meaning{where}; allow_change replaces it:\n{mask_text(diff)}"


def differing_paths(old: Any, new: Any, path: str = "") -> list[str]:
    """Where two resolved definitions differ, as key paths without any value."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        found: list[str] = []
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else key
            if (key in old) != (key in new):
                found.append(inner)
            else:
                found += differing_paths(old[key], new[key], inner)
        return found
    return [path] if path and old != new else []


def _line_of(text: str, name: str) -> int:
    document = ComposeText(text)
    services = document.section("services")
    entry = services.entry(name) if services is not None else None
    return document.line_of(entry.start) if entry is not None else 0
