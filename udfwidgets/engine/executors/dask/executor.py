"""The dask executor: the work of runs is done by the workers of a Dask cluster.

Scans, backlogs and merges stay in the process that the runs belong to, as with threads: what
travels is an order for a worker, and the buffers that it answers with. Dask itself gives the orders
of a worker that dies to another one. An order is merged when its answer is here, so each is merged
once.

On an event loop of its own live two tasks. One hands out orders, two for each worker, so that none
of them waits for the next, and merges the answers. The other looks whether the cluster is still
there.
"""

from __future__ import annotations

import atexit
import os
import pickle
import tempfile
import threading
import uuid
import weakref
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from anyio.abc import TaskGroup
from anyio.from_thread import BlockingPortal, start_blocking_portal

from udfwidgets.engine.bell import Bell
from udfwidgets.engine.blame import add_note
from udfwidgets.engine.executors.arguments import check_gpus, pass_over
from udfwidgets.engine.executors.base import IS_CLOSED, IS_ELSEWHERE
from udfwidgets.engine.executors.dask import remote
from udfwidgets.engine.executors.dask.cluster import connect, start_local
from udfwidgets.engine.executors.dask.messages import Answer, Order, Part, Portion
from udfwidgets.engine.executors.dask.parcels import VERSIONS, Parcel, pack_work
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import Sources, stamp_of
from udfwidgets.engine.work.pool import Pool, Traffic
from udfwidgets.engine.work.scan import Assignment
from udfwidgets.engine.work.share import Share
from udfwidgets.errors import UDFException
from udfwidgets.io.dataset.base import DataSet

# Orders that are out for each worker: one at work, one that is there when it is through.
AHEAD = 2
# Seconds between two looks at the cluster.
LOOK = 1.0
# Seconds after which a scheduler that does not answer is given up.
PATIENCE = 5.0


