"""What is kept of a scan for moved detectors: how it is built, and how it is asked."""

from __future__ import annotations

import os

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BoolArray
from udfwidgets.closing import Closing
from udfwidgets.engine.executors.base import Executor
from udfwidgets.engine.merge.progress import Progress
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.engine.sources import stamp_of
from udfwidgets.engine.subscription import Subscriber
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.store.building import BriefPace, StoreUDF, Target
from udfwidgets.store.memory import SHARE, free_memory
from udfwidgets.store.moving import Moving
from udfwidgets.store.planes import Planes


class StoreGone(RuntimeError):
    """A store cannot be asked any more: it is closed, or what it was made of has changed."""


class _Releasing(Subscriber):
    """Lets the memory go when the run has ended."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def ended(self) -> None:
        self._target.planes = None


class PixelStore(Closing):
    """All positions of each pixel of a scan beside each other, in as few bytes as are exact.

    It is built while the executor has nothing else to do. It can be asked at any time: positions
    that are not in yet are zero in the answers, and not `valid`.

    Parameters
    ----------
    executor : Executor
        Whose threads build it, as ``ctx.executor``.
    dataset : DataSet
        Of what.
    corrections : CorrectionSet, optional
        As for ``ctx.run_udf``: by default those that the dataset itself declares.
    budget : int, optional
        Bytes that it may take; by default a quarter of the memory that is free.
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
    run : Run
        That builds it.
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
        self.budget = int(SHARE * free_memory()) if budget is None else budget
        self._executor = executor
        self._why_not = ""
        # Older than what is read: a change after it is seen.
        self._stamp = stamp_of(dataset.files)
        job = Job.of(dataset, (), corrections=corrections)
        shape = dataset.shape
        self._planes: Planes | None = Planes(
            shape.nav.size, shape.sig.size, job.plan.corrected_dtype, scratch
        )
        target = Target(self._planes)
        self._releasing = _Releasing(target)
        self.run = Run(
            Job.of(dataset, (StoreUDF(target),), corrections=corrections, order=order),
            executor.workers,
            BriefPace(),
            in_background=True,
        )
        executor.start(self.run)

    @property
    def progress(self) -> Progress:
        """How far it is built."""
        return self.run.progress

    @property
    def is_complete(self) -> bool:
        """Whether all frames are in."""
        return self.run.progress.frames == self.run.plan.n_frames

    @property
    def is_exact(self) -> bool:
        """Whether its answers are those of the data: it is not binned."""
        return self.binning == 1

    @property
    def binning(self) -> int:
        """How many pixels of the detector, in each direction, are taken together."""
        return 1

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        planes = self._planes
        return 0 if planes is None else planes.nbytes

    @property
    def valid(self) -> BoolArray:
        """Which positions are in, of nav shape."""
        planes = self._planes
        shape = self.dataset.shape.nav.axes
        return np.zeros(shape, bool) if planes is None else planes.valid.reshape(shape).copy()

    def is_valid(self) -> bool:
        """Whether it can be asked: nothing went wrong, and its files have not changed."""
        if not self._why_not and stamp_of(self.dataset.files) != self._stamp:
            self.drop("the files that it was made of have changed: build a new one")
        if not self._why_not and self.run.error is not None:
            self.drop(f"it could not be built: {self.run.error}")
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
            Of nav shape, zero where nothing is in.

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

    def moving(self) -> Moving:
        """Return a virtual detector, which may then be moved."""
        return Moving(self)

    def asked(self, mask: npt.ArrayLike) -> tuple[Planes, Array]:
        """Return the memory, and a mask in its pixels."""
        planes = self._planes if self.is_valid() else None
        if planes is None:
            raise StoreGone(f"the store cannot be asked any more: {self._why_not}")
        # A copy: it is kept to compare the next one with, and the user may change it in place.
        weights = np.array(mask)
        sig = self.dataset.shape.sig
        if weights.shape != sig.axes:
            raise ValueError(
                f"the mask is of shape {weights.shape}, the detector of {sig}: they need to be "
                "equal"
            )
        if weights.dtype.kind not in "buifc":
            raise ValueError(f"the mask is of dtype {weights.dtype}, expected bool or numbers")
        return planes, weights.reshape(-1)

    def as_image(self, sums: Array) -> Array:
        """Return flat sums in nav shape."""
        return sums.reshape(self.dataset.shape.nav.axes)

    def wait(self) -> None:
        """Block until it is built, or cannot be."""
        self.run.wait(self.run.has_ended)

    def cancel(self) -> None:
        """Leave it as it is: no more frames are put in."""
        self.run.cancel()

    def drop(self, why: str) -> None:
        """Give the memory back, and say why."""
        self._why_not = self._why_not or why
        self._planes = None
        self.run.cancel()
        # Workers may be in the middle of it.
        self.run.subscribe(self._releasing)

    def close(self) -> None:
        """Give everything back."""
        self.drop("it is closed")
