# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""schema-plan: what a dump may look like, what is printed, and which exit code says what."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema import cli as schema_cli
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.plan_text import plan_text, wrapped
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from ansible_collections.suho.platform.plugins.module_utils.schema.sql.tokens import significant
from ansible_collections.suho.platform.plugins.module_utils.schema.task import SchemaTask

PROJECT = Path(__file__).resolve().parents[3]
SCRIPT = PROJECT / "bin" / "schema-plan"
EXAMPLE = PROJECT / "docs" / "examples" / "audit-state.sql"
SCHEMAS = PROJECT / "files" / "schemas" / "clickhouse"
TABLE = "CREATE TABLE db.t (`k` String DEFAULT 'a;b''c -- d', `n` UInt8) ENGINE = MergeTree ORDER BY k"
OTHERS = """CREATE TABLE db.queue (`k` String) ENGINE = Kafka('a:9092', 't', 'g', 'JSONEachRow');
CREATE TABLE db.spread (`k` String) ENGINE = Distributed('c', 'db', 't', rand());
CREATE DICTIONARY db.dict (`a` UInt64, `b` String) PRIMARY KEY a SOURCE(HTTP(URL 'http://[::1]:1' FORMAT 'TSV'))
LIFETIME(MIN 0 MAX 10) LAYOUT(FLAT());
CREATE TABLE db.web (`a` UInt8) AS url('http://localhost:1/');
CREATE FUNCTION f AS x -> x;
CREATE TABLE other.t (`k` String) ENGINE = MergeTree ORDER BY k;"""


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


@pytest.fixture
def ask(planner: PlannerProcess) -> Callable[..., dict[str, Any]]:
    """Plan a desired text against a dump, without the command around it."""

    def run(dump: str, desired: str = TABLE, database: str = "") -> dict[str, Any]:
        return planner.ask(
            {
                "database": database,
                "live_dump": {"path": "dump.sql", "text": dump},
                "files": [{"path": "1.sql", "text": desired}],
            }
        )

    return run