class DaskExecutor:
    """Works with the processes of a Dask cluster.

    Parameters
    ----------
    client : distributed.Client or str, optional
        Of a running cluster, or the address of its scheduler; it is left running in the end. By
        default a cluster on this machine is started with the first run.
    cpus : int, optional
        How many processes a cluster that is started has.
    lt_resources, main_process_gpu : optional
        Taken from code written for LiberTEM, without effect. A GPU is refused.
    """

    name = "dask"

    def __init__(
        self,
        client: Any = None,
        cpus: int | None = None,
        *,
        lt_resources: bool | None = None,
        main_process_gpu: int | None = None,
    ) -> None:
        pass_over(self.name, lt_resources=lt_resources)
        check_gpus(self.name, None, main_process_gpu)
        self._desk = _Desk(client, cpus)
        self._finalizer = weakref.finalize(self, _close_from_elsewhere, self._desk)
        self._finalizer.atexit = False

    def __repr__(self) -> str:
        return f"<DaskExecutor workers={self.workers}>"

    @classmethod
    def connect(cls, scheduler_uri: str) -> DaskExecutor:
        """Return an executor for a running cluster, by the address of its scheduler."""
        return cls(scheduler_uri)

    @classmethod
    def make_local(
        cls,
        cpus: int | None = None,
        *,
        snooze_timeout: float | None = None,
        main_process_gpu: int | None = None,
    ) -> DaskExecutor:
        """Return an executor with a cluster of its own on this machine."""
        pass_over(cls.name, snooze_timeout=snooze_timeout)
        return cls(cpus=cpus, main_process_gpu=main_process_gpu)

    @property
    def is_elsewhere(self) -> bool:
        """Whether this process was forked from the one that has the client."""
        return self._desk.is_elsewhere

    @property
    def workers(self) -> int:
        """How many workers there are."""
        return self._desk.workers

    @property
    def bell(self) -> Bell:
        """Rung when there may be something new to do."""
        return self._desk.pool.bell

    @property
    def sources(self) -> Sources:
        """The open sources of datasets, here: they say what has arrived, and stay unread."""
        return self._desk.pool.sources

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs that are under way."""
        return self._desk.pool.runs

    @property
    def traffic(self) -> Traffic:
        """How much has been read so far, all workers together."""
        return self._desk.pool.traffic

    @property
    def client(self) -> Any:
        """The client of the cluster, which is started if need be."""
        return self._desk.connect()

    def start(self, run: Run) -> None:
        """Begin a run on the workers."""
        self._desk.start(run, self)

    def advance(self, run: Run) -> bool:
        """Leave the work to the workers."""
        return False

    def can_advance(self, run: Run) -> bool:
        """Leave the work to the workers."""
        return False

    def forget(self, run: Run) -> None:
        """Take note that a run has ended."""
        self._desk.pool.remove(run)

    def close(self) -> None:
        """Cancel all runs, and close the cluster if it was started here."""
        self._finalizer.detach()
        self._desk.close()


def _close_from_elsewhere(desk: _Desk) -> None:
    threading.Thread(target=desk.close, name="udfwidgets-closer", daemon=True).start()


class _Desk:
    """Where orders go out and answers come in."""

    def __init__(self, client: Any, cpus: int | None) -> None:
        self._process = os.getpid()
        self._given = client
        self._cpus = cpus or len(os.sched_getaffinity(0))
        self.pool = Pool(self._cpus * AHEAD)
        self.workers = self._cpus
        self._client: Any = None
        self._lock = threading.Lock()
        self._connecting = threading.Lock()
        self._stack = ExitStack()
        self._portal: BlockingPortal | None = None
        self._closed = False
        self._out: dict[Any, Assignment] = {}
        self._answered: deque[Any] = deque()
        # What was packed for the runs under way, and their names on the workers.
        self._parcels: weakref.WeakKeyDictionary[Any, Parcel] = weakref.WeakKeyDictionary()
        self._names: weakref.WeakKeyDictionary[Run, str] = weakref.WeakKeyDictionary()
        self._stopped: weakref.WeakSet[Run] = weakref.WeakSet()
        self._temporary = tempfile.TemporaryDirectory(prefix="udfwidgets-")
        self._folder = Path(self._temporary.name)

    @property
    def is_elsewhere(self) -> bool:
        return os.getpid() != self._process

    def connect(self) -> Any:
        """Return the client, connected."""
        with self._connecting:
            if self._client is None:
                self._client = _client_of(self._given, self._cpus)
                self._count_workers()
            return self._client

    def _count_workers(self) -> int:
        found = len(self._client.nthreads())
        if found and found != self.workers:
            self.workers = found
            self.pool.resize(found * AHEAD)
        return found

    def start(self, run: Run, host: DaskExecutor) -> None:
        """Begin a run."""
        if self.is_elsewhere:
            raise RuntimeError(IS_ELSEWHERE)
        with self._lock:
            if self._closed:
                raise RuntimeError(IS_CLOSED)
            self.connect()
            self._pack(run)
            run.begin(host)
            if self._portal is None:
                self._portal = self._stack.enter_context(
                    start_blocking_portal("asyncio", name="udfwidgets-dask")
                )
                atexit.register(self.close)
                self._portal.start_task_soon(self._serve)
            self.pool.add(run)

    def _pack(self, run: Run) -> None:
        """Pack what all orders for a run have in common; what cannot be packed is told of now."""
        self._dataset_of(run.dataset)
        self._work_of(run)
        self._names[run] = uuid.uuid4().hex

    def _dataset_of(self, dataset: DataSet) -> Parcel:
        found = self._parcels.get(dataset)
        if found is None:
            found = self._parcels[dataset] = Parcel.of(dataset, self._folder)
        return found

    def _work_of(self, run: Run) -> Parcel:
        # By the job: it is another one when parameters change.
        found = self._parcels.get(run.job)
        if found is None:
            found = self._parcels[run.job] = pack_work(run.udfs, run.plan, self._folder)
        return found

    async def _serve(self) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._watch)
                while not self._has_ended():
                    await self.pool.bell.wait_async(self._has_something)
                    self._take_answers()
                    self._stop_orders(tasks)
                    self.pool.settle()
                    self._hand_out()
                tasks.cancel_scope.cancel()
        except Exception as error:
            self._closed = True
            self._fail_all(error)
            raise

    def _has_ended(self) -> bool:
        return self._closed and not self.pool.runs

    def _has_something(self) -> bool:
        has_stopped = any(run.is_stopping() and run not in self._stopped for run in self.pool.runs)
        return (
            bool(self._answered)
            or has_stopped
            or self.pool.has_to_settle()
            or self._has_ended()
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
                for share in assignment.shares:
                    share.run.fail(error)
                self.pool.learn(assignment, 0.0)
                continue
            self._out[future] = assignment
            future.add_done_callback(self._note)

    def _send(self, assignment: Assignment) -> Any:
        order = Order(
            self._dataset_of(assignment.scan.dataset),
            stamp_of(assignment.scan.dataset.files),
            assignment.frames,
            [self._portion(share) for share in assignment.shares],
            VERSIONS,
        )
        return self._client.submit(remote.carry_out, order, key=f"udfwidgets-{uuid.uuid4().hex}")

    def _portion(self, share: Share) -> Portion:
        run = share.run
        assert isinstance(run, Run)
        return Portion(self._names[run], self._work_of(run), share.partition, share.frames)

    def _note(self, future: Any) -> None:
        self._answered.append(future)
        self.pool.bell.ring()

    def _take_answers(self) -> None:
        while self._answered:
            future = self._answered.popleft()
            assignment = self._out.pop(future, None)
            if assignment is None:
                continue
            reading = self._take(assignment, future)
            self.pool.learn(assignment, reading)
            future.release()

    def _take(self, assignment: Assignment, future: Any) -> float:
        """Merge an answer; return the seconds that reading took."""
        if future.status != "finished":
            error = _error_of(future)
            for share in assignment.shares:
                share.run.fail(error)
            return 0.0
        answer: Answer = future.result()
        for share, part in zip(assignment.shares, answer.parts, strict=True):
            share.seconds = part.seconds
            _settle(share, part, answer)
        return answer.reading

    def _stop_orders(self, tasks: TaskGroup) -> None:
        """Have workers leave off what nobody wants any more."""
        for run in self.pool.runs:
            if not run.is_stopping() or run in self._stopped:
                continue
            self._stopped.add(run)
            tasks.start_soon(self._tell_workers, self._names[run])
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
                self._fail_all(
                    ConnectionError(
                        "the Dask scheduler is gone: start the cluster anew, and make a new Context"
                    )
                )
            for run in self.pool.runs:
                run.note_waiting("" if n_workers else "a worker of the Dask cluster")
            self.pool.bell.ring()

    def _fail_all(self, error: BaseException) -> None:
        for run in self.pool.runs:
            run.fail(error)
        self.pool.settle()

    def close(self) -> None:
        """End all runs, and what was started for them."""
        if self.is_elsewhere:
            return
        with self._lock:
            if self._closed and self._client is None:
                return
            self._closed = True
        atexit.unregister(self.close)
        for run in self.pool.runs:
            run.cancel()
        self.pool.bell.ring()
        self._stack.close()
        self.pool.sources.close_resting()
        self._temporary.cleanup()
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


def _settle(share: Share, part: Part, answer: Answer) -> None:
    """Merge what came out for one run, or fail it."""
    run = share.run
    if part.error is not None:
        error, notes = pickle.loads(part.error)
        add_note(error, "\n".join([*notes, f"on {answer.worker}"]))
        run.fail(error)
    elif part.buffers is not None and run.enter():
        try:
            run.merge(share.partition, part.buffers, part.seconds)
        except BaseException as error:
            run.fail(error)
        finally:
            run.leave()


def _error_of(future: Any) -> BaseException:
    if future.status == "cancelled":
        return UDFException("the Dask cluster has dropped the work: the scheduler may be gone")
    error: BaseException = future.exception()
    if type(error).__name__ == "KilledWorker":
        return UDFException(
            "a partition has killed its worker three times: a UDF may crash, or need more memory "
            f"than a worker has ({error})"
        )
    return error
