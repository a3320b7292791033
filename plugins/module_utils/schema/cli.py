# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command schema-plan: the module's plan and rehearsal from files alone, for people and CI."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from .input.paths import decoded, read_desired_files, read_text
from .model import SchemaError
from .plan_text import plan_text, verdict
from .rehearsal.process import PlannerProcess

IN_SYNC, FAILED, DIFFERENT = 0, 1, 2
_NAME = "schema-plan"
_EPILOG = """\
exit codes:
  0  in sync
  1  no plan could be made; standard error says why
  2  there are differences: steps, refused ones, or both
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(FAILED, f"{self.prog}: {' '.join(message.split())}; see {self.prog} --help\n")


def main(arguments: Sequence[str]) -> int:
    """Run the command; returns its exit code. Whatever goes wrong is one line on standard error."""
    try:
        code, text = _run(arguments)
        _write(text)
    except SchemaError as error:
        return _complain(str(error))
    except KeyboardInterrupt:
        return _complain("interrupted")
    except BrokenPipeError:
        # Python would complain about its closed standard output once more when it ends.
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _complain("the reader of the output went away before its end")
    except OSError as error:
        return _complain(f"{error.filename or 'the output'}: {error.strerror or error}")
    except Exception as error:
        # A defect must reach the user as a sentence, not as a traceback.
        return _complain(f"failed with {type(error).__name__}: {error}")
    return code


def _run(arguments: Sequence[str]) -> tuple[int, str]:
    parser = _parser()
    try:
        options = parser.parse_args(arguments)
    except SystemExit as done:  # --help, or an option that was not understood
        return int(done.code or 0), ""
    answer = plan(options)
    code = DIFFERENT if answer["steps"] or answer["refused"] else IN_SYNC
    if options.json:
        data = {**answer, "verdict": verdict(answer)}
        return code, json.dumps(data, indent=2) + "\n"
    return code, plan_text(answer, _shown(options.live), ", ".join(options.desired))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_NAME,
        description="Compare a dump of a ClickHouse schema with the desired files, and rehearse the difference, "
        "without a server.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--live",
        required=True,
        metavar="FILE",
        help="DDL as a server prints it, statements separated by ';'; '-' is standard input",
    )
    parser.add_argument(
        "--desired",
        required=True,
        nargs="+",
        action="extend",
        metavar="PATH",
        help="SQL file, or directory whose *.sql files are read in the order of their names",
    )
    parser.add_argument("--database", default="", help="default: the only one that the files name")
    parser.add_argument(
        "--allow",
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME",
        help="refused difference, as a former plan named it, or a class (rewrite, destructive), that may become a step",
    )
    parser.add_argument(
        "--server-version", default="", metavar="V", help="warn if the rehearsal's differs from it"
    )
    parser.add_argument(
        "--cluster", default="", metavar="NAME", help="print the statements as they would go to this cluster"
    )
    parser.add_argument("--json", action="store_true", help="print the whole plan as JSON")
    return parser


def plan(options: argparse.Namespace) -> dict[str, Any]:
    """Ask the planner what the module would ask it, with files in the server's place."""
    request = {
        "database": options.database,
        "server_version": options.server_version,
        "live_dump": {"path": _shown(options.live), "text": _read_live(options.live)},
        "files": read_desired_files(_existing(item) for item in options.desired),
        "allow": options.allow,
        "cluster": options.cluster,
    }
    with PlannerProcess() as planner:
        return planner.ask(request)


def _read_live(place: str) -> str:
    if place != "-":
        return read_text(Path(place))
    if sys.stdin is None:
        raise SchemaError("standard input is closed")
    return decoded(sys.stdin.buffer.read(), _shown(place))


def _existing(place: str) -> Path:
    if not Path(place).exists():
        raise SchemaError(f"desired: there is no file or directory {place}")
    return Path(place)


def _shown(place: str) -> str:
    return "standard input" if place == "-" else place


def _write(text: str) -> None:
    if sys.stdout is None:
        raise SchemaError("standard output is closed")
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal may not know every letter of a comment
    sys.stdout.write(text)
    sys.stdout.flush()


def _complain(message: str) -> int:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{_NAME}: {' '.join(message.split())}\n")
        sys.stderr.flush()
    return FAILED
