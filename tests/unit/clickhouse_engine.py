# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real ClickHouse engine for tests: chDB in a process of its own, behind the interface of Connection.

The driver's own substitution of parameters is used, so the tests see the SQL that a server would see.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.suho.platform.plugins.module_utils.clickhouse.client import Answer, ClickhouseError
from clickhouse_driver.util.escape import escape_params

_LOOP = """
import json, os, re, sys
from chdb import session
out = os.fdopen(os.dup(1), "w"); os.dup2(2, 1)
live = session.Session(sys.argv[1] + "?config-file=" + sys.argv[2])
live.query("SET alter_sync = 2, mutations_sync = 2, output_format_json_quote_64bit_integers = 0")
for line in sys.stdin:
    try:
        text = live.query(json.loads(line), "JSONCompact").bytes().decode()
        answer = {"data": json.loads(text) if text.strip() else {"data": [], "meta": []}}
    except Exception as error:
        code = re.search(r"Code: (\\d+)", str(error))
        answer = {"error": str(error), "code": int(code.group(1)) if code else 0}
        try:
            live.query("SELECT 1")  # takes with it what the failed query had written already
        except Exception:
            pass
    out.write(json.dumps(answer) + "\\n"); out.flush()
"""


# A mutation that found nothing to do yet is looked at again after this pause; tests have many of them.
_PAUSES = (
    "thread_sleep_seconds",
    "thread_sleep_seconds_random_part",
    "task_sleep_seconds_when_no_work_min",
    "task_sleep_seconds_when_no_work_max",
    "task_sleep_seconds_when_no_work_random_part",
)
_SETTINGS = "".join(f"<background_processing_pool_{n}>0.01</background_processing_pool_{n}>" for n in _PAUSES)


class EngineConnection:
    """Looks like module_utils.clickhouse_client.Connection to the code under test."""

    server_version = "26.9.2.1"
    login = SimpleNamespace(address="engine", receive_timeout=30)

    def __init__(self, directory: Path) -> None:
        config = directory / "engine.xml"
        config.write_text(f"<clickhouse>{_SETTINGS}</clickhouse>", encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _LOOP, str(directory / "data"), str(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.statements: list[str] = []

    def query(
        self, sql: str, params: Mapping[str, Any] | None = None, settings: Mapping[str, Any] | None = None
    ) -> Answer:
        if params:
            context = SimpleNamespace(server_info=SimpleNamespace(get_timezone=lambda: "UTC"))
            sql = sql % escape_params(dict(params), context)
        self.statements.append(sql)
        if settings:
            sql += " SETTINGS " + ", ".join(f"{name} = {value!r}" for name, value in settings.items())
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(sql) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise ClickhouseError(answer["error"], "server", answer["code"])
        data = answer["data"]
        return Answer(
            rows=[tuple(row) for row in data["data"]],
            columns=[(item["name"], item["type"]) for item in data["meta"]],
            rows_read=data.get("statistics", {}).get("rows_read"),
        )

    def scalar(self, sql: str, params: Mapping[str, Any] | None = None) -> Any:
        return self.query(sql, params).rows[0][0]

    def run(self, statement: str, settings: Mapping[str, Any] | None = None) -> None:
        self.query(statement)

    def fresh_database(self, *names: str) -> None:
        for name in names:
            self.run(f"DROP DATABASE IF EXISTS `{name}` SYNC")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
