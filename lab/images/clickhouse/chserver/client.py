# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""clickhouse-client, as far as `docker exec` in a deployment plan needs it.

Queries come from --query, or from standard input. The result is formatted by the server, over its HTTP port; the
exit status is the server's error code (its low eight bits, as the real client has it) or 0.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlencode

from .errors import DBError
from .sql import analyse, split_statements

_NETWORK_ERROR = 210


def _arguments(argv: list[str]) -> argparse.Namespace:
    env = os.environ
    parser = argparse.ArgumentParser(prog="clickhouse-client", add_help=False, allow_abbrev=False)
    parser.add_argument("--help", action="help")
    parser.add_argument("-h", "--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--http-port", type=int, default=int(env.get("CLICKHOUSE_HTTP_PORT") or 8123))
    parser.add_argument("-u", "--user", default=env.get("CLICKHOUSE_USER") or "default")
    parser.add_argument("--password", default=env.get("CLICKHOUSE_PASSWORD", ""))
    parser.add_argument("-d", "--database", default=env.get("CLICKHOUSE_CLIENT_DATABASE", ""))
    parser.add_argument("-q", "--query", action="append")
    parser.add_argument("-n", "--multiquery", nargs="?", const="", metavar="QUERIES")
    parser.add_argument("-m", "--multiline", action="store_true")
    parser.add_argument("-f", "--format", default="")
    parser.add_argument("-t", "--time", action="store_true")
    parser.add_argument("-E", "--vertical", action="store_true")
    parser.add_argument("--ignore-error", action="store_true")
    parser.add_argument("-V", "--version", action="store_true")
    known, rest = parser.parse_known_args(argv)
    known.settings = dict(_settings(parser, rest))
    if known.port != 9000:
        # The native port was moved: this client speaks to the HTTP port, which then must be named too.
        parser.error("--port: the lab's client uses the HTTP port; give --http-port instead")
    return known


def _settings(parser: argparse.ArgumentParser, rest: list[str]) -> Iterator[tuple[str, str]]:
    """--max_threads=1 or --max_threads 1: any other option is a setting."""
    words = iter(rest)
    for word in words:
        if not word.startswith("--"):
            parser.error(f"unexpected argument: {word}")
        name, has_value, value = word[2:].partition("=")
        yield name.replace("-", "_"), value if has_value else next(words, "1")


class Client:
    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        default = args.format or ("Vertical" if args.vertical else "")
        if not default:
            default = "PrettyCompact" if sys.stdout.isatty() else "TabSeparated"
        self.params = {"default_format": default, **args.settings}
        if args.database:
            self.params["database"] = args.database
        # One session for all statements: USE, SET and temporary tables last from one to the next.
        self.params["session_id"] = f"clickhouse-client-{os.getpid()}"

    def run(self, query: str, data: bytes = b"") -> int:
        """Run one statement, copy its result to standard output, and return the error code."""
        headers = {"X-ClickHouse-User": self.args.user, "X-ClickHouse-Key": self.args.password}
        connection = HTTPConnection(self.args.host, self.args.http_port, timeout=None)
        body = query.encode("utf-8", "surrogateescape")
        url = "/?" + urlencode(self.params)
        if data:
            url, body = url + "&" + urlencode({"query": query}), data
        try:
            connection.request("POST", url, body, headers)
            answer = connection.getresponse()
            code = answer.getheader("X-ClickHouse-Exception-Code")
            if code:
                return self._error(answer.read().decode("utf-8", "replace").strip(), int(code))
            while piece := answer.read(1 << 16):
                sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        except (OSError, HTTPException) as exc:
            where = f"{self.args.host}:{self.args.http_port}"
            return self._error(f"Code: {_NETWORK_ERROR}. DB::NetException: {exc} ({where})", _NETWORK_ERROR)
        finally:
            connection.close()
        return 0

    @staticmethod
    def _error(text: str, code: int) -> int:
        sys.stdout.flush()
        print(f"Received exception from server:\n{text}", file=sys.stderr)
        return code


def _run_all(client: Client, args: argparse.Namespace) -> int:
    texts = list(args.query or [])
    if args.multiquery:
        texts.append(args.multiquery)
    if not texts:
        texts = [sys.stdin.buffer.read().decode("utf-8", "surrogateescape")]
        many = True
    else:
        many = args.multiquery is not None or len(texts) > 1
    status = 0
    for text in texts:
        statements = list(split_statements(text)) if many else [text]
        for statement in statements:
            parsed = analyse(statement)
            waits = (
                parsed.takes_data
                and not parsed.data.strip(" \t\r\n;")
                and not sys.stdin.isatty()
                and args.query
            )
            code = client.run(statement, sys.stdin.buffer.read() if waits else b"")
            status = status or code
            if code and not args.ignore_error:
                return status
    return status


def main() -> int:
    args = _arguments(sys.argv[1:])
    client = Client(args)
    try:
        if args.version:
            return client.run("SELECT concat('ClickHouse lab client, server version ', version())")
        status = _run_all(client, args)
    except DBError as exc:
        print(f"Code: {exc.code}. {exc.display}", file=sys.stderr)
        status = exc.code
    except BrokenPipeError:
        return 1
    except KeyboardInterrupt:
        return 130
    return (status & 0xFF) or 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
