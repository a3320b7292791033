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
    rolled_back: list[str]  # the parts that are rolled back
    taken_back: list[str]  # the same, as version 0.1.0 wrote it


# Plans --------------------------------------------------------------------------------------------------------


class DeployScope(TypedDict):
    """What a deploy works on, as the tags choose it."""

    schema: bool
    services: list[str]  # in the order in which they are replaced
    entries: list[str]  # those of them that the compose file need not have yet


class PlannedSchema(TypedDict):
    """What a deploy does to the schema."""

    steps: list[dict[str, Any]]  # each as schema.steps.Step.to_dict has it
    refused: list[dict[str, Any]]
    restored: list[dict[str, Any]]  # what comes back from the quarantine
    findings: list[dict[str, Any]]  # what the live data says
    hash: str
    fingerprint: str


class PlannedCompose(TypedDict):
    """What a deploy does to the compose file."""

    path: str
    changed: bool
    sha256_before: str
    sha256_after: str
    block: str  # the text of the entries that are written
    entries: list[EntryRecord]


class DeployPlan(TypedDict):
    """What a deploy will do: shown, approved by its hash, and carried out."""

    schema: PlannedSchema
    compose: PlannedCompose
    services: list[dict[str, str]]  # the audit's table
    reasons: dict[str, list[str]]  # by service: why it is not as it should be
    build: list[str]
    recreate: list[str]
    changes: bool
    left: list[str]  # what the tags leave out, and would be deployed without them
    harm: list[str]  # why it must not be carried out
    expected_downtime_seconds: float
    hash: str


class RollbackOfCompose(TypedDict, total=False):
    """The options of compose_rollback; empty if the file was not changed."""

    path: str
    backup: str
    sha256_before: str
    sha256_after: str
    entries: list[dict[str, str]]


class RollbackOfSchema(TypedDict):
    """The steps of one release, for their rollback."""

    release: str
    steps: list[dict[str, Any]]


class RollbackOutcome(TypedDict):
    """What becomes of one release."""

    status: str  # rolled_back, partly_rolled_back
    rolled_back: list[str]  # all its parts that are rolled back then


class RollbackPlan(TypedDict):
    """What a rollback will do; see releases.rollback_plan."""

    releases: list[str]  # the newest first
    to: str  # the release before them, or none
    services: dict[str, ServiceRecord]
    images: dict[str, str]  # by service: id of the image that it goes back to
    compose: RollbackOfCompose
    schema: list[RollbackOfSchema]  # the newest first
    manifest: Manifest  # the same as one manifest, for the checks of the previous state
    outcomes: dict[str, RollbackOutcome]  # by release
    parts: list[str]
    harm: list[str]  # why it must not be done
