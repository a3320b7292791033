# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The releases of one target: a folder for each, with a manifest, a journal and the saved files.

Layout below the state directory (mode 0700, files 0600)::

    releases/<id>/manifest.json    what the release found and changed; replaced atomically
    releases/<id>/journal.jsonl    one line for each intent and outcome; appended and synced
    releases/<id>/backup/<name>    files as they were before the first change, never overwritten
    current -> releases/<id>       the release that the platform is at
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import takewhile
from pathlib import Path
from typing import Any, cast

from ..common.errors import PlatformError
from ..common.files import DamagedLine, append_lines, read_lines, replace_file, replace_link
from ..common.times import utc_now
from .model import EntryRecord, JournalLine, Manifest
from .parts import OLD_PARTS, manifest_entries

RELEASE_ID = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,79}$")
BACKUP_NAME = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,119}$")
#: A rollback of the release has begun: the platform is somewhere between its state and the one before it.
ROLLING_BACK = "rolling_back"
#: A release in one of these states is not finished: the next deploy goes on with it.
UNFINISHED = ("open", "failed", ROLLING_BACK)


class ReleaseError(PlatformError):
    """A release that cannot be read or written; the message names the path and what was expected."""


def merged_manifest(base: Manifest, update: Manifest) -> Manifest:
    """Return the manifest ``base`` with ``update`` laid over it."""
    return cast("Manifest", deep_merge(dict(base), dict(update)))


def deep_merge(base: dict[str, Any], update: dict[str, Any]) -> dict[str, Any]:
    """Return ``base`` with ``update`` laid over it; dictionaries are merged, anything else is replaced."""
    merged = dict(base)
    for key, value in update.items():
        if isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = deep_merge(merged[key], value)
        else:
            merged[key] = value
    return merged


def continued(found: Manifest, now: Manifest) -> Manifest:
    """Return the manifest of a release that goes on: what was found first stays, what is new is added.

    Lists grow by what they do not hold yet, so a later rollback undoes the steps of all attempts.
    """
    return cast("Manifest", _continued(dict(found), dict(now)))


