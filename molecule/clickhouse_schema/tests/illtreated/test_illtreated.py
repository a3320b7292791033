"""Databases of the test's own on the lab's server: fresh, drifted, half done, and under writers that never stop."""

from __future__ import annotations

import itertools
import threading
import time

import pytest
from clickhouse_driver import Client
from clickhouse_driver.errors import ServerException
from conftest import kill_tree
from lab_facts import wait_for

DATABASE = "molecule"
QUARANTINE = f"{DATABASE}_quarantine"
BARS = """CREATE TABLE bars (k String, n UInt64, at DateTime DEFAULT now(), INDEX by_n n TYPE minmax GRANULARITY 1)
ENGINE = MergeTree PARTITION BY n % 4 ORDER BY (k, n) TTL at + INTERVAL 3650 DAY;"""
OLD = BARS + "CREATE TABLE totals (k String, c UInt64) ENGINE = SummingMergeTree ORDER BY k;"
VIEW = f"CREATE MATERIALIZED VIEW {DATABASE}.feed TO {DATABASE}.totals AS SELECT k, count() AS c FROM {DATABASE}.bars GROUP BY k"
NEW = (
    OLD.replace("n UInt64,", "n UInt64, ind String DEFAULT '',")
    + "CREATE TABLE events (n UInt64) ENGINE = MergeTree ORDER BY n;"
)


class Schema:
    """One database, and the directory of files that it is brought to."""

    def __init__(self, lab, play, folder) -> None:
        self.lab, self.play, self.folder = lab, play, folder
        self.steps = folder / "steps.json"

    def write(self, text: str) -> dict:
        (self.folder / "desired.sql").write_text(text)
        return {
            "clickhouse_schema_database": DATABASE,
            "clickhouse_schema_quarantine_database": QUARANTINE,
            "clickhouse_schema_desired": str(self.folder / "desired.sql"),
            "kept_steps": str(self.steps),
        }

    def deploy(self, text: str, **more):
        return self.play("molecule/clickhouse_schema/converge.yml", **self.write(text), **more)

    def rollback(self, **more):
        return self.play("molecule/clickhouse_schema/rollback.yml", **self.write(OLD), **more)

    def ddl(self) -> dict[str, str]:
        rows = self.lab.query(
            "SELECT name, create_table_query FROM system.tables WHERE database = %(database)s",
            database=DATABASE,
        )
        return dict(rows)

    def ask(self, sql: str):
        return self.lab.query(sql)[0][0]


@pytest.fixture
def schema(lab, play, tmp_path):
    lab.query(f"DROP DATABASE IF EXISTS {DATABASE} SYNC")
    lab.query(f"DROP DATABASE IF EXISTS {QUARANTINE} SYNC")
    yield Schema(lab, play, tmp_path)
    lab.query(f"DROP DATABASE IF EXISTS {DATABASE} SYNC")
    lab.query(f"DROP DATABASE IF EXISTS {QUARANTINE} SYNC")


def test_a_fresh_database_is_made_and_a_drifted_one_is_mended(schema):
    schema.deploy(NEW).assert_passed()
    made = schema.ddl()
    assert set(made) == {"bars", "totals", "events"}
    for statement in (
        "ALTER TABLE bars DROP COLUMN ind",
        "ALTER TABLE bars DROP INDEX by_n",
        "ALTER TABLE bars MODIFY TTL at + INTERVAL 30 DAY",
        "ALTER TABLE bars MODIFY SETTING merge_with_ttl_timeout = 60",
        "DROP TABLE events SYNC",
        "CREATE TABLE others (x UInt8) ENGINE = Log",
    ):
        schema.lab.query(statement.replace("TABLE ", f"TABLE {DATABASE}."))
    done = schema.deploy(NEW)
    done.assert_refused("bars.ttl", "bars.setting.merge_with_ttl_timeout", "allow it by its name")
    assert "`ind` String" in schema.ddl()["bars"], "what is safe was done"
    done = schema.deploy(NEW, clickhouse_schema_allow=["bars.ttl", "rewrite"])
    done.assert_passed(changed=1)
    others = schema.ddl().pop("others")
    assert "ENGINE = Log" in others
    assert {name: ddl for name, ddl in schema.ddl().items() if name != "others"} == made
    schema.deploy(NEW).assert_passed(changed=0)


def test_a_broken_file_and_a_change_that_loses_values_change_nothing(schema):
    schema.deploy(OLD).assert_passed()
    schema.lab.query(f"INSERT INTO {DATABASE}.bars (k, n) VALUES ('much too long', 1)")
    before = schema.ddl()
    broken = NEW.replace("ORDER BY n;", "ORDER BY n, INDEX i n;")
    schema.deploy(broken).assert_refused("desired.sql:", "Syntax error")
    narrow = OLD.replace("INDEX by_n", "note FixedString(4), INDEX by_n")
    schema.lab.query(f"ALTER TABLE {DATABASE}.bars ADD COLUMN note String DEFAULT k")
    before = schema.ddl()
    done = schema.deploy(narrow, clickhouse_schema_allow=["destructive"])
    done.assert_refused("bars.column.note", "not possible", "1")
    assert schema.ddl() == before


