# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences between what follows the column lists of two tables: engine, keys, TTL, settings, comment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ..model import ADDITIVE, DESTRUCTIVE, REWRITE, Table
from ..operations.tables import RebuildTable
from ..steps import Settled, Step
from .comparison import COMMENT, REMOVE_TTL, RESET, SETTING, TTL, Comparison

_TITLES = {
    "engine": "engine",
    "partition_by": "partition key",
    "primary_key": "primary key",
    "order_by": "sorting key",
    "sample_by": "sampling key",
    "as": "query",
    "other": "other definitions",
}
_CAST = re.compile(r"\btoDateTime\((`?)([A-Za-z_]\w*)\1\)")
# A time after which rows go, as an expression and a number of one unit; nothing else is compared by length.
_SPAN = re.compile(r"^(.*) \+ (?:toInterval(\w+)\((\d+)\)|INTERVAL (\d+) (\w+))(?: DELETE)?$", re.DOTALL)
# Settings that are for the life of a table.
_FIXED = ("index_granularity", "index_granularity_bytes", "enable_mixed_granularity_parts")
_SWITCH = {"true": "1", "false": "0"}


class Key(NamedTuple):
    """A clause that no ALTER can change."""

    name: str
    found: str
    wanted: str

    @property
    def title(self) -> str:
        return _TITLES.get(self.name) or self.name.replace(".", " ")


def compare_clauses(one: Comparison) -> list[Key]:
    """Compare all clauses; returns those that need a rebuild of the table."""
    keys = []
    for key in _TITLES:
        found, wanted = _clause(one.live, key), _clause(one.desired, key)
        if not one.same(found, wanted, "expression"):
            keys.append(Key(key, found, wanted))
    _ttl(one)
    _comment(one)
    return keys + _settings(one)


def settle_keys(one: Comparison, keys: Sequence[Key]) -> None:
    """Rebuild the table if that is allowed by its name, after all else of it was settled; else refuse each clause."""
    if not keys:
        return
    name = f"{one.live.name}.rebuild"
    left = [item.name for item in one.result.refused if item.object == one.object]
    if name in one.policy.deny:
        help_text = f"which is not possible: {one.policy.deny[name]}"
    elif name not in one.policy.allow:
        help_text = f"allow it by its name, {name}"
    elif left:
        help_text = f"for which everything else of the table has to be settled first: {', '.join(left)}"
    else:
        one.result.steps.append(_rebuild(one, name, keys))
        return
    for key in keys:
        reason = f"a change of the {key.title} needs a rebuild of the table; {help_text}"
        one.refuse(key.name, key.found, key.wanted, DESTRUCTIVE, reason)


def _rebuild(one: Comparison, name: str, keys: Sequence[Key]) -> Step:
    reason = "; ".join(
        f"another {key.title}: found {key.found or 'nothing'}, expected {key.wanted or 'nothing'}"
        for key in keys
    )
    checks = [{"check": "rebuild_space", "table": one.live.name}]
    return Step(
        name=f"rebuild.{one.live.name}",
        object=one.object,
        risk=DESTRUCTIVE,
        operation=RebuildTable(one.live.name, one.desired.ddl, one.live.ddl),
        reason=reason,
        changes=[Settled(name, DESTRUCTIVE, reason, checks)],
    )


def _clause(table: Table, key: str) -> str:
    text = table.clauses.get(key, "")
    if key == "primary_key" and not text:
        return table.clauses.get("order_by", "")  # the primary key is the sorting key unless said otherwise
    return text[:-2] if key == "engine" and text.endswith("()") else text


# TTL -------------------------------------------------------------------------------------------------------


def _ttl(one: Comparison) -> None:
    found, wanted = _clause(one.live, "ttl"), _clause(one.desired, "ttl")
    if _same_ttl(one, found, wanted):
        return
    longer = not wanted or _longer(found, wanted)
    one.change(
        "ttl",
        found,
        wanted,
        REWRITE if longer else DESTRUCTIVE,
        "the TTL, which keeps rows longer now" if longer else "a TTL deletes rows",
        commands=_modify(wanted),
        backward=_modify(found),
        checks=[] if longer else [{"check": "ttl", "table": one.live.name, "ttl": wanted}],
    )


def _modify(ttl: str) -> list[tuple[int, str]]:
    return [(TTL, ttl)] if ttl else [(REMOVE_TTL, "REMOVE TTL")]


def _longer(found: str, wanted: str) -> bool:
    old, new = _SPAN.match(found), _SPAN.match(wanted)
    if not old or not new:
        return False
    (base, unit, number), (other, same_unit, more) = (
        (span[1], (span[2] or span[5]).lower(), int(span[3] or span[4])) for span in (old, new)
    )
    return (base, unit) == (other, same_unit) and more >= number


def _same_ttl(one: Comparison, found: str, wanted: str) -> bool:
    """Servers before 25 want toDateTime() around a DateTime64 column in a TTL; later ones do without."""

    def without_cast(text: str) -> str:
        return _CAST.sub(
            lambda match: match.group(2) if _is_time(one, match.group(2)) else match.group(), text
        )

    return one.same(without_cast(found), without_cast(wanted), "ttl")


def _is_time(one: Comparison, column: str) -> bool:
    sides = (one.live.columns.get(column), one.desired.columns.get(column))
    return all(side is not None and side.parts["type"].startswith("DateTime") for side in sides)


# Comment and settings --------------------------------------------------------------------------------------


def _comment(one: Comparison) -> None:
    found, wanted = _clause(one.live, "comment"), _clause(one.desired, "comment")
    if found != wanted:
        one.change(
            "comment",
            found,
            wanted,
            ADDITIVE,
            "the comment of the table is another",
            commands=[(COMMENT, f"MODIFY COMMENT {wanted or repr('')}")],
            backward=[(COMMENT, f"MODIFY COMMENT {found or repr('')}")],
        )


def _settings(one: Comparison) -> list[Key]:
    """Compare all settings; returns those that only a new table can have."""
    keys = []
    for name in sorted(one.live.settings.keys() | one.desired.settings.keys()):
        default = one.policy.setting_defaults.get(name, "")
        found, wanted = one.live.settings.get(name, ""), one.desired.settings.get(name, "")
        if _value(found or default) == _value(wanted or default):
            continue
        if name in _FIXED:
            keys.append(Key(f"setting.{name}", found or default, wanted or default))
            continue
        one.change(
            f"setting.{name}",
            found,
            wanted,
            REWRITE,
            "a setting of a table that exists",
            commands=[(SETTING, f"{name} = {wanted}") if wanted else (RESET, name)],
            backward=[(SETTING, f"{name} = {found}") if found else (RESET, name)],
        )
    return keys


def _value(text: str) -> str:
    """A setting's value, however it was written: 1, true and '1' are one value."""
    plain = text[1:-1] if text[:1] == "'" == text[-1:] and len(text) > 1 else text
    return _SWITCH.get(plain.lower(), plain)
