"""What is sent, to whom, and what becomes of a run whose channels fail."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

CONVERGE = "molecule/notify/converge.yml"
TOKEN = "t0ken-in-the-address"
FACTS = {"operation": "deploy", "environment": "lab", "host": "lab", "verdict": "pass"}
TEXT = "deploy of lab on lab: PASS"


class Hook(ThreadingHTTPServer):
    """Keeps what it is told, and answers as it was told to."""

    status = 200
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Told)
        self.got: list[tuple[str, dict[str, str], dict]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{TOKEN}"


class _Told(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append((self.path, dict(self.headers), json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_words: object) -> None:
        """Say nothing."""


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of an SMTP server as a client needs that has one message."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Mail)
        self.got: list[str] = []


class _Mail(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self.say("220 mailbox")
        for line in iter(self.rfile.readline, b""):
            word = line.decode().strip().upper()
            if word == "DATA":
                self.say("354 go on")
                self.server.got.append(b"".join(iter(self.rfile.readline, b".\r\n")).decode())
            if word == "QUIT":
                self.say("221 bye")
                return
            self.say("250 ok")

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


@pytest.fixture
def hook() -> Iterator[Hook]:
    yield from serving(Hook())


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    yield from serving(Mailbox())


def serving(server):
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def tell(play, *words: str, **variables):
    wanted = {"notify_facts": FACTS, "notify_text": TEXT, **variables}
    done = play(CONVERGE, *words, **wanted)
    assert TOKEN not in done.said
    return done


def test_without_channels_nobody_is_told(play):
    done = tell(play)
    done.assert_passed(changed=0)
    assert "WARNING: channel" not in done.said


def test_a_webhook_gets_the_facts_and_slack_the_sentence(play, hook):
    channels = [
        {"kind": "webhook", "url": hook.url, "headers": {"Authorization": f"Bearer {TOKEN}"}},
        {"kind": "slack", "url": hook.url},
    ]
    tell(play, "-vvv", notify_channels=channels).assert_passed(changed=0)
    (path, headers, facts), (_path, _headers, slack) = hook.got
    assert (path, headers["Authorization"]) == (f"/{TOKEN}", f"Bearer {TOKEN}")
    assert facts == {**FACTS, "event": "verdict", "text": TEXT}
    assert slack == {"text": TEXT}


def test_mail_has_the_sentence_as_its_subject(play, mailbox):
    channel = {
        "kind": "mail",
        "host": "127.0.0.1",
        "port": mailbox.server_address[1],
        "secure": "never",
        "to": ["ops@suho.example"],
    }
    tell(play, notify_channels=[channel]).assert_passed(changed=0)
    message = email.message_from_string(mailbox.got[0], policy=email.policy.default)
    assert (message["subject"], message["to"]) == (TEXT, "ops@suho.example")
    assert "verdict: pass" in message.get_body().get_content()


@pytest.mark.parametrize(
    ("event", "events", "told"),
    [
        ("start", None, False),
        ("verdict", None, True),
        ("rollback", ["rollback"], True),
        ("monitoring", ["rollback"], False),
    ],
)
def test_a_channel_is_told_of_its_events_alone(play, hook, event, events, told):
    channel = {"kind": "webhook", "url": hook.url, **({"events": events} if events else {})}
    tell(play, notify_channels=[channel], notify_event=event).assert_passed(changed=0)
    assert [body["event"] for _path, _headers, body in hook.got] == [event] * told


def test_check_mode_tells_nobody(play, hook):
    channel = {"kind": "webhook", "url": hook.url}
    tell(play, "--check", notify_channels=[channel]).assert_passed(changed=0)
    assert hook.got == []


def test_a_channel_that_fails_is_named_and_the_run_goes_on(play, hook):
    hook.status = 500
    channels = [
        {"kind": "webhook", "url": f"http://127.0.0.1:1/{TOKEN}"},
        {"kind": "slack", "url": hook.url},
        {"kind": "mail", "host": "127.0.0.1", "port": 1, "to": ["ops@suho.example"], "password": TOKEN},
        {"kind": "webhook"},
    ]
    done = tell(play, "-vvv", notify_channels=channels, notify_timeout=3)
    done.assert_passed(changed=0)
    one_line = " ".join(done.said.split())
    assert "channel 1 (webhook, 127.0.0.1) was not informed of the verdict" in one_line
    assert "channel 2 (slack, 127.0.0.1) was not informed of the verdict (HTTP status 500)" in one_line
    assert "channel 3 (mail, 127.0.0.1) was not informed of the verdict" in one_line
    assert "channel 4 (webhook, no address) was not informed" in one_line
    assert "the run went on" in one_line


def test_a_channel_of_no_known_kind_is_refused(play):
    tell(play, notify_channels=[{"kind": "pigeon"}]).assert_refused("notify_channels", "pigeon", "webhook")