class Command:
    """The command in this process, with files in a directory of its own."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.capsys = capsys

    def file(self, text: str, name: str) -> str:
        path = self.directory / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = schema_cli.main(arguments)
        out, err = self.capsys.readouterr()
        return code, out, err

    def plan(self, dump: str, desired: str, *more: str) -> tuple[int, str, str]:
        live, wanted = self.file(dump, "dump.sql"), self.file(desired, "desired.sql")
        return self.run("--live", live, "--desired", wanted, *more)

    def fails(self, *arguments: str) -> str:
        """Run what must fail; returns the one line that says why."""
        code, out, err = self.run(*arguments)
        assert (code, out) == (1, "")
        assert err.startswith("schema-plan: ")
        assert err.count("\n") == 1
        assert err.endswith("\n")
        assert "Traceback" not in err
        return err


@pytest.fixture
def command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    return Command(tmp_path, capsys)


def names(items: list[dict[str, Any]]) -> list[str]:
    return [item["name"] for item in items]


# What a dump may look like ---------------------------------------------------------------------------------

IN_SYNC = {
    "as the server lists it": f"CREATE DATABASE IF NOT EXISTS `db`;\n\n{TABLE};\n\n",
    "as SHOW CREATE prints it": TABLE.replace(" (", "\n(\n", 1).replace("8) ", "8\n)\n") + "\n;\n",
    "by hand, with comments": f"-- the table;\n# and\n/* ; */ SET a = 1;\n{TABLE} -- end;\n",
    "without the database": f"{TABLE.replace('db.t', 't')};",
    "if not exists": f"{TABLE.replace('TABLE db.t', 'TABLE IF NOT EXISTS t')};",
    "after USE": f"USE db; {TABLE.replace('db.t', 't')}",
    "Windows newlines are read by the command, spaces here": f"\n\n \t{TABLE}\n;;\n;",
}


@pytest.mark.parametrize("dump", IN_SYNC.values(), ids=IN_SYNC.keys())
def test_a_dump_of_the_desired_table_is_in_sync(ask: Callable[..., dict[str, Any]], dump: str) -> None:
    answer = ask(dump)
    assert (answer["steps"], answer["refused"]) == ([], [])
    assert answer["database"] == "db"
    changed = ask(dump.replace("`n` UInt8", "`n` UInt16"))
    assert names(changed["refused"]) == ["t.column.n"]


def test_what_the_module_saves_is_a_dump(ask: Callable[..., dict[str, Any]]) -> None:
    options = {"database": "db", "login_password": "secret", "quarantine_database": ""}
    task = SchemaTask(options, dict, list, check_mode=True)
    live = {"database_exists": True, "objects": [{"name": "t", "ddl": TABLE}]}
    assert ask(task.whole_ddl(live))["steps"] == []
    assert names(ask(task.whole_ddl({**live, "objects": []}))["steps"]) == ["create.t"]


def test_an_empty_dump_is_an_empty_database(ask: Callable[..., dict[str, Any]]) -> None:
    for text in ("", " \n-- nothing\n;"):
        assert names(ask(text)["steps"]) == ["create.t"]


def test_views_are_compared_whatever_their_place_in_the_dump(ask: Callable[..., dict[str, Any]]) -> None:
    view = "CREATE VIEW db.v (`k` String) AS SELECT k FROM db.t WHERE k != ';'"
    fed = "CREATE MATERIALIZED VIEW db.mv TO db.t (`k` String) AS SELECT k FROM db.s"
    kept = "CREATE MATERIALIZED VIEW db.kept (`k` String) ENGINE = MergeTree ORDER BY k AS SELECT k FROM db.s"
    source = "CREATE TABLE db.s (`k` String) ENGINE = MergeTree ORDER BY k"
    everything = ";\n".join((view, fed, kept, TABLE, source))
    inner = "CREATE TABLE db.`.inner_id.5` (`k` String) ENGINE = Kafka()"  # not even named as not covered
    answer = ask(f"{everything};{inner}", everything)
    assert (answer["steps"], answer["refused"]) == ([], [])
    assert answer["rehearsal"]["objects"] == 5
    assert "inner" not in str(answer["rehearsal"]["not_covered"])
    other = ask(everything.replace("';'", "'!'"), everything)
    assert names(other["refused"]) == ["v.definition"]


def test_what_cannot_be_rehearsed_is_named(ask: Callable[..., dict[str, Any]]) -> None:
    answer = ask(f"{TABLE};{OTHERS}CREATE VIEW db.q AS SELECT k FROM db.queue;")
    assert (answer["steps"], answer["refused"]) == ([], [])
    notes = "\n".join(answer["rehearsal"]["not_covered"])
    for text in (
        "db.queue: engine Kafka is not rehearsed",
        "db.spread: engine Distributed is not rehearsed",
        "db.dict: the query reads from http(), outside of the database",
        "db.web: engine (none) is not rehearsed",
        "CREATE FUNCTION f: no object of a database",
        "other.t: of another database (line 7 of the dump)",
        "db.q: code 60",
    ):
        assert text in notes


def test_names_that_are_words_of_the_language(ask: Callable[..., dict[str, Any]]) -> None:
    for name in ("`view`", "`if`", "`not`", "`table`", "`a.b`"):
        ddl = f"CREATE TABLE {name} (`k` String) ENGINE = MergeTree ORDER BY k"
        answer = ask(ddl, ddl.replace("TABLE ", "TABLE db."))
        assert (answer["steps"], answer["refused"]) == ([], []), name
        assert answer["rehearsal"]["objects"] == 1, name


def test_a_table_that_is_wanted_but_cannot_be_read_is_an_error(ask: Callable[..., dict[str, Any]]) -> None:
    with pytest.raises(SchemaError, match=r"db\.t: the live table cannot be loaded .* engine Kafka"):
        ask("CREATE TABLE db.t (`k` String) ENGINE = Kafka()")


@pytest.mark.parametrize(
    ("dump", "message"),
    [
        ("SET a = 1;\n\nCREATE TABLE db.t (a UInt8", "dump.sql:3:.* the engine refused it with code 62"),
        (f"{TABLE}\n{TABLE}", "dump.sql:2:1: the engine refused it with code 62"),
        (f"{TABLE};\nCREATE TABLE t (a UInt8) ENGINE = Memory", "dump.sql:2: db.t is created in line 1"),
        ("ALTER TABLE db.t ADD COLUMN x UInt8", "dump.sql:1: expected only .* found 'ALTER TABLE db.t"),
        ("DROP DATABASE db", "expected only .* found 'DROP DATABASE db'"),
        ("ATTACH TABLE db.t (a UInt8) ENGINE = Memory", "expected only .* found 'ATTACH TABLE db.t"),
        ("CREATE TEMPORARY TABLE t (a UInt8)", "expected only .* found 'CREATE TEMPORARY TABLE t"),
        ("CREATE OR REPLACE TABLE db.t (a UInt8) ENGINE = Memory", "found 'CREATE OR REPLACE TABLE'"),
        ("INSERT INTO db.t VALUES ('a', 1)", "expected only .* found 'INSERT INTO db?"),
        ("/* open", "dump.sql:1:1: the engine refused it"),
        (r"CREATE TABLE db.t\n(\n    `a` UInt8\n)\nENGINE = Memory", "FORMAT TSVRaw"),
    ],
)
def test_what_is_no_dump_is_an_error(ask: Callable[..., dict[str, Any]], dump: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        ask(dump)


# Which database --------------------------------------------------------------------------------------------


def test_the_database_is_the_one_that_is_named(ask: Callable[..., dict[str, Any]]) -> None:
    plain, elsewhere = TABLE.replace("db.t", "t"), TABLE.replace("db.t", "other.t")
    assert ask("", f"USE db; {plain}")["database"] == "db"
    assert ask("", f"CREATE DATABASE IF NOT EXISTS db; {plain}")["database"] == "db"
    assert ask("CREATE DATABASE db", plain)["database"] == "db"
    assert ask(TABLE, plain)["steps"] == []
    assert ask(f"{TABLE};{elsewhere}", TABLE)["database"] == "db"
    assert names(ask(f"USE other; {plain}; {TABLE}", TABLE)["steps"]) == []
    assert names(ask(elsewhere, plain, database="db")["steps"]) == ["create.t"]


@pytest.mark.parametrize(
    ("dump", "desired", "found"),
    [
        ("", "t", "the desired files name none, the dump names none"),
        ("db.t other.t", "t", "the desired files name none, the dump names db, other"),
        ("other.t", "db.t", "the desired files name db, the dump names other"),
        ("", "db.t other.u", "the desired files name db, other, the dump names none"),
    ],
)
def test_a_database_that_is_not_clear_is_an_error(
    ask: Callable[..., dict[str, Any]], dump: str, desired: str, found: str
) -> None:
    def script(tables: str) -> str:
        return ";".join(TABLE.replace("db.t", name) for name in tables.split())

    with pytest.raises(SchemaError, match=f"{found}; say it with --database"):
        ask(script(dump), script(desired))


# The command -----------------------------------------------------------------------------------------------


def test_in_sync_is_exit_code_0(command: Command) -> None:
    code, out, err = command.plan(TABLE, TABLE)
    assert (code, err) == (0, "")
    assert out.startswith("SCHEMA PLAN for database db\n")
    assert out.splitlines()[-1] == "in sync"


def test_steps_are_exit_code_2_and_are_shown_whole(command: Command) -> None:
    code, out, err = command.plan(TABLE.replace(", `n` UInt8", ""), TABLE)
    assert (code, err) == (2, "")
    assert (
        "   + alter.t (additive): column n is missing\n"
        "       effect    changes metadata only; rows that exist read the default, a new index covers new parts\n"
        "       statement ALTER TABLE `db`.`t` ADD COLUMN `n` UInt8 AFTER `k`\n"
        "       rollback  ALTER TABLE `db`.`t` DROP COLUMN `n`\n"
    ) in out
    assert "   - rows and their values\n" in out
    assert out.splitlines()[-1] == "1 step, 0 refused"


def test_refusals_are_exit_code_2_and_allow_makes_them_steps(command: Command) -> None:
    wanted = TABLE.replace("`n` UInt8", "`n` UInt16")
    code, out, _err = command.plan(TABLE, wanted)
    assert code == 2
    assert (
        "   ! t.column.n (rewrite): type of a column that exists; allow it by its name, t.column.n\n" in out
    )
    assert "       found     n UInt8\n       expected  n UInt16\n" in out
    assert out.splitlines()[-1] == "0 steps, 1 refused"
    code, out, _err = command.plan(TABLE, wanted, "--allow", "x.y", "t.column.n")
    assert code == 2
    assert out.splitlines()[-1] == "1 step, 0 refused"


def test_json_is_the_planners_whole_answer_with_the_verdict(
    command: Command, planner: PlannerProcess
) -> None:
    code, out, err = command.plan("", TABLE, "--json", "--server-version", "24.8.1.2")
    assert (code, err) == (2, "")
    data = json.loads(out)
    assert data.pop("verdict") == "1 step, 0 refused"
    request = {
        "database": "db",
        "server_version": "24.8.1.2",
        "live": [],
        "files": [{"path": "desired.sql", "text": TABLE}],
    }
    expected = planner.ask(request)
    assert any("24.8.1.2" in text for text in expected["rehearsal"]["warnings"])
    for answer in (data, expected):
        answer["rehearsal"].pop("seconds")
    assert data == expected


def test_the_warning_of_another_server_version_is_shown(command: Command) -> None:
    _code, out, _err = command.plan(TABLE, TABLE, "--server-version", "24.8.1.2")
    assert "Warnings:\n   - rehearsed on ClickHouse " in out
    assert "but the server is 24.8.1.2\n" in out


def test_standard_input_can_be_the_dump(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = command.file(TABLE, "desired.sql")
    dump = TABLE.replace(" ENGINE", "\r\nENGINE").encode()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(dump)))
    code, out, _err = command.run("--live", "-", "--desired", wanted)
    assert code == 0
    assert "from standard input to" in out
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"\n;nonsense (")))
    assert "standard input:2:11: " in command.fails("--live", "-", "--desired", wanted)


def test_several_desired_places(command: Command, tmp_path: Path) -> None:
    folder = tmp_path / "more"
    folder.mkdir()
    (folder / "b.sql").write_text("CREATE TABLE u (a UInt8) ENGINE = Memory")
    (folder / "notes.txt").write_text("not SQL")
    live, wanted = command.file("", "dump.sql"), command.file(TABLE, "desired.sql")
    code, out, _err = command.run("--live", live, "--desired", wanted, str(folder), "--json")
    assert code == 2
    assert json.loads(out)["managed"] == ["t", "u"]
    again = command.run("--live", live, "--desired", wanted, "--desired", str(folder), "--json")
    assert json.loads(again[1])["managed"] == ["t", "u"]


def test_the_example_is_the_labs_state_of_the_audit(command: Command) -> None:
    """It is what the engine prints for the lab's seed, and what stands in docs/schema.md about it is true."""
    seed = PROJECT / "lab" / "seed" / "clickhouse" / "tables.sql"
    answers = []
    for live in (EXAMPLE, seed):
        code, out, _err = command.run("--live", str(live), "--desired", str(SCHEMAS), "--json")
        assert code == 2
        answers.append(json.loads(out))
        answers[-1]["rehearsal"].pop("seconds")
    assert answers[0] == answers[1]
    assert answers[0]["verdict"] == "7 steps, 0 refused"
    for path in (seed, EXAMPLE):  # the other way round, so that nothing is missing in either
        other = EXAMPLE if path == seed else seed
        assert command.run("--live", str(other), "--desired", str(path))[0] == 0


