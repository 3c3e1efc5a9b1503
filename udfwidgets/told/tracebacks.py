"""Tracebacks in a notebook: from the line of the user to that of his UDF, without what is between.

IPython leaves frames out that have a local variable ``__tracebackhide__``, and says how many; so
does its debugger. Nothing is taken off the exception: `traceback.print_exception` prints all of it,
and so does IPython after ``get_ipython().InteractiveTB.skip_hidden = False``. The last frame, which
raised the exception, is always shown.

Outside of IPython nothing is hidden: there, whole tracebacks go into logs and reports of bugs.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
R = TypeVar("R")

HIDDEN = "__tracebackhide__"
_OURS = __name__.partition(".")[0]
#: Between two frames of ours, these belong to us, too.
_BETWEEN = frozenset({"anyio", "asyncio", "concurrent", "contextlib", "functools", "threading"})


def folded(function: Callable[P, R]) -> Callable[P, R]:
    """Have tracebacks of what comes out of a public function begin at the line of its caller."""
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
            try:
                return await cast("Any", function(*args, **kwargs))
            except BaseException as error:
                fold(error)
                raise

        return cast("Callable[P, R]", awaited)

    @functools.wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            fold(error)
            raise

    return called


def fold(error: BaseException) -> None:
    """Hide our frames in the traceback of an exception, and in those it came from."""
    if not _is_interactive():
        return
    for each in _chained(error):
        hidden = False
        for traceback in _entries(each.__traceback__):
            frame = traceback.tb_frame
            package = frame.f_globals.get("__name__", "").partition(".")[0]
            hidden = package == _OURS or (hidden and package in _BETWEEN)
            if hidden and frame.f_code.co_flags & inspect.CO_OPTIMIZED:
                # A name that is no variable of the function stays in what a debugger sees of it;
                # a module that is being imported would get it for good.
                frame.f_locals[HIDDEN] = True


def _is_interactive() -> bool:
    """Return whether IPython runs the code; nothing of it is imported for that."""
    shell = getattr(sys.modules.get("IPython.core.interactiveshell"), "InteractiveShell", None)
    return shell is not None and bool(shell.initialized())


def _entries(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _chained(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        each = waiting.pop()
        if each is not None and not any(each is other for other in found):
            found.append(each)
            waiting += [each.__cause__, each.__context__, *getattr(each, "exceptions", ())]
    return found
