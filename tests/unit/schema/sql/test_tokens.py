# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Splitting files into statements, and taking printed DDL apart without losing a piece."""

from __future__ import annotations

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.ddl import head, parse_create
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.tokens import (
    significant,
    split_statements,
    tokens,
    unquote,
)
from hypothesis import given
from hypothesis import strategies as st

DDL = (
    "CREATE TABLE db.t (`a` UInt8, `b` Decimal(18, 5) DEFAULT 0 COMMENT 'it''s, b' CODEC(ZSTD(3)), "
    "`c` String ALIAS concat(b, 'x'), `d` Enum8('x, (' = 1) TTL e + toIntervalDay(1), "
    "INDEX i1 lower(c) TYPE set(0) GRANULARITY 4, CONSTRAINT k CHECK a > 0, "
    "PROJECTION p (SELECT a, count() GROUP BY a)) ENGINE = ReplacingMergeTree(a) PARTITION BY (a, b) "
    "PRIMARY KEY a ORDER BY (a, b) SAMPLE BY a TTL e + toIntervalDay(90) "
    "SETTINGS index_granularity = 8192, min_bytes = 1 COMMENT 'TTL; ORDER BY'"
)


@given(st.text(max_size=200))
def test_tokens_joined_give_the_text_again(text: str) -> None:
    assert "".join(token.text for token in tokens(text)) == text


@given(st.lists(st.sampled_from(["'", '"', "`", ";", "\\", "--", "/*", "*/", "\n", "$$", "a", " ", "#"])))
def test_splitting_never_fails_and_never_invents_text(parts: list[str]) -> None:
    text = "".join(parts)
    for statement in split_statements(text):
        assert statement.text in text
        assert statement.text.strip()
        assert 1 <= statement.line <= text.count("\n") + 1


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("a; b", [("a", 1), ("b", 1)]),
        ("a;;\n;\nb;", [("a", 1), ("b", 3)]),
        ("select ';' ; b", [("select ';'", 1), ("b", 1)]),
        (r"select '\';' ; b", [(r"select '\';'", 1), ("b", 1)]),
        ("select 'it'';' ; b", [("select 'it'';'", 1), ("b", 1)]),
        ("select `a;` ; b", [("select `a;`", 1), ("b", 1)]),
        ('select "a;" ; b', [('select "a;"', 1), ("b", 1)]),
        ("a -- ;\n; b", [("a", 1), ("b", 2)]),
        ("a # ;\n; b", [("a", 1), ("b", 2)]),
        ("/* ; /* ; */ ; */ a; b", [("a", 1), ("b", 1)]),
        ("select $x$ ; $x$; b", [("select $x$ ; $x$", 1), ("b", 1)]),
        ("-- only a comment", []),
        ("a; /* never closed; b", [("a", 1), ("/* never closed; b", 1)]),
        ("a; 'never closed; b", [("a", 1), ("'never closed; b", 1)]),
    ],
)
def test_split(sql: str, expected: list[tuple[str, int]]) -> None:
    assert [(item.text, item.line) for item in split_statements(sql)] == expected


def test_unquote() -> None:
    assert [unquote(token) for token in significant(r"a `b``c` 'd\'e' ")] == ["a", "b`c", "d'e"]


def test_every_part_of_a_table_is_read() -> None:
    table = parse_create(DDL)
    assert (table.kind, table.name) == ("TABLE", "t")
    assert {name: column.parts for name, column in table.columns.items()} == {
        "a": {"type": "UInt8"},
        "b": {
            "type": "Decimal(18, 5)",
            "default": "DEFAULT 0",
            "comment": "COMMENT 'it''s, b'",
            "codec": "CODEC(ZSTD(3))",
        },
        "c": {"type": "String", "default": "ALIAS concat(b, 'x')"},
        "d": {"type": "Enum8('x, (' = 1)", "ttl": "TTL e + toIntervalDay(1)"},
    }
    assert table.indexes["i1"].parts == {"expression": "lower(c)", "type": "set(0)", "granularity": "4"}
    assert table.projections == {"p": "(SELECT a, count() GROUP BY a)"}
    assert table.constraints == {"k": "CHECK a > 0"}
    assert table.clauses == {
        "engine": "ReplacingMergeTree(a)",
        "partition_by": "(a, b)",
        "primary_key": "a",
        "order_by": "(a, b)",
        "sample_by": "a",
        "ttl": "e + toIntervalDay(90)",
        "comment": "'TTL; ORDER BY'",
    }
    assert table.settings == {"index_granularity": "8192", "min_bytes": "1"}


def test_no_token_of_the_ddl_is_lost() -> None:
    """Whatever changes in the text changes in a part: else a difference could hide between the parts."""
    words = DDL.split(" ")
    original = parse_create(DDL)
    parts = ("columns", "indexes", "projections", "constraints", "clauses", "settings")
    for position in range(4, len(words)):
        changed = " ".join([*words[:position], "surplus", *words[position:]])
        try:
            other = parse_create(changed)
        except SchemaError:
            continue
        assert any(getattr(other, part) != getattr(original, part) for part in parts), changed


@pytest.mark.parametrize(
    "text", ["", "DROP TABLE t", "CREATE USER x", "CREATE TABLE", "CREATE TABLE a.b (`c` UInt8"]
)
def test_what_is_no_create_statement_is_an_error(text: str) -> None:
    with pytest.raises(SchemaError):
        parse_create(text)


def test_head() -> None:
    assert head("CREATE TABLE IF NOT EXISTS `a`.`b c` (x UInt8)") == ("TABLE", "a", "b c")
    assert head("CREATE MATERIALIZED VIEW v TO a.t AS SELECT 1") == ("MATERIALIZED VIEW", "", "v")