def test_the_text_in_the_docs_is_what_the_command_prints(command: Command) -> None:
    dump = PROJECT / "docs" / "examples" / "audit-state.sql"
    _code, out, _err = command.run("--live", str(dump), "--desired", str(SCHEMAS))
    docs = (PROJECT / "docs" / "schema.md").read_text(encoding="utf-8")
    step = out[out.index("   + alter.aggregates") :].split("\n\n")[0]
    assert step in docs
    assert out.splitlines()[-1] in docs


# Errors ----------------------------------------------------------------------------------------------------


def test_files_that_cannot_be_read_are_named(command: Command, tmp_path: Path) -> None:
    wanted = command.file(TABLE, "desired.sql")
    missing, empty, binary = tmp_path / "nothing.sql", tmp_path / "empty", tmp_path / "binary.sql"
    empty.mkdir()
    binary.write_bytes(b"CREATE \xff")
    for live, desired, message in (
        (missing, wanted, f"{missing} cannot be read: No such file or directory"),
        (tmp_path, wanted, f"{tmp_path} cannot be read: Is a directory"),
        (binary, wanted, f"{binary}: expected UTF-8 text, found invalid start byte at byte 7"),
        (wanted, missing, f"desired: there is no file or directory {missing}"),
        (wanted, binary, f"{binary}: expected UTF-8 text"),
        (wanted, empty, f"desired: directory {empty} holds no *.sql file"),
        (wanted, command.file("nonsense (", "bad.sql"), "bad.sql:1:11: the engine refused it with code 62"),
    ):
        assert message in command.fails("--live", str(live), "--desired", str(desired))


