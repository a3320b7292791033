# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What schema steps would do to the data that is there: asked of the live server, read-only, in bounded time.

An empty rehearsal cannot see this. Each check of each step gets one finding, also when there is no answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..model import SchemaError
from ..server.server import Server
from ..sql.conditions import is_default
from ..sql.ttl import expired, read_ttl
from ..sql.view_usage import VIEWS_SQL, WRITES, fed_sql, fed_views, users
from .casts import assess_casts
from .finding import BLOCKED, OK, RISK, Question, finding, is_blocking, require, unknown
from .query import CannotTell, LiveData
from .space import free_bytes, rewritten_bytes, stored_bytes

__all__ = ["assess", "is_blocking"]

_SCANS = ("ttl", "column_ttl", "cast")


def assess(server: Server, steps: Sequence[Mapping[str, Any]], seconds: float = 30.0) -> list[dict[str, Any]]:
    """Do the checks of all steps; returns one finding for each, in their order."""
    look, checks = LiveData(server, seconds), _checks(server.database, steps)
    jobs = _jobs(checks)
    found: dict[int, dict[str, Any]] = {}
    for number, job in enumerate(jobs):
        look.begin(len(jobs) - number)
        if job[0].kind == "cast":
            found.update(assess_casts(look, job))
        else:
            found[job[0].place] = _answer(look, job[0], _ASSESS.get(job[0].kind, _not_known))
    return [found[check.place] for check in checks]


def _checks(database: str, steps: Sequence[Mapping[str, Any]]) -> list[Question]:
    found: list[Question] = []
    for step in steps:
        for item in step.get("checks", []):
            item = item if isinstance(item, Mapping) else {}
            names = [database, item.get("table", ""), item.get("column", "")]
            target = ".".join(str(name) for name in names if name)
            found.append(Question(len(found), str(step["name"]), str(item.get("check")), target, item))
    return found


def _jobs(checks: Sequence[Question]) -> list[list[Question]]:
    """What is asked together: all casts of a table in one pass. What is cheap comes first."""
    jobs: dict[tuple[Any, ...], list[Question]] = {}
    for check in sorted(checks, key=lambda check: check.kind in _SCANS):
        key = ("cast", str(check.item.get("table"))) if check.kind == "cast" else (check.place,)
        jobs.setdefault(key, []).append(check)
    return list(jobs.values())


def _answer(
    look: LiveData, check: Question, ask: Callable[[LiveData, Question], dict[str, Any]]
) -> dict[str, Any]:
    try:
        require(check)
        return ask(look, check)
    except (CannotTell, SchemaError) as reason:
        return unknown(check, str(reason))


def _not_known(_look: LiveData, check: Question) -> dict[str, Any]:
    raise CannotTell(f"there is no check {check.kind!r}")


# TTL ---------------------------------------------------------------------------------------------------


def _ttl(look: LiveData, check: Question) -> dict[str, Any]:
    if not check.item["ttl"]:
        return finding(check, OK, 0, 0, f"{check.object} loses its TTL, and no row is deleted.")
    info, rule = look.parts_table(check.item["table"]), read_ttl(check.item["ttl"])
    if rule.unknown:
        raise CannotTell(rule.unknown)
    if not rule.condition:
        return finding(check, OK, 0, 0, f"The TTL of {check.object} only moves or recompresses parts.")
    rows = _count(look, check.item["table"], rule.condition)
    if not rows:
        return finding(check, OK, 0, 0, f"No row of {check.object} is older than the TTL.")
    text = f"The TTL deletes {rows} of {info['total_rows']} rows of {check.object} at once."
    return finding(check, RISK, rows, 0, text)


def _column_ttl(look: LiveData, check: Question) -> dict[str, Any]:
    table, name = check.item["table"], check.item["column"]
    if not check.item["ttl"]:
        return finding(check, OK, 0, 0, f"{check.object} loses its TTL, and no value is reset.")
    info, column = look.parts_table(table), look.column(table, name)
    if column["default_kind"] in ("ALIAS", "EPHEMERAL"):
        raise CannotTell(f"the column is {column['default_kind']} and stores no value")
    words = check.item["ttl"].strip()
    words = words[4:] if words.upper().startswith("TTL ") else words
    rows = _count(look, table, f"{expired(words)} AND NOT ({is_default(name, column)})")
    if not rows:
        return finding(check, OK, 0, 0, f"The TTL of {check.object} resets no value now.")
    text = f"The TTL resets {rows} of {info['total_rows']} values of {check.object} to the default at once."
    return finding(check, RISK, rows, 0, text)


def _count(look: LiveData, table: str, condition: str) -> int:
    sql = f"SELECT count() FROM {look.target(table)} WHERE {condition}"  # noqa: S608 - quoted, checked
    return int(look.values(sql)[0])


# Views and space ---------------------------------------------------------------------------------------


def _readers(look: LiveData, check: Question) -> dict[str, Any]:
    database, table, column = look.server.database, check.item["table"], check.item["column"]
    look.table(table)
    views = look.kept(VIEWS_SQL)
    found = users(views, database, table, column)
    names = {str(view): use for view, use in found}
    known = {f"{row['database']}.{row['name']}" for row in views if row["ddl"]}
    hidden = [name for name in fed_views(look.rows(fed_sql(database, table))) if name not in known]
    if names or (hidden and not column):
        names.update(dict.fromkeys(hidden, "reads"))
        listed = ", ".join(
            f"{name} (writes into it)" if use == WRITES else name for name, use in sorted(names.items())
        )
        text = f"{check.object} is used by views that would break at their next select or insert: {listed}."
        return finding(check, BLOCKED, sorted(names), [], text)
    hidden += [f"{row['database']}.{row['name']}" for row in views if not row["ddl"]]
    if hidden:
        raise CannotTell(f"the user cannot see the definition of {', '.join(sorted(set(hidden)))}")
    return finding(check, OK, [], [], f"No view that the user can see uses {check.object}.")


def _rewrite_bytes(look: LiveData, check: Question) -> dict[str, Any]:
    columns = check.item.get("columns", [])
    if not isinstance(columns, (list, tuple)) or not all(isinstance(name, str) for name in columns):
        raise CannotTell("columns is not a list of names")
    size = rewritten_bytes(look, check.item["table"], columns)
    if not size:
        return finding(check, OK, 0, 0, f"{check.object} has nothing on disk that would be rewritten.")
    return finding(check, RISK, size, 0, f"The step rewrites {size} bytes of {check.object} on disk.")


def _rebuild_space(look: LiveData, check: Question) -> dict[str, Any]:
    size = stored_bytes(look, check.item["table"])
    policy, free = free_bytes(look, check.item["table"])
    text = f"A copy of {check.object} needs {size} bytes, and storage policy {policy} has {free} to spare"
    verdict = OK if size <= free else BLOCKED
    return finding(check, verdict, size, free, f"{text}.")


_ASSESS: Mapping[str, Callable[[LiveData, Question], dict[str, Any]]] = {
    "ttl": _ttl,
    "column_ttl": _column_ttl,
    "rewrite_bytes": _rewrite_bytes,
    "readers": _readers,
    "rebuild_space": _rebuild_space,
}
