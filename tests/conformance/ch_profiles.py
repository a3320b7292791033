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
        "*DateTime64*": "DateTime64 came with ClickHouse 20.1",
        "*::test_wrong_credentials*": "18.16 tells a wrong password (193) from an unknown user (192); 516 came with 20.4",
        "*::test_native_parameters*": "parameters on the native protocol came with revision 54459 (ClickHouse 22.8)",
        "*::test_http_parameters*": "parameters in the URL came with ClickHouse 19.14",
        "*::test_deduplication*": "deduplication without replication came with ClickHouse 22.2",
        "*::test_platform_table*": "the platform's tables have DateTime64 columns and data skipping indices (20.1)",
        "*::test_http_summary*": "the header X-ClickHouse-Summary came with ClickHouse 19.4",
        "*::test_http_format_header*": "the header X-ClickHouse-Format of a request came with ClickHouse 19",
        "*::test_first_and_last_date*": "18.16 writes day 0 as 0000-00-00 and knows no date after 2105",
        "*::test_killed_client[[]computing]": "18.16 notices a dead client only when it has rows to send",
        "*::test_http_query_id*": "the header X-ClickHouse-Query-Id came with ClickHouse 19.4",
        "*::test_http_exception_code*": "the header X-ClickHouse-Exception-Code came with ClickHouse 19.1",
        "*::test_important_unknown_setting[[]True]": "settings with flags came with revision 54429 (ClickHouse 19.13)",
        "*test_ch_container.py::*": "18.16's client reads no user or password from its environment",
        "*::test_mutation*": "mutations_sync, and waiting for a mutation, came with ClickHouse 19.11",
    },
}


def reason(profile: str, test_id: str) -> str | None:
    """Why the profile's server cannot pass this test, or None."""
    for pattern, why in PROFILES[profile].items():
        if fnmatchcase(test_id, pattern):
            return why
    return None