def test_options_that_are_not_understood(command: Command) -> None:
    assert "required: --live, --desired; see schema-plan --help" in command.fails()
    assert "unrecognized arguments: --nonsense" in command.fails(
        "--live", "x", "--desired", "y", "--nonsense"
    )
    assert "unrecognized arguments: --data" in command.fails("--live", "x", "--desired", "y", "--data", "z")
    assert "database system cannot be managed" in command.fails(
        "--live",
        command.file(TABLE, "d.sql"),
        "--desired",
        command.file(TABLE, "d.sql"),
        "--database",
        "system",
    )


def test_help_is_no_error(command: Command) -> None:
    code, out, err = command.run("--help")
    assert (code, err) == (0, "")
    assert "exit codes:" in out


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("a\nb"), OSError(28, "No space left")])
def test_whatever_happens_is_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(_options: Any) -> None:
        raise error

    monkeypatch.setattr(schema_cli, "plan", fail)
    line = command.fails("--live", "x", "--desired", "y")
    assert any(text in line for text in ("interrupted", "failed with RuntimeError: a b", "No space left"))


# The script ------------------------------------------------------------------------------------------------


def arguments(live: str = str(EXAMPLE)) -> list[str]:
    return ["--live", live, "--desired", str(SCHEMAS)]


def test_the_script_finds_its_python_and_says_it_with_its_exit_code() -> None:
    done = subprocess.run([SCRIPT, *arguments()], check=False, capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.endswith("\n7 steps, 0 refused\n")


@pytest.mark.parametrize(
    ("checkout", "remedy"),
    [(True, "make setup"), (False, "pip install --no-deps chdb-core")],
    ids=["checkout", "installed"],
)
@pytest.mark.parametrize("environment", [False, True], ids=["no .venv", ".venv without the engine"])
def test_the_script_without_the_engine_says_what_to_run(
    tmp_path: Path, environment: bool, checkout: bool, remedy: str
) -> None:
    (tmp_path / "bin").mkdir()
    if checkout:
        (tmp_path / "Makefile").touch()
    script = shutil.copy(SCRIPT, tmp_path / "bin")
    found = Path(sys.executable)
    if environment:
        found = tmp_path / ".venv" / "bin" / "python"
        found.parent.mkdir(parents=True)
        found.symlink_to(Path(sys.executable).resolve())
    # Python without its site's packages has no chdb.
    command = [sys.executable, "-S", script, *arguments()]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    expected = f"schema-plan: {found} has no chdb, the embedded ClickHouse engine; run: {remedy}\n"
    assert done.stderr == expected


def test_a_reader_that_goes_away_is_one_line() -> None:
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()
    assert process.stderr.read() == "schema-plan: the reader of the output went away before its end\n"
    assert process.wait(timeout=60) == 1


def test_an_interrupt_is_one_line(tmp_path: Path) -> None:
    live = tmp_path / "dump.sql"
    os.mkfifo(live)
    process = subprocess.Popen(
        [sys.executable, SCRIPT, *arguments(str(live))],
        stderr=subprocess.PIPE,
        text=True,
        # A shell lets what runs in its background ignore the signal, and that is inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    writer = None
    deadline = time.monotonic() + 60
    while writer is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):  # refused until the command has opened its end, and waits
            writer = os.open(live, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.05)
    assert writer is not None
    try:
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=60)
    finally:
        process.kill()
        os.close(writer)
    assert (process.returncode, said) == (1, "schema-plan: interrupted\n")


