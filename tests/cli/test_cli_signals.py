"""The first signal asks the work to stop, the second ends the run."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from sipsync.cli.signals import run_stoppable

T = TypeVar("T")


def stoppable(work: Callable[[asyncio.Event], Awaitable[T]]) -> tuple[T, bool]:
    with asyncio.Runner() as runner:
        return run_stoppable(runner, work)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_sets_the_event_and_the_work_ends_in_its_own_time(number: signal.Signals) -> None:
    async def work(stop: asyncio.Event) -> str:
        os.kill(os.getpid(), number)
        await stop.wait()
        return "what was done"

    assert stoppable(work) == ("what was done", True)


def test_work_that_nobody_stops_ends_as_usual() -> None:
    async def work(_stop: asyncio.Event) -> int:
        return 7

    assert stoppable(work) == (7, False)


def test_the_second_signal_ends_the_run_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = asyncio.Event()
    codes: list[int] = []

    def end(code: int) -> None:
        codes.append(code)
        ended.set()

    monkeypatch.setattr("os._exit", end)

    async def work(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        await stop.wait()
        os.kill(os.getpid(), signal.SIGINT)
        await ended.wait()

    stoppable(work)
    assert codes == [130]
    assert capsys.readouterr().err.startswith("Ended at once.")


def test_where_the_loop_takes_no_signals_they_are_taken_directly(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.add_signal_handler", refuse)
    monkeypatch.setattr("asyncio.unix_events._UnixSelectorEventLoop.remove_signal_handler", refuse)
    test_a_signal_sets_the_event_and_the_work_ends_in_its_own_time(signal.SIGTERM)


def test_handlers_are_as_before_when_the_work_is_over() -> None:
    before = signal.getsignal(signal.SIGTERM)

    async def work(_stop: asyncio.Event) -> None:
        assert signal.getsignal(signal.SIGTERM) is not before

    stoppable(work)
    assert signal.getsignal(signal.SIGTERM) is before
