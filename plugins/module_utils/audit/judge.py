# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a service: from what was seen of it, to what it is, why, and what to do.

Pure functions: everything that they judge is in :class:`ServiceFacts`, nothing is asked of the engine here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from ..common.times import age, creation_time, table_time
from ..docker.engine import Container, ImageInfo
from ..sources.digest import DIGEST_LABEL, DIGEST_VERSION

OK, STALE, MISSING = "ok", "stale", "missing"
NOT_RUNNING, DIRTY, UNKNOWN = "not_running", "dirty", "unknown"
# What a service is called when several things are true of it: the first of these.
_PRECEDENCE = (MISSING, STALE, NOT_RUNNING, UNKNOWN, DIRTY)


@dataclass(frozen=True)
class Reason:
    """``code`` is for machines, ``text`` for people, ``short`` for a table; ``verdict`` is what it argues for."""

    code: str
    text: str
    short: str = ""
    verdict: str = OK


@dataclass(frozen=True)
class CodeState:
    """What git says about the files that the build reads."""

    time: int
    commit: str
    subject: str
    dirty_paths: tuple[str, ...] = ()
    commits_since_image: int = 0


@dataclass(frozen=True)
class NewerFile:
    path: str
    moment: float


@dataclass(frozen=True)
class ServiceFacts:
    """What was seen of one service. None means: not asked or not known."""

    name: str
    image_ref: str
    in_compose: bool = True
    built_locally: bool = True
    wanted: bool = True
    one_shot: bool = False
    image: ImageInfo | None = None
    containers: tuple[Container, ...] = ()
    source_digest: str | None = None
    source_problem: str = ""
    code: CodeState | None = None
    code_problem: str = ""
    config_matches: bool | None = None
    newer_files: tuple[NewerFile, ...] = ()
    missing_mounts: tuple[str, ...] = ()
    missing_sources: tuple[str, ...] = ()
    base_current: bool | None = None
    base_image: str = ""
    stale_base_counts: bool = False


@dataclass(frozen=True)
class Verdict:
    verdict: str
    action: str
    reasons: tuple[Reason, ...]


def judge(facts: ServiceFacts) -> Verdict:
    """The verdict, the action and every reason, the decisive ones first."""
    unused = facts.in_compose and not facts.wanted and not facts.containers
    reasons = [_unused()] if unused else _image_reasons(facts) + _container_reasons(facts)
    found = [verdict for verdict in _PRECEDENCE if any(reason.verdict == verdict for reason in reasons)]
    verdict = found[0] if found else OK
    if not reasons:
        reasons = [_fine(facts)]
    order = [*_PRECEDENCE, OK]
    return Verdict(
        verdict, _action(facts, reasons), tuple(sorted(reasons, key=lambda one: order.index(one.verdict)))
    )


def _unused() -> Reason:
    text = "only its profile starts it, and it was not asked for by name"
    return Reason("profile_inactive", text, "Not in use")


def _image_reasons(facts: ServiceFacts) -> list[Reason]:
    """Layer 1: is there an image, and was it built from the code that is here?"""
    reasons: list[Reason] = []
    if not facts.in_compose:
        reasons.append(
            Reason("not_in_compose", "the compose file has no such service yet", "Not deployed", MISSING)
        )
    if facts.image is None:
        what = "was never built" if facts.built_locally else "is not on this host"
        reasons.append(Reason("image_missing", f"the image {facts.image_ref} {what}", "No image", MISSING))
    if not facts.built_locally:
        return reasons
    for pattern in facts.missing_sources:
        text = f"the Dockerfile copies {pattern}, which is not in the build context: a build would fail"
        reasons.append(Reason("source_missing", text, "Build would fail", UNKNOWN))
    if facts.source_problem:
        reasons.append(Reason("source_unknown", facts.source_problem, "Sources unknown", UNKNOWN))
    elif facts.image is not None:
        reasons += _freshness(facts, facts.image)
    if facts.code is not None and facts.code.dirty_paths:
        paths = facts.code.dirty_paths
        shown = ", ".join(paths[:5]) + (f" and {len(paths) - 5} more" if len(paths) > 5 else "")
        reasons.append(Reason("dirty", f"uncommitted changes in {shown}", "Uncommitted code", DIRTY))
    if facts.base_current is False:
        verdict = STALE if facts.stale_base_counts else OK
        text = f"the image stands on an older {facts.base_image} than the one on this host"
        reasons.append(Reason("base_image_changed", text, "Base image newer", verdict))
    return reasons


