# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollback does: one way back over one or several releases, or over a part of one.

Everything comes from the records of the releases on the target. Where several releases are taken back at once, a service goes straight to
the image of before the oldest of them, and is away once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .journal import DONE, FAILED, INTENT
from .store import Release, ReleaseError, ReleaseStore

SCHEMA, SERVICES, TICK_AGGREGATOR = "schema", "services", "tick_aggregator"
#: What can be taken back by itself: the schema, the services that ran before, what the release has added to the compose file.
PARTS = (SCHEMA, SERVICES, TICK_AGGREGATOR)
#: In place of a release: the state before all of them.
FIRST = "none"


def releases_to_take_back(store: ReleaseStore, release: str, target: str) -> list[Release]:
    """Return the releases that a rollback takes back, the newest first; none if that was done already.

    ``release`` names the one to take back, ``target`` the one to go back to (``none``: before all of them). With neither it is the rollback that
    was cut off, or the newest release: it is taken back once, and asking again does not take back the one before it, too.
    """
    if release and target:
        raise ReleaseError(
            f"rollback_release={release} and release_to={target}: expected one of them. Nothing was changed"
        )
    begun = store.rolling_back()
    if target:
        found = store.to_take_back("" if target == FIRST else target)
        if len(begun) > 1 and not {one.id for one in begun} <= {one.id for one in found}:
            raise store.cut_off(begun)
        return found
    standing = next(store.lineage(), None)
    current = standing.id if standing else "none"
    if release:
        named = store.release(release)
        if named.manifest().get("status") == "rolled_back":
            return []
        if current != release:
            raise ReleaseError(
                f"release {release} is not the one that the platform is at ({current}): take the later ones back first, "
                f"or all at once with -e release_to=<the release to go back to>. Nothing was changed"
            )
        if len(begun) > 1:
            raise store.cut_off(begun)
        return [named]
    if begun:
        return begun
    newest = store.ids()[-1:]
    return [standing] if standing and [standing.id] == newest else []


def chosen_parts(tags: Iterable[str], skipped: Iterable[str] = ()) -> list[str]:
    """Return the parts that a run's tags name; all of them if it was given none.

    Another tag, or a part to skip, raises :class:`ReleaseError`: a part that is misspelt must not become all of them.
    """
    given, left_out = set(tags) - {"all", "always"}, set(skipped) & set(PARTS)
    unknown = sorted(given - set(PARTS))
    if unknown or left_out:
        what = (
            f"--tags {','.join(unknown)} names no part of a rollback"
            if unknown
            else f"--skip-tags {','.join(sorted(left_out))} leaves nothing out of a rollback"
        )
        raise ReleaseError(
            f"{what}: expected --tags with some of {', '.join(PARTS)}, or none for all of them. Nothing was changed"
        )
    return [part for part in PARTS if part in given] or list(PARTS)


def _touches(one: Mapping[str, Any], part: str) -> bool:
    """Whether a release has changed something of a part."""
    manifest = one["manifest"]
    if part == SCHEMA:
        return bool((manifest.get("schema") or {}).get("steps"))
    existed = [bool(was["existed"]) for was in (manifest.get("services") or {}).values()]
    if part == SERVICES:
        return any(existed)
    file = manifest.get("compose") or {}
    return not all(existed) or file.get("sha256_before") != file.get("sha256_after")


def _taken_back(one: Mapping[str, Any]) -> set[str]:
    """The parts of a release that an earlier rollback has taken back."""
    return set(one["manifest"].get("taken_back") or [])