def test_statements_for_a_cluster(tmp_path: Path) -> None:
    live = tmp_path / "dump.sql"
    live.write_text("CREATE TABLE db.t (`x` UInt8) ENGINE = MergeTree ORDER BY x;")
    desired = tmp_path / "t.sql"
    desired.write_text("CREATE TABLE db.t (x UInt8, y UInt8) ENGINE = MergeTree ORDER BY x;")
    done = subprocess.run(
        [sys.executable, SCRIPT, "--live", str(live), "--desired", str(desired), "--cluster", "main"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (2, "")
    assert "ALTER TABLE `db`.`t` ON CLUSTER 'main' ADD COLUMN `y` UInt8 AFTER `x`" in " ".join(
        done.stdout.split()
    )


# The text --------------------------------------------------------------------------------------------------


def test_wrapping_changes_no_token() -> None:
    sql = f"ALTER TABLE t MODIFY COMMENT '{'two  spaces ' * 20}', " + ", ".join(
        f"ADD COLUMN c{n} UInt8" for n in range(30)
    )
    lines = wrapped(sql)
    assert len(lines) > 5
    assert max(len(line) for line in lines if "two" not in line) <= 100
    assert [token.text for token in significant("\n".join(lines))] == [
        token.text for token in significant(sql)
    ]


def test_no_name_in_a_plan_can_move_the_terminals_cursor() -> None:
    step = {
        "name": "create.\x1b[2Jt",
        "class": "additive",
        "reason": "a\x07",
        "effect": "b",
        "statement": "CREATE TABLE `\x1b[1;31mt`",
        "rollback_sql": "c\rd",
    }
    rehearsal = {"engine_version": "1", "warnings": ["\x1b]0;x\x07"], "not_covered": []}
    answer = {"database": "db", "steps": [step], "refused": [], "rehearsal": rehearsal}
    text = plan_text(answer, "a", "b")
    assert "create.t" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
