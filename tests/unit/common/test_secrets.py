# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known secrets leave nothing behind; what looks like a secret is masked."""

from __future__ import annotations

import base64
import html
import json
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.suho.platform.plugins.module_utils.common.secrets import (
    MASK,
    is_secret_name,
    mask_text,
    redact,
)
from hypothesis import given, settings
from hypothesis import strategies as st

SECRET = "p@ss w0rd/\"<&'é"


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        html.escape(SECRET),
        SECRET.replace("'", "''"),
        base64.b64encode(SECRET.encode()).decode(),
    ],
)
def test_every_spelling_of_a_secret_is_removed(form: str) -> None:
    data = {"a": [f"before {form} after", {form: form}], "n": 7, "t": (form, None, True)}
    clean = redact(data, [SECRET])
    assert form not in json.dumps(clean, ensure_ascii=False)
    assert clean["a"][0] == f"before {MASK} after"
    assert clean["n"] == 7
    assert clean["t"] == [MASK, None, True]


def test_number_that_is_a_secret_is_removed() -> None:
    assert redact({"password": 123456, "port": 9000}, ["123456"]) == {"password": MASK, "port": 9000}


def test_short_secret_is_removed_only_where_it_is_the_whole_value() -> None:
    assert redact(["abc", "alphabet abcdef"], ["abc"]) == [MASK, "alphabet abcdef"]


def test_whole_vault_may_be_given() -> None:
    vault = {
        "db": {"password": "first-secret"},
        "tokens": ["second-secret"],
        "on": True,
        "none": None,
        "empty": "",
    }
    assert redact("first-secret second-secret True None", vault) == f"{MASK} {MASK} True None"


def test_secret_inside_another_leaves_no_rest() -> None:
    assert redact("hunter2extended", ["hunter2", "hunter2extended"]) == MASK


def test_no_secrets_change_nothing() -> None:
    data = {"a": [1, 2.5, None, "x"], "b": {"c": False}}
    assert redact(data, []) == data


@settings(max_examples=150, deadline=None)
@given(
    secret=st.text(min_size=4, max_size=20).filter(
        lambda text: text.strip() and MASK not in text and "*" not in text
    ),
    data=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ),
)
def test_secret_is_nowhere_in_the_result(secret: str, data: Any) -> None:
    def strings(value: Any) -> list[str]:
        if isinstance(value, dict):
            return [text for pair in value.items() for item in pair for text in strings(item)]
        if isinstance(value, list):
            return [text for item in value for text in strings(item)]
        return [value] if isinstance(value, str) else []

    clean = redact({"x": data, "y": f"a{secret}b", secret: [secret]}, [secret])
    assert all(secret not in text for text in strings(clean))


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nats://user:hunter2@nats:4222", "nats://user:********@nats:4222"),
        ("postgresql://u:hunt@er/2@db:5432/x", "postgresql://u:********@db:5432/x"),
        (
            "nats://a:hunter2@h1:4222,nats://b:hunter2@h2:4222",
            "nats://a:********@h1:4222,nats://b:********@h2:4222",
        ),
        ("redis://:hunter2@cache", "redis://:********@cache"),
        ("password=hunter2 user=x", "password=******** user=x"),
        ("CLICKHOUSE_PASSWORD=hunter2", "CLICKHOUSE_PASSWORD=********"),
        ("'password': 'hunter2', 'a': 1", "'password': ********, 'a': 1"),
        ('{"api_key": "hunter 2", "a": 1}', '{"api_key": ********, "a": 1}'),
        ("--password hunter2 --host x", "--password ******** --host x"),
        ("Authorization: Bearer hunter2hunter2", "Authorization: Bearer ********"),
        ("authorization: Basic aHVudGVyMg==", "authorization: Basic ********"),
        ("CREATE USER x IDENTIFIED BY 'hunter2'", "CREATE USER x IDENTIFIED BY ********"),
        ("secret_key: hunter2", "secret_key: ********"),
        ("ENCRYPTION_KEY=hunter2 x", "ENCRYPTION_KEY=******** x"),
        ("SIGNING_KEY: hunter2", "SIGNING_KEY: ********"),
        ("SSH_KEY='hunter2'", "SSH_KEY=********"),
        ("AUTH=hunter2", "AUTH=********"),
        ("BASIC_AUTH => hunter2", "BASIC_AUTH => ********"),
        ("--api-key hunter2", "--api-key ********"),
        ("PGPASSWORD=hunter2", "PGPASSWORD=********"),
        ("error: password: hunter2", "error: password: ********"),
        ("level=info detail=password:hunter2", "level=info detail=password:********"),
        ("GET /x?a=1&token=hunter2&b=1", "GET /x?a=1&token=********&b=1"),
        ('{"a": {"authToken":"hunter2"}}', '{"a": {"authToken":********}}'),
    ],
)
def test_what_looks_like_a_password_is_masked(text: str, left: str) -> None:
    assert mask_text(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "INFO data-bridge Writing 12 aggregates with indicators",
        "http://127.0.0.1:8222/varz is not reachable",
        "Authentication failed: password is incorrect, or there is no user with such name",
        "2026-01-31 12:00:00,123 - app - ERROR - text",
        "nats://nats:4222 connected",
        "primary_key: symbol, sorting_key=timestamp, public_key=abc",
        "TOKEN_TTL=3600 PASSWORD_FILE=/run/secrets/db",
        "passed=5, bypass: no, author=me, keyboard=us",
    ],
)
def test_harmless_text_stays(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "name",
    [
        "NPM_TOKEN",
        "DB_PASSWORD",
        "api_key",
        "SSH_KEY",
        "secret",
        "BASIC_AUTH",
        "PWD",
        "ENCRYPTION_KEY",
        "AUTH",
        "apiKey",
        "PGPASSWORD",
        "KEY",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    ["VERSION", "KEYBOARD", "AUTHOR", "PYTHON_VERSION", "MONKEY", "primary_key", "COMPASS_URL", "TOKEN_TTL"],
)
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_a_secret_from_a_file_is_found_without_its_line_end() -> None:
    assert redact("login with hunter2pw failed", ["hunter2pw\n"]) == f"login with {MASK} failed"