def test_a_run_that_is_killed_in_the_middle_is_continued_by_the_next(schema, play_process):
    many = "".join(
        f"CREATE TABLE t{number} (x UInt8) ENGINE = MergeTree ORDER BY x;" for number in range(150)
    )
    process = play_process("molecule/clickhouse_schema/converge.yml", **schema.write(many))
    deadline = time.monotonic() + 240
    made = 0
    while not 0 < made < 150:
        assert time.monotonic() < deadline, process.stdout.read().decode()
        made = len(schema.ddl())
    kill_tree(process)
    half = len(schema.ddl())
    assert 0 < half < 150
    schema.deploy(many).assert_passed(changed=1)
    assert len(schema.ddl()) == 150
    schema.deploy(many).assert_passed(changed=0)


class Writer(threading.Thread):
    """Writes numbered rows one after the other; one that is not acknowledged is tried again until it is."""

    def __init__(self, lab, insert: str) -> None:
        super().__init__(daemon=True)
        self.client = Client(
            "127.0.0.1",
            port=int(lab.settings["CLICKHOUSE_NATIVE_PORT"]),
            user=lab.settings["CLICKHOUSE_USER"],
            password=lab.settings["CLICKHOUSE_PASSWORD"],
        )
        self.insert = insert
        self.acknowledged: list[int] = []
        self.denied = 0
        self.over = threading.Event()

    def run(self) -> None:
        for number in itertools.count():
            while not self.over.is_set():
                try:
                    self.client.execute(self.insert.format(n=number))
                except ServerException:
                    self.denied += 1
                    time.sleep(0.05)
                else:
                    self.acknowledged.append(number)
                    time.sleep(0.03)
                    break
            if self.over.is_set():
                break

    def end(self) -> list[int]:
        self.over.set()
        self.join(timeout=120)
        assert not self.is_alive()
        self.client.disconnect()
        return self.acknowledged


@pytest.fixture
def writers(schema):
    """One that knows only the old schema, and two that need what the release brings."""
    schema.deploy(OLD).assert_passed()
    schema.lab.query(VIEW)
    schema.steps.unlink()
    found = {
        "old": Writer(schema.lab, f"INSERT INTO {DATABASE}.bars (k, n) SELECT 'old', {{n}}"),
        "new": Writer(schema.lab, f"INSERT INTO {DATABASE}.bars (k, n, ind) SELECT 'new', {{n}}, 'i{{n}}'"),
        "events": Writer(schema.lab, f"INSERT INTO {DATABASE}.events SELECT {{n}}"),
    }
    for writer in found.values():
        writer.start()
    yield found
    for writer in found.values():
        writer.over.set()


def assert_all_stored(schema, writers):
    told = {name: writer.end() for name, writer in writers.items()}
    assert all(len(numbers) > 20 for numbers in told.values()), {
        name: len(numbers) for name, numbers in told.items()
    }
    for name in ("old", "new"):
        rows = schema.lab.query(f"SELECT n, ind FROM {DATABASE}.bars WHERE k = '{name}' ORDER BY n")
        assert [row[0] for row in rows] == told[name], name
        assert {row[1] for row in rows} == ({""} if name == "old" else {f"i{n}" for n in told["new"]})
    assert [row[0] for row in schema.lab.query(f"SELECT n FROM {DATABASE}.events ORDER BY n")] == told[
        "events"
    ]
    assert schema.ask(f"SELECT sum(c) FROM {DATABASE}.totals") == len(told["old"]) + len(told["new"])


def test_there_and_back_and_there_under_writers_no_acknowledged_row_is_lost(schema, writers):
    schema.deploy(NEW).assert_passed(changed=1)
    before = {name: len(writer.acknowledged) for name, writer in writers.items()}
    wait_for(
        "rows of all writers",
        lambda: all(len(w.acknowledged) > before[n] + 20 for n, w in writers.items()),
        30,
    )
    schema.rollback().assert_passed()
    assert "`ind`" not in schema.ddl()["bars"]
    assert "events" not in schema.ddl()
    denied = writers["new"].denied
    wait_for("a writer that is told no", lambda: writers["new"].denied > denied, 30)
    schema.deploy(NEW).assert_passed(changed=1)
    time.sleep(0.5)
    assert_all_stored(schema, writers)


def test_a_table_is_rebuilt_and_given_back_under_writers(schema, writers):
    schema.deploy(NEW).assert_passed(changed=1)
    wait_for("rows", lambda: len(writers["new"].acknowledged) > 20, 30)
    schema.steps.unlink()
    other = NEW.replace("PARTITION BY n % 4 ORDER BY (k, n)", "PARTITION BY n % 3 ORDER BY (n, k)")
    schema.deploy(other).assert_refused("bars.order_by", "allow it by its name, bars.rebuild")
    schema.deploy(
        other, clickhouse_schema_allow=["bars.rebuild"], clickhouse_schema_release="molecule"
    ).assert_passed(changed=1)
    assert "ORDER BY (n, k)" in schema.ddl()["bars"]
    at = len(writers["new"].acknowledged)
    wait_for("rows in the new table", lambda: len(writers["new"].acknowledged) > at + 20, 30)
    schema.rollback().assert_passed()
    assert "ORDER BY (k, n)" in schema.ddl()["bars"]
    time.sleep(0.5)
    assert_all_stored(schema, writers)
