# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep secrets out of everything that is written or printed.

Two tools: ``redact`` removes values that are known to be secret, from any nested structure;
``mask_text`` hides what looks like a secret in text that others wrote (log lines, error messages).
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Iterable
from typing import Any, Callable
from urllib.parse import quote, quote_plus

MASK = "********"

# A shorter value would also blank out innocent text ("a" is in nearly every word):
# it is hidden only where it is the whole value.
SHORTEST_INSIDE_TEXT = 4


# A name is read word by word: DB_PASSWORD, apiKey, x-auth-token. What a glued word ends with counts, too (PGPASSWORD, authtoken).
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SECRET_ENDS = (
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "secrets",
    "token",
    "tokens",
    "credential",
    "credentials",
    "apikey",
    "apikeys",
)
_SECRET_WORDS = {"pass", "pwd", "pw", "cred", "creds", "auth", "private", "authorization"}
# Keys that sort, find or lock, and those that are made to be shown.
_OPEN_KEYS = {"primary", "sorting", "sort", "partition", "sampling", "foreign", "unique", "order", "public"}
# What such a name says about a secret without being one.
_HARMLESS_ENDS = {"file", "path", "dir", "count", "ttl", "timeout", "seconds", "length", "expiry", "enabled"}

# A name with what stands between it and its value: "name": value, name=value, name => value, --name value.
_HEAD = re.compile(
    r"(?<![\w-])(?:--)?(?P<q>\\?[\"']?)(?P<name>[\w.-]{1,80})(?P=q)\s*(?:=>|[=:])\s*|(?<!\S)--(?P<option>[\w.-]{1,80})\s+(?=[^\s-])"
)
# What an authorization header says before its secret, once that is masked, stays.
_VALUE = re.compile(
    r"(?!(?:basic|bearer|digest|token)\s+\*{8})(?:\\?\"(?:[^\"\\]|\\[^\"])*\\?\"|'(?:[^'\\]|\\.)*'|[^\s,;&)}\]\"']+)",
    re.IGNORECASE,
)

# scheme://user:secret@host. A secret may hold "@" and "/" itself, so everything up to the last "@"
# is hidden; the next URL of a comma-separated list is left alone.
_URL_CREDENTIALS = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]*://[^\s/:@'\"]*:)(?:(?!,\s*[a-z][a-z0-9+.-]*://)[^\s'\"])+(?=@)",
    re.IGNORECASE,
)
_IDENTIFIED_BY = re.compile(
    r"(?P<head>\bIDENTIFIED\s+(?:WITH\s+\w+\s+)?BY\s+)(?P<value>'(?:[^'\\]|\\.)*'|\S+)", re.IGNORECASE
)
_AUTHORIZATION = re.compile(
    r"(?P<head>\bauthorization[\"']?\s*[:=]\s*[\"']?(?:(?:basic|bearer|digest|token)\s+)?)(?P<value>[^\s\"',]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"(?P<head>\bbearer\s+)(?P<value>[A-Za-z0-9._~+/=-]{8,})", re.IGNORECASE)


def _forms(secret: str) -> set[str]:
    """Return the ways in which one secret value is commonly written."""
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        html.escape(secret),
        secret.replace("'", "''"),
        secret.replace("\\", "\\\\").replace("'", "\\'"),
        base64.b64encode(secret.encode("utf-8", "surrogatepass")).decode("ascii"),
    }


def _flatten(secrets: Any) -> Iterable[str]:
    """Yield every scalar in a nested structure of secrets (a whole vault dict may be given)."""
    if secrets is None or isinstance(secrets, bool):
        return
    if isinstance(secrets, dict):
        for value in secrets.values():
            yield from _flatten(value)
    elif isinstance(secrets, (list, tuple, set, frozenset)):
        for value in secrets:
            yield from _flatten(value)
    else:
        text = str(secrets)
        if text.strip():
            yield text
            if text != text.strip("\r\n"):  # a file's last line end is no part of what programs show
                yield text.strip("\r\n")


def redactor(secrets: Any) -> Callable[[Any], Any]:
    """Return a function that hides the given secrets in any nested structure."""
    whole = set(_flatten(secrets))
    inside = sorted(
        {form for secret in whole if len(secret) >= SHORTEST_INSIDE_TEXT for form in _forms(secret)},
        key=len,
        reverse=True,  # the longer one first: a secret may contain another
    )
    pattern = re.compile("|".join(re.escape(item) for item in inside)) if inside else None

    def clean(value: Any) -> Any:
        if isinstance(value, dict):
            return {clean(key): clean(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [clean(item) for item in value]
        if value is None or isinstance(value, bool):
            return value
        if str(value) in whole:
            return MASK
        if isinstance(value, str):
            return pattern.sub(MASK, value) if pattern else str(value)
        return value

    return clean


def redact(value: Any, secrets: Any) -> Any:
    """Return a copy of ``value`` without any of ``secrets``, in keys, values and inside text."""
    return redactor(secrets)(value)


def is_secret_name(name: str) -> bool:
    """Whether what has this name (a variable, a build argument, an option, a key of a file) must not be shown.

    The one place that decides it: for masking text, for settings and for build arguments.
    """
    words = [word.lower() for word in _WORD.findall(name)]
    if not words or words[-1] in _HARMLESS_ENDS:
        return False
    return any(
        word in _SECRET_WORDS
        or word.endswith(_SECRET_ENDS)
        or (word in ("key", "keys") and (at == 0 or words[at - 1] not in _OPEN_KEYS) and at == len(words) - 1)
        or (word == "key" and at > 0 and words[at - 1] in ("api", "access", "secret"))
        for at, word in enumerate(words)
    )


def mask_text(text: str) -> str:
    """Hide what looks like a secret in text that others wrote: URL credentials, headers, SQL passwords, values of secret names."""

    def keep_head(match: re.Match[str]) -> str:
        return match.group("head") + MASK

    for pattern in (_URL_CREDENTIALS, _AUTHORIZATION, _BEARER, _IDENTIFIED_BY):
        text = pattern.sub(keep_head, text)
    return _mask_named(text)


def _mask_named(text: str) -> str:
    """Hide the value of each name that is secret. The value of another name is read on: it may hold names of its own."""
    result, done = [], 0
    head = _HEAD.search(text)
    while head is not None:
        after = head.end()
        value = (
            _VALUE.match(text, after) if is_secret_name(head.group("name") or head.group("option")) else None
        )
        if value is not None:
            result += [text[done:after], MASK]
            done = after = value.end()
        head = _HEAD.search(text, after)
    return "".join(result) + text[done:]
