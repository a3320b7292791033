"""Healthy: the server itself says that it and JetStream are ready."""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request

URL = "http://127.0.0.1:8222/healthz?js-enabled-only=true"


def main() -> None:
    try:
        with urllib.request.urlopen(URL, timeout=3) as answer:
            state = json.load(answer)
    except (OSError, ValueError, urllib.error.URLError) as error:
        sys.exit(f"{URL}: no answer ({error})")
    if state.get("status") != "ok":
        sys.exit(f"{URL}: status is {state.get('status')!r}, expected 'ok'")


if __name__ == "__main__":
    main()
