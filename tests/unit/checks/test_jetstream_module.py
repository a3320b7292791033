# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module jetstream_assert as Ansible runs it, against a small HTTP server on loopback."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.suho.platform.plugins.modules import jetstream_assert

STREAM = {
    "name": "BARS",
    "state": {"messages": 5, "last_seq": 5, "consumer_count": 1},
    "consumer_detail": [
        {"name": "bridge", "num_pending": 0, "num_ack_pending": 0, "delivered": {"stream_seq": 5}}
    ],
}
JSZ = {"streams": 1, "account_details": [{"name": "$G", "stream_detail": [STREAM]}]}


class Nats(ThreadingHTTPServer):
    answers: dict[str, tuple[int, bytes]]
    coming: dict[str, list[tuple[int, bytes]]]  # given before, one for each question

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Nats)
        path = self.path.split("?")[0]
        coming = self.server.coming.get(path)
        status, body = coming.pop(0) if coming else self.server.answers[path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output quiet."""


@pytest.fixture
def nats() -> Iterator[Nats]:
    server = Nats(("127.0.0.1", 0), Handler)
    server.coming = {}
    server.answers = {
        "/varz": (200, json.dumps({"server_id": "N1", "version": "2.10"}).encode()),
        "/jsz": (200, json.dumps(JSZ).encode()),
    }
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def run(capsys: pytest.CaptureFixture[str], url: str, **options: Any) -> dict[str, Any]:
    arguments = {
        "monitor_url": url,
        "streams": [{"stream": "BARS", "consumer": "bridge"}],
        "timeout": 0,
        "_ansible_check_mode": True,
        **options,
    }
    with patch_module_args(arguments), pytest.raises(SystemExit):
        jetstream_assert.main()
    return dict(json.loads(capsys.readouterr().out))


def test_consumer_that_caught_up_passes(nats: Nats, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, nats.url)
    assert result.get("failed") is None
    assert (result["verdict"], result["changed"], result["server"]["version"]) == ("pass", False, "2.10")


def test_consumer_that_is_behind_fails(nats: Nats, capsys: pytest.CaptureFixture[str]) -> None:
    nats.answers["/jsz"] = (200, json.dumps(JSZ).replace('"num_pending": 0', '"num_pending": 7').encode())
    result = run(capsys, nats.url, timeout=0.2, interval=0.1)
    assert (result["failed"], result["verdict"]) == (True, "fail")
    assert "7 messages are pending" in result["msg"]


def test_consumer_that_catches_up_is_waited_for(nats: Nats, capsys: pytest.CaptureFixture[str]) -> None:
    behind = json.dumps(JSZ).replace('"num_pending": 0', '"num_pending": 7').encode()
    nats.coming["/jsz"] = [(200, behind), (200, behind)]
    result = run(capsys, nats.url, timeout=60, interval=0.1)
    assert (result.get("failed"), result["verdict"], result["attempts"]) == (None, "pass", 3)


@pytest.mark.parametrize(
    ("path", "answer", "words"),
    [
        ("/varz", (200, b"{}"), "names no server_id"),
        ("/varz", (401, b""), "HTTP status 401"),
        ("/jsz", (200, b'{"disabled": true}'), "runs without JetStream"),
        ("/jsz", (302, b""), "HTTP status 302"),
    ],
)
def test_other_servers_are_an_error(
    nats: Nats, capsys: pytest.CaptureFixture[str], path: str, answer: tuple[int, bytes], words: str
) -> None:
    nats.answers[path] = answer
    result = run(capsys, nats.url)
    assert result["verdict"] == "error"
    assert words in result["msg"]


def test_nobody_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = run(capsys, f"http://sys:hunter2@127.0.0.1:{port}")
    assert result["verdict"] == "error"
    assert f"127.0.0.1:{port}/varz is not reachable" in result["msg"]
    assert "hunter2" not in result["msg"] + json.dumps(result["assertions"])


def test_server_that_never_answers_is_given_up(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run(capsys, f"http://127.0.0.1:{silent.getsockname()[1]}", request_timeout=0.3)
    assert result["verdict"] == "error"
    assert "is not reachable" in result["msg"]


def test_no_stream_at_all_is_no_pass(nats: Nats, capsys: pytest.CaptureFixture[str]) -> None:
    result = run(capsys, nats.url, streams=[])
    assert (result["failed"], result["verdict"]) == (True, "error")
