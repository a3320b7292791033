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

from .change_journal import DONE, FAILED, INTENT
from .release_store import Release, ReleaseError, ReleaseStore

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
    if target:
        return store.to_take_back("" if target == FIRST else target)
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
        return [named]
    begun = store.rolling_back()
    if begun:
        return begun
    newest = store.ids()[-1:]
    return [standing] if standing and [standing.id] == newest else []


def chosen_parts(tags: Iterable[str]) -> list[str]:
    """Return the parts that a run's tags name; all of them if they name none."""
    wanted = [part for part in PARTS if part in tags]
    return wanted or list(PARTS)


def rollback_plan(taken: Sequence[Mapping[str, Any]], parts: Sequence[str]) -> dict[str, Any]:
    """Return the way back as data.

    ``taken``: the releases, the newest first, each with release, manifest, journal and path. Returns

    - services: as a manifest holds them
    - compose: the option values of compose_restore; empty if the file was not changed
    - schema: release and steps, the newest first
    - manifest: the same as one manifest, for the checks of the old state
    - releases: their ids; to: the release before them, or ``none``; whole: false if parts are left out; parts: what is taken back then, in all
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
    done = {part for one in taken for part in one["manifest"].get("taken_back") or []}
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
        "whole": set(PARTS) <= done | set(parts),
        "parts": sorted(done | set(parts)),
        "harm": _harm(taken, kinds, parts, done, any(one["steps"] for one in steps)),
    }


def _compose(taken: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """From the compose file as the newest release left it to the one that the oldest has found."""
    changed = [
        one
        for one in taken
        if one["manifest"]["compose"]["sha256_before"] != one["manifest"]["compose"]["sha256_after"]
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
    has_steps: bool,
) -> list[str]:
    """Why a part must not be taken back by itself."""
    if SCHEMA not in parts or not has_steps:
        return []
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
    missing = [part for part, names in left.items() if names]
    if not missing:
        return []
    names = ", ".join(name for part in missing for name in left[part])
    return [
        f"{names} run code that writes into what the schema would lose: rows would be refused. "
        f"Take them back, too: --tags {','.join([*missing, SCHEMA])}"
    ]
