# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The run of a playbook on one host: the one fact ``run_state``, and the decisions that are made on it.

A run begins, enters phases, fails or not, is undone or not, and ends. Each function takes the fact as it is and returns it as it is then,
so a play holds one dictionary and no second truth beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from ..common.errors import PlatformError
from ..common.times import id_time, utc_text
from .run import downtimes, failure, timed_phases

AUDIT, DEPLOY, VERIFY, MONITOR, ROLLBACK = "audit", "deploy", "verify", "monitor", "rollback"
OPERATIONS = (AUDIT, DEPLOY, VERIFY, MONITOR, ROLLBACK)
#: Whether the run rolls back what it has changed itself (or the release that it monitored): not (yet), it is at it, or it has.
NOT_UNDONE, UNDOING, UNDONE = "", "begun", "done"


class RunError(PlatformError):
    """A fact ``run_state`` that is none, or an option that no run knows."""


@dataclass(frozen=True)
class Phase:
    """A phase of the run: its name, and when it began (Unix seconds)."""

    name: str
    started: float


@dataclass(frozen=True)
class Failure:
    """What stopped the run: the phase, the object (of a loop the item, else the task), a message, and the command that undoes it, if any."""

    phase: str
    object: str
    message: str
    rollback_command: str = ""

    def to_dict(self) -> dict[str, str]:
        found = {"phase": self.phase, "object": self.object, "message": self.message}
        return {**found, "rollback_command": self.rollback_command} if self.rollback_command else found


