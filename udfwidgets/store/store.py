"""What is kept of a scan for moved detectors: how it is built, and how it is asked."""

from __future__ import annotations

import os
import threading
import weakref

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.closing import Closing
from udfwidgets.engine.executors.base import Executor
from udfwidgets.engine.merge.progress import Progress
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import stamp_of
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.store.binning import Grid
from udfwidgets.store.build import Build, layout_of
from udfwidgets.store.building import OverBudgetError
from udfwidgets.store.memory import SHARE, free_memory, free_space
from udfwidgets.store.moving import Moving
from udfwidgets.store.planes import Planes
from udfwidgets.store.watch import Watch


class StoreGone(RuntimeError):
    """There is no store to be asked: it is closed, does not fit, or its files have changed."""


class PixelStore(Closing):
    """All positions of each pixel of a scan beside each other, in as few bytes as are exact.

    It is built while the executor has nothing else to do, and gives its memory back when there is
    little left for others. It can be asked at any time: positions that are not in yet are zero in
    the answers, and not `valid`. What does not fit into the budget is binned, and its answers are
    coarse. Data in an array of the user's own are taken not to change.

    Parameters
    ----------
    executor : Executor
        Whose threads build it, as ``ctx.executor``.
    dataset : DataSet
        Of what.
    corrections : CorrectionSet, optional
        As for ``ctx.run_udf``: by default those that the dataset itself declares.
    budget : int, optional
        Bytes that it may take; by default a quarter of the memory that is free, or of the room in
        the folder of the scratch file.
    scratch : path, optional
        A folder for a file that takes the place of memory, and goes with the store.
    order : {'scan', 'progressive'}, optional
        In which the scan is visited: as recorded, unless coarse to fine is asked for.

    Attributes
    ----------
    budget : int
        Bytes that it may take.
    dataset : DataSet
        Of what.

    Raises
    ------
    StoreGone
        If it does not fit, however coarse.
    DataSetException
        If the dataset cannot be opened.
    OSError
        If there is no room for the scratch file.
    """

    def __init__(
        self,
        executor: Executor,
        dataset: DataSet,
        corrections: CorrectionSet | None = None,
        *,
        budget: int | None = None,
        scratch: str | os.PathLike[str] | None = None,
        order: Order | None = None,
    ) -> None:
        self.dataset = dataset
        if budget is None:
            budget = int(SHARE * (free_memory() if scratch is None else free_space(scratch)))
        self.budget = budget
        self._executor, self._corrections = executor, corrections
        self._scratch, self._order = scratch, order
        self._lock = threading.Lock()
        self._why_not = ""
        # Older than what is read: a change after it is seen.
        self._stamp = stamp_of(dataset.files)
        # In a list, which those hold who must not hold the store.
        self._builds: list[Build] = []
        self._begin(self._fitting(Grid.of(dataset.shape.sig)))
        weakref.finalize(self, _abandon, self._builds).atexit = False
        # A file takes no memory that others could need.
        self._watch = None if scratch is not None else Watch(self)

    def _fitting(self, grid: Grid) -> Grid:
        """Return the finest grid, from this one on, that fits into the budget."""
        while grid.size > 1 or grid.binning == 1:
            layout = layout_of(self.dataset, self._corrections, grid)
            taken = layout.base_bytes if self._scratch is None else layout.total_bytes
            if taken <= self.budget:
                return grid
            grid = grid.coarser()
        raise StoreGone(
            f"a store of {self.dataset} does not fit into {self.budget} bytes, however coarse: "
            "give it a larger budget, or a scratch folder"
        )

    def _begin(self, grid: Grid) -> None:
        on_end = weakref.WeakMethod(self._ended)
        build = Build(
            self._executor, self.dataset, self._corrections, self._order, grid, self.budget,
            self._scratch, lambda ended: (on_end() or _nothing)(ended),
        )  # fmt: skip
        with self._lock:
            if self._why_not:
                return
            self._builds[:] = [build]
        self._executor.start(build.run)

    def _ended(self, build: Build) -> None:
        """Begin again in coarser pixels, where higher bytes took too much."""
        error = build.run.error
        if error is not None and not isinstance(error, OverBudgetError):
            self.drop(_failed(error))
            return
        # It is looked at once in a while, which may have been before the last ones came.
        if build.planes.nbytes <= self.budget:
            return
        try:
            self._begin(self._fitting(build.grid.coarser()))
        except Exception as reason:
            self.drop(_failed(reason))

    @property
    def _build(self) -> Build | None:
        with self._lock:
            return self._builds[0] if self._builds else None

    @property
    def run(self) -> Run | None:
        """The run that builds it; another one when it begins again, None when it is gone."""
        build = self._build
        return None if build is None else build.run

    @property
    def progress(self) -> Progress:
        """How far it is built."""
        run = self.run
        return Progress(0, self.dataset.shape.nav.size, 0, 0.0) if run is None else run.progress

    @property
    def is_complete(self) -> bool:
        """Whether all frames are in."""
        progress = self.progress
        return progress.frames == progress.n_frames

    @property
    def is_exact(self) -> bool:
        """Whether its answers are those of the data: it is not binned."""
        return self.binning == 1

    @property
    def binning(self) -> int:
        """How many pixels of the detector, in each direction, are taken together."""
        build = self._build
        return 1 if build is None else build.grid.binning

    @property
    def nbytes(self) -> int:
        """How much memory it takes, or room in its scratch file."""
        build = self._build
        return 0 if build is None else build.planes.nbytes

    @property
    def valid(self) -> BoolArray:
        """Which positions are in, of nav shape."""
        build, shape = self._build, self.dataset.shape.nav.axes
        return np.zeros(shape, bool) if build is None else build.planes.valid.reshape(shape).copy()

    def is_valid(self) -> bool:
        """Whether it can be asked: nothing went wrong, and its files have not changed."""
        if not self._why_not and stamp_of(self.dataset.files) != self._stamp:
            self.drop("the files that it was made of have changed: build a new one")
        return not self._why_not

    @property
    def why_not(self) -> str:
        """Why it cannot be asked, in words; empty where it can."""
        return "" if self.is_valid() else self._why_not

    def image(self, mask: npt.ArrayLike) -> Array:
        """Return the sum over a mask at each position.

        Parameters
        ----------
        mask : array_like
            Of sig shape. Booleans say which pixels are added up, as integers where the data are;
            numbers are weights, and sums are of floats. What a mask leaves out is not looked at.

        Returns
        -------
        numpy.ndarray
            Of nav shape, zero where nothing is in. Of a binned store these are floats: a block of
            which a mask has a part counts for that part.

        Raises
        ------
        StoreGone
            If it cannot be asked any more.
        ValueError
            If the mask does not fit the detector.
        OverflowError
            If the data are integers of 64 bits, and a sum is not.
        """
        return self.moving().moved(mask)

    def moving(self, only: BoolArray | None = None) -> Moving:
        """Return a virtual detector, which may then be moved.

        Parameters
        ----------
        only : numpy.ndarray of bool, optional
            Of nav shape: positions that are looked at. Others are not `valid`, unless they lie so
            near that they cost nothing.
        """
        return Moving(self, only)

    def asked(self, mask: npt.ArrayLike) -> tuple[Planes, Array]:
        """Return the memory, and a mask in its pixels."""
        # A copy: it is kept to compare the next one with, and the user may change it in place.
        weights, sig = np.array(mask), self.dataset.shape.sig
        if weights.shape != sig.axes:
            raise ValueError(
                f"the mask is of shape {weights.shape}, the detector of {sig.axes}: they need to "
                "be equal"
            )
        if weights.dtype.kind not in "buifc":
            raise ValueError(f"the mask is of dtype {weights.dtype}, expected bool or numbers")
        build = self._build if self.is_valid() else None
        if build is None:
            raise StoreGone(f"the store cannot be asked any more: {self._why_not}")
        return build.planes, build.grid.weights(weights.reshape(-1))

    def as_image(self, sums: Array) -> Array:
        """Return flat sums in nav shape."""
        return sums.reshape(self.dataset.shape.nav.axes)

    def wait(self) -> None:
        """Block until it is built, or cannot be.

        Raises
        ------
        StoreGone
            If it cannot.
        """
        build: Build | None = None
        while (now := self._build) is not build and now is not None:
            build = now
            build.wait()
        if not self.is_valid():
            raise StoreGone(f"the store cannot be built: {self._why_not}")

    def cancel(self) -> None:
        """Leave it as it is: no more frames are put in."""
        run = self.run
        if run is not None:
            run.cancel()

    def drop(self, why: str) -> None:
        """Give the memory back, and say why."""
        with self._lock:
            self._why_not = self._why_not or why
            builds, self._builds[:] = self._builds[:], []
        _abandon(builds)

    def close(self) -> None:
        """Give everything back."""
        self.drop("it is closed")
        if self._watch is not None:
            self._watch.close()

    def __repr__(self) -> str:
        what = f"binned {self.binning} x {self.binning}, " if self.binning > 1 else ""
        return f"<PixelStore of {self.dataset}, {what}{self.nbytes} bytes>"


def _abandon(builds: list[Build]) -> None:
    for build in builds:
        build.run.abandon()


def _failed(error: BaseException) -> str:
    return f"it could not be built ({type(error).__name__}: {error})"


def _nothing(build: Build) -> None:
    pass
