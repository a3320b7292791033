# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a server of another age cannot do. One place; the docs and the test header print it from here.

A pattern is matched against a test's id (`file.py::test[param]`). What matches is deselected, with the reason.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

_CONNECT = (
    "clickhouse-connect reads columns of system.settings that 18.16 does not have; it cannot even connect"
)

PROFILES: dict[str, dict[str, str]] = {
    "full": {},
    "18.16": {
        "*[[]connect*": _CONNECT,
        "*-connect]": _CONNECT,
        "*::test_connect_*": _CONNECT,
        "*DateTime64*": "18.16 has no type DateTime64",
        "*::test_platform_table*": "18.16 has neither DateTime64 nor data skipping indices, which the platform's tables use",
        "*::test_first_and_last_date*": "18.16 writes day 0 as 0000-00-00 and no date after 2105",
        "*::test_wrong_credentials*": "18.16 answers 193 to a wrong password and 192 to an unknown user, not 516",
        "*::test_important_unknown_setting[[]True]": "18.16 takes settings without flags: none can be marked as important",
        "*::test_native_parameters*": "18.16 has no query parameters",
        "*::test_http_parameters*": "18.16 has no query parameters",
        "*::test_deduplication*": "18.16 deduplicates in replicated tables only",
        "*::test_mutation*": "18.16 cannot be asked to wait for a mutation (mutations_sync)",
        "*::test_killed_client[[]computing]": "18.16 notices a dead client only when it has rows to send",
        "*::test_http_summary*": "18.16 does not send X-ClickHouse-Summary",
        "*::test_http_query_id*": "18.16 does not send X-ClickHouse-Query-Id",
        "*::test_http_exception_code*": "18.16 does not send X-ClickHouse-Exception-Code",
        "*::test_http_format_header*": "18.16 does not read X-ClickHouse-Format",
        "*test_ch_container.py::*": "18.16's client reads no user or password from its environment",
    },
}


def reason(profile: str, test_id: str) -> str | None:
    """Why the profile's server cannot pass this test, or None."""
    for pattern, why in PROFILES[profile].items():
        if fnmatchcase(test_id, pattern):
            return why
    return None
