# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which hosts a cluster has, and what each of them says of its schema, each on a connection of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from ...clickhouse.client import ClickhouseError, Login, connect, login_from
from ..model import SchemaError
from ..server.server import Server

_AT_ONCE = 16


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


def bounded_login(params: Mapping[str, Any]) -> Login:
    """Login data for questions to a cluster: no host may be silent for longer than the cluster is waited for."""
    login = login_from(params)
    seconds = max(1, math.ceil(params["cluster_timeout"]))
    return replace(
        login,
        connect_timeout=min(login.connect_timeout, seconds),
        receive_timeout=min(login.receive_timeout, seconds),
    )


def ask_hosts(server: Server, params: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What every host has: host, port, and before (what Server.read gives) or error. All are asked at the same time."""
    login = bounded_login(params)

    def ask(place: tuple[str, int]) -> dict[str, Any]:
        host, port = place
        try:
            with connect(replace(login, host=host, port=port)) as connection:
                one = Server(connection, server.database, server.quarantine, dry=True)
                return {"host": host, "port": port, "before": one.read(for_cluster=True)}
        except ClickhouseError as error:
            return {"host": host, "port": port, "error": str(error)}

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask, hosts_of(server, params)))


def _host_and_port(text: str, default: int) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon:
        return text, default
    if not port.isdigit() or not host:
        raise SchemaError(f"cluster_hosts: {text!r} is no host or host:port")
    return host.strip("[]"), int(port)
