# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One bounded HTTP GET for checks."""

from __future__ import annotations

from typing import Callable
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

MOST_BYTES = 32 * 1024 * 1024


def fetcher(timeout: float, validate_certs: bool, use_proxy: bool) -> Callable[[str], tuple[int, bytes]]:
    """Return a function that gets a URL: its HTTP status and body. It raises OSError when nobody answers."""

    def fetch(url: str) -> tuple[int, bytes]:
        try:
            with open_url(
                url,
                timeout=timeout,
                validate_certs=validate_certs,
                use_proxy=use_proxy,
                follow_redirects="none",
            ) as answer:
                return int(answer.status), answer.read(MOST_BYTES)
        except HTTPError as exc:
            return int(exc.code), b""
        except OSError:
            raise
        except Exception as exc:  # http.client and ssl have errors of their own that are no OSError
            raise OSError(f"{type(exc).__name__}: {exc}") from exc

    return fetch
