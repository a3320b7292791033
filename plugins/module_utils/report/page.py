# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report says: the final verdict, and the given facts brought into the form that a page shows.

The input is one plain dict (see the README of the report role). Everything but ``meta`` may be missing, because
a run that failed early has little to tell; what is missing is left out and never counted as good.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ..checks.result import ERROR, FAIL, INCONCLUSIVE, ORDER, PASS, worst
from ..common.errors import PlatformError
from ..common.text import block, cell, human_duration
from ..common.times import moment_text, seconds_of, unix_seconds
from .charts import charts, rounds_table
from .executed import executed_section
from .flow import flow
from .run import shown_name

REQUIRED = ("environment", "host", "release_id", "operation", "verdict")
WORDS = {PASS: "passed", FAIL: "failed", ERROR: "not proved", INCONCLUSIVE: "inconclusive"}

# These promise something that only checks can show.
NEED_PROOF = ("deploy", "rollback", "verify", "monitor")

_SAFE_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")


class ReportError(PlatformError):
    """Report data that cannot be used, with a text for the user."""


def require_meta(data: Any) -> dict[str, Any]:
    """Return ``meta`` or say what is wrong with it. Two of its values become folder names."""
    if not isinstance(data, dict):
        raise ReportError(f"the report data is a {type(data).__name__}, expected a dict with 'meta' in it")
    meta = data.get("meta")
    if not isinstance(meta, dict):
        raise ReportError("the report data has no 'meta', expected a dict with " + ", ".join(REQUIRED))
    missing = [key for key in REQUIRED if meta.get(key) in (None, "")]
    if missing:
        raise ReportError(f"the report data's meta has no {', '.join(missing)}")
    for key in ("environment", "release_id", "host"):
        if not _SAFE_NAME.match(str(meta[key])):
            raise ReportError(
                f"meta.{key} is {str(meta[key])!r}, expected letters, digits, '.', '_' and '-' "
                "(it names a folder or a file)"
            )
    if str(meta["release_id"]) == "latest":
        raise ReportError("meta.release_id is 'latest', which is the name of the link to the newest report")
    return meta


def final_verdict(data: dict[str, Any]) -> tuple[str, str]:
    """Return the verdict of the run and the reason, where it differs from the one that was given.

    A report never looks better than what it holds: with an error, or with a check that did not pass, it is not "pass".
    """
    meta = require_meta(data)
    given = str(meta["verdict"])
    if given not in ORDER:
        return given, ""
    results = data.get("assertions") or []
    found = [given]
    reason = ""
    if data.get("error"):
        # A monitoring run that proved nothing, or could not be measured, ends with an error that says so, and has not failed.
        found.append(given if given in (ERROR, INCONCLUSIVE) else FAIL)
        reason = "the run ended with an error"
    if results:
        # What the limits of a monitoring run bear is shown, and decides nothing; when all of it is borne, nothing is proved.
        found.append(worst([str(one.get("verdict")) for one in results if not one.get("borne")]))
        reason = reason or "not every check passed"
    elif given == PASS and meta["operation"] in NEED_PROOF:
        found.append(ERROR)
        reason = reason or "no check was made, so nothing is proved"
    final = worst(found)
    return final, reason if final != given else ""