@dataclass(frozen=True)
class Run:
    """The fact ``run_state``. Times are Unix seconds; what is not known (yet) is empty."""

    operation: str
    environment: str
    host: str
    user: str
    started: float
    #: How an operator calls a rollback of this host, without its options.
    rollback_playbook: str
    #: Parts that the tags name (``schema``, ``services``, names of services); none is all of them.
    parts: tuple[str, ...] = ()
    #: The release that the run has opened, goes on with, or rolls back.
    release: str = ""
    phases: tuple[Phase, ...] = ()
    error: Failure | None = None
    undo: str = NOT_UNDONE
    finished: float | None = None
    #: Services as the audit at the end found them: services, reasons, and problem where there is none.
    audit_after: Mapping[str, Any] = field(default_factory=dict)

    @property
    def phase(self) -> str:
        return self.phases[-1].name if self.phases else ""

    @property
    def report_id(self) -> str:
        """The name of the report: that of the release or, where there is none, of the run."""
        if self.release:
            return self.release + (f"-{self.operation}" if self.operation in (ROLLBACK, MONITOR) else "")
        return f"{id_time(self.started)}-{self.operation}"

    def to_dict(self) -> dict[str, Any]:
        return {
            **{one.name: getattr(self, one.name) for one in fields(self)},
            "parts": list(self.parts),
            "phases": [asdict(phase) for phase in self.phases],
            "error": self.error.to_dict() if self.error else {},
            "audit_after": dict(self.audit_after),
            "phase": self.phase,
            "report_id": self.report_id,
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Run:
        """Read the fact; raises :class:`RunError` if a value is missing, unknown, or not of its kind."""
        names = {one.name for one in fields(cls)}
        unknown = sorted(set(found) - names - {"phase", "report_id"})
        if unknown:
            raise RunError(
                f"run_state: found {', '.join(unknown)}, expected some of {', '.join(sorted(names))}"
            )
        missing = [
            name
            for name in ("operation", "environment", "host", "user", "started", "rollback_playbook")
            if name not in found
        ]
        if missing:
            raise RunError(
                f"run_state: has no {', '.join(missing)}; the entry point begin of the role run sets them"
            )
        if found["operation"] not in OPERATIONS:
            raise RunError(
                f"run_state: found operation {found['operation']!r}, expected one of {', '.join(OPERATIONS)}"
            )
        if found.get("undo", "") not in (NOT_UNDONE, UNDOING, UNDONE):
            raise RunError(
                f"run_state: found undo {found['undo']!r}, expected nothing, {UNDOING} or {UNDONE}"
            )
        finished = found.get("finished")
        return cls(
            **{
                **{name: found[name] for name in names & set(found)},
                "started": float(found["started"]),
                "finished": None if finished is None else float(finished),
                "parts": tuple(str(part) for part in found.get("parts") or ()),
                "phases": tuple(
                    Phase(str(one["name"]), float(one["started"])) for one in found.get("phases") or ()
                ),
                "error": Failure(**found["error"]) if found.get("error") else None,
                "audit_after": dict(found.get("audit_after") or {}),
            }
        )


# What happens to a run --------------------------------------------------------------------------------------------


def begin_run(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fact of a run that begins, from operation, environment, host, user, started, rollback_playbook and parts."""
    return Run.from_dict(facts).to_dict()


def update_run(run: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """Return the run with other values of ``release``, ``undo``, ``finished`` or ``audit_after``."""
    unknown = sorted(set(values) - {"release", "undo", "finished", "audit_after"})
    if unknown:
        raise RunError(
            f"update_run: found {', '.join(unknown)}, expected release, undo, finished or audit_after"
        )
    return Run.from_dict({**run, **values}).to_dict()


def enter_phase(run: Mapping[str, Any], name: str, now: float) -> dict[str, Any]:
    """Return the run in a phase that begins ``now`` (Unix seconds)."""
    known = Run.from_dict(run)
    return replace(known, phases=(*known.phases, Phase(str(name), float(now)))).to_dict()


def phase_due(
    run: Mapping[str, Any], name: str, check_mode: bool, plan: Mapping[str, Any] | None = None
) -> bool:
    """Whether a phase has something to do. ``plan`` is that of the deploy, as far as there is one.

    A deploy without a change has no phase that changes something. What still lacks something under check mode cannot be verified, and is not
    called verified. A rollback without a release to roll back ends with its record.
    """
    known, plan = Run.from_dict(run), plan or {}
    if rolling_back(known):
        if name in ("lock", "record"):
            return True
        return bool(known.release) and not (check_mode and name == "verify")
    if known.operation != DEPLOY:
        return True
    if name in ("release", "schema", "build", "compose", "rollout"):
        return bool(plan.get("changes")) and _has_work(name, plan)
    unproved = bool(check_mode and plan.get("changes"))
    if name == "verify":
        return not unproved
    return bool(known.release) and not unproved if name == "prune" else True


def _has_work(name: str, plan: Mapping[str, Any]) -> bool:
    if name == "schema":
        return any(plan["schema"].get(part) for part in ("steps", "refused", "restored"))
    if name == "compose":
        return bool(plan["compose"]["changed"])
    if name == "build":  # it tags the images of all services that are to be recreated, too
        return bool(plan["build"] or plan["recreate"])
    return bool(plan["recreate"]) if name == "rollout" else True


def rolling_back(run: Run) -> bool:
    return run.operation == ROLLBACK or run.undo == UNDOING


# What becomes of a failure ----------------------------------------------------------------------------------------


def record_failure(
    run: Mapping[str, Any],
    result: Mapping[str, Any],
    task: str,
    check_mode: bool = False,
    target: str = "",
    monitoring: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the run with what failed, from ``ansible_failed_result`` and the failed task's name.

    ``target`` is the option release_to of a rollback; ``monitoring`` says release and verdict of a monitoring run. A second failure does not
    replace the first: it stands behind it.
    """
    known = Run.from_dict(run)
    found = failure(result, task, known.phase)
    if known.error is None:
        monitored = str(monitoring["release"]) if monitoring and _condemned(known, monitoring) else ""
        command = "" if check_mode else undo_command(known, target, monitored)
        return replace(known, error=Failure(**found, rollback_command=command)).to_dict()
    if known.undo == UNDOING:
        more = f"Rolling it back failed, too, in phase {found['phase']}, object {found['object']}: {found['message']}"
    else:
        more = f"The release was not rolled back: {found['message']}"
    return replace(known, error=_longer(known.error, more)).to_dict()


def record_unwritten(run: Mapping[str, Any], result: Mapping[str, Any], task: str) -> dict[str, Any]:
    """Return the failed run with why its failure could not be written into the release's record."""
    known = Run.from_dict(run)
    more = f"And it could not be written down: {failure(result, task, known.phase)['message']}"
    return replace(known, error=_longer(known.error, more) if known.error else None).to_dict()


def record_undone(run: Mapping[str, Any], folder: str) -> dict[str, Any]:
    """Return the failed run after its release was rolled back; ``folder`` is that of the release's record."""
    known = Run.from_dict(run)
    if known.error is None:
        raise RunError("run_state: nothing failed, so nothing can have been undone")
    more = (
        f"What release {known.release} had changed was rolled back, and the previous state was verified. "
        f"Its record, with the logs of what failed, stays in {folder}."
    )
    error = replace(_longer(known.error, more), rollback_command="")
    return replace(known, error=error, undo=UNDONE).to_dict()


def _longer(error: Failure, more: str) -> Failure:
    return replace(error, message=f"{error.message}\n{more}")


def undo_command(run: Run, target: str = "", monitored: str = "") -> str:
    """The command that undoes what the run has changed; empty if it has changed nothing.

    A monitoring run changes nothing: what there is to roll back where it fails is the release that it ``monitored``.
    """
    release = run.release or monitored
    if not release:
        return ""
    wanted = f"release_to={target}" if run.operation == ROLLBACK and target else f"rollback_release={release}"
    tags = f" --tags {','.join(run.parts)}" if run.operation == ROLLBACK and run.parts else ""
    return f"{run.rollback_playbook} -e {wanted}{tags}"


def undo_due(
    run: Mapping[str, Any], check_mode: bool, automatic: Any, monitoring: Mapping[str, Any] | None = None
) -> bool:
    """Whether a failed run rolls back what it has changed, or the release that it monitored.

    ``automatic`` is the option auto_rollback of a deploy; ``monitoring`` says verdict and on_failure of a monitoring run. What could not be
    measured says nothing against a release.
    """
    known, monitoring = Run.from_dict(run), monitoring or {}
    if check_mode or known.error is None:
        return False
    if known.operation == DEPLOY:
        return bool(known.release) and str(automatic).lower() in ("on", "true", "yes")
    return _condemned(known, monitoring) and monitoring.get("on_failure") == "rollback"


def _condemned(run: Run, monitoring: Mapping[str, Any]) -> bool:
    """Whether a monitoring run has measured that the release fails."""
    return run.operation == MONITOR and monitoring.get("verdict") == "fail"


def failure_text(run: Mapping[str, Any]) -> str:
    """What a failed run ends with: phase, object, message, and the command that undoes it."""
    known = Run.from_dict(run)
    error = known.error
    if error is None:
        return ""
    head = f"{known.operation.capitalize()} failed in phase {error.phase}, object {error.object}:"
    tail = f"Undo it with: {error.rollback_command}" if error.rollback_command else ""
    if not tail and not known.release and not error.message.endswith("Nothing was changed."):
        tail = "Nothing was changed."
    return "\n".join(line for line in (head, error.message, tail) if line)


# What people and programs read ----------------------------------------------------------------------------------


def reportable(run: Mapping[str, Any], seen: Mapping[str, Any]) -> bool:
    """Whether the run has come to something: a rollback that found nothing, or a monitoring run that goes on without it, has not."""
    known = Run.from_dict(run)
    if known.error is not None:
        return True
    if known.operation == ROLLBACK:
        return bool(known.release)
    return known.operation != MONITOR or (seen.get("monitor") or {}).get("results") is not None


def report_data(run: Mapping[str, Any], seen: Mapping[str, Any], check_mode: bool) -> dict[str, Any]:
    """Return the report's data of a run that has ended.

    ``seen`` is what the roles have registered: plan, checks, executed, recreations, results and findings (of the verification),
    and monitor with results, findings, run, rounds, verdict, release and revision.
    """
    known = Run.from_dict(run)
    if known.finished is None:
        raise RunError("run_state: it has not ended, so there is nothing to report")
    monitor = seen.get("monitor") or {}
    monitors = known.operation == MONITOR
    undone_by = undo_command(known) if known.operation == DEPLOY and known.undo != UNDONE else ""
    revision = (seen.get("checks") or {}).get("revision") or monitor.get("revision") or "unknown"
    began = known.phases[0].started if known.phases else known.started
    return {
        "meta": {
            "environment": known.environment,
            "host": known.host,
            # A run in check mode proves nothing and changes nothing: it is an audit of what would be done.
            "operation": AUDIT if check_mode else known.operation,
            "release_id": known.report_id,
            "started": utc_text(known.started, 3),
            "finished": utc_text(known.finished, 3),
            "seconds": known.finished - began,
            "user": known.user,
            "backend_revision": revision,
            "monitored_release": monitor.get("release") or "",
            # A rollback is undone by a deploy, and a run that changed nothing by nothing.
            "rollback_command": undone_by,
            "verdict": _verdict(known, monitor),
        },
        "phases": timed_phases(
            [asdict(phase) for phase in known.phases], known.finished, known.error is not None
        ),
        "plan": seen.get("plan") or {},
        "audit_after": dict(known.audit_after),
        "executed": seen.get("executed") or {},
        "downtime": downtimes(seen.get("recreations") or []),
        "assertions": list((monitor if monitors else seen).get("results") or []),
        "findings": list((monitor if monitors else seen).get("findings") or []),
        "monitoring": {
            "head": monitor.get("run") or {},
            "rounds": [{**one, "assertions": [], "findings": []} for one in monitor.get("rounds") or []],
        }
        if monitors
        else {},
        "error": known.error.to_dict() if known.error else {},
    }


def _verdict(run: Run, monitor: Mapping[str, Any]) -> str:
    if run.error is None:
        return "pass"
    found = monitor.get("verdict") if run.operation == MONITOR else ""
    return str(found) if found in ("error", "inconclusive") else "fail"


def messages(
    run: Mapping[str, Any], verdict: str = "", on_failure: str = "notify", revision: str = ""
) -> list[dict[str, Any]]:
    """Return the messages for the channels, each with event, text and facts: at the beginning, or at the end with the report's ``verdict``.

    Only what changes the platform is announced. Of an error there is no message: it is made of what others have said.
    """
    known = Run.from_dict(run)
    what = f"{known.operation} of {known.environment} on {known.host}"
    facts: dict[str, Any] = {
        "operation": known.operation,
        "environment": known.environment,
        "host": known.host,
        "user": known.user,
    }
    if known.finished is None:
        announced = known.operation in (DEPLOY, ROLLBACK)
        return [{"event": "start", "text": f"{what}: begins", "facts": facts}] if announced else []
    error, undone = known.error, known.undo == UNDONE
    facts |= {
        "release": known.report_id,
        "verdict": verdict,
        "seconds": round(known.finished - known.started, 1),
        "backend_revision": revision or "unknown",
        "error": {"phase": error.phase, "object": error.object} if error else {},
        "rolled_back": undone,
    }
    text = f"{what}: {verdict.upper()} ({known.report_id})"
    text += f", stopped in phase {error.phase}" if error else ""
    text += ", its changes were rolled back" if undone else ""
    return [{"event": event, "text": text, "facts": facts} for event in _events(known, on_failure)]


def _events(run: Run, on_failure: str) -> Sequence[str]:
    if run.operation == ROLLBACK:
        return ["rollback"]
    first = "monitoring" if run.operation == MONITOR else "verdict"
    announced = run.operation != MONITOR or on_failure != "nothing" or run.error is None
    return [*([first] if announced else []), *(["rollback"] if run.undo == UNDONE else [])]
