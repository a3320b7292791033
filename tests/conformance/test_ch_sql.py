# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edges of a statement: where it ends, what is data, whose FORMAT it is. The same answer on every path."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from ch_clients import Driver, Target

QUERIES: dict[str, tuple[str, list[tuple[Any, ...]]]] = {
    "semicolon at the end": ("SELECT 1;", [(1,)]),
    "semicolon and comment at the end": ("SELECT 1; -- done; really\n", [(1,)]),
    "semicolon in a string": ("SELECT 'a;b', \";\" FROM (SELECT 1 AS `;`)", [("a;b", 1)]),
    "semicolon in a comment": ("SELECT /* 1; SELECT */ 2 -- ; 3", [(2,)]),
    "quotes in strings": (r"SELECT 'it\'s', 'tab\there', '\\'", [("it's", "tab\there", "\\")]),
    "keyword as a name": ("SELECT format, values FROM (SELECT 1 AS format, 2 AS values)", [(1, 2)]),
    "alias format": ("SELECT 3 AS format", [(3,)]),
    "format of the client": ("SELECT 4 AS a FORMAT JSON", [(4,)]),
    "lower case": ("select 5 as a format tabseparated", [(5,)]),
    "with": ("WITH 6 AS x SELECT x", [(6,)]),
    "union": ("SELECT * FROM (SELECT 7 AS n UNION ALL SELECT 8 AS n) ORDER BY n", [(7,), (8,)]),
    "newlines first": ("\n\n  -- a comment first\n SELECT 9\n", [(9,)]),
    "no rows": ("SELECT 1 WHERE 0", []),
    "no rows and a comment": ("SELECT 1 WHERE 0 -- none", []),
    "show": ("SHOW TABLES LIKE 'there_is_none'", []),
    "exists": ("EXISTS TABLE system.one", [(1,)]),
    "unicode": ("SELECT 'é€𝄞' AS `naïve`", [("é€𝄞",)]),
}


@pytest.mark.parametrize("case", [name for name in QUERIES if name != "lower case"])
def test_statement(case: str, driver: Driver) -> None:
    sql, expected = QUERIES[case]
    assert driver.query(sql) == expected


@pytest.mark.parametrize("case", [name for name in QUERIES if "format" not in name and name != "lower case"])
def test_connect_statement(case: str, connect_to: Callable[..., Any]) -> None:
    sql, expected = QUERIES[case]
    assert connect_to("connect").query(sql) == expected


INSERTS = [
    "INSERT INTO {t} VALUES (1, 'a;b')",
    "insert into {t} values (1,'a;b');",
    "INSERT INTO {t} (s, n) VALUES ('a;b', 1)",
    "INSERT INTO {t}(n,s)VALUES(1,'a;b')",
    "INSERT INTO `{t}` (`n`, `s`) SELECT 1, 'a;b'",
    "INSERT INTO {t} SELECT n, s FROM (SELECT 1 AS n, 'a;b' AS s)",
    "INSERT INTO {t} FORMAT Values (1, 'a;b')",
    'INSERT INTO {t} FORMAT JSONEachRow {{"n": 1, "s": "a;b"}}',
    "INSERT INTO {t} (n, s) FORMAT CSV\n1,a;b\n",
    "INSERT INTO {t} (n, s) FORMAT TabSeparated\n1\ta;b\n",
    "/* first; */ INSERT INTO {t} -- VALUES\n VALUES (1, 'a;b')",
]


@pytest.mark.parametrize("text", INSERTS)
def test_insert_statement(
    text: str, target: Target, database: str, driver: Driver, table: Callable[..., str]
) -> None:
    name = table("n UInt8, s String", "n")
    headers = {"X-ClickHouse-User": target.user, "X-ClickHouse-Key": target.password}
    address = f"{target.url}?{urlencode({'database': database})}"
    with urlopen(Request(address, data=text.format(t=name).encode(), headers=headers), timeout=30) as answer:
        assert answer.read() == b""
    assert driver.query(f"SELECT n, s FROM {name}") == [(1, "a;b")]


def test_query_of_its_own_database(driver: Driver, database: str, table: Callable[..., str]) -> None:
    """A name with its database needs no USE, in an INSERT's target either."""
    name = table("n UInt64, s String", "n")
    driver.command("USE system")
    driver.insert(f"{database}.{name}", ["s", "n"], [["x", 1]])
    assert driver.query(f"SELECT n, s FROM {database}.{name}") == [(1, "x")]
