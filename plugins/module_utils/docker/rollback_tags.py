# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the tags ``<image>:rollback-<release>`` have had their day."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from ..common.command import CommandError
from ..common.times import release_time
from .engine import Engine

_TAG = re.compile(r"^(?P<repository>[^:]+(?::\d+/[^:]+)?):rollback-(?P<release>[0-9A-Za-z][0-9A-Za-z._-]*)$")
_DAY = 24 * 3600


def rollback_tags(engine: Engine, repositories: Collection[str]) -> dict[str, list[tuple[str, str]]]:
    """Repository to its rollback tags, each as (release, tag), the newest release first."""
    listed = engine.run(
        ["image", "ls", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}}"]
    ).stdout.splitlines()
    found: dict[str, list[tuple[str, str]]] = {}
    for line in sorted(set(listed)):
        match = _TAG.match(line.strip())
        if match and match.group("repository") in repositories:
            found.setdefault(match.group("repository"), []).append((match.group("release"), line.strip()))
    return {name: sorted(tags, reverse=True) for name, tags in found.items()}


def outdated(
    tags: Sequence[tuple[str, str]], retained: Collection[str], keep: int, keep_days: float, now: float
) -> list[str]:
    """The tags of one repository that are beyond both limits and that no retained release needs.

    ``tags`` begin with the newest. A release whose name has no time keeps its tag: nobody knows how old it is.
    """
    gone = []
    for number, (release, tag) in enumerate(tags):
        begun = release_time(release)
        old = begun is not None and now - begun > keep_days * _DAY
        if number >= keep and old and release not in retained:
            gone.append(tag)
    return gone


def remove_tags(engine: Engine, tags: Iterable[str]) -> list[str]:
    """Take the tags away; returns those that are gone. The only tag of an image that a container uses stays."""
    gone = []
    for tag in tags:
        try:
            engine.run(["image", "rm", tag])
        except CommandError as error:
            if "conflict" not in str(error).lower():
                raise
            continue  # nothing is forced: what a container stands on is no rubbish
        gone.append(tag)
    return gone
