# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One call of clickhouse_assert as its module makes it, without Ansible around it; prints what it returns as JSON.

CLICKHOUSE_PASSWORD=... python -m bench.assert_once HOST PORT USER DATABASE < assertions.json
"""

from __future__ import annotations

import json
import os
import sys

from plugins.module_utils.checks.clickhouse.kinds import build
from plugins.module_utils.checks.clickhouse.run import CLICKHOUSE, CONNECTIONS, ServerChecks, Session
from plugins.module_utils.checks.result import failure_message
from plugins.module_utils.checks.wait import wait_for_pass
from plugins.module_utils.clickhouse.client import Login


def main() -> None:
    host, port, user, database = sys.argv[1:]
    login = Login(host, int(port), user, os.environ["CLICKHOUSE_PASSWORD"], database)
    sessions = [Session(login) for _ in range(CONNECTIONS)]
    checks = ServerChecks(sessions, build(json.load(sys.stdin), database))
    results = wait_for_pass({CLICKHOUSE: checks}, timeout=0, interval=1).results
    said = {
        "assertions": [one.to_dict() for one in results],
        "complaint": failure_message(CLICKHOUSE, results),
    }
    print(json.dumps({**checks.extra(), **said}))


if __name__ == "__main__":
    main()
