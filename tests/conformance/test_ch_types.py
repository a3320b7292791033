# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every column type of the platform's tables: what goes in comes out, and the server understood it."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest
from ch_clients import Driver, Shell

UTC = timezone.utc

# Per type: a value, and how the server writes it as text.
TYPES: dict[str, list[tuple[Any, str]]] = {
    "String": [
        ("", ""),
        ("plain", "plain"),
        ("é€𝄞", "é€𝄞"),
        ("tab\tline\nback\\slash'quote", "tab\tline\nback\\slash'quote"),
        ("zero\0byte", "zero\0byte"),
        ("x" * 127, "x" * 127),
        ("y" * 128, "y" * 128),
        ("z" * 70000, "z" * 70000),
    ],
    "Nullable(String)": [(None, "<null>"), ("", ""), ("x", "x"), ("NULL", "NULL")],
    "UInt8": [(0, "0"), (1, "1"), (255, "255")],
    "UInt16": [(0, "0"), (256, "256"), (65535, "65535")],
    "UInt64": [(0, "0"), (2**32, "4294967296"), (2**64 - 1, "18446744073709551615")],
    "Float64": [
        (0.0, "0"),
        (0.1, "0.1"),
        (-1.5, "-1.5"),
        (1.7976931348623157e308, "1.7976931348623157e308"),
        (5e-324, "5e-324"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (math.nan, "nan"),
    ],
    "Decimal(18,5)": [
        (Decimal("0.00000"), "0"),
        (Decimal("0.00001"), "0.00001"),
        (Decimal("-0.00001"), "-0.00001"),
        (Decimal("1.08543"), "1.08543"),
        (Decimal("9999999999999.99999"), "9999999999999.99999"),
        (Decimal("-9999999999999.99999"), "-9999999999999.99999"),
    ],
    "Decimal(10,5)": [
        (Decimal("0.00000"), "0"),
        (Decimal("12.50000"), "12.5"),
        (Decimal("99999.99999"), "99999.99999"),
        (Decimal("-99999.99999"), "-99999.99999"),
    ],
    "Date": [
        (date(1970, 1, 2), "1970-01-02"),
        (date(2024, 2, 29), "2024-02-29"),
        (date(2105, 12, 31), "2105-12-31"),
    ],
    "DateTime": [
        (datetime(1970, 1, 2, 0, 0, 0), "1970-01-02 00:00:00"),
        (datetime(2024, 2, 29, 23, 59, 59), "2024-02-29 23:59:59"),
        (datetime(2105, 12, 31, 23, 59, 59), "2105-12-31 23:59:59"),
    ],
    "DateTime64(3,'UTC')": [
        (datetime(1970, 1, 1, 0, 0, 0, 0, UTC), "1970-01-01 00:00:00.000"),
        (datetime(2024, 2, 29, 23, 59, 59, 999000, UTC), "2024-02-29 23:59:59.999"),
        (datetime(1925, 1, 1, 0, 0, 0, 0, UTC), "1925-01-01 00:00:00.000"),
        (datetime(2261, 12, 31, 23, 59, 59, 500000, UTC), "2261-12-31 23:59:59.500"),
    ],
}


def _plain(value: Any) -> Any:
    """Clients may give a time with or without its zone; nan is not equal to itself."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, float):
        return repr(value)
    return value


def _trimmed(text: str, kind: str) -> str:
    """Old servers write all decimals of a Decimal, new ones do not."""
    return text.rstrip("0").rstrip(".") if kind.startswith("Decimal") and "." in text else text


def _text(kind: str) -> str:
    return "ifNull(v, '<null>')" if kind.startswith("Nullable") else "toString(v)"


@pytest.mark.parametrize("kind", TYPES)
def test_round_trip(kind: str, client: Any, driver: Driver, table: Callable[..., str]) -> None:
    name = table(f"n UInt32, v {kind}", "n")
    values = [value for value, _ in TYPES[kind]]
    client.insert(name, ["n", "v"], [[n, value] for n, value in enumerate(values)])

    rows = client.query(f"SELECT v FROM {name} ORDER BY n")
    assert [_plain(row[0]) for row in rows] == [_plain(value) for value in values]

    texts = driver.query(f"SELECT {_text(kind)} FROM {name} ORDER BY n")
    assert [_trimmed(row[0], kind) for row in texts] == [text for _, text in TYPES[kind]]


@pytest.mark.parametrize("kind", TYPES)
def test_edges_in_sql(kind: str, driver: Driver, table: Callable[..., str]) -> None:
    """The same values as literals: what the server computes itself reaches the client unchanged."""
    name = table(f"n UInt32, v {kind}", "n")
    # Old servers read a denormal number in a query's text as zero; the round trip above has it.
    cases = [(value, text) for value, text in TYPES[kind] if value != 5e-324]
    for n, (value, text) in enumerate(cases):
        escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\0", "\\0")
        quoted = "NULL" if value is None else f"'{escaped}'"
        if kind in ("UInt8", "UInt16", "UInt64", "Float64"):
            quoted = text
        elif kind.startswith("Decimal"):
            scale = kind.rstrip(")").split(",")[1]
            quoted = f"toDecimal64('{text}', {scale})"
        driver.command(f"INSERT INTO {name} SELECT {n}, {quoted}")
    rows = driver.query(f"SELECT v FROM {name} ORDER BY n")
    assert [_plain(row[0]) for row in rows] == [_plain(value) for value, _ in cases]


def test_first_and_last_date(client: Any, table: Callable[..., str]) -> None:
    name = table("v Date", "v")
    ends = [date(1970, 1, 1), date(2149, 6, 6)]
    client.insert(name, ["v"], [[value] for value in ends])
    assert client.query(f"SELECT v, toString(v) FROM {name} ORDER BY v") == [(v, v.isoformat()) for v in ends]


# Debian's client knows no DateTime64, so it sees that type as text (below).
@pytest.mark.parametrize("kind", [kind for kind in TYPES if not kind.startswith("DateTime64")])
def test_debian_client_round_trip(kind: str, shell: Shell, driver: Driver, table: Callable[..., str]) -> None:
    name = table(f"n UInt32, v {kind}", "n")
    # The old client reads a denormal number as zero.
    values = [value for value, _ in TYPES[kind] if value != 5e-324]
    driver.insert(name, ["n", "v"], [[n, value] for n, value in enumerate(values)])
    copy = table(f"n UInt32, v {kind}", "n")
    lines = shell.run("--query", f"SELECT n, v FROM {name} ORDER BY n FORMAT TSV")
    shell.run("--query", f"INSERT INTO {copy} (n, v) FORMAT TSV", stdin=lines)
    rows = driver.query(f"SELECT v FROM {copy} ORDER BY n")
    assert [_plain(row[0]) for row in rows] == [_plain(value) for value in values]


def test_debian_client_reads_DateTime64_as_text(shell: Shell) -> None:
    sql = "SELECT toString(toDateTime64('2024-02-29 23:59:59.999', 3, 'UTC'))"
    assert shell.query(sql) == [("2024-02-29 23:59:59.999",)]


def test_column_names_and_types(driver: Driver, table: Callable[..., str]) -> None:
    """A result without rows still says what its columns are."""
    name = table("a UInt8, b Nullable(String), c Decimal(18,5)", "a")
    rows, columns = driver.raw.execute(f"SELECT a, b, c FROM {name}", with_column_types=True)
    assert rows == []
    assert [(n, t.replace(" ", "")) for n, t in columns] == [
        ("a", "UInt8"),
        ("b", "Nullable(String)"),
        ("c", "Decimal(18,5)"),
    ]


def test_connect_column_names(connect_to: Callable[..., Any], table: Callable[..., str]) -> None:
    name = table("a UInt8, b Nullable(String)", "a")
    result = connect_to("connect").raw.query(f"SELECT a, b FROM {name}")
    assert result.column_names == ("a", "b")


def test_nested_and_wide_types(driver: Driver) -> None:
    """Types with an inner structure pass through too."""
    sql = "SELECT [1, 2, 3], (1, 'x'), [['a'], []], toFixedString('ab', 4), toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0')"
    row = driver.query(sql)[0]
    assert row[0] == [1, 2, 3]
    assert row[1] == (1, "x")
    assert row[2] == [["a"], []]
    assert row[3].rstrip("\0") == "ab"
    assert str(row[4]) == "61f0c404-5cb3-11e7-907b-a6006ad3dba0"
