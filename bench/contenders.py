# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is compared: each brings the same statements to the same server by a command of its own."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
SCHEMAS = PROJECT / "files" / "schemas" / "clickhouse"
CACHE = PROJECT / ".cache" / "bench"
DATABASE = "suho_analytics"  # the files name it
DBMATE = "2.36.0"
MIGRATIONS = "0.16.0"
# The driver under it is the one that we use, so the two differ only in what they ask for.
MIGRATIONS_NEEDS = ("clickhouse-driver==0.2.11", "pytz==2026.6", "tzlocal==5.4.5")
INSTALL_SECONDS = 300


class BenchError(Exception):
    """What prevents a measurement; the message says it to the reader."""


@dataclass(frozen=True)
class Address:
    host: str
    port: int
    user: str
    password: str


@dataclass(frozen=True)
class Contender:
    """A name, and the command with its environment for a server."""

    name: str
    command: Callable[[Address], tuple[Sequence[str], Mapping[str, str]]]
    ours: bool = False


def run(argv: Sequence[str], environment: Mapping[str, str], seconds: float = INSTALL_SECONDS) -> None:
    try:
        done = subprocess.run(
            argv,
            env=dict(environment),
            capture_output=True,
            text=True,
            cwd=PROJECT,
            timeout=seconds,
            check=False,
        )
    except FileNotFoundError:
        raise BenchError(f"the program {argv[0]} is not installed") from None
    except subprocess.TimeoutExpired:
        raise BenchError(f"{Path(argv[0]).name} did not end within {seconds:g} s") from None
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip())[-600:]
        raise BenchError(f"{Path(argv[0]).name} ended with exit code {done.returncode}: {words}")


def ours(environment: Mapping[str, str]) -> list[Contender]:
    def role(at: Address) -> tuple[Sequence[str], Mapping[str, str]]:
        argv = ["ansible-playbook", "-i", "localhost,", "bench/apply.yml"]
        more = {"BENCH_HOST": at.host, "BENCH_PORT": str(at.port), "BENCH_USER": at.user}
        return argv, {**environment, **more, "CLICKHOUSE_PASSWORD": at.password}

    def code(at: Address) -> tuple[Sequence[str], Mapping[str, str]]:
        argv = [sys.executable, "-m", "bench.apply", at.host, str(at.port), at.user, DATABASE, str(SCHEMAS)]
        return argv, {**environment, "CLICKHOUSE_PASSWORD": at.password}

    return [
        Contender("ours: the module's code", code, ours=True),
        Contender("ours: the role, with ansible-playbook", role, ours=True),
    ]


def dbmate(environment: Mapping[str, str]) -> Contender:
    folder = CACHE / f"dbmate-{DBMATE}"
    program = folder / "node_modules" / "@dbmate" / _npm_platform() / "bin" / "dbmate"
    if not program.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        argv = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts"]
        run([*argv, f"dbmate@{DBMATE}"], environment)
    files = _fresh_folder("dbmate-files")
    for path in sorted(SCHEMAS.glob("*.sql")):
        number, _, name = path.name.partition("_")
        text = f"-- migrate:up\n{path.read_text(encoding='utf-8')}\n-- migrate:down\n"
        (files / f"202501010000{number}_{name}").write_text(text, encoding="utf-8")

    def command(at: Address) -> tuple[Sequence[str], Mapping[str, str]]:
        url = f"clickhouse://{at.user}:{at.password}@{at.host}:{at.port}/{DATABASE}"
        argv = [str(program), "--migrations-dir", str(files), "--no-dump-schema", "up"]
        return argv, {**environment, "DATABASE_URL": url}

    return Contender(f"dbmate {DBMATE}", command)


def clickhouse_migrations(environment: Mapping[str, str]) -> Contender:
    folder = CACHE / f"clickhouse-migrations-{MIGRATIONS}"
    program = folder / "bin" / "clickhouse-migrations"
    if not program.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(folder)], environment)
        argv = [
            str(folder / "bin" / "python"),
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ]
        run([*argv, f"clickhouse-migrations=={MIGRATIONS}", *MIGRATIONS_NEEDS], environment)
    files = _fresh_folder("clickhouse-migrations-files")
    for path in SCHEMAS.glob("*.sql"):
        shutil.copy(path, files / f"0{path.name}")

    def command(at: Address) -> tuple[Sequence[str], Mapping[str, str]]:
        argv = [str(program), "migrate", "--create-db-if-not-exists", "--migrations-dir", str(files)]
        names = {"DB_HOST": at.host, "DB_PORT": str(at.port), "DB_USER": at.user, "DB_NAME": DATABASE}
        return argv, {**environment, **names, "DB_PASSWORD": at.password}

    return Contender(f"clickhouse-migrations {MIGRATIONS}", command)


def _fresh_folder(name: str) -> Path:
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def _npm_platform() -> str:
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64"}.get(
        platform.machine(), platform.machine()
    )
    return f"{platform.system().lower()}-{machine}"
