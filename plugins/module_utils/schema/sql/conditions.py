# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SQL expressions on the values of a row: what holds nothing of its own, and what finds the row again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...clickhouse.names import literal, quote


def as_text(expression: str) -> str:
    """A value as text, with NULL as a text of its own, so that != never yields NULL."""
    return f"ifNull(toString({expression}), '\\\\N')"


def is_default(name: str, column: Mapping[str, Any]) -> str:
    """Condition for rows that hold nothing of their own in the column; *column* is a row of system.columns."""
    if column["default_expression"]:
        default = f"CAST({column['default_expression']} AS {column['type']})"
    else:
        default = f"defaultValueOfTypeName({literal(column['type'])})"
    return f"{as_text(quote(name))} = {as_text(default)}"


# Column of a quarantine table that finds the row again.
ROW = "__row"


def row_hash(columns: Sequence[str]) -> str:
    """Expression that finds a row again by all its other values, where its key may stand for several rows."""
    return f"hex(sipHash128(toString(tuple({', '.join(quote(name) for name in columns)}))))"
