# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the record of a release holds. The dicts travel through Ansible and JSON, so these are TypedDicts.

A record that version 0.1.0 wrote has the same keys, but for the steps of its schema, which ``schema.steps`` reads, and the entries of the
compose file, which ``releases.parts`` reads.
"""

from __future__ import annotations

from typing import Any, TypedDict


class JournalLine(TypedDict, total=False):
    """One line of ``journal.jsonl``: an intent before a change, its outcome after it, or something else worth keeping."""

    time: str  # RFC 3339, UTC, milliseconds
    phase: str  # schema, build, compose, rollout, lock, ...
    object: str  # what changes
    event: str  # planned, intent, done, failed, taken_over, ...
    undo: str  # of an intent: what rolls it back, for people; version 0.1.0 wrote it as "reverse"
    process: str  # of an intent: who does it; see common.processes.this_process
    error: str  # of what failed
    seconds: str  # of what is done: how long it took
    image_before: str  # of a container that was replaced: id of the image that it ran
    image: str  # and of the one that it runs now
    quarantine: str  # of a schema operation: where it has put rows
    rows: str  # and how many


class EntryRecord(TypedDict):
    """What a release has done to the entry of one service in the compose file."""

    service: str
    inserted: bool  # or replaced
    block_sha256: str  # of the entry as the release left it


class ComposeRecord(TypedDict, total=False):
    """The compose file before and after a release."""

    path: str
    sha256_before: str
    sha256_after: str
    entries: list[EntryRecord]
    inserted: str  # of 0.1.0, in place of entries: the service whose entry the release has added; "" for none
    block_sha256: str  # and of that entry


class ServiceRecord(TypedDict, total=False):
    """A service whose container a release replaces, as it was before."""

    tag: str
    order: int
    existed: bool
    image_before: str
    container_before: str
    up_before: bool


class SchemaRecord(TypedDict, total=False):
    """What a release does to the schema: the steps of its plan, and of which plan."""

    steps: list[dict[str, Any]]  # each as schema.steps.Step.to_dict has it
    hash: str  # of the plan of its first run
    fingerprint: str  # of the schema that this plan was made for


class Executed(TypedDict, total=False):
    """What one run has executed; see report.executed."""

    statements: list[dict[str, Any]]  # statement, seconds
    images: list[dict[str, str]]  # service, before, after
    quarantined: list[dict[str, Any]]  # object, quarantine, rows
    restored: list[dict[str, Any]]  # object, quarantine, rows


class Manifest(TypedDict, total=False):
    """``manifest.json``: what a release found and changed."""

    id: str
    status: str  # open, failed, closed, rolling_back, rolled_back, partly_rolled_back
    opened: str
    closed: str
    previous: str | None  # id of the release before it
    plan: str  # hash of the deploy's plan
    backend_revision: str
    user: str
    controller: str
    environment: str
    compose: ComposeRecord
    schema: SchemaRecord
    services: dict[str, ServiceRecord]
    error: dict[str, Any]  # phase, object, message of the run that failed
    downtime: list[dict[str, Any]]  # service, seconds, budget
    executed: dict[str, Executed]  # by run: its id, or when it began and what it was
    rollback: dict[str, Any]  # of one that has begun: to, parts
    rolled_back: list[str]  # the parts that are rolled back; version 0.1.0 wrote them as "taken_back"
