# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which change of a type keeps every value. What is not known to keep them counts as one that does not."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.types import widens

KEEP = [
    ("UInt8", "UInt16"),
    ("UInt8", "Int16"),
    ("UInt16", "Float32"),
    ("Int32", "Float64"),
    ("Float32", "Float64"),
    ("Decimal(18, 5)", "Decimal(20, 5)"),
    ("Decimal(18, 5)", "Decimal(19, 6)"),
    ("Enum8('a' = -1, 'b' = 2)", "Enum16('c' = 3, 'a' = -1, 'b' = 2)"),
    ("String", "Nullable(String)"),
    ("LowCardinality(String)", "Nullable(String)"),
    ("Nullable(UInt8)", "Nullable(UInt64)"),
    ("Array(UInt8)", "Array(Nullable(UInt16))"),
    ("Date", "Date32"),
    ("DateTime", "DateTime64(3)"),
    ("DateTime('UTC')", "DateTime64(0, 'UTC')"),
    ("DateTime64(3, 'UTC')", "DateTime64(6, 'UTC')"),
]
# Another way to store the same values.
BOTH_WAYS = [("String", "LowCardinality(String)"), ("LowCardinality(Nullable(String))", "Nullable(String)")]
LOSE = [
    ("UInt8", "Int8"),
    ("Int8", "UInt64"),
    ("UInt32", "Float32"),
    ("Int64", "Float64"),
    ("Float64", "Float32"),
    ("Decimal(18, 5)", "Decimal(18, 6)"),
    ("Decimal(18, 5)", "Decimal(18, 4)"),
    ("Enum8('a' = 1, 'b' = 2)", "Enum8('a' = 1)"),
    ("Enum8('a' = 1)", "Enum8('a' = -1)"),
    ("Nullable(String)", "String"),
    ("LowCardinality(Nullable(String))", "String"),
    ("Array(UInt16)", "Array(UInt8)"),
    ("Array(UInt8)", "UInt8"),
    ("DateTime64(6)", "DateTime64(3)"),
    ("DateTime64(3)", "DateTime64(9)"),
    ("DateTime64(3, 'UTC')", "DateTime64(3, 'Asia/Jakarta')"),
    ("DateTime64(3)", "DateTime"),
    ("DateTime", "Date"),
    ("String", "FixedString(10)"),
    ("String", "UInt8"),
    ("Map(String, UInt8)", "Map(String, UInt16)"),
    ("Tuple(a UInt8)", "Tuple(b UInt8)"),
]


@pytest.mark.parametrize(("old", "new"), KEEP)
def test_every_value_is_kept(old: str, new: str) -> None:
    assert widens(old, new)
    assert not widens(new, old)


@pytest.mark.parametrize(("old", "new"), BOTH_WAYS)
def test_every_value_is_kept_both_ways(old: str, new: str) -> None:
    assert widens(old, new)
    assert widens(new, old)


@pytest.mark.parametrize(("old", "new"), LOSE)
def test_a_value_may_be_lost(old: str, new: str) -> None:
    assert not widens(old, new)
    assert widens(old, old)
