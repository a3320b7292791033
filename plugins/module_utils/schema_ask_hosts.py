# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a cluster has, and what each of them says of its schema, each on a connection of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .clickhouse_client import ClickhouseError, connect, login_from
from .schema_model import SchemaError
from .schema_server import Server


def hosts_of(server: Server, params: Mapping[str, Any]) -> list[tuple[str, int]]:
    """Host and port of every host: those that are named, else those that the server knows."""
    if params["cluster_hosts"]:
        return [_host_and_port(text, params["login_port"]) for text in params["cluster_hosts"]]
    sql = (
        "SELECT host_name AS host, port FROM system.clusters WHERE cluster = %(cluster)s "
        "GROUP BY host, port ORDER BY min(shard_num), min(replica_num)"
    )
    found = [(str(row["host"]), int(row["port"])) for row in server.rows(sql, cluster=params["cluster"])]
    if not found:
        known = [str(row["cluster"]) for row in server.rows("SELECT DISTINCT cluster FROM system.clusters")]
        raise SchemaError(
            f"cluster {params['cluster']} is not known to {server.connection.login.address}; "
            f"it knows {', '.join(sorted(known)) or 'none'}"
        )
    return found


def ask_hosts(server: Server, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What every host has: host, port, and before (what Server.read gives) or error."""
    answers: list[dict[str, Any]] = []
    for host, port in hosts_of(server, params):
        answer: dict[str, Any] = {"host": host, "port": port}
        login = replace(login_from(params), host=host, port=port)
        try:
            with connect(login) as connection:
                answer["before"] = Server(connection, server.database, server.quarantine, dry=True).read()
        except ClickhouseError as error:
            answer["error"] = str(error)
        answers.append(answer)
    return answers


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, default
    if not port.isdigit() or not host:
        raise SchemaError(f"cluster_hosts: {text!r} is no host or host:port")
    return host.strip("[]"), int(port)
