"""Exceptions that keep the places they came by, and nothing of what the variables held there.

Whoever shows a traceback with its locals, as trackers of errors do, would show secrets in clear: an address, the body
of a request, an environment. So the doors of the rooms where secrets are in clear let none of that out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")


def forgetful(function: Callable[P, R]) -> Callable[P, R]:
    """The function; the frames of what it raises, its own arguments among them, are empty."""

    @wraps(function)
    def now(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            del args, kwargs
            _forget(error)
            raise

    @wraps(function)
    async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
        try:
            return await cast("Any", function(*args, **kwargs))
        except BaseException as error:
            del args, kwargs
            _forget(error)
            raise

    return cast("Callable[P, R]", later) if iscoroutinefunction(function) else now


def _forget(error: BaseException) -> None:
    for one in _chain(error, set()):
        trace = one.__traceback__
        while trace is not None:
            with suppress(RuntimeError):  # it still runs: a caller, which answers for itself
                trace.tb_frame.clear()
            trace = trace.tb_next


def _chain(error: BaseException | None, known: set[int]) -> Iterator[BaseException]:
    """The error, and those that it came from or holds."""
    if error is None or id(error) in known:
        return
    known.add(id(error))
    yield error
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    for one in (error.__cause__, error.__context__, *inner):
        yield from _chain(one, known)
