#!/usr/bin/env python3
"""Give the lab's databases the state that the audit found. Running it again gives the same state again.

``seed.py timescaledb``  table market_ticks, with ticks up to now that reach back far enough for every indicator
``seed.py clickhouse``   database suho_analytics: a million bars without indicators, and tables and views beside them

Addresses and passwords come from the environment, by the names that the platform's services use. It runs in the
services' image, which has the drivers and, mounted at /app/shared, the platform's shared code.
"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), "/app/shared"]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("target", choices=["timescaledb", "clickhouse"])
    parser.add_argument(
        "--drop-database",
        action="append",
        default=[],
        metavar="NAME",
        help="a database of ClickHouse that a deployment or rollback made, to be dropped too",
    )
    arguments = parser.parse_args()
    # The driver reports a failed connection with a traceback; the line below says it in one.
    logging.getLogger("clickhouse_driver").setLevel(logging.CRITICAL)
    try:
        if arguments.target == "timescaledb":
            import seed_timescaledb

            print(seed_timescaledb.run())
        else:
            import seed_clickhouse

            print(seed_clickhouse.run(HERE / "clickhouse", arguments.drop_database))
    except (OSError, RuntimeError) as error:
        sys.exit(f"seeding {arguments.target} failed: {' '.join(str(error).split())[:500]}")


if __name__ == "__main__":
    main()
