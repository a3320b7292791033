"""The schema that the files describe, read from ClickHouse's own system tables."""

from __future__ import annotations

import json
import os
import re
import shutil

import pytest
from lab_facts import DATABASE, EXTERNAL_TABLES, PROJECT

SCHEMAS = PROJECT / "files/schemas/clickhouse"
FILES = {path.stem.partition("_")[2]: path for path in SCHEMAS.glob("*.sql")}
INDEX = re.compile(r"^ *INDEX (\w+) +(\w+) +TYPE ([\w()]+) GRANULARITY (\d+)", re.MULTILINE)
COLUMN = re.compile(r"^    (\w+) +(\w+(?:\([^)]*\))?)", re.MULTILINE)


def text_of(table):
    return FILES[table].read_text()


def indices_of(lab, table):
    return lab.query(
        "SELECT name, expr, type_full, granularity FROM system.data_skipping_indices "
        "WHERE database = %(database)s AND table = %(table)s",
        database=DATABASE,
        table=table,
    )


def test_the_column_has_its_type_default_and_place(lab):
    rows = lab.query(
        "SELECT name, type, default_kind, default_expression, position FROM system.columns "
        "WHERE database = %(database)s AND table = 'aggregates' ORDER BY position",
        database=DATABASE,
    )
    names = [row[0] for row in rows]
    at = names.index("indicators")
    assert names[at - 1 : at + 2] == ["event_type", "indicators", "ingested_at"]
    assert rows[at][1:4] == ("String", "DEFAULT", "''")


def test_exactly_the_six_tables_are_new(lab):
    before = {name.partition(".")[2] for name in json.loads(lab.remembered.read_text())["schema"]}
    assert lab.tables() - before == set(EXTERNAL_TABLES)
    assert before <= lab.tables()


@pytest.mark.parametrize("table", EXTERNAL_TABLES)
def test_a_new_table_has_the_files_columns(lab, table):
    wanted = [name for name, _type in COLUMN.findall(text_of(table)) if name != "INDEX"]
    assert len(wanted) >= 5
    assert list(lab.columns(table)) == wanted


@pytest.mark.parametrize("table", ["aggregates", *EXTERNAL_TABLES])
def test_every_skipping_index_of_the_file_is_there(lab, table):
    wanted = {(name, expr, kind, int(size)) for name, expr, kind, size in INDEX.findall(text_of(table))}
    assert len(wanted) >= 2
    assert set(indices_of(lab, table)) == wanted


@pytest.mark.parametrize("table", EXTERNAL_TABLES)
def test_a_new_table_forgets_old_rows(lab, table):
    ((ddl,),) = lab.query(
        "SELECT create_table_query FROM system.tables WHERE database = %(database)s AND name = %(table)s",
        database=DATABASE,
        table=table,
    )
    assert re.search(r"TTL \w+ \+ toIntervalDay\(\d+\)", ddl), ddl


def test_history_kept_its_rows_and_reads_the_default(lab):
    days = int(os.environ.get("LAB_HISTORY_DAYS") or 732)
    assert lab.count("aggregates") >= 1_360 * days
    assert lab.count("aggregates", "indicators != ''") == 0


def test_a_step_that_rewrites_data_is_refused(lab, role, tmp_path):
    shutil.copytree(SCHEMAS, tmp_path / "schemas")
    changed = tmp_path / "schemas" / FILES["aggregates"].name
    text = changed.read_text()
    changed.write_text(re.sub(r"volume +UInt64,", "volume Float64,", text))
    assert changed.read_text() != text
    before = lab.fingerprint()["schema"]
    done = role("clickhouse_schema", clickhouse_schema_desired=str(tmp_path / "schemas"))
    done.assert_refused("found volume UInt64, expected volume Float64", "aggregates.column.volume")
    assert lab.fingerprint()["schema"] == before


def test_fill_what_the_way_back_has_to_keep(lab):
    """The tests of the way back and forth count against these numbers."""
    lab.query(
        "INSERT INTO external_fear_greed_index (value, classification, index_timestamp) "
        "SELECT number % 100, 'Fear', now() FROM numbers(777)"
    )
    lab.query(
        "INSERT INTO aggregates (symbol, timeframe, timestamp, source, indicators) "
        "SELECT 'MOL/ECULE', '5m', toDateTime64(now(), 3) - number, 'molecule', '{\"rsi\": 50.5}' FROM numbers(333)"
    )
    assert lab.count("external_fear_greed_index") == 777
    rows = {"aggregates": lab.count("aggregates"), "indicators": lab.count("aggregates", "indicators != ''")}
    assert rows["indicators"] == 333
    (lab.folder / "rows.json").write_text(json.dumps(rows))
