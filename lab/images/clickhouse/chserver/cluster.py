# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ON CLUSTER without Keeper: the statement is run on each host of the cluster at once, and the answer has a row for each.

A real server writes the statement into a queue in Keeper, and a host that is down runs it when it is up again. Here such a host never gets
it; as on a real server with distributed_ddl_output_mode = 'null_status_on_timeout', its status in the answer is null.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .config import Config
from .errors import DBError
from .sql import quote, tokens

_KINDS = ("CREATE", "ALTER", "DROP", "RENAME", "EXCHANGE")
_SETTINGS = {"alter_sync": 2, "mutations_sync": 2}


def without_cluster(text: str) -> tuple[str, str]:
    """The statement for one host, and the cluster that it names; "" if it names none."""
    found = list(tokens(text))
    if not found or found[0].word not in _KINDS:
        return text, ""
    for first, second, name in zip(found, found[1:], found[2:]):
        if first.word == "AS" and first.depth == 0:
            break
        if first.depth == 0 and first.word == "ON" and second.word == "CLUSTER":
            return f"{text[: first.start].rstrip()} {text[name.end :].lstrip()}".rstrip(), name.text.strip(
                "'`\""
            )
    return text, ""


def engine_settings(base: Path, clusters: Mapping[str, Sequence[tuple[str, int]]], target: Path) -> Path:
    """Write the engine's settings with the clusters in them, so that system.clusters shows each host as a replica."""
    tree = ET.parse(base)  # noqa: S314 - our own file
    servers = ET.SubElement(tree.getroot(), "remote_servers")
    for cluster, hosts in clusters.items():
        shard = ET.SubElement(ET.SubElement(servers, cluster), "shard")
        for host, port in hosts:
            replica = ET.SubElement(shard, "replica")
            ET.SubElement(replica, "host").text = host
            ET.SubElement(replica, "port").text = str(port)
    tree.write(target, encoding="utf-8")
    return target


class Clusters:
    """The clusters that the server's settings describe."""

    def __init__(self, config: Config) -> None:
        self.config = config

    def distribute(self, cluster: str, statement: str, seconds: int) -> str:
        """Run the statement on every host; gives a SELECT of what each has answered in time."""
        hosts = self.config.clusters.get(cluster)
        if hosts is None:
            raise DBError(701, f"Requested cluster '{cluster}' not found.")
        with ThreadPoolExecutor(len(hosts)) as pool:
            answers = list(pool.map(lambda host: self._on(host, statement, seconds), hosts))
        waiting = sum(status is None for status, _error in answers)
        rows = [_row(host, answer, waiting) for host, answer in zip(hosts, answers)]
        structure = "host String, port UInt16, status Nullable(Int64), error Nullable(String), "
        structure += "num_hosts_remaining UInt64, num_hosts_active UInt64"
        return f"SELECT * FROM values({quote(structure)}, {', '.join(rows)})"  # noqa: S608 - quoted above

    def _on(self, host: tuple[str, int], statement: str, seconds: int) -> tuple[int | None, str]:
        # The lab's image has no driver: only who describes a cluster needs it.
        from clickhouse_driver import Client
        from clickhouse_driver.errors import Error, ServerException

        config = self.config
        client = Client(
            host[0],
            host[1],
            user=config.user,
            password=config.password,
            connect_timeout=min(2, seconds),
            send_receive_timeout=seconds,
        )
        try:
            client.execute(statement, settings=_SETTINGS)
        except ServerException as error:
            return int(error.code), str(error.message).splitlines()[0]
        except (Error, OSError, EOFError):
            return None, ""
        finally:
            client.disconnect()
        return 0, ""


def _row(host: tuple[str, int], answer: tuple[int | None, str], waiting: int) -> str:
    status, error = answer
    values: Sequence[Any] = (
        quote(host[0]),
        host[1],
        "NULL" if status is None else status,
        quote(error),
        waiting,
        0,
    )
    return f"({', '.join(str(value) for value in values)})"
