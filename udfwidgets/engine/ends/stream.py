"""The ends of a run that a user holds: an iterator, an async iterator and an awaitable.

They are classes, not generators: an async generator that yields inside a cancel scope would cancel
the wrong task on asyncio and crash trio (PEP 789). Whichever way a consumer leaves - a `break` and
`close`, a dropped object, an exception, a cancelled task - the run stops. `close` and `aclose`
return when no worker is left.
"""

from __future__ import annotations

import weakref
from collections.abc import AsyncIterator, Coroutine, Generator, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Protocol

import anyio
import anyio.lowlevel

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.closing import Closing
from udfwidgets.engine.ends.view import PlotSet
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import NewestStep
from udfwidgets.told.tracebacks import folded

UDFResult = Mapping[str, BufferWrapper]
Result = UDFResult | tuple[UDFResult, ...]


class Inbox(Protocol):
    """Where the steps of a run arrive."""

    def ready(self) -> bool:
        """Whether `take` has an answer."""

    def take(self, run: Run) -> UDFResults | None:
        """Return the next step, or None after the last one."""


class _Stream:
    """What the iterators have in common: the run, where its steps arrive, and closing."""

    def __init__(self, run: Run, inbox: Inbox, plots: PlotSet | None = None) -> None:
        self._run = run
        self._inbox = inbox
        self._plots = plots
        self._closed = False
        self._last: UDFResults | None = None
        # Dropped without close(): nobody can wait for the workers, but they stop.
        self._finalizer = weakref.finalize(self, run.abandon)
        self._finalizer.atexit = False

    def _take(self) -> UDFResults | None:
        """Return the next step; None at the end, after raising what went wrong with the run."""
        step = None if self._closed else self._inbox.take(self._run)
        if step is None and not self._closed:
            self._closed = True
            self._run.check()
            if self._last is not None:
                self._last.buffers  # noqa: B018  # raises if get_results fails, looked at or not
            if self._plots is not None:
                self._plots.finish()
        if step is not None and self._plots is not None:
            self._plots.update(step)
        self._last = step
        return step

    def _stop(self) -> None:
        self._closed = True
        self._finalizer.detach()
        self._run.cancel()

    def _ready(self) -> bool:
        return self._closed or self._inbox.ready()

    def __repr__(self) -> str:
        return _described(self, self._run)


def _described(end: object, run: Run) -> str:
    """Return in one line which UDFs a run has, and where it stands."""
    names = ", ".join(type(udf).__name__ for udf in run.udfs)
    return f"<{type(end).__name__} of {names}: {run.state.name.lower()}>"


