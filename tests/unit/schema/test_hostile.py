# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Malformed and hostile desired files: each is refused with its place, and none does anything."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.suho.platform.plugins.module_utils.schema.model import SchemaError
from ansible_collections.suho.platform.plugins.module_utils.schema.rehearsal.process import PlannerProcess
from schema_hostile_files import GOOD, hostile

NAMES = [name for name, _text in hostile("", 0)]
PATH = "schemas/20_hostile.sql"


class Batch(NamedTuple):
    """What came of asking one process about every file."""

    texts: dict[str, str]
    outcomes: dict[str, Any]
    good: list[dict[str, Any]]
    connections: int
    folder: Path


@pytest.fixture(scope="module")
def planner() -> Iterator[PlannerProcess]:
    with PlannerProcess(timeout=60) as process:
        yield process


def ask(planner: PlannerProcess, text: str) -> dict[str, Any]:
    answer = planner.ask({"database": "db", "live": [], "files": [{"path": PATH, "text": text}]})
    answer["rehearsal"].pop("seconds")
    return answer


@pytest.fixture(scope="module")
def batch(planner: PlannerProcess, tmp_path_factory: pytest.TempPathFactory) -> Batch:
    folder = tmp_path_factory.mktemp("canary")
    (folder / "canary").write_text("1\n", encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        texts = dict(hostile(str(folder / "canary"), listener.getsockname()[1]))
        outcomes: dict[str, Any] = {}
        good = [ask(planner, GOOD)]
        for number, (name, text) in enumerate(texts.items(), start=1):
            try:
                outcomes[name] = ask(planner, text)
            except SchemaError as error:
                outcomes[name] = error
            if number % 100 == 0:
                good.append(ask(planner, GOOD))
        good.append(ask(planner, GOOD))
        return Batch(texts, outcomes, good, connections(listener), folder)


def connections(listener: socket.socket) -> int:
    listener.setblocking(False)
    for number in range(1000):
        try:
            listener.accept()[0].close()
        except BlockingIOError:
            return number
    return 1000


def wrong(error: Any, text: str) -> str:
    """What is not as it should be in the outcome of one file, or nothing."""
    if not isinstance(error, SchemaError):
        return f"accepted: {text[:300]!r}"
    message, lines = str(error), text.split("\n")
    line, column = error.details["line"], error.details.get("column") or 1
    demanded = {
        "it begins with its place": message.startswith(f"{PATH}:{line}:"),
        "it is printable": message.isprintable(),
        "it is short": len(message) < 1000,
        "it is no traceback": "Traceback" not in message,
        "it names the file": error.details["file"] == PATH,
        "the line is one of the file's": 1 <= line <= len(lines),
        "the column is one of the line's": column <= len(lines[min(line, len(lines)) - 1]) + 1,
    }
    return "; ".join(f"not: {what} ({message[:300]})" for what, holds in demanded.items() if not holds)


def test_each_hostile_file_is_refused_with_its_place(batch: Batch) -> None:
    found = {name: wrong(batch.outcomes[name], text) for name, text in batch.texts.items()}
    assert {name: said for name, said in found.items() if said} == {}


def test_the_batch_is_large_and_its_names_are_unique(batch: Batch) -> None:
    assert len(set(NAMES)) == len(NAMES) == len(batch.outcomes) > 800


def test_no_hostile_file_has_touched_a_file_or_opened_a_connection(batch: Batch) -> None:
    assert [path.name for path in batch.folder.rglob("*")] == ["canary"]
    assert (batch.folder / "canary").read_text(encoding="utf-8") == "1\n"
    assert batch.connections == 0


def test_the_connections_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        socket.create_connection(listener.getsockname()).close()
        assert connections(listener) == 1


def test_hostile_files_leave_nothing_behind_in_the_process(batch: Batch) -> None:
    assert len(batch.good) > 8
    assert [step["name"] for step in batch.good[0]["steps"]] == ["create.t"]
    for answer in batch.good[1:]:
        assert answer == batch.good[0]


# Where the engine says where, the place is the one in the file ------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "column", "code"),
    [
        (GOOD + " garbage", 1, len(GOOD) + 2, 62),
        (GOOD + "\n garbage", 2, 2, 62),
        (GOOD + ";\n\n" + GOOD.replace("t (", "u (") + "\n\tCOMMENT 1", 4, 10, 62),
        (GOOD + "; CREATE TABLE u (", 1, len(GOOD) + 19, 62),
        (GOOD + "; /* never closed", 1, len(GOOD) + 3, 62),
        ("-- a comment\n/* one\nmore */ CREATE TABLE t (a UInt8 nonsense UInt8)", 3, 33, 62),
        ("CREATE TABLE t (a UInt8 COMMENT 'déjà vu' garbage)", 1, 43, 62),
        ("-- é\n/* é */ CREATE TABLE t (\n a UInt8 COMMENT '表' garbage)", 3, 22, 62),
        ("CREATE TABLE t (a UInt8)\r\nENGINE = MergeTree\r\nORDER BY a\r\ngarbage", 4, 1, 62),
        ("CREATE TABLE t (a UInt8\0)", 1, 0, 62),
        (GOOD + ";\n\n" + GOOD.replace("t (", "u (").replace("UInt8", "UInt9"), 3, 0, 50),
        (GOOD + "; CREATE VIEW v AS SELECT CAST(a, 'Foo(') AS x FROM t", 1, 0, 62),
        (GOOD + ";\nCREATE TABLE u (a UInt8) ENGINE = MergeTree ORDER BY b", 2, 0, 47),
    ],
)
def test_the_place_is_one_in_the_file(
    planner: PlannerProcess, text: str, line: int, column: int, code: int
) -> None:
    with pytest.raises(SchemaError) as caught:
        ask(planner, text)
    details = caught.value.details
    assert (details["line"], details["column"], details["code"]) == (line, column, code)
    place = f"{PATH}:{line}:{column}: " if column else f"{PATH}:{line}: "
    assert str(caught.value).startswith(f"{place}the engine refused it with code {code}: ")


