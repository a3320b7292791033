# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connection options shared by every ClickHouse module of the collection."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  login_host:
    description: Host name or address of the ClickHouse server, seen from the host that runs the module.
    type: str
    default: 127.0.0.1
  login_port:
    description: Port of ClickHouse's native protocol (9000, or 9440 with TLS).
    type: int
    default: 9000
  login_user:
    description: User to log in as.
    type: str
    default: default
  login_password:
    description: Password of O(login_user). It is never shown in results, messages or logs.
    type: str
    default: ''
  login_db:
    description:
      - Database of the session. Table names without a database belong to it.
      - When empty, the server takes the user's default database.
    type: str
    default: ''
  secure:
    description: Whether to use TLS.
    type: bool
    default: false
  verify_cert:
    description: Whether to verify the server's certificate. Has no effect without O(secure).
    type: bool
    default: true
  ca_cert:
    description: Path, on the host that runs the module, of a CA bundle to verify the certificate with.
    type: path
  connect_timeout:
    description: Seconds to wait for a connection.
    type: int
    default: 10
  receive_timeout:
    description: Seconds to wait for the server's next answer within one statement.
    type: int
    default: 300
requirements:
  - clickhouse-driver 0.2.6 or newer for the Python interpreter that runs the module
"""
