"""Log lines as ``LEVEL service message`` on standard output."""

from __future__ import annotations

import logging
import sys


def setup(service: str, level: str = "INFO") -> logging.Logger:
    """Make the one logger of a service; libraries' own records pass from WARNING on."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(logging.Formatter(f"%(levelname)s {service} %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    # The libraries report a lost connection with a traceback; the service says it in one line itself.
    for library in ("nats", "clickhouse_driver", "psycopg", "asyncio"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    logger = logging.getLogger(service)
    known = logging.getLevelName(level.upper())
    logger.setLevel(known if isinstance(known, int) else logging.INFO)
    if not isinstance(known, int):
        logger.warning("log level %r is unknown, using INFO", level)
    return logger


def brief(error: BaseException) -> str:
    """An error in one line, without a traceback."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
