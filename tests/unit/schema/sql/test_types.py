# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which change of a type keeps every value. What is not known to keep them counts as one that does not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.types import (
    NOTHING,
    Cast,
    Fit,
    cast_conditions,
    fit,
    read_type,
    widens,
)
from clickhouse_engine import EngineConnection

KEEP = [
    ("UInt8", "UInt16"),
    ("UInt8", "Int16"),
    ("UInt16", "Float32"),
    ("Int32", "Float64"),
    ("Float32", "Float64"),
    ("Decimal(18, 5)", "Decimal(20, 5)"),
    ("Decimal(18, 5)", "Decimal(19, 6)"),
    ("Decimal(9, 2)", "Decimal(18, 5)"),
    ("Enum8('a' = -1, 'b' = 2)", "Enum16('c' = 3, 'a' = -1, 'b' = 2)"),
    ("String", "Nullable(String)"),
    ("LowCardinality(String)", "Nullable(String)"),
    ("Nullable(UInt8)", "Nullable(UInt64)"),
    ("Array(UInt8)", "Array(Nullable(UInt16))"),
    ("Date", "Date32"),
    ("DateTime", "DateTime64(3)"),
    ("DateTime('UTC')", "DateTime64(0, 'UTC')"),
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


# What the engine may hold beyond a type's nominal range could be lost, so the data is asked all the same.
NOMINAL = [
    ("Decimal(10, 5)", "Decimal(18, 6)"),
    ("DateTime64(3)", "DateTime64(6)"),
]
# Kept, but read as something else: no class for values that are equal, and nothing to ask.
OTHER = [
    ("UInt64", "String"),
    ("Float64", "String"),
    ("Decimal(18, 5)", "String"),
    ("Enum8('a' = 1)", "String"),
    ("DateTime('UTC')", "DateTime"),
    ("DateTime64(3)", "DateTime64(3, 'Asia/Jakarta')"),
]
WRAPPERS = ("Nullable(", "LowCardinality(", "Array(")
NAMES = sorted(
    {name for pair in KEEP + LOSE + NOMINAL + OTHER for name in pair if not name.startswith(WRAPPERS)}
)


@pytest.mark.parametrize(("old", "new"), KEEP + BOTH_WAYS)
def test_what_has_an_equal_value_is_not_asked_of_the_data(old: str, new: str) -> None:
    assert cast_conditions("x", read_type(old), read_type(new)) == Cast(NOTHING, NOTHING)


@pytest.mark.parametrize(("old", "new"), NOMINAL)
def test_what_may_lie_beyond_the_nominal_range_is_asked(old: str, new: str) -> None:
    assert fit(old, new) is Fit.NOMINAL
    assert widens(old, new)
    assert cast_conditions("x", read_type(old), read_type(new)).lost != NOTHING


@pytest.mark.parametrize(("old", "new"), OTHER)
def test_what_reads_as_something_else_is_no_equal_value_and_not_asked(old: str, new: str) -> None:
    assert fit(old, new) is Fit.OTHER
    assert not widens(old, new)
    assert cast_conditions("x", read_type(old), read_type(new)) == Cast(NOTHING, NOTHING)


def test_both_questions_have_one_answer_for_every_pair() -> None:
    """No pair is said to be kept by the class of its step, and doubted by what is asked of the data, or the other way round."""
    for old in NAMES:
        for new in NAMES:
            try:
                asked = cast_conditions("x", read_type(old), read_type(new)) != Cast(NOTHING, NOTHING)
            except SchemaError:
                asked = True  # cannot be checked, so it is refused
            found = fit(old, new)
            assert asked == (found in (Fit.NOMINAL, Fit.UNKNOWN)), (old, new)
            assert widens(old, new) == (found in (Fit.EQUAL, Fit.NOMINAL)), (old, new)


# Extreme values of what is said to be equal, as the engine has them.
EXTREMES = {
    "UInt8": ["0", "255"],
    "Int32": ["-2147483648", "2147483647"],
    "UInt16": ["65535"],
    "UInt64": ["18446744073709551615"],
    "Float32": ["nan", "-inf", "1.1754944e-38", "16777217"],
    "Date": ["0", "65535"],
    "DateTime": ["0", "4294967295"],
    "Decimal(9, 2)": ["'9999999.99'", "'-9999999.99'"],
    "Decimal(18, 5)": ["'9999999999999.99999'", "'-9999999999999.99999'"],
    "Enum8('a' = 1)": ["'a'"],
}
WIDER = [
    *EXTREMES,
    "Int16",
    "Int64",
    "Int128",
    "Float64",
    "Date32",
    "DateTime64(3)",
    "DateTime64(8)",
    "Decimal(18, 4)",
    "Decimal(38, 10)",
    "Enum16('a' = 1, 'b' = 2)",
    "String",
]


def test_the_engine_keeps_extreme_values_of_every_pair_that_is_said_to_be_kept(tmp_path: Path) -> None:
    engine = EngineConnection(tmp_path)
    asked = 0
    try:
        for old, values in EXTREMES.items():
            for new in WIDER:
                if fit(old, new) not in (Fit.EQUAL, Fit.OTHER):
                    continue
                for value in values:
                    asked += 1
                    first = f"CAST({value} AS {old})"
                    kept = f"CAST({first} AS {new})"
                    if old.startswith("Enum") and new == "Int128":
                        kept = f"toInt64({kept})"  # the engine casts no wider number to an enum
                    back = f"CAST({kept} AS {old})"
                    assert engine.scalar(f"SELECT toString({first}) = toString({back})") == 1, (
                        old,
                        new,
                        value,
                    )
    finally:
        engine.close()
    assert asked > 60