# Controls: odd, but a description of a state of this database ---------------------------------------------------

ODD = {
    "crlf": (GOOD.replace(" ENGINE", "\r\nENGINE") + ";\r\n", ["t"]),
    "byte order mark": ("\ufeff" + GOOD, ["t"]),
    "form feeds and tabs": (GOOD.replace(" ", "\f\t"), ["t"]),
    "zero width space": (GOOD.replace("TABLE t", "TABLE t\u200b"), ["t"]),
    "lower case": ("create table if not exists t (a uint8) engine = MergeTree order by a".replace("uint8", "UInt8"), ["t"]),
    "semicolons in comments": (f"-- ; DROP TABLE t;\n/* ; /* ; */ ; */ # ;\n{GOOD} -- ;", ["t"]),
    "semicolons in strings": (f"{GOOD} COMMENT '; DROP TABLE t; --'", ["t"]),
    "templates in strings": (f"{GOOD} COMMENT '{{{{ lookup(\"pipe\", \"id\") }}}} ${{x}} %s {{x:String}}'", ["t"]),
    "heredoc": (f"{GOOD} COMMENT $x$; it's $y$ $x$", ["t"]),
    "quotes of all kinds": (GOOD.replace("s String", '"s" String, `s``s` String, "s""t" String, `ü` String'), ["t"]),
    "name like a path": (GOOD.replace("TABLE t", "TABLE `../../etc/passwd`"), ["../../etc/passwd"]),
    "name like a statement": (GOOD.replace("TABLE t", "TABLE `t; DROP TABLE u`"), ["t; DROP TABLE u"]),
    "name with a digit first": (GOOD.replace("TABLE t", "TABLE 1t"), ["1t"]),
    "name of 127 characters": (GOOD.replace("TABLE t", "TABLE " + "t" * 127), ["t" * 127]),
    "names as keywords": (
        "CREATE TABLE `table` (`index` UInt8, `ttl` DateTime, `engine` String, `disk` UInt8, `into` UInt8, `file` String, "
        "`system` String) ENGINE = MergeTree ORDER BY `index` TTL `ttl` + INTERVAL 1 DAY; "
        "CREATE VIEW `view` AS SELECT `index`, `disk` = `into` AS `outfile` FROM `table` AS `system` "
        "WHERE `engine` = 'Merge' AND `disk` IN (`index`, `system`.`disk`) ORDER BY `file`",
        ["table", "view"],
    ),
    "two names that differ in case": (f"{GOOD}; {GOOD.replace('TABLE t', 'TABLE T')}", ["T", "t"]),
    "the database itself": (f"CREATE DATABASE IF NOT EXISTS db; USE db; {GOOD.replace('TABLE t', 'TABLE db.t')}", ["t"]),
    "view with a parameter": ("CREATE VIEW v AS SELECT {x:UInt8} AS y", ["v"]),
    "view of generated rows": ("CREATE VIEW v AS SELECT number FROM numbers(10) UNION ALL SELECT * FROM zeros(1)", ["v"]),
    "view before its table": (f"CREATE VIEW v AS SELECT a FROM w; CREATE VIEW w AS SELECT a FROM t; {GOOD}", ["t", "v", "w"]),
    "view with a table of its own": (f"{GOOD}; CREATE MATERIALIZED VIEW v AS SELECT a FROM t", ["t", "v"]),
    "merge and buffer within the database": (
        f"{GOOD}; CREATE TABLE m (a UInt8) ENGINE = Merge(currentDatabase(), '^t$'); "
        "CREATE TABLE n (a UInt8) ENGINE = Merge(db, '^t$'); "
        "CREATE TABLE b (a UInt8) ENGINE = Buffer('', t, 1, 1, 1, 1, 1, 1, 1)",
        ["b", "m", "n", "t"],
    ),
    "disk by name": (f"{GOOD} SETTINGS disk = 'default'", ["t"]),
    "many empty statements": (";" * 1000 + GOOD + ";\n" * 1000, ["t"]),
    "a file of almost the largest size": (GOOD + ";" + "-" * (1024 * 1024 - len(GOOD) - 1), ["t"]),
    "deep brackets within reason": (GOOD.replace("UInt8", f"UInt8 DEFAULT {'(' * 100}1{')' * 100}"), ["t"]),
    "five hundred columns": (
        "CREATE TABLE t (" + ", ".join(f"c{n} Nullable(String)" for n in range(500)) + ") ENGINE = Log",
        ["t"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_is_odd_but_legal_is_accepted(planner: PlannerProcess, name: str) -> None:
    text, expected = ODD[name]
    answer = ask(planner, text)
    assert answer["managed"] == expected
    assert sorted(step["name"] for step in answer["steps"]) == [f"create.{item}" for item in expected]
    assert answer["refused"] == []


def test_two_constraints_of_one_name_are_both_seen(planner: PlannerProcess) -> None:
    twice = GOOD.replace("s String", "s String, CONSTRAINT c CHECK a > 1, CONSTRAINT c CHECK a > 2")
    once = GOOD.replace("s String", "s String, CONSTRAINT c CHECK a > 1")
    ddl = ask(planner, twice)["steps"][0]["statement"]
    request = {"database": "db", "live": [{"name": "t", "engine": "MergeTree", "ddl": ddl}]}
    assert planner.ask({**request, "files": [{"path": PATH, "text": twice}]})["refused"] == []
    assert planner.ask({**request, "files": [{"path": PATH, "text": once}]})["refused"] != []
