"""What happens on a worker of a Dask cluster: carries out orders, with datasets that stay open.

Everything here lives in a process of the cluster, where a `Site` is an actor of Dask's: datasets
that are open, UDFs that are unpacked, and runs that have been stopped.
"""

from __future__ import annotations

import os
import pickle
import signal
import socket
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import cloudpickle

from udfwidgets.buffers import Buffers
from udfwidgets.engine.executors.aside import stand_back
from udfwidgets.engine.executors.dask.messages import Answer, Order, Part, Portion
from udfwidgets.engine.executors.dask.parcels import VERSIONS, Parcel
from udfwidgets.engine.plan.partitions import Partition, Plan
from udfwidgets.engine.sources import Sources, stamp_of
from udfwidgets.engine.work.scan import Assignment, Scan
from udfwidgets.engine.work.share import Share
from udfwidgets.engine.work.worker import Worker
from udfwidgets.errors import DataSetException, UDFException, text_of
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.udf.base import UDF

# Unpacked parcels that are kept: UDFs of some runs, with their parameters, and datasets.
MOST_UNPACKED = 64
# What was stopped and is remembered; orders for it are on their way for a moment only.
MOST_STOPPED = 1024


def dask_setup(worker: object) -> None:
    """Get a process of a cluster ready that was started by a Context; Dask looks for this name.

    A cell that is interrupted interrupts all processes of the kernel's group: the run is cancelled
    by the kernel, and the workers are there for the next one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Site.stands_back = True


class Served:
    """Stands for a run, in the process of a worker, while one of its partitions is worked on."""

    def __init__(self, portion: Portion, udfs: tuple[UDF, ...], plan: Plan, site: Site) -> None:
        self.udfs = udfs
        self.plan = plan
        self.error: BaseException | None = None
        self.buffers: Sequence[Buffers] | None = None
        self._key = portion.run
        self._site = site

    def enter(self) -> bool:
        """Begin a stretch of work, unless it is stopping."""
        return not self.is_stopping()

    def leave(self) -> None:
        """End a stretch of work: nothing waits for it."""

    def is_stopping(self) -> bool:
        """Whether it was stopped from afar, or has failed."""
        return self.error is not None or self._site.is_stopped(self._key)

    def fail(self, error: BaseException) -> None:
        """Keep the first error, for the answer."""
        self.error = self.error or error

    def merge(
        self, partition: Partition, parts: Sequence[Mapping[str, Any]], seconds: float
    ) -> None:
        """Keep the buffers, for the answer: they are merged where the run is."""
        self.buffers = parts


class _Ordered(Assignment):
    """An assignment that was worked out where its order comes from."""

    def work_out(self) -> None:
        """Leave it as it came."""


class Site:
    """What a worker's process keeps from one order to the next. One order is done at a time.

    Attributes
    ----------
    stands_back : bool
        Whether its threads are ours alone, and make way for the process that the runs are in.
    """

    stands_back = False

    def __init__(self) -> None:
        self._sources = Sources(may_rest=True)
        self._unpacked: OrderedDict[str, Any] = OrderedDict()
        self._stopped: OrderedDict[str, None] = OrderedDict()
        self._worker = Worker()

    def carry_out(self, order: Order) -> Answer:
        """Do what an order says; all errors are in the answer."""
        if self.stands_back:
            stand_back()
        if self.is_stopped(order.key):
            return _answer(0.0, [Part(0.0)] * len(order.portions))
        try:
            _check_versions(order)
            dataset: DataSet = self._unpack(order.dataset)
            served = [self._served(portion) for portion in order.portions]
            _check_files(dataset, order)
            source = self._sources.open(dataset)
        except Exception as error:
            return _answer(0.0, [Part(0.0, error=_pack_error(error))] * len(order.portions))
        try:
            shares = [
                Share(run, portion.partition, portion.frames)
                for run, portion in zip(served, order.portions, strict=True)
            ]
            scan = Scan(dataset, source)
            scan.reading = order.per_frame
            assignment = _Ordered(scan, 0, 0, dict.fromkeys(served), shares, order.frames)
            reading = self._worker.work(assignment)
            self._check(dataset, served)
        finally:
            self._sources.close(dataset)
        return _answer(
            reading,
            [
                Part(share.seconds, run.buffers, _pack_error(run.error))
                for share, run in zip(shares, served, strict=True)
            ],
        )

    async def stop(self, key: str) -> None:
        """Have whoever works on a run leave off, or leave out an order that has not begun.

        Done beside the work, on the worker's own loop.
        """
        self._stopped[key] = None
        while len(self._stopped) > MOST_STOPPED:
            self._stopped.popitem(last=False)

    async def tidy(self) -> None:
        """Close the files that nobody has read since the last call."""
        self._sources.tidy()

    def is_stopped(self, key: str) -> bool:
        """Whether a run or an order was stopped."""
        return key in self._stopped

    def _check(self, dataset: DataSet, served: Sequence[Served]) -> None:
        """Have nothing merged of files that changed while they were read."""
        try:
            self._sources.check(dataset)
        except Exception as error:
            for run in served:
                run.error = error

    def _served(self, portion: Portion) -> Served:
        udfs, plan = self._unpack(portion.work)
        return Served(portion, udfs, plan, self)

    def _unpack(self, parcel: Parcel) -> Any:
        content = self._unpacked.get(parcel.key)
        if content is None:
            content = self._unpacked[parcel.key] = parcel.unpack()
        self._unpacked.move_to_end(parcel.key)
        while len(self._unpacked) > MOST_UNPACKED:
            self._unpacked.popitem(last=False)
        return content


def _answer(reading: float, parts: Sequence[Part]) -> Answer:
    return Answer(_here(), reading, parts)


def _check_files(dataset: DataSet, order: Order) -> None:
    """Raise if the files here are not those that the dataset was made of."""
    if dataset.is_growing:
        return
    for path in dataset.files:
        if not path.exists():
            raise DataSetException(
                f"{_here()} does not see {path}: put the file where all workers see it under the "
                "same path, such as a shared folder"
            )
    found = [(size, changed) for *_, size, changed in stamp_of(dataset.files)]
    expected = [(size, changed) for *_, size, changed in order.stamp]
    if found != expected:
        names = ", ".join(str(path) for path in dataset.files)
        raise DataSetException(
            f"{_here()} sees another {names} than the process that has loaded it (sizes and times "
            f"{found}, expected {expected}): copy the file anew, with its times, or load it again"
        )


def _check_versions(order: Order) -> None:
    if order.versions != VERSIONS:
        raise UDFException(
            f"{_here()} has {VERSIONS}, the process of the run has {order.versions}: install the "
            "same versions on both sides"
        )


def _pack_error(error: BaseException | None) -> bytes | None:
    """Return an error with its notes, so that it can be unpacked; else one that says the same."""
    if error is None:
        return None
    notes = getattr(error, "__notes__", [])
    try:
        packed: bytes = cloudpickle.dumps((error, notes))
        pickle.loads(packed)
    except Exception:  # whatever a user's class raises when it is pickled, or made again
        told = UDFException(f"{type(error).__name__}: {text_of(error)}")
        packed = pickle.dumps((told, [str(note) for note in notes]))
    return packed


def _here() -> str:
    return f"the worker on {socket.gethostname()} (process {os.getpid()})"
