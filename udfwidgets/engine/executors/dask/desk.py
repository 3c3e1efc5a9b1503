"""The desk: hands out orders to the workers of a cluster, and takes their answers.

Scans, backlogs and merges stay in the process that the runs belong to, as with threads: what
travels is an order for a worker, and the buffers that it answers with. Dask itself gives the orders
of a worker that dies to another one. An order is merged when its answer is here, so each is merged
once.

Two tasks live on its loop. One hands out orders, two for each worker, so that none of them waits
for the next, and merges the answers. The other looks whether the cluster is still there. Answers
are fetched on the loop of Dask's client: no order waits for that.
"""

from __future__ import annotations

import threading
import uuid
import weakref
from collections import deque
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup

from udfwidgets.engine.executors.arguments import available_cpus
from udfwidgets.engine.executors.background import Loop
from udfwidgets.engine.executors.dask import remote
from udfwidgets.engine.executors.dask.answers import fetch, settle, size_of
from udfwidgets.engine.executors.dask.cluster import connect, dashboard_of, start_local
from udfwidgets.engine.executors.dask.orders import Orders
from udfwidgets.engine.plan.cadence import Cadence
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.engine.work.pool import Pool
from udfwidgets.engine.work.scan import Assignment

# Orders that are out for each worker: one at work, one that is there when it is through.
AHEAD = 2
# Seconds of this process that an order and its answer take, Dask's part included. All workers
# together are to keep it busy for a small part of the time: the more of them, the larger are
# partitions.
MESSAGE = 0.008
# Compiled code begins with so many tiles: less than the way takes.
BOLD = 8
# Partitions of each worker at least: a run lasts until the last one is through.
PARTS = 4
# Seconds between two looks at the cluster.
LOOK = 1.0
# Seconds after which a scheduler that does not answer is given up.
PATIENCE = 5.0


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
        self._connecting = threading.Lock()
        self._orders = Orders()
        self._out: dict[Any, Assignment] = {}
        self._answered: deque[Any] = deque()
        self._stopped: weakref.WeakSet[Run] = weakref.WeakSet()

    def connect(self) -> Any:
        """Return the client, connected."""
        with self._connecting:
            if self._client is None:
                self._client = _client_of(self._given, self.workers)
                self.dashboard = dashboard_of(self._client)
                self._count_workers()
            return self._client

    def _count_workers(self) -> int:
        found = len(self._client.nthreads())
        if found and found != self.workers:
            self.workers = found
            self.pool.resize(found * AHEAD)
        return found

    def _prepare(self, run: Run) -> None:
        self.connect()
        self._orders.pack(run)
        if isinstance(run.pace, Cadence):  # and not one that somebody has chosen
            run.pace = self._pace_of(run.job)

    def _pace_of(self, job: Job) -> Cadence:
        parts = self.workers * PARTS
        return Cadence(
            job.plan.n_frames,
            parts,
            first=job.first_partition(parts) * (BOLD if job.is_compiled else 1),
            most=job.largest_partition,
            travel=MESSAGE * self.workers,
        )

    async def _work_through(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            while not self.has_ended():
                await self.pool.bell.wait_async(self._has_something)
                self._take_answers()
                self._stop_orders(tasks)
                self.pool.settle()
                self._hand_out()
            tasks.cancel_scope.cancel()

    def _has_something(self) -> bool:
        has_stopped = any(run.is_stopping() and run not in self._stopped for run in self.pool.runs)
        return (
            bool(self._answered)
            or has_stopped
            or self.pool.has_to_settle()
            or self.has_ended()
            or (len(self._out) < self.workers * AHEAD and self.pool.has_work())
        )

    def _hand_out(self) -> None:
        """Send orders, as many as keep the workers busy."""
        while len(self._out) < self.workers * AHEAD:
            assignment = self.pool.take()
            if assignment is None:
                return
            try:
                assignment.work_out()
                future = self._send(assignment)
            except Exception as error:
                self.pool.learn(assignment, settle(assignment, error))
                continue
            self._out[future] = assignment
            self._client.loop.add_callback(self._fetch, future)

    def _send(self, assignment: Assignment) -> Any:
        order = self._orders.of(assignment)
        return self._client.submit(remote.carry_out, order, key=f"udfwidgets-{uuid.uuid4().hex}")

    async def _fetch(self, future: Any) -> None:
        self._answered.append((future, await fetch(future)))
        self.pool.bell.ring()

    def _take_answers(self) -> None:
        while self._answered:
            future, found = self._answered.popleft()
            assignment = self._out.pop(future, None)
            if assignment is not None:
                reading = settle(assignment, found)
                self.pool.learn(assignment, reading, size_of(found))
                future.release()

    def _stop_orders(self, tasks: TaskGroup) -> None:
        """Have workers leave off what nobody wants any more."""
        for run in self.pool.runs:
            if not run.is_stopping() or run in self._stopped:
                continue
            self._stopped.add(run)
            tasks.start_soon(self._tell_workers, self._orders.name_of(run))
        for future, assignment in list(self._out.items()):
            if all(share.run.is_stopping() for share in assignment.shares):
                del self._out[future]
                self.pool.learn(assignment, 0.0)
                future.cancel()

    async def _tell_workers(self, run: str) -> None:
        """Have workers leave off a run; one that dies meanwhile has left off."""

        def tell() -> None:
            self._client.run(remote.stop, run, wait=False, on_error="ignore")

        # Asked of a scheduler that is gone, Dask waits for half a minute.
        if self._client.status == "running":
            await anyio.to_thread.run_sync(tell, abandon_on_cancel=True)

    async def _watch(self) -> None:
        """Look whether the cluster is there, and how many workers it has."""
        while True:
            await anyio.sleep(LOOK)
            n_workers = None
            with anyio.move_on_after(PATIENCE):
                if self._client.status == "running":
                    n_workers = await anyio.to_thread.run_sync(
                        self._count_workers, abandon_on_cancel=True
                    )
            if n_workers is None:
                self.fail_all(
                    ConnectionError(
                        "the Dask scheduler is gone: start the cluster anew, and make a new Context"
                    )
                )
            for run in self.pool.runs:
                run.note_waiting("" if n_workers else "a worker of the Dask cluster")
            self.pool.bell.ring()

    def close(self) -> None:
        """End all runs, and what was started for them."""
        if self.is_elsewhere:
            return
        super().close()
        self._orders.close()
        client, self._client = self._client, None
        if client is not None and client is not self._given:
            cluster = client.cluster
            client.close()
            if cluster is not None:
                cluster.close()


def _client_of(given: Any, cpus: int) -> Any:
    if given is None:
        return start_local(cpus)
    if isinstance(given, str):
        return connect(given)
    return given