def _freshness(facts: ServiceFacts, image: ImageInfo) -> list[Reason]:
    label = image.labels.get(DIGEST_LABEL, "")
    created = creation_time(image.created)
    younger = _younger(facts.code, created)
    since = f"code {age(younger)} newer" if younger is not None else ""
    if label.startswith(DIGEST_VERSION + ":") and facts.source_digest:
        if label == facts.source_digest:
            return []
        text = "what the build reads has changed since the image was built"
        text += f" ({since}; {_commits(facts.code)})" if since else ""
        return [
            Reason(
                "source_changed",
                text,
                f"Code {age(younger)} newer" if younger is not None else "Code changed",
                STALE,
            )
        ]
    if facts.code is None:
        why = facts.code_problem or "the code is in no git work tree"
        text = f"the image has no label {DIGEST_LABEL}, and {why}: whether it is current is unknown"
        return [Reason("freshness_unknown", text, "Age of code unknown", UNKNOWN)]
    if created is None:
        text = f"the image has no label {DIGEST_LABEL}, and its creation time {image.created} says nothing"
        return [Reason("freshness_unknown", text, "Age of image unknown", UNKNOWN)]
    if younger is not None:
        text = f"{since} than the image: {_commits(facts.code)}, the last is {facts.code.commit[:12]}"
        return [Reason("code_newer", text, f"Code {age(younger)} newer", STALE)]
    return []


def _younger(code: CodeState | None, created: datetime | None) -> float | None:
    """By how many seconds the code is younger than the image; None if it is not.

    git keeps whole seconds: code that was committed in the second in which the image was made may well be missing
    from it, so it counts as younger. A build too many costs seconds, one too few costs data.
    """
    if code is None or created is None or code.time < int(created.timestamp()):
        return None
    return max(code.time - created.timestamp(), 0.0)


def _commits(code: CodeState | None) -> str:
    count = code.commits_since_image if code is not None else 0
    return f"{count} commit{'' if count == 1 else 's'} since"


def _container_reasons(facts: ServiceFacts) -> list[Reason]:
    """Layers 2 to 4: does what runs match the tag, the compose file and the mounted files?"""
    if not facts.in_compose:
        return []
    if not facts.containers:
        return [Reason("no_container", "it has no container", "Not running", NOT_RUNNING)]
    reasons: list[Reason] = []
    for container in facts.containers:
        reasons += _state_reasons(facts, container)
    if facts.image is not None and any(one.image_id != facts.image.id for one in facts.containers):
        text = f"the running container is older than the image {facts.image_ref}"
        reasons.append(Reason("image_not_running", text, "Container older than image", STALE))
    if facts.config_matches is False:
        text = "the container was made from another configuration than the compose file has now"
        reasons.append(Reason("config_changed", text, "Configuration changed", STALE))
    elif facts.config_matches is None:
        text = "the container has no config hash of Docker Compose"
        reasons.append(Reason("config_unknown", text, "Configuration unknown", UNKNOWN))
    if facts.newer_files:
        newest = max(facts.newer_files, key=lambda one: one.moment)
        more = f" and {len(facts.newer_files) - 1} more" if len(facts.newer_files) > 1 else ""
        text = f"mounted files are newer than the container's start: {newest.path}{more}"
        reasons.append(Reason("mount_newer", text, "Mounted file newer", STALE))
    for path in facts.missing_mounts:
        reasons.append(Reason("mount_missing", f"the mounted path {path} does not exist", "Mount missing"))
    return reasons