def _continued(found: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    merged = dict(found)
    for key, value in now.items():
        old = merged.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            merged[key] = _continued(old, value)
        elif isinstance(old, list) and isinstance(value, list):
            merged[key] = old + [item for item in value if item not in old]
        elif key not in merged:
            merged[key] = value
    return merged


def settle_compose(merged: Manifest, found: Manifest, now: Manifest) -> bool:
    """Bring the compose facts of a continued manifest up to date; say whether the saved file has to be saved anew.

    The file after this attempt is what this attempt makes of it. If somebody edited the file between the
    attempts, before our entry was in it, then that edit is the state to which a rollback goes back.
    """
    old, new = found.get("compose") or {}, now.get("compose") or {}
    if not old or not new:
        return False
    ours = (old["sha256_before"], old["sha256_after"])
    if new["sha256_before"] not in ours and new["sha256_before"] == new["sha256_after"]:
        # Edited since, with our entry in it: a rollback finds neither of our files, and takes out the entry alone.
        return False
    if new["sha256_before"] not in ours:
        merged["compose"] = new
        return True
    merged["compose"] = {
        "path": old.get("path", ""),
        "sha256_before": old["sha256_before"],
        "sha256_after": new["sha256_after"],
        "entries": _continued_entries(found, now),
    }
    return False


def _continued_entries(found: Manifest, now: Manifest) -> list[EntryRecord]:
    """The entries of all attempts, each as it stands in the file now; one that an attempt has inserted was not there before."""
    entries = {one["service"]: one for one in manifest_entries(found)}
    for one in manifest_entries(now):
        before = entries.get(one["service"])
        inserted = one["inserted"] or (before is not None and before["inserted"])
        entries[one["service"]] = {**one, "inserted": inserted}
    return list(entries.values())


class Release:
    """One release's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest_path = folder / "manifest.json"
        self.journal_path = folder / "journal.jsonl"

    @property
    def id(self) -> str:
        return self.folder.name

    def manifest(self) -> Manifest:
        """Read the manifest; raise :class:`ReleaseError` if it is missing or damaged."""
        try:
            loaded = json.loads(self.manifest_path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise ReleaseError(
                f"release {self.id} has no manifest: {self.manifest_path} does not exist"
            ) from error
        except (ValueError, OSError) as error:
            raise ReleaseError(f"the manifest {self.manifest_path} cannot be read: {error}") from error
        if not isinstance(loaded, dict):
            raise ReleaseError(
                f"the manifest {self.manifest_path} holds a {type(loaded).__name__}, expected an object"
            )
        return cast("Manifest", loaded)

    def journal(self) -> list[JournalLine]:
        """Read the journal's entries. A last line that a crash has left incomplete is left out."""
        try:
            return cast("list[JournalLine]", read_lines(self.journal_path))
        except DamagedLine as error:
            raise ReleaseError(str(error)) from error

    def write_manifest(self, manifest: Manifest) -> None:
        text = json.dumps(manifest, indent=2, sort_keys=True, ensure_ascii=False)
        replace_file(self.manifest_path, (text + "\n").encode())

    def append(self, entries: Sequence[JournalLine]) -> None:
        """Append entries to the journal, each with the time now, and sync them to the disk."""
        append_lines(self.journal_path, ({"time": utc_now(), **entry} for entry in entries))

    def save(self, name: str, data: bytes) -> bool:
        """Keep bytes as ``backup/<name>``. What is kept already stays: the first copy is the state before."""
        if not BACKUP_NAME.match(name):
            raise ReleaseError(
                f"{name!r} is no name for a backup: expected letters, digits, dot, dash and underscore"
            )
        target = self.folder / "backup" / name
        if target.exists():
            return False
        target.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(target, data)
        return True


class ReleaseStore:
    """All releases below one state directory."""

    def __init__(self, state_dir: str) -> None:
        self.state_dir = Path(state_dir)
        self.releases = self.state_dir / "releases"
        self.current_link = self.state_dir / "current"

    def release(self, release_id: str) -> Release:
        if not RELEASE_ID.match(release_id):
            raise ReleaseError(
                f"{release_id!r} is no release id: expected letters, digits, dot, dash and underscore"
            )
        return Release(self.releases / release_id)

    def ids(self) -> list[str]:
        """Return the ids of all releases, oldest first (an id starts with its UTC time)."""
        if not self.releases.is_dir():
            return []
        found = [entry.name for entry in self.releases.iterdir() if entry.is_dir()]
        return sorted(name for name in found if RELEASE_ID.match(name))  # a file system's lost+found is none

    def current(self) -> Release | None:
        """Return the release that the platform is at, or None if there was none yet."""
        try:
            target = os.readlink(self.current_link)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ReleaseError(f"{self.current_link} is not the link that was expected: {error}") from error
        release = self.release(Path(target).name)
        if not release.folder.is_dir():
            raise ReleaseError(
                f"{self.current_link} points to release {release.id}, which is not in {self.releases}"
            )
        return release

    def unfinished(self) -> Release | None:
        """Return the current release if it was opened and neither closed nor rolled back.

        Raises :class:`ReleaseError` for a rollback over several releases that was interrupted: no single one can be gone on with.
        """
        current = self.current()
        manifest = current.manifest() if current is not None else {}
        if current is None or manifest.get("status") not in UNFINISHED:
            return None
        several = self.rolling_back()
        if len(several) > 1:
            raise self.interrupted(several)
        return current

    def interrupted(self, several: list[Release]) -> ReleaseError:
        """What to say of a rollback over several releases that was interrupted, where something else is wanted."""
        known = several[-1].manifest().get("rollback") or {}
        parts = known.get("parts") or []
        tags = f" --tags {','.join(parts)}" if parts and set(parts) != OLD_PARTS else ""
        return ReleaseError(
            f"a rollback over the releases {', '.join(one.id for one in several)} was interrupted: finish it first with "
            f"playbooks/rollback.yml -e release_to={known.get('to') or 'none'}{tags}. Nothing was changed"
        )

    def rolling_back(self) -> list[Release]:
        """Return the releases at the top of the lineage whose rollback has begun and not ended, the newest first."""
        return list(takewhile(lambda one: one.manifest().get("status") == ROLLING_BACK, self.lineage()))

    def open(self, release_id: str, manifest: Manifest) -> Release:
        """Make the folder and the first manifest of a release and point ``current`` to it."""
        release = self.release(release_id)
        previous = next(self.lineage(), None)
        release.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.state_dir, self.releases):
            folder.chmod(0o700)
        known: Manifest = {
            "id": release.id,
            "status": "open",
            "opened": utc_now(),
            "previous": previous.id if previous else None,
        }
        release.write_manifest(merged_manifest(manifest, known))
        self.point_to(release.id)
        return release

    def lineage(self) -> Iterator[Release]:
        """Yield the releases that the platform stands on, the newest (current) first, as far as they are kept."""
        release, seen = self.current(), set()
        while release is not None and release.id not in seen:
            seen.add(release.id)
            manifest = release.manifest()
            if manifest.get("status") != "rolled_back":
                yield release
            previous = manifest.get("previous")
            release = self.release(str(previous)) if previous in self.ids() else None

    def to_roll_back(self, target: str) -> list[Release]:
        """Return the releases to roll back, the newest first, so that the platform is at release ``target`` again.

        An empty ``target`` is the state before all of them. Raises :class:`ReleaseError` if it is none of those that the
        platform stands on.
        """
        found: list[Release] = []
        for one in self.lineage():
            if one.id == target:
                return found
            found.append(one)
        if target:
            names = [one.id for one in found]
            known = target in self.ids()
            status = self.release(target).manifest().get("status", "") if known else ""
            what = f"it is {status.replace('_', ' ')}" if known else "it is not on this host"
            raise ReleaseError(
                f"the platform does not stand on release {target} ({what}); it stands on {', '.join(names) or 'none'}. "
                "Nothing was changed"
            )
        return found

    def prune(self, keep: int) -> list[str]:
        """Remove the records of the oldest releases beyond ``keep`` (0 keeps all); returns their ids.

        Never the current one, the last good one before it, or one that cannot be read: that is for a person to look at.
        """
        if not keep:
            return []
        current = self.current()
        safe = {current.id} if current else set()
        with suppress(ReleaseError):  # beyond what cannot be read, nothing is known to be safe to go back to
            for one in self.lineage():
                safe.add(one.id)
                if one.id != (current.id if current else "") and one.manifest().get("status") == "closed":
                    break
        gone = []
        for name in self.ids()[:-keep]:
            try:
                status = self.release(name).manifest().get("status")
            except ReleaseError:
                continue
            if name not in safe and status not in UNFINISHED:
                shutil.rmtree(self.releases / name)
                gone.append(name)
        return gone

    def point_to(self, release_id: str | None) -> None:
        """Set the link ``current`` atomically; None, or a release that is not kept any more, removes it."""
        if release_id is None or release_id not in self.ids():
            self.current_link.unlink(missing_ok=True)
            return
        replace_link(self.current_link, Path("releases") / release_id)
