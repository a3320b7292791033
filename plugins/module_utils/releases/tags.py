# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tags of a deploy or a rollback choose."""

from __future__ import annotations

from collections.abc import Iterable

from .parts import SCHEMA, SERVICES
from .store import ReleaseError


def chosen_parts(
    tags: Iterable[str], skipped: Iterable[str] = (), services: Iterable[str] = (), operation: str = "deploy"
) -> list[str]:
    """Return the parts that a run's tags name: ``schema``, ``services``, names of services; none if it was given none.

    A service may be written with underscores in place of its dashes. Another tag, or a part to skip, raises
    :class:`ReleaseError`: a part that is misspelt must not become all of them. So does any tag where the ``operation`` is neither ``deploy``
    nor ``rollback``: the others look at everything.
    """
    known = [SCHEMA, SERVICES, *services]
    names = {**{name.replace("-", "_"): name for name in known}, **{name: name for name in known}}
    given, left_out = set(tags) - {"all", "always"}, sorted(set(skipped) & set(names))
    if given and operation not in ("deploy", "rollback"):
        raise ReleaseError(
            f"--tags {','.join(sorted(given))} chooses nothing of the operation {operation}: it looks at the whole platform. "
            f"Expected no --tags. Nothing was changed"
        )
    unknown = sorted(given - set(names))
    if unknown or left_out:
        what = (
            f"--tags {','.join(unknown)} names no part of the platform"
            if unknown
            else f"--skip-tags {','.join(left_out)} leaves nothing out"
        )
        raise ReleaseError(
            f"{what}: expected --tags with some of {', '.join(known)}, or none for all of them. Nothing was changed"
        )
    chosen = {names[tag] for tag in given}
    return [part for part in known if part in chosen]
