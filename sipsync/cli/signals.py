"""Ctrl-C and SIGTERM while lines are written: the first one lets what was sent finish, the second ends at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

from sipsync.cli.session import write
from sipsync.model.problems import Exit

T = TypeVar("T")
_SHOW_CURSOR = "\x1b[?25h"
"""The moving line hides it, and gets no chance to bring it back."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_stoppable(runner: asyncio.Runner, work: Callable[[asyncio.Event], Awaitable[T]]) -> tuple[T, bool]:
    """What the work came to, and whether a signal asked it to stop; `work` is given the event that says so."""

    async def listening() -> tuple[T, bool]:
        stop = asyncio.Event()
        with _heard(stop):
            result = await work(stop)
        return result, stop.is_set()

    return runner.run(listening())


@contextmanager
def _heard(stop: asyncio.Event) -> Iterator[None]:
    """Listen for signals, and leave them afterwards as they were."""
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number in _SIGNALS:
        try:
            loop.add_signal_handler(number, _signalled, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(_signalled, stop))
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(NotImplementedError):
                loop.remove_signal_handler(number)
            signal.signal(number, handler)


def _signalled(stop: asyncio.Event) -> None:
    if stop.is_set():
        cursor = _SHOW_CURSOR if sys.stderr.isatty() else ""
        write(f"{cursor}Ended at once. Run it again: it goes on from what the portal holds.\n", err=True)
        os._exit(Exit.INTERRUPTED)
    stop.set()
