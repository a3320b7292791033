# Copyright: (c) 2026, suho.platform contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python3 -m chserver: start the server, and stop it on SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from pathlib import Path

from .config import Config, ConfigError, from_env
from .errors import DBError

log = logging.getLogger("chserver")


def _serve(config: Config) -> None:
    # The engine takes most of a second to load: settings are checked before.
    from .cluster import Clusters, engine_settings
    from .engine import Engine
    from .server import Server

    stop = threading.Event()
    config_file = Path(__file__).with_name("engine.xml")
    if config.clusters:
        config_file = engine_settings(config_file, config.clusters, config.data_dir / "engine.xml")
    engine = Engine(config.data_dir, config_file, Clusters(config) if config.clusters else None)
    if config.database:
        engine.create_database(config.database)
    server = Server(config, engine, socket.gethostname())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    server.start()
    log.info("engine %s ready, data in %s, user %s", engine.version, config.data_dir, config.user)
    stop.wait()
    log.info("stopping")
    server.stop()
    log.info("stopped")


def main() -> int:
    form = "%(asctime)s %(levelname)s %(message)s"
    logging.basicConfig(stream=sys.stdout, level=logging.INFO, format=form)
    try:
        config = from_env()
        config.data_dir.mkdir(parents=True, exist_ok=True)
        _serve(config)
    except (ConfigError, DBError) as exc:
        log.error("%s", exc)
        return 1
    except OSError as exc:
        log.error("%s: %s", exc.filename or "cannot start", exc.strerror or exc)
        return 1
    return 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # The engine is closed; its threads must not be torn down a second time by the interpreter's end.
    os._exit(status)
