# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All kinds of assertion by name, and the making of assertions from what a playbook says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import clickhouse_assert_server as of_server
from . import clickhouse_assert_tables as of_rows
from . import clickhouse_assertions as basic
from .clickhouse_assertions import Assertion, AssertionNotValid
from .clickhouse_names import NameNotValid

KINDS: dict[str, type[Assertion]] = {
    cls.kind: cls
    for cls in (
        basic.QueryAssertion,
        basic.TableExists,
        basic.ColumnDefinition,
        of_server.SchemaEquals,
        basic.RowCount,
        basic.Fresh,
        of_rows.Growing,
        of_rows.Steady,
        basic.JsonKeys,
        of_rows.NoNulls,
        of_rows.Unique,
        of_server.MutationsDone,
        of_server.PartsHealthy,
        of_server.TtlPresent,
        of_server.ViewWrites,
    )
}


def build(specs: Sequence[Any], database: str) -> list[Assertion]:
    """Check all assertions and return them; the first wrong one raises AssertionNotValid."""
    if not specs:
        raise AssertionNotValid("assertions: expected at least one; an empty list would prove nothing")
    built: list[Assertion] = []
    for position, spec in enumerate(specs, start=1):
        assertion = _build_one(spec, position, database)
        if any(other.name == assertion.name for other in built):
            raise AssertionNotValid(f"assertion {position}: the name {assertion.name!r} stands there twice")
        built.append(assertion)
    return built


def _build_one(spec: Any, position: int, database: str) -> Assertion:
    if not isinstance(spec, Mapping) or not spec.get("name"):
        raise AssertionNotValid(f"assertion {position}: expected a dictionary with a name, found {spec!r}")
    label = f"assertion {spec['name']!r}"
    kind = KINDS.get(str(spec.get("kind")))
    if kind is None:
        raise AssertionNotValid(f"{label}: expected a kind of {', '.join(KINDS)}; found {spec.get('kind')!r}")
    missing = [field for field in kind.required if spec.get(field) is None]
    unknown = sorted(set(spec) - {"name", "kind", *kind.required, *kind.optional})
    if missing:
        raise AssertionNotValid(f"{label}: kind {kind.kind} needs {', '.join(missing)}")
    if unknown:
        raise AssertionNotValid(f"{label}: kind {kind.kind} has no field {', '.join(unknown)}")
    given = {key: value for key, value in spec.items() if value is not None}
    try:
        return kind(given, database)
    except (AssertionNotValid, NameNotValid, ValueError) as error:
        raise AssertionNotValid(f"{label}: {error}") from None
