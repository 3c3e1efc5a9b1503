"""What a view looks at, and what runs its questions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np

from udfwidgets.calibration import Calibration, Scale, checked
from udfwidgets.engine.ends.bar import ProgressReporter
from udfwidgets.engine.executors import Executor
from udfwidgets.engine.plan.order import Order, Sight, coarse_to_fine, in_sight_first
from udfwidgets.engine.plan.roi import resolve_roi
from udfwidgets.engine.run import Run
from udfwidgets.explore.questions import BoolArray, Question, as_image
from udfwidgets.geometry import Figure
from udfwidgets.io.dataset.base import DataSet


class Starts(Protocol):
    """What a view needs of a Context."""

    @property
    def executor(self) -> Executor:
        """Where the work is done."""

    def _prepare(
        self,
        dataset: DataSet,
        udf: Any,
        roi: Any,
        corrections: Any = None,
        progress: bool | ProgressReporter = False,
        order: Order | None = None,
        is_live: bool = False,
        sight: Sight | None = None,
    ) -> tuple[Run, bool]:
        """Return a run that has not started."""

    def _start(self, run: Run) -> None:
        """Start it."""


#: What an image shows of the scan: left, right, top and bottom, in pixels.
Window: TypeAlias = "tuple[float, float, float, float]"


class Looking:
    """Which part of a scan a person looks at; the same object as long as that is the same.

    Parameters
    ----------
    scan : tuple of int
        (ny, nx) of its images.
    nav : tuple of int
        Shape of the scan.
    """

    def __init__(self, scan: tuple[int, int], nav: tuple[int, ...]) -> None:
        self._scan, self._nav = scan, nav
        self._known: tuple[object, Sight | None] = (None, None)

    def sight(self, windows: Sequence[Window], regions: Sequence[Figure]) -> Sight | None:
        """Return what is in sight; None where all of it is, and nothing marked.

        Parameters
        ----------
        windows : sequence
            What images show of the scan.
        regions : sequence of Figure
            What is marked on it.
        """
        asked = (tuple(windows), tuple(regions))
        if self._known[0] != asked:
            self._known = (asked, self._of(windows, regions))
        return self._known[1]

    def _of(self, windows: Sequence[Window], regions: Sequence[Figure]) -> Sight | None:
        ny, nx = self._scan
        interest = np.zeros((ny, nx), np.uint8)
        for left, right, top, bottom in windows:
            rows = slice(max(math.floor(top), 0), max(math.ceil(bottom), 0))
            interest[rows, max(math.floor(left), 0) : max(math.ceil(right), 0)] = 1
        for region in regions:
            interest[region.mask((ny, nx)) & (interest > 0)] = 2
        is_all_alike = (interest == interest[0, 0]).all()
        return None if is_all_alike else Sight(interest.reshape(self._nav))


@dataclass(frozen=True)
class Subject:
    """What is looked at, and through what.

    Attributes
    ----------
    context : Context
        Runs what is asked.
    dataset : DataSet
        Of a scan with one or two axes, and a detector with two.
    roi : numpy.ndarray of bool or None
        Positions that detectors are asked for.
    corrections : CorrectionSet or None
        As for `Context.run_udf`.
    calibration : Calibration or None
        How large its pixels are, in place of what the dataset says.
    """

    context: Starts
    dataset: DataSet
    roi: Any = None
    corrections: Any = None
    calibration: Calibration | None = None

    def __post_init__(self) -> None:
        for kind in ("sig", "nav"):
            self.scales(kind)  # or it is refused, before there are widgets

    @property
    def images(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Shapes (ny, nx) of the pattern and of the scan, as they are shown.

        Raises
        ------
        ValueError
            If they cannot be shown as images.
        """
        nav, sig = self.dataset.shape.nav.axes, self.dataset.shape.sig.axes
        if len(sig) != 2 or len(nav) > 2:
            raise ValueError(
                f"the scan has {len(nav)} axes and the pattern {len(sig)}, nav {nav} sig {sig}; "
                "explore() shows scans with one or two and patterns with two: load the dataset "
                "with another nav_shape= or sig_shape="
            )
        return (sig[0], sig[1]), as_image(nav)

    def scales(self, kind: Literal["sig", "nav"]) -> tuple[Scale | None, Scale | None]:
        """Return how large a pixel of an image is along y and along x, where that is known.

        Raises
        ------
        TypeError, ValueError
            If the calibration is none, or one of other axes.
        """
        shape = self.dataset.shape
        n_axes = (shape.sig if kind == "sig" else shape.nav).dims
        given = checked(self.calibration).scales(kind, n_axes)
        told = self.dataset.calibration.scales(kind, n_axes)
        scales = (one or other for one, other in zip(given, told, strict=True))
        y, x = (None, *scales)[-2:]  # a line is shown as one row
        return y, x

    @property
    def positions(self) -> BoolArray | None:
        """Which scan positions are wanted, of nav shape; None: all."""
        return resolve_roi(self.roi, self.dataset.shape.nav)

    def first(self, n: int, order: Order) -> BoolArray:
        """Return the n wanted scan positions that come first in an order, of nav shape."""
        nav = self.dataset.shape.nav
        wanted = self.positions
        numbers = np.arange(nav.size)
        if order == "progressive":
            numbers = coarse_to_fine(nav, self.dataset.frames_per_block)
        if wanted is not None:
            numbers = numbers[wanted.reshape(-1)[numbers]]
        chosen = np.zeros(nav.size, bool)
        chosen[numbers[:n]] = True
        return chosen.reshape(nav.axes)

    def run(self, question: Question, sight: Sight | None = None) -> Run:
        """Return a run that answers a question, first what is in sight; not started."""
        shape = self.dataset.shape
        if sight is not None:
            # Worked out here, and not under the lock that all workers wait for.
            in_sight_first(shape.nav, self.dataset.frames_per_block, sight)
        positions = question.roi(shape)
        roi = self.roi if positions is None else positions
        run, _ = self.context._prepare(
            self.dataset, question.udf(shape), roi, self.corrections, is_live=True, sight=sight
        )
        return run

    def start(self, run: Run) -> None:
        """Start a run, before others."""
        run.touch()
        self.context._start(run)