def _outcome(one: Mapping[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """What becomes of one release: its state, and the parts that are taken back then."""
    gone = _taken_back(one) | set(parts)
    whole = all(part in gone for part in PARTS if _touches(one, part))
    return {"status": "rolled_back" if whole else "partly_rolled_back", "taken_back": sorted(gone)}


def rollback_plan(
    taken: Sequence[Mapping[str, Any]],
    parts: Sequence[str],
    platform: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the way back as data.

    ``taken``: the releases, the newest first, each with release, manifest, journal and path. ``platform``: the platform's services, of which
    C(consumes) tells those that read from the broker. Returns

    - services: as a manifest holds them
    - compose: the option values of compose_restore; empty if the file was not changed
    - schema: release and steps, the newest first
    - manifest: the same as one manifest, for the checks of the old state
    - releases: their ids; to: the release before them, or ``none``; parts: the chosen ones
    - outcomes: for each release its status and the parts that are taken back then
    - harm: why it must not be done; empty if it may
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise ReleaseError(f"parts: found {', '.join(unknown)}, expected some of {', '.join(PARTS)}")
    services: dict[str, Any] = {}
    for one in taken:  # the oldest comes last, and its word is what was there before all of them
        services.update(one["manifest"].get("services") or {})
    kinds = {name: SERVICES if was["existed"] else TICK_AGGREGATOR for name, was in services.items()}
    steps = [
        {"release": one["release"], "steps": (one["manifest"].get("schema") or {}).get("steps") or []}
        for one in taken
    ]
    done = {part for part in PARTS if all(part in _taken_back(one) for one in taken if _touches(one, part))}
    chosen = {name: was for name, was in services.items() if kinds[name] in parts}
    schema = [one for one in steps if one["steps"]] if SCHEMA in parts else []
    return {
        "releases": [one["release"] for one in taken],
        "to": (taken[-1]["manifest"].get("previous") if taken else None) or FIRST,
        "services": chosen,
        "compose": _compose(taken) if TICK_AGGREGATOR in parts else {},
        "schema": schema,
        # The same in the form of one release's manifest, for what checks the old state.
        "manifest": {
            "services": chosen,
            "schema": {"steps": [step for one in schema for step in one["steps"]]},
        },
        "outcomes": {one["release"]: _outcome(one, parts) for one in taken},
        "parts": sorted(parts),
        "harm": _harm(taken, kinds, parts, done, platform or {}),
    }


def _compose(taken: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """From the compose file as the newest release left it to the one that the oldest has found."""
    changed = [
        one
        for one in taken
        if one["manifest"]["compose"]["sha256_before"] != one["manifest"]["compose"]["sha256_after"]
        and TICK_AGGREGATOR not in _taken_back(one)
    ]
    if not changed:
        return {}
    newest, oldest = changed[0]["manifest"]["compose"], changed[-1]["manifest"]["compose"]
    pairs = zip(changed, changed[1:])
    # Somebody has edited the file between two of them: no saved file holds both.
    whole = all(
        later["manifest"]["compose"]["sha256_before"] == earlier["manifest"]["compose"]["sha256_after"]
        for later, earlier in pairs
    )
    return {
        "path": newest["path"],
        "backup": f"{changed[-1]['path']}/backup/docker-compose.yml",
        "sha256_before": oldest["sha256_before"],
        "sha256_after": newest["sha256_after"] if whole else "",
        "service": newest.get("inserted") or "" if len(changed) == 1 else "",
        "block_sha256": newest.get("block_sha256") or "" if len(changed) == 1 else "",
    }


def _harm(
    taken: Sequence[Mapping[str, Any]],
    kinds: Mapping[str, str],
    parts: Sequence[str],
    done: set[str],
    platform: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """Why some parts must not be taken back while others stay."""
    swapped = {
        str(entry.get("object"))
        for one in taken
        for entry in one.get("journal") or []
        if entry.get("phase") == "rollout" and entry.get("event") in (INTENT, DONE, FAILED)
    }
    left = {
        part: sorted(name for name, kind in kinds.items() if kind == part and name in swapped)
        for part in (SERVICES, TICK_AGGREGATOR)
        if part not in parts and part not in done
    }
    harm = []
    writers = [part for part, names in left.items() if names]
    if SCHEMA in parts and SCHEMA not in done and writers:
        harm.append(
            f"{_names(left, writers)} run code that writes into what the schema would lose: rows would be refused. "
            f"Take them back, too: --tags {','.join([*writers, SCHEMA])}"
        )

    def consumes(name: str) -> bool:
        return bool((platform.get(name) or {}).get("consumes"))

    readers = sorted(
        name for name, kind in kinds.items() if kind in parts and name in swapped and consumes(name)
    )
    left = {part: [name for name in names if not consumes(name)] for part, names in left.items()}
    producers = [part for part, names in left.items() if names]
    if readers and producers:
        harm.append(
            f"{_names(left, producers)} publish what the {', '.join(readers)} of before does not store. "
            f"Take them back, too: --tags {','.join(part for part in PARTS if part in {*parts, *producers})}"
        )
    return harm


def _names(left: Mapping[str, Sequence[str]], parts: Sequence[str]) -> str:
    return ", ".join(name for part in parts for name in left[part])
