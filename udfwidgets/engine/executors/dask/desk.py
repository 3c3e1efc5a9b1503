"""The desk: hands out orders to the workers of a cluster, and takes their answers.

Scans, backlogs and merges stay in the process that the runs belong to, as with threads: what
travels is an order for a worker, and the buffers that it answers with. An order is merged when its
answer is here, and that of the worker it was given to last: so each is merged once. Those of a
worker that dies are given to others.

Two tasks live on its loop. One hands out orders, two for each worker, so that none of them waits
for the next, and merges the answers. The other looks which workers there are. Calls to workers live
on the loop of Dask's client: no order waits for another one's answer.
"""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import anyio
import anyio.to_thread

from udfwidgets.engine.executors.arguments import available_cpus
from udfwidgets.engine.executors.background import Loop
from udfwidgets.engine.executors.dask.answers import settle, size_of
from udfwidgets.engine.executors.dask.cluster import connect, dashboard_of, start_local
from udfwidgets.engine.executors.dask.messages import Answer
from udfwidgets.engine.executors.dask.orders import Orders
from udfwidgets.engine.executors.dask.rations import LARGE, Rations
from udfwidgets.engine.executors.dask.seating import AHEAD, Seating
from udfwidgets.engine.executors.dask.seats import Errand, Seat, WorkerGoneError
from udfwidgets.engine.plan.cadence import Cadence
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import REST
from udfwidgets.engine.work.pool import Pool
from udfwidgets.errors import UDFException

# An order is given up with the third worker that goes while it is at work on it.
DEATHS = 3
# Seconds between two looks at the cluster.
LOOK = 1.0
# Seconds after which a scheduler that does not answer is given up.
PATIENCE = 5.0
# Seconds after which a source that brought nothing is looked at again.
POLL = 0.01


