"""Makes orders for workers; what many of them have in common is packed once."""

from __future__ import annotations

import uuid
import weakref
from contextlib import ExitStack
from typing import Any

from udfwidgets.engine.executors.dask.messages import Order, Portion
from udfwidgets.engine.executors.dask.parcels import VERSIONS, Parcel, pack_work
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import stamp_of
from udfwidgets.engine.work.scan import Assignment
from udfwidgets.engine.work.share import Share
from udfwidgets.io.dataset.base import DataSet


class Orders:
    """What was packed for the runs under way, and their names on the workers."""

    def __init__(self) -> None:
        self._parcels: weakref.WeakKeyDictionary[Any, Parcel] = weakref.WeakKeyDictionary()
        self._names: weakref.WeakKeyDictionary[Run, str] = weakref.WeakKeyDictionary()
        # Of each dataset and run, closed when it is gone.
        self._files: weakref.WeakKeyDictionary[Any, ExitStack] = weakref.WeakKeyDictionary()

    def pack(self, run: Run) -> None:
        """Pack what all orders for a run have in common; what cannot be packed is told of now."""
        self._dataset_of(run.dataset)
        self._work_of(run)
        self._names[run] = uuid.uuid4().hex

    def name_of(self, run: Run) -> str:
        """Return what a run is called on the workers."""
        return self._names[run]

    def of(self, assignment: Assignment) -> Order:
        """Return the order for an assignment that was worked out."""
        dataset = assignment.scan.dataset
        return Order(
            uuid.uuid4().hex,
            self._dataset_of(dataset),
            stamp_of(dataset.files),
            assignment.frames,
            [self._portion(share) for share in assignment.shares],
            VERSIONS,
            assignment.scan.per_frame,
        )

    def close(self) -> None:
        """Close the files that large arrays were put into."""
        for files in list(self._files.values()):
            files.close()

    def _portion(self, share: Share) -> Portion:
        run = share.run
        assert isinstance(run, Run)
        return Portion(self._names[run], self._work_of(run), share.partition, share.frames)

    def _dataset_of(self, dataset: DataSet) -> Parcel:
        found = self._parcels.get(dataset)
        if found is None:
            found = self._parcels[dataset] = Parcel.of(dataset, self._files_of(dataset))
        return found

    def _work_of(self, run: Run) -> Parcel:
        # By the job: it is another one when parameters change.
        found = self._parcels.get(run.job)
        if found is None:
            found = self._parcels[run.job] = pack_work(run.udfs, run.plan, self._files_of(run))
        return found

    def _files_of(self, owner: DataSet | Run) -> ExitStack:
        found = self._files.get(owner)
        if found is None:
            found = self._files[owner] = ExitStack()
            weakref.finalize(owner, found.close)
        return found