def _state_reasons(facts: ServiceFacts, container: Container) -> list[Reason]:
    state = container.state
    if state == "running":
        if container.health == "unhealthy":
            text = f"{container.name} runs, but its healthcheck fails"
            return [Reason("unhealthy", text, "Unhealthy", NOT_RUNNING)]
        if container.health == "starting":
            return [
                Reason(
                    "health_starting", f"{container.name} has not finished its first healthcheck", "Starting"
                )
            ]
        return []
    if state == "exited" and facts.one_shot:
        if container.exit_code == 0:
            return []
        text = f"{container.name} runs once, and failed with exit code {container.exit_code}"
        return [Reason("one_shot_failed", text, f"Failed (exit {container.exit_code})", NOT_RUNNING)]
    if state == "restarting":
        text = f"{container.name} restarts again and again ({container.restart_count} times, exit code "
        return [Reason("crash_loop", f"{text}{container.exit_code})", "Crash loop", NOT_RUNNING)]
    detail = f" (exit code {container.exit_code})" if state == "exited" else ""
    return [
        Reason("not_running", f"{container.name} is {state}{detail}", f"Not running ({state})", NOT_RUNNING)
    ]


def _fine(facts: ServiceFacts) -> Reason:
    ran_once = facts.one_shot and bool(facts.containers) and facts.containers[0].state == "exited"
    code = "ran_once" if ran_once else "current" if facts.built_locally else "running"
    if not facts.built_locally:
        text = "it runs the image and the configuration of the compose file"
        return Reason(code, "it ran once, and ended with exit code 0" if ran_once else text, _word(ran_once))
    labelled = facts.image is not None and facts.image.labels.get(DIGEST_LABEL)
    matches = bool(labelled) and labelled == facts.source_digest
    text = "the image matches the code" if matches else "the image is newer than the code"
    text += ", and it ran once with exit code 0" if ran_once else ", and runs as configured"
    return Reason(code, text, "Image matches code" if matches else "Image newer")


def _word(ran_once: bool) -> str:
    return "Ran once" if ran_once else "Running"


def _action(facts: ServiceFacts, reasons: Sequence[Reason]) -> str:
    """none, build, build_and_start, start or recreate: the least that fixes what the reasons say."""
    codes = {reason.code for reason in reasons if reason.verdict != OK}
    builds = {"source_changed", "code_newer", "base_image_changed", "image_missing"}
    if facts.built_locally and codes & builds:
        running = any(one.state in ("running", "restarting") for one in facts.containers)
        return "build" if facts.in_compose and running else "build_and_start"
    if codes & {"image_not_running", "config_changed", "mount_newer", "unhealthy", "crash_loop"}:
        return "recreate"
    if codes & {"not_in_compose", "image_missing", "no_container", "not_running", "one_shot_failed"}:
        return "start"
    return "none"


_ACTIONS = {
    "none": "OK",
    "build": "REBUILD",
    "build_and_start": "BUILD + DEPLOY",
    "start": "START",
    "recreate": "RECREATE",
}

# What a person has to do where no action of ours would help.
_UNDECIDED = {UNKNOWN: "CHECK", DIRTY: "COMMIT"}


def table_row(facts: ServiceFacts, verdict: Verdict) -> dict[str, str]:
    """One row of the audit's table: service, image build time, code modified, status, action."""
    created = creation_time(facts.image.created) if facts.image is not None else None
    modified = datetime.fromtimestamp(facts.code.time, timezone.utc) if facts.code is not None else None
    decisive = next((one for one in verdict.reasons if one.verdict == verdict.verdict), verdict.reasons[0])
    short = decisive.short
    if verdict.verdict == OK and decisive.code not in ("profile_inactive", "health_starting"):
        short = _fine(facts).short
    sign = {OK: "✅", UNKNOWN: "❓", DIRTY: "⚠️"}.get(verdict.verdict, "❌")
    action = _UNDECIDED.get(verdict.verdict, _ACTIONS[verdict.action])
    return {
        "service": facts.name,
        "image_built": table_time(created),
        "code_modified": table_time(modified) if facts.built_locally else "-",
        "status": f"{sign} {short}",
        "action": action,
    }