class Desk(Loop):
    """Where orders go out and answers come in.

    Parameters
    ----------
    client : distributed.Client or str, optional
        Of a running cluster, or the address of its scheduler.
    cpus : int, optional
        How many processes a cluster that is started has.
    """

    def __init__(self, client: Any, cpus: int | None) -> None:
        self.workers = cpus or available_cpus()
        super().__init__(Pool(self.workers * AHEAD), "udfwidgets-dask")
        self._given = client
        self._client: Any = None
        #: Address of the page that Dask has for its cluster; empty where there is none.
        self.dashboard = ""
        self._connecting, self._asking = threading.Lock(), threading.Lock()
        self._orders = Orders()
        self._seating = Seating(self._note, is_shared=client is not None)
        #: What workers that are gone have not answered.
        self._returned: deque[Errand] = deque()
        self._answered: deque[tuple[Seat, str | None, Answer | BaseException]] = deque()
        self._stopped: weakref.WeakSet[Run] = weakref.WeakSet()
        self._tidied = time.monotonic()

    def connect(self) -> Any:
        """Return the client, connected."""
        with self._connecting:
            if self._client is None:
                self._client = _client_of(self._given, self.workers)
                self.dashboard = dashboard_of(self._client)
                self._count_workers()
            return self._client

    def _count_workers(self) -> list[str]:
        """Take note of how many workers there are, and return their addresses."""
        found = self._ask_for_workers()
        if found and len(found) != self.workers:
            self.workers = len(found)
            self.pool.resize(self.workers * AHEAD)
        return found

    def _ask_for_workers(self) -> list[str]:
        # A scheduler that does not answer keeps one thread, and not one more with each look.
        if not self._asking.acquire(blocking=False):
            raise ConnectionError("the Dask scheduler has not answered yet")
        try:
            return list(self._client.sync(_workers_of, self._client.scheduler))
        finally:
            self._asking.release()

    def _prepare(self, run: Run) -> None:
        self.connect()
        self._orders.pack(run)
        if isinstance(run.pace, Cadence):  # and not one that somebody has chosen
            hurried = run.pace.hurried
            run.pace = Rations(run, self.workers)
            if hurried is not None:
                # How many workers there are was not known before.
                first = run.job.unwatched_partition(self.workers, LARGE) if hurried else 0
                run.pace.hurry(first)

    async def _work_through(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            while not self.has_ended():
                await self.pool.bell.wait_async(self._has_something)
                self._take_answers()
                self._stop_orders()
                self._leave_out()
                self.pool.settle()
                if not self._hand_out() and self._has_work():
                    await self._wait_for_source()
            tasks.cancel_scope.cancel()

    def _has_something(self) -> bool:
        return (
            bool(self._answered)
            or bool(self._to_be_stopped())
            or not all(errand.is_wanted for errand in self._returned)
            or self.pool.has_to_settle()
            or self.has_ended()
            or self._has_work()
            or self._seating.late() is not None
        )

    def _has_work(self) -> bool:
        return self._seating.next() is not None and (bool(self._returned) or self.pool.has_work())

    async def _wait_for_source(self) -> None:
        """Wait a moment: a source that still grows has brought nothing."""
        self.pool.look_what_runs_wait_for()
        with anyio.move_on_after(POLL):
            await self.pool.bell.wait_async(lambda: bool(self._answered) or self.has_ended())

    def _hand_out(self) -> bool:
        """Send orders, as many as keep the workers busy; return whether there were any."""
        has_sent = False
        while (seat := self._seating.next()) is not None:
            errand = self._next_errand()
            if errand is None:
                break
            seat.send(errand)
            has_sent = True
        return has_sent

    def _next_errand(self) -> Errand | None:
        self._leave_out()
        if self._returned:
            return self._returned.popleft()
        while (assignment := self.pool.take()) is not None:
            try:
                assignment.work_out()
                return Errand(assignment, self._orders.of(assignment))
            except Exception as error:
                self.pool.learn(assignment, settle(assignment, error))
        late = self._seating.late()
        return None if late is None else late.give_back()

    def _leave_out(self) -> None:
        """Forget what came back from workers and nobody wants any more, if there is no worker too.

        Its runs, and with them their results, would be kept until one comes.
        """
        for errand in [errand for errand in self._returned if not errand.is_wanted]:
            self._returned.remove(errand)
            self.pool.learn(errand.assignment, 0.0)

    def _note(self, seat: Seat, key: str | None, found: Answer | BaseException) -> None:
        self._answered.append((seat, key, found))
        self.pool.bell.ring()

    def _take_answers(self) -> None:
        while self._answered:
            seat, key, found = self._answered.popleft()
            if isinstance(found, WorkerGoneError):
                self._lose(seat)
            elif key is None:
                if isinstance(found, BaseException):
                    self._lose(seat)
                    # One that cannot be used is no reason to do without the others.
                    if not any(other.is_ready for other in self._seating):
                        self.fail_all(found)
            # What was given to another worker meanwhile is that one's to answer.
            elif (errand := seat.answered(key)) is not None:
                reading = settle(errand.assignment, found)
                self.pool.learn(errand.assignment, reading, size_of(found))

    def _lose(self, seat: Seat) -> None:
        """Take back what a worker has not answered that is gone."""
        for errand in self._seating.leave(seat):
            if errand.deaths < DEATHS:
                self._returned.append(errand)
            else:
                told = UDFException(
                    "a partition has killed its worker three times: a UDF may crash, or need more "
                    "memory than a worker has"
                )
                self.pool.learn(errand.assignment, settle(errand.assignment, told))

    def _stop_orders(self) -> None:
        """Have workers leave off what nobody wants any more."""
        for run in self._to_be_stopped():
            self._stopped.add(run)
            for seat in self._seating:
                seat.stop(self._orders.name_of(run))

    def _to_be_stopped(self) -> set[Run]:
        """Return the runs that workers are still to be told of; some have left the pool."""
        out = (share.run for seat in self._seating for each in seat.out for share in each.shares)
        under_way = {*self.pool.runs, *(run for run in out if isinstance(run, Run))}
        return {run for run in under_way if run.is_stopping() and run not in self._stopped}

    async def _watch(self) -> None:
        """Look which workers there are, and give each a seat."""
        while True:
            found = None
            with suppress(OSError):
                if self._client.status == "running":
                    found = await anyio.to_thread.run_sync(
                        self._count_workers, abandon_on_cancel=True
                    )
            if found is None:
                self.fail_all(
                    ConnectionError(
                        "the Dask scheduler is gone: start the cluster anew, and make a new Context"
                    )
                )
            else:
                self._look_at(found)
            self._tidy()
            self.pool.bell.ring()
            with anyio.move_on_after(LOOK):
                await self.pool.bell.wait_async(
                    lambda: self._seating.rests and bool(self.pool.runs)
                )

    def _look_at(self, workers: Sequence[str]) -> None:
        runs = self.pool.runs
        left = sum(run.pace.left for run in runs if isinstance(run.pace, Rations))
        look = self._seating.look
        for seat in look(self._client, workers, has_runs=bool(runs), left=left):
            self._lose(seat)
        for run in runs:
            run.note_waiting("" if workers else "a worker of the Dask cluster")

    def _tidy(self) -> None:
        """Have files closed that were not read for a while, here and on the workers."""
        if time.monotonic() - self._tidied > REST:
            self._tidied = time.monotonic()
            self.pool.sources.tidy()
            for seat in self._seating:
                seat.tidy()

    def close(self) -> None:
        """End all runs, and what was started for them."""
        if self.is_elsewhere:
            return
        super().close()
        self._orders.close()
        # What is still worked on is forgotten here, and with it the files that it was made of.
        for errand in (*self._seating.close(), *self._returned):
            self.pool.learn(errand.assignment, 0.0)
        self._returned.clear()
        client, self._client = self._client, None
        if client is not None and client is not self._given:
            cluster = client.cluster
            client.close()
            if cluster is not None:
                cluster.close()


async def _workers_of(scheduler: Any) -> Any:
    """Return the workers that a scheduler knows; on the loop of its client.

    There an answer that has come is found before it is too late, however long the loop was busy.
    """
    asked = asyncio.ensure_future(scheduler.ncores())
    try:
        await asyncio.wait({asked}, timeout=PATIENCE)
        if asked.done():
            return asked.result()
    finally:
        asked.cancel()
    raise ConnectionError(f"the Dask scheduler does not answer for {PATIENCE} s")


def _client_of(given: Any, cpus: int) -> Any:
    if given is None:
        return start_local(cpus)
    if isinstance(given, str):
        return connect(given)
    return given