class ResultStream(_Stream, Closing, Iterator[UDFResults]):
    """Iterates over what has been merged after each step of a run.

    Leaving a ``with`` block closes it.
    """

    def __iter__(self) -> ResultStream:
        return self

    @folded
    def __next__(self) -> UDFResults:
        try:
            self._run.wait(self._ready)
            step = self._take()
        except BaseException:
            self.close()
            raise
        if step is None:
            raise StopIteration
        return step

    def close(self) -> None:
        """Stop the run; returns when no worker is left. Closing twice is allowed."""
        self._stop()
        self._run.wait(self._run.has_ended)

    @folded
    def update_parameters_experimental(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Change parameters of the UDFs for the partitions that are not yet handed out.

        Parameters
        ----------
        parameters : sequence of mapping
            One per UDF, of the parameters to change.
        """
        self._run.update_parameters(parameters)

    @folded
    def throw(self, error: BaseException) -> None:
        """Stop the run with an error, which is raised from here when all workers are gone."""
        self._run.fail(error)
        self.close()
        raise error


class AsyncResultStream(_Stream, AsyncIterator[UDFResults]):
    """Iterates, under asyncio or trio, over what has been merged after each step of a run.

    It is an async context manager, too: leaving the block closes it.
    """

    def __aiter__(self) -> AsyncResultStream:
        return self

    @folded
    async def __anext__(self) -> UDFResults:
        try:
            # Always a checkpoint: a consumer of a fast run must not starve its loop.
            await anyio.lowlevel.checkpoint()
            await self._run.wait_async(self._ready)
            step = self._take()
        except BaseException:
            await self.aclose()
            raise
        if step is None:
            raise StopAsyncIteration
        return step

    async def aclose(self) -> None:
        """Stop the run; returns when no worker is left. Closing twice is allowed."""
        self._stop()
        with anyio.CancelScope(shield=True):
            await self._run.wait_async(self._run.has_ended)

    @folded
    async def update_parameters_experimental(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Change parameters, see `ResultStream.update_parameters_experimental`."""
        self._run.update_parameters(parameters)

    @folded
    async def athrow(self, error: BaseException) -> None:
        """Stop the run with an error, which is raised from here when all workers are gone."""
        self._run.fail(error)
        await self.aclose()
        raise error

    async def __aenter__(self) -> AsyncResultStream:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()


class Follower(AsyncIterator[UDFResults]):
    """Iterates over the newest results of a run, without owning it.

    Steps that come while the consumer is busy are skipped; the last one is not. Leaving the loop
    leaves the run alone.

    Parameters
    ----------
    run : Run
        Under way.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._inbox = NewestStep()
        run.subscribe(self._inbox)

    def __aiter__(self) -> Follower:
        return self

    @folded
    async def __anext__(self) -> UDFResults:
        await anyio.lowlevel.checkpoint()
        await self._run.wait_async(self._inbox.ready)
        step = self._inbox.take(self._run)
        if step is None:
            self._run.check()
            raise StopAsyncIteration
        return step


class AsyncResult(Coroutine[Any, Any, Result]):
    """The final result of a run that is under way, to be awaited under asyncio or trio.

    The run has already started, and runs to its end even if nobody awaits it. A task that is
    cancelled while it awaits cancels the run. It counts as a coroutine, for `asyncio.create_task`,
    but it can be awaited more than once.

    Parameters
    ----------
    run : Run
        The run.
    single : bool
        Whether one UDF was given by itself: its results then come without a tuple around them.
    plots : PlotSet, optional
        Updated while the result is awaited.
    """

    def __init__(self, run: Run, single: bool, plots: PlotSet | None = None) -> None:
        self._run = run
        self._single = single
        self._plots = plots
        self._coroutine: Coroutine[Any, Any, Result] | None = None

    @folded
    async def _wait(self) -> Result:
        try:
            if self._plots is not None:
                async for step in Follower(self._run):
                    self._plots.update(step)
                self._plots.finish()
            await self._run.wait_async(self._run.has_ended)
        except BaseException:
            self._run.cancel()
            with anyio.CancelScope(shield=True):
                await self._run.wait_async(self._run.has_ended)
            raise
        return unpack(self._run, self._single)

    def __repr__(self) -> str:
        return _described(self, self._run)

    def __await__(self) -> Generator[Any, Any, Result]:
        return self._wait().__await__()

    def send(self, value: Any) -> Any:
        """Go on as a coroutine."""
        return self._as_coroutine().send(value)

    def throw(self, *exc_info: Any) -> Any:
        """Raise an exception where the coroutine waits; one that has not begun does not begin."""
        if self._coroutine is None:
            self._run.cancel()
        return self._as_coroutine().throw(*exc_info)

    def close(self) -> None:
        """Stop the run, without waiting for it."""
        self._run.cancel()
        if self._coroutine is not None:
            self._coroutine.close()

    def _as_coroutine(self) -> Coroutine[Any, Any, Result]:
        if self._coroutine is None:
            self._coroutine = self._wait()
        return self._coroutine


def wait_for_result(run: Run, single: bool, plots: PlotSet | None = None) -> Result:
    """Block until a run has ended, updating plots meanwhile, and return its result.

    An interrupt (Ctrl-C, or the stop button of a notebook) cancels the run before it is raised.
    """
    try:
        if plots is not None:
            _update_until_end(run, plots)
        run.wait(run.has_ended)
    except BaseException:
        run.cancel()
        run.wait(run.has_ended)
        raise
    return unpack(run, single)


def _update_until_end(run: Run, plots: PlotSet) -> None:
    inbox = NewestStep()
    run.subscribe(inbox)
    run.wait(inbox.ready)
    while (step := inbox.take(run)) is not None:
        plots.update(step)
        run.wait(inbox.ready)
    plots.finish()


def unpack(run: Run, single: bool) -> Result:
    """Return the result of a run that has ended, without the tuple for a single UDF."""
    results = run.result()
    return results[0] if single else results
