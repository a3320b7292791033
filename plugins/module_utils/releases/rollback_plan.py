# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback does: over one or several releases, or over a part of one.

Everything comes from the records of the releases on the target. Where several releases are rolled back at once, a service goes straight to
the image from before the oldest of them, and is away once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .journal import DONE, FAILED, INTENT
from .model import (
    EntryRecord,
    RollbackOfCompose,
    RollbackOfSchema,
    RollbackOutcome,
    RollbackPlan,
    ServiceRecord,
)
from .parts import (
    SCHEMA,
    SERVICES,
    expanded,
    manifest_entries,
    rolled_back_parts,
    tags_of,
    touched_parts,
)
from .store import Release, ReleaseError, ReleaseStore

#: In place of a release: the state before all of them.
FIRST = "none"


def releases_to_roll_back(store: ReleaseStore, release: str, target: str) -> list[Release]:
    """Return the releases that a rollback rolls back, the newest first; none if that was done already.

    ``release`` names the one to roll back, ``target`` the one to go back to (``none``: before all of them). With neither it is the rollback that
    was interrupted, or the newest release: it is rolled back once, and asking again does not roll back the one before it, too.
    """
    if release and target:
        raise ReleaseError(
            f"rollback_release={release} and release_to={target}: expected one of them. Nothing was changed"
        )
    begun = store.rolling_back()
    if target:
        found = store.to_roll_back("" if target == FIRST else target)
        if len(begun) > 1 and not {one.id for one in begun} <= {one.id for one in found}:
            raise store.interrupted(begun)
        return found
    standing = next(store.lineage(), None)
    current = standing.id if standing else "none"
    if release:
        named = store.release(release)
        if named.manifest().get("status") == "rolled_back":
            return []
        if current != release:
            raise ReleaseError(
                f"release {release} is not the one that the platform is at ({current}): roll the later ones back first, "
                f"or all at once with -e release_to=<the release to go back to>. Nothing was changed"
            )
        if len(begun) > 1:
            raise store.interrupted(begun)
        return [named]
    if begun:
        return begun
    newest = store.ids()[-1:]
    return [standing] if standing and [standing.id] == newest else []


def rollback_plan(
    taken: Sequence[Mapping[str, Any]],
    parts: Sequence[str],
    platform: Mapping[str, Mapping[str, Any]] | None = None,
) -> RollbackPlan:
    """Return the rollback as data.

    ``taken``: the releases, the newest first, each with release, manifest, journal and path. ``parts``: what to roll back, as the tags name
    it; none is all of it. ``platform``: the platform's services, of which C(consumes) tells those that read from the broker. Returns

    - services: as a manifest holds them; images: for each that ran, the id of the image that it goes back to
    - compose: the option values of compose_rollback; empty if the file was not changed
    - schema: release and steps, the newest first
    - manifest: the same as one manifest, for the checks of the previous state
    - releases: their ids; to: the release before them, or ``none``; parts: the chosen ones
    - outcomes: for each release its status and the parts that are rolled back then
    - harm: why it must not be done; empty if it may
    """
    services: dict[str, ServiceRecord] = {}
    for one in taken:  # the oldest comes last, and its word is what was there before all of them
        services.update(one["manifest"].get("services") or {})
    whole = {"services": services, "compose": {}}
    touched = [part for one in taken for part in touched_parts(one["manifest"])]
    known = list(dict.fromkeys([SCHEMA, SERVICES, *(platform or {}), *touched]))
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise ReleaseError(f"parts: found {', '.join(unknown)}, expected some of {', '.join(known)}")
    selected = expanded(parts, whole) if parts else {SCHEMA, *touched}
    chosen = {name: was for name, was in services.items() if name in selected}
    steps: list[RollbackOfSchema] = [
        {"release": one["release"], "steps": (one["manifest"].get("schema") or {}).get("steps") or []}
        for one in taken
    ]
    schema = [one for one in steps if one["steps"]] if SCHEMA in selected else []
    compose, held = _compose(taken, selected)
    return {
        "releases": [one["release"] for one in taken],
        "to": (taken[-1]["manifest"].get("previous") if taken else None) or FIRST,
        "services": chosen,
        "images": {
            name: was["image_before"]
            for name, was in chosen.items()
            if was.get("existed") and was.get("image_before")
        },
        "compose": compose,
        "schema": schema,
        # The same in the form of one release's manifest, for what checks the previous state.
        "manifest": {
            "services": chosen,
            "schema": {"steps": [step for one in schema for step in one["steps"]]},
        },
        "outcomes": {one["release"]: _outcome(one, selected) for one in taken},
        "parts": sorted(parts),
        "harm": [*held, *_harm(taken, whole, selected, platform)],
    }


def _outcome(one: Mapping[str, Any], selected: set[str]) -> RollbackOutcome:
    """What becomes of one release: its state, and the parts that are rolled back then."""
    touched = set(touched_parts(one["manifest"]))
    gone = rolled_back_parts(one["manifest"]) | (selected & touched)
    return {"status": "rolled_back" if touched <= gone else "partly_rolled_back", "rolled_back": sorted(gone)}


