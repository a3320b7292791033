# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as it is spoken without a library: health, authentication, formats, inserts, headers."""

from __future__ import annotations

import gzip
import json
import uuid
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from http.client import IncompleteRead
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest
from ch_clients import Driver, Target


@dataclass
class Answer:
    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@pytest.fixture
def http(target: Target, database: str) -> Callable[..., Answer]:
    def send(
        body: str | bytes | None = None,
        headers: dict[str, str] | None = None,
        signed: bool = True,
        path: str = "",
        **url: Any,
    ) -> Answer:
        own = {"X-ClickHouse-User": target.user, "X-ClickHouse-Key": target.password} if signed else {}
        if signed:
            url.setdefault("database", database)
        data = body.encode() if isinstance(body, str) else body
        address = f"{target.url}{path}" + ("?" + urlencode(url) if url else "")
        request = Request(address, data=data, headers={**own, **(headers or {})})
        try:
            with urlopen(request, timeout=30) as got:
                try:
                    return Answer(got.status, got.headers, got.read())
                except IncompleteRead as cut:  # an error that came when a part of the answer was on its way
                    return Answer(got.status, got.headers, cut.partial)
        except HTTPError as exc:
            return Answer(exc.code, exc.headers, exc.read())

    return send


def test_health(http: Callable[..., Answer]) -> None:
    assert http(signed=False, path="ping").text == "Ok.\n"
    assert http(signed=False).text == "Ok.\n"


def test_unknown_path(http: Callable[..., Answer]) -> None:
    assert http(signed=False, path="no/such/path").status == 404


FORMATS = {
    "TabSeparated": "1\tx\n",
    "TabSeparatedWithNames": "a\tb\n1\tx\n",
    "TSVWithNamesAndTypes": "a\tb\nUInt8\tString\n1\tx\n",
    "CSV": '1,"x"\n',
    "CSVWithNames": '"a","b"\n1,"x"\n',
    "JSONEachRow": '{"a":1,"b":"x"}\n',
    "Values": "(1,'x')",
    "Vertical": "Row 1:\n──────\na: 1\nb: x\n",
}


@pytest.mark.parametrize("name", FORMATS)
def test_format_clause(name: str, http: Callable[..., Answer]) -> None:
    assert http(f"SELECT 1 AS a, 'x' AS b FORMAT {name}").text == FORMATS[name]


def test_default_format(http: Callable[..., Answer]) -> None:
    assert http("SELECT 1 AS a", default_format="JSONEachRow").text == '{"a":1}\n'
    assert http("SELECT 1 AS a FORMAT CSV", default_format="JSONEachRow").text == "1\n"


def test_http_format_header(http: Callable[..., Answer]) -> None:
    assert http("SELECT 1 AS a", headers={"X-ClickHouse-Format": "CSVWithNames"}).text == '"a"\n1\n'


def test_json_of_many_blocks_is_one_document(http: Callable[..., Answer]) -> None:
    body = http("SELECT number FROM numbers(1000) FORMAT JSONCompact", max_block_size=100).body
    found = json.loads(body)
    assert found["rows"] == 1000
    assert [int(row[0]) for row in found["data"]] == list(range(1000))


def test_large_result_is_complete(http: Callable[..., Answer]) -> None:
    lines = http("SELECT number FROM numbers(1000000)").body.split(b"\n")
    assert len(lines) == 1_000_001
    assert lines[999_999] == b"999999"


def test_query_in_the_url_and_in_the_body(http: Callable[..., Answer]) -> None:
    assert http(query="SELECT 1").text == "1\n"
    assert http("SELECT 2").text == "2\n"
    assert http("UNION ALL SELECT 3", query="SELECT 3 ").text == "3\n3\n"


def test_ways_to_authenticate(http: Callable[..., Answer], target: Target) -> None:
    basic = b64encode(f"{target.user}:{target.password}".encode()).decode()
    assert http("SELECT 1", signed=False, headers={"Authorization": f"Basic {basic}"}).text == "1\n"
    assert http("SELECT 1", signed=False, user=target.user, password=target.password).text == "1\n"
    assert http("SELECT 1").text == "1\n"


@pytest.mark.parametrize("way", ["header", "basic", "url"])
def test_wrong_credentials_over_http(way: str, http: Callable[..., Answer], target: Target) -> None:
    wrong = b64encode(f"{target.user}:wrong".encode()).decode()
    sent: dict[str, dict[str, Any]] = {
        "header": {"headers": {"X-ClickHouse-User": target.user, "X-ClickHouse-Key": "wrong"}},
        "basic": {"headers": {"Authorization": f"Basic {wrong}"}},
        "url": {"user": target.user, "password": "wrong"},
    }
    answer = http("SELECT 1", signed=False, **sent[way])
    assert answer.status in (401, 403)
    assert answer.headers["X-ClickHouse-Exception-Code"] == "516"


def test_error_over_http(http: Callable[..., Answer]) -> None:
    answer = http("SELECT * FROM there_is_no_such_table")
    assert answer.status == 404
    assert answer.text.startswith("Code: 60")


def test_http_exception_code(http: Callable[..., Answer]) -> None:
    assert http("SELECT FROM WHERE").headers["X-ClickHouse-Exception-Code"] == "62"
    assert http("SELECT 1", database="no_such_database").headers["X-ClickHouse-Exception-Code"] == "81"


