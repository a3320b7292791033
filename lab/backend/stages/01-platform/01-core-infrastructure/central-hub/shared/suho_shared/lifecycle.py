"""Start and stop of a service: SIGTERM finishes the work in hand, and the process is gone within five seconds."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from suho_shared.logs import brief

STOP_SECONDS = 4.5


class Fatal(Exception):
    """Something that a restart with other settings may heal, but waiting cannot; the process ends with 1."""


class Backoff:
    """Growing pauses between attempts: 0.5 s, 1 s, 2 s, … up to the maximum."""

    def __init__(self, first: float = 0.5, maximum: float = 5.0) -> None:
        self.first, self.maximum, self.current = first, maximum, first

    def reset(self) -> None:
        self.current = self.first

    def next(self) -> float:
        pause, self.current = self.current, min(self.current * 2, self.maximum)
        return pause


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake up at once when the service is asked to stop."""
    with contextlib.suppress(asyncio.TimeoutError):
        await asyncio.wait_for(stop.wait(), max(seconds, 0))


async def _supervise(work: Callable[[asyncio.Event], Awaitable[None]], log: logging.Logger) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    task = asyncio.ensure_future(work(stop))
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({task, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            log.info("stopping: finishing the work in hand")
            await asyncio.wait({task}, timeout=STOP_SECONDS)
        if not task.done():
            # Nothing is lost: what was not acknowledged comes again after the next start.
            log.warning("work in hand did not finish within %.1f s, leaving it", STOP_SECONDS)
            return 0
        await task
    except Fatal as error:
        log.error("%s", error)
        return 1
    except Exception as error:
        log.error(
            "ended by an error that it did not expect: %s",
            brief(error),
            exc_info=log.isEnabledFor(logging.DEBUG),
        )
        return 1
    log.info("stopped")
    return 0


def run(work: Callable[[asyncio.Event], Awaitable[None]], log: logging.Logger) -> None:
    """Run a service to its end and leave with its exit code; threads that hang cannot hold the process."""
    loop = asyncio.new_event_loop()
    code = loop.run_until_complete(_supervise(work, log))
    sys.stdout.flush()
    os._exit(code)