def timeline(phases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the phases with the place and the width of their bars in percent.

    Where a time is missing or unreadable, a phase begins where the one before it ended.
    """
    spans = []
    cursor: float | None = None
    for phase in phases:
        seconds = seconds_of(phase)
        start = unix_seconds(phase.get("started"))
        start = start if start is not None else (cursor if cursor is not None else 0.0)
        cursor = start + (seconds or 0.0)
        spans.append((phase, start, seconds))
    first = min((start for _phase, start, _seconds in spans), default=0.0)
    length = max((start + (seconds or 0.0) for _phase, start, seconds in spans), default=0.0) - first
    return [
        {
            "name": cell(phase.get("name")),
            "status": cell(phase.get("status")),
            "tone": tone(str(phase.get("status") or "")),
            "seconds": seconds,
            "duration": human_duration(seconds),
            "started": moment_text(phase.get("started")),
            "offset": round(100 * (start - first) / length, 2) if length > 0 else 0.0,
            "width": round(100 * (seconds or 0.0) / length, 2) if length > 0 else 0.0,
        }
        for phase, start, seconds in spans
    ]


def tone(status: str) -> str:
    """Return the colour group of a status word: good, bad, warn or plain."""
    word = status.strip().lower()
    if word in (PASS, "passed", "ok", "done", "success", "completed"):
        return "good"
    if word in (FAIL, ERROR, "failed", "rescued", "refused", "aborted", "unreachable"):
        return "bad"
    if word in (INCONCLUSIVE, "warning", "unknown", "drift", "skipped", "stale", "missing"):
        return "warn"
    return "plain"


def downtime_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the downtime of each service with its share of the budget. Not measured is not zero."""
    result = []
    for row in rows:
        seconds, budget = seconds_of(row), seconds_of({"seconds": row.get("budget")})
        over = seconds is not None and budget is not None and seconds > budget
        status = "not measured" if seconds is None else "over budget" if over else "within budget"
        if seconds is not None and budget is None:
            status = "no budget"
        scale = max(budget or 0.0, seconds or 0.0)
        result.append(
            {
                "service": cell(row.get("service")),
                "seconds": seconds,
                "duration": human_duration(seconds),
                "budget": human_duration(budget),
                "status": status,
                "tone": {"over budget": "bad", "not measured": "warn", "within budget": "good"}.get(
                    status, "plain"
                ),
                "width": round(100 * (seconds or 0.0) / scale, 2) if scale > 0 else 0.0,
            }
        )
    return result


def counts(results: list[dict[str, Any]]) -> dict[str, int]:
    """Return how many checks have each verdict; an unknown verdict counts as an error."""
    result = dict.fromkeys(ORDER, 0)
    for item in results:
        verdict = str(item.get("verdict"))
        result[verdict if verdict in result else ERROR] += 1
    return result


def _columns(rows: list[dict[str, Any]]) -> list[str]:
    """Return the keys of all rows in the order of their first appearance."""
    return list(dict.fromkeys(str(key) for row in rows for key in row))


def plain_rows(rows: Any) -> dict[str, Any]:
    """Return any list of dicts as a header and lines of text, so that a page can show what it has no layout for."""
    usable = [row if isinstance(row, dict) else {"item": row} for row in (rows or [])]
    columns = _columns(usable)
    titles = [column.replace("_", " ").capitalize() for column in columns]
    return {"columns": titles, "rows": [[cell(row.get(column)) for column in columns] for row in usable]}


def _step(step: Any) -> dict[str, str]:
    if not isinstance(step, dict):
        return {"title": "", "detail": "", "statement": block(step)}
    title = next((str(step[key]) for key in ("object", "table", "name", "target") if step.get(key)), "")
    statement = next((step[key] for key in ("statement", "sql", "query", "statements") if step.get(key)), "")
    text = (
        "\n".join(str(line) for line in statement) if isinstance(statement, (list, tuple)) else str(statement)
    )
    # What is for machines alone does not belong on the page.
    used = (
        *("object", "table", "name", "target", "statement", "sql", "query", "statements"),
        *("operation", "changes"),
        *("undo", "do"),  # in plans of version 0.1.0
    )
    detail = ", ".join(
        f"{key}: {cell(value)}"
        for key, value in step.items()
        if key not in used and value not in (None, "", [])
    )
    return {"title": cell(title), "detail": detail, "statement": block(text)}


def _audit(found: dict[str, Any]) -> dict[str, Any]:
    """The audit's table, why a service is not as it should be, or why there is no audit."""
    reasons = found.get("reasons") or {}
    return {
        "present": bool(found),
        "problem": block(found.get("problem")),
        "table": plain_rows(found.get("services")),
        "reasons": {str(name): [cell(text) for text in texts] for name, texts in reasons.items()},
    }


def _plan(plan: dict[str, Any]) -> dict[str, Any]:
    schema = plan.get("schema") or {}
    compose = plan.get("compose") or {}
    diff = compose.get("diff") or compose.get("block") or ""
    return {
        "present": bool(plan),
        "hash": cell(plan.get("hash")) if plan.get("hash") else "",
        "steps": [_step(step) for step in schema.get("steps") or []],
        "refused": [_step(step) for step in schema.get("refused") or []],
        "restored": [cell(item.get("object")) for item in schema.get("restored") or []],
        "findings": [cell(item["text"]) for item in schema.get("findings") or [] if item["verdict"] != "ok"],
        "audit": _audit(plan),
        "compose_changed": bool(compose.get("changed")),
        "compose_diff": block(diff if isinstance(diff, str) else json.dumps(diff, indent=2, default=str)),
    }


def page(data: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the HTML page shows, with every number and width worked out."""
    meta = require_meta(data)
    verdict, reason = final_verdict(data)
    results = data.get("assertions") or []
    error = data.get("error") or {}
    run = data.get("monitoring") or {}
    labels = (
        ("Environment", "environment"),
        ("Host", "host"),
        ("Release", "release_id"),
        ("Monitored release", "monitored_release"),
        ("Started", "started"),
        ("Finished", "finished"),
        ("User", "user"),
        ("Revision", "backend_revision"),
    )
    return {
        "verdict": verdict,
        "word": WORDS.get(verdict, cell(verdict)),
        "tone": tone(verdict),
        "reason": reason,
        "operation": cell(meta["operation"]),
        "environment": str(meta["environment"]),
        "host": str(meta["host"]),
        "release_id": str(meta["release_id"]),
        "duration": human_duration(seconds_of(meta)),
        "facts": [
            (label, moment_text(meta[key]) if key in ("started", "finished") else cell(meta[key]))
            for label, key in labels
            if meta.get(key) not in (None, "")
        ],
        "error": {key: block(error.get(key)) for key in ("phase", "object", "message", "rollback_command")},
        "has_error": bool(error),
        "phases": timeline(data.get("phases") or []),
        "downtime": downtime_rows(data.get("downtime") or []),
        "counts": counts(results),
        "total": len(results),
        "assertions": [
            {
                **{key: cell(item.get(key)) for key in ("kind", "observed", "expected", "verdict", "reason")},
                "name": cell(shown_name(item)),
                "tone": tone(str(item.get("verdict"))),
                "milliseconds": item.get("milliseconds"),
                "rows_read": item.get("rows_read"),
                "query": block(item.get("query")),
            }
            for item in sorted(results, key=_badness)
        ],
        "findings": [
            {
                **{
                    key: cell(item.get(key))
                    for key in ("container", "time", "last_time", "level", "line", "count")
                },
                "allowed": bool(item.get("allowed")),
                "compared": {True: "new", False: "known from before"}.get(item.get("new"), ""),
                "allow_reason": cell(item.get("allow_reason")) if item.get("allow_reason") else "",
                "fingerprint": cell(item.get("fingerprint")),
            }
            for item in data.get("findings") or []
        ],
        "executed": executed_section(data.get("executed") or {}),
        "plan": _plan(data.get("plan") or {}),
        "audit_after": _audit(data.get("audit_after") or {}),
        "undo": block(meta.get("rollback_command")),
        "monitoring": {
            "story": monitoring_story(run),
            "rounds": [
                {**one, "began": moment_text(one["began"]), "tone": tone(one["verdict"])}
                for one in rounds_table(run, results)
            ],
            "charts": charts(run),
            "flow": flow(run, results),
        },
    }


def monitoring_story(run: dict[str, Any]) -> str:
    """What was monitored, from when to when, and why it ended so; a single round has no head, and nothing but its verdict."""
    head, rounds = run.get("head") or {}, run.get("rounds") or []
    if not rounds:
        return ""
    what = f"Monitoring run {cell(head['id'])}" if head.get("id") else "A single round"
    began, ended = rounds[0].get("began"), rounds[-1].get("ended")
    story = f"{what}, {moment_text(began)} to {moment_text(ended)}"
    seconds = seconds_of({"started": began, "finished": ended})
    story += f" ({human_duration(seconds)})" if seconds is not None else ""
    if head.get("reason"):
        return f"{story}: {cell(head['reason'])}."
    worst_of = worst([str(one.get("verdict")) for one in rounds])
    return f"{story}: {'no limit was broken' if head.get('id') else WORDS.get(worst_of, worst_of)}."


def _badness(item: dict[str, Any]) -> int:
    """Sort what did not pass to the top; the order within stays as it was made."""
    return -ORDER.index(worst([str(item.get("verdict"))]))