def test_unknown_setting_over_http(http: Callable[..., Answer]) -> None:
    answer = http("SELECT 1", no_such_setting=1)
    assert answer.text.startswith("Code: 115")


def test_get_never_writes(http: Callable[..., Answer], table: Callable[..., str], driver: Driver) -> None:
    name = table("n UInt8", "n")
    answer = http(query=f"DROP TABLE {name}")
    assert answer.text.startswith("Code: 164")
    assert driver.query(f"EXISTS TABLE {name}") == [(1,)]


INSERTS = {
    "CSV": b'1,"a"\n2,"b"\n',
    "TabSeparated": b"1\ta\n2\tb\n",
    "JSONEachRow": b'{"n":1,"s":"a"}\n{"n":2,"s":"b"}\n',
    "Values": b"(1, 'a'), (2, 'b')",
    "RowBinary": b"\x01\x01a\x02\x01b",
}


@pytest.mark.parametrize("place", ["url", "body"])
@pytest.mark.parametrize("name", INSERTS)
def test_insert(
    name: str, place: str, http: Callable[..., Answer], table: Callable[..., str], driver: Driver
) -> None:
    target = table("n UInt8, s String", "n")
    head = f"INSERT INTO {target} FORMAT {name}" + ("\n" if place == "body" else "")
    data = INSERTS[name]
    answer = http(data, query=head) if place == "url" else http(head.encode() + data)
    assert (answer.status, answer.text) == (200, "")
    assert driver.query(f"SELECT n, s FROM {target} ORDER BY n") == [(1, "a"), (2, "b")]


def test_large_insert(http: Callable[..., Answer], table: Callable[..., str], driver: Driver) -> None:
    name = table("n UInt64, s String", "n")
    data = b"".join(b"%d,some text that makes the body longer than one piece\n" % n for n in range(100_000))
    assert http(data, query=f"INSERT INTO {name} FORMAT CSV").status == 200
    assert driver.query(f"SELECT count(), sum(n) FROM {name}") == [(100_000, 4_999_950_000)]


def test_failed_insert_over_http(
    http: Callable[..., Answer], table: Callable[..., str], driver: Driver
) -> None:
    name = table("n UInt8", "n")
    answer = http(b"1\ntwo\n", query=f"INSERT INTO {name} FORMAT CSV")
    assert answer.status >= 400
    assert "two" in answer.text
    assert driver.query(f"SELECT count() FROM {name}") == [(0,)]


def test_gzip(http: Callable[..., Answer], table: Callable[..., str], driver: Driver) -> None:
    name = table("n UInt64", "n")
    body = gzip.compress(b"".join(b"%d\n" % n for n in range(10_000)))
    assert (
        http(body, headers={"Content-Encoding": "gzip"}, query=f"INSERT INTO {name} FORMAT CSV").status == 200
    )
    answer = http(
        f"SELECT n FROM {name} ORDER BY n", headers={"Accept-Encoding": "gzip"}, enable_http_compression=1
    )
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body).splitlines()[-1] == b"9999"


def test_http_summary(http: Callable[..., Answer], table: Callable[..., str]) -> None:
    name = table("n UInt64", "n")
    written = json.loads(
        http(b"1\n2\n3\n", query=f"INSERT INTO {name} FORMAT CSV").headers["X-ClickHouse-Summary"]
    )
    assert written["written_rows"] == "3"
    read = json.loads(http(f"SELECT sum(n) FROM {name} WHERE n > 0").headers["X-ClickHouse-Summary"])
    assert read["read_rows"] == "3"
    assert read["result_rows"] == "1"


def test_http_query_id(http: Callable[..., Answer]) -> None:
    own = str(uuid.uuid4())
    assert http("SELECT 1", query_id=own).headers["X-ClickHouse-Query-Id"] == own
    assert http("SELECT 1").headers["X-ClickHouse-Query-Id"]


def test_http_parameters(http: Callable[..., Answer]) -> None:
    answer = http("SELECT {n:UInt8} + 1, {s:String}", param_n=41, param_s="it's")
    assert answer.text == "42\tit\\'s\n"


def test_session(http: Callable[..., Answer]) -> None:
    own = str(uuid.uuid4())
    http("CREATE TEMPORARY TABLE kept (n UInt8)", session_id=own)
    http("INSERT INTO kept VALUES (9)", session_id=own)
    assert http("SELECT n FROM kept", session_id=own).text == "9\n"
    assert http("SELECT n FROM kept").text.startswith("Code: 60")


@pytest.mark.parametrize("way", ["GET", "POST"])
def test_a_failed_answer_does_not_stand_in_front_of_the_next_one(
    http: Callable[..., Answer], way: str
) -> None:
    own = str(uuid.uuid4())

    def ask(sql: str) -> Answer:
        return http(query=sql, session_id=own) if way == "GET" else http(sql, session_id=own)

    for form in ("JSON", "JSONCompact", "TabSeparated", "Pretty"):
        broken = ask(f"SELECT number, throwIf(number = 200000) FROM numbers(300000) FORMAT {form}")
        assert "Code: 395" in broken.text
        assert json.loads(ask("SELECT 42 AS n FORMAT JSONCompact").text)["data"] == [[42]]


def test_settings_in_the_url(http: Callable[..., Answer]) -> None:
    sql = "SELECT value FROM system.settings WHERE name = 'max_block_size'"
    assert http(sql, max_block_size=4567).text == "4567\n"