def _compose(taken: Sequence[Mapping[str, Any]], selected: set[str]) -> tuple[RollbackOfCompose, list[str]]:
    """From the compose file as the newest release left it to the one that the oldest has found; and what keeps a part of it from going alone."""
    left = [(one, _entries_left(one["manifest"])) for one in taken]
    changed = [(one, entries) for one, entries in left if entries]
    services = list(dict.fromkeys(entry["service"] for _one, entries in changed for entry in entries))
    wanted = [name for name in services if name in selected]
    if not wanted:
        return {}, []
    # What is left then cannot go later: the saved file has what goes now, and the entry alone is no longer known.
    bound = [name for name in services if name not in selected and not _taken_out(name, changed)]
    if bound:
        return {}, [
            f"the compose file's entry of {', '.join(bound)} was replaced, and goes back with the whole file only: "
            f"it could not once {', '.join(wanted)} is out of it. Roll back {', '.join(bound)}, too"
        ]
    newest, oldest = changed[0][0]["manifest"]["compose"], changed[-1][0]["manifest"]["compose"]
    pairs = zip(changed, changed[1:])
    # Somebody has edited the file between two of them: no saved file holds both.
    unbroken = all(
        later["manifest"]["compose"]["sha256_before"] == earlier["manifest"]["compose"]["sha256_after"]
        for (later, _entries), (earlier, _before) in pairs
    )
    alone = [_taken_out(name, changed) for name in wanted]
    entries = [entry for entry in alone if entry]
    every = wanted == services
    held = []
    if not every and len(entries) < len(wanted):
        # An entry that was there before in another form is in the saved file, and only there.
        named = {entry["service"] for entry in entries}
        stuck = [name for name in wanted if name not in named]
        held.append(
            f"the compose file's entry of {', '.join(stuck)} was replaced, and goes back with the whole file only. "
            f"Roll back {', '.join(name for name in services if name not in selected)}, too"
        )
    return {
        "path": newest["path"],
        "backup": f"{changed[-1][0]['path']}/backup/docker-compose.yml",
        "sha256_before": oldest["sha256_before"] if every else "",
        "sha256_after": newest["sha256_after"] if every and unbroken else "",
        "entries": entries if len(entries) == len(wanted) else [],
    }, held


def _entries_left(manifest: Mapping[str, Any]) -> list[EntryRecord]:
    gone = rolled_back_parts(manifest)
    return [entry for entry in manifest_entries(manifest) if entry["service"] not in gone]


def _taken_out(
    service: str, changed: Sequence[tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]]
) -> dict[str, str]:
    """The entry as it stands in the file, if the releases have brought it there; nothing if it was there before them."""
    found = [entry for _one, entries in changed for entry in entries if entry["service"] == service]
    if not found[-1]["inserted"]:
        return {}
    return {"service": service, "block_sha256": str(found[0]["block_sha256"])}


def _harm(
    taken: Sequence[Mapping[str, Any]],
    whole: Mapping[str, Any],
    selected: set[str],
    platform: Mapping[str, Mapping[str, Any]] | None,
) -> list[str]:
    """Why some parts must not be rolled back while others stay."""
    recreated = {
        str(entry.get("object"))
        for one in taken
        for entry in one.get("journal") or []
        if entry.get("phase") == "rollout" and entry.get("event") in (INTENT, DONE, FAILED)
    }
    # A release that has come to its end without a journal has lost it: then each of its services may have been recreated.
    for one in taken:
        if not one.get("journal") and one["manifest"].get("status") in ("closed", "partly_rolled_back"):
            recreated.update(one["manifest"].get("services") or {})

    def done(part: str) -> bool:
        return all(
            part in rolled_back_parts(one["manifest"])
            for one in taken
            if part in touched_parts(one["manifest"])
        )

    def consumes(name: str) -> bool:
        return bool(((platform or {}).get(name) or {}).get("consumes"))

    left = [
        name for name in whole["services"] if name in recreated and name not in selected and not done(name)
    ]
    harm = []
    # Without its container's name nobody could prove that the previous image runs again.
    lost = [
        name
        for name, was in whole["services"].items()
        if platform is not None
        and name in selected
        and not done(name)
        and was.get("existed")
        and was.get("image_before")
        and was.get("up_before", True)
        and not (platform.get(name) or {}).get("container")
    ]
    if lost:
        harm.append(
            f"{', '.join(lost)}: the release has changed what the inventory no longer names. Expected an entry of platform_services "
            f"with its container, which is looked at afterwards. Add it for the rollback, or roll other parts back with --tags"
        )
    if SCHEMA in selected and not done(SCHEMA) and left:
        harm.append(
            f"{', '.join(left)} run code that writes into what the schema would lose: rows would be refused. "
            f"Roll them back, too: --tags {tags_of({*selected, *left}, whole)}"
        )
    readers = sorted(name for name in whole["services"] if name in selected & recreated and consumes(name))
    producers = [name for name in left if not consumes(name)]
    if readers and producers:
        harm.append(
            f"{', '.join(producers)} publish what the previous {', '.join(readers)} does not store. "
            f"Roll them back, too: --tags {tags_of({*selected, *producers}, whole)}"
        )
    return harm
