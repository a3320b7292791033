# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All kinds of check by name, and the making of checks from what a playbook says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...clickhouse.names import NameNotValid
from ..result import CheckNotValid
from . import base as basic
from . import rows as of_rows
from . import server as of_server
from .base import ServerCheck

KINDS: dict[str, type[ServerCheck]] = {
    cls.kind: cls
    for cls in (
        basic.QueryCheck,
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


def build(specs: Sequence[Any], database: str) -> list[ServerCheck]:
    """Validate all checks and return them, or raise CheckNotValid with all that is wrong."""
    if not specs:
        raise CheckNotValid("assertions: expected at least one; an empty list would prove nothing")
    built: list[ServerCheck] = []
    wrong: list[str] = []
    names: set[str] = set()
    for position, spec in enumerate(specs, start=1):
        try:
            check = _build_one(spec, position, database)
        except CheckNotValid as error:
            wrong.append(str(error))
            continue
        if check.name in names:
            wrong.append(f"check {position}: the name {check.name!r} stands there twice")
        names.add(check.name)
        built.append(check)
    if wrong:
        asked = f"; none of the {len(specs)} was asked" if len(specs) > 1 else ""
        raise CheckNotValid("; ".join(wrong) + asked)
    return built


def _build_one(spec: Any, position: int, database: str) -> ServerCheck:
    if not isinstance(spec, Mapping) or not spec.get("name"):
        raise CheckNotValid(f"check {position}: expected a dictionary with a name, found {spec!r}")
    label = f"check {spec['name']!r}"
    kind = KINDS.get(str(spec.get("kind")))
    if kind is None:
        raise CheckNotValid(f"{label}: expected a kind of {', '.join(KINDS)}; found {spec.get('kind')!r}")
    missing = [field for field in kind.required if spec.get(field) is None]
    unknown = sorted(set(spec) - {"name", "kind", *kind.required, *kind.optional})
    if missing or unknown:
        said = [f"needs {', '.join(missing)}"] if missing else []
        fields = ", ".join((*kind.required, *kind.optional))
        said += [f"has no field {', '.join(unknown)} (its fields: {fields})"] if unknown else []
        raise CheckNotValid(f"{label}: kind {kind.kind} {' and '.join(said)}")
    given = {key: value for key, value in spec.items() if value is not None}
    try:
        return kind(given, database)
    except (CheckNotValid, NameNotValid, ValueError) as error:
        raise CheckNotValid(f"{label}: {error}") from None
