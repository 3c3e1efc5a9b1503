"""What a shape asks of a scan: which sums over which pixels, or over which positions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import UDFResults
from udfwidgets.geometry import Figure
from udfwidgets.shapes import Shape
from udfwidgets.udf.base import UDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.sum import SumUDF

Array = npt.NDArray[Any]
BoolArray = npt.NDArray[np.bool_]


class Unanswerable(ValueError):
    """A question that has no answer, with the reason in words for the person who asks."""


class Question(Protocol):
    """Something that UDFs can answer."""

    def udf(self, shape: Shape) -> UDF:
        """Return the UDF that answers it, for a dataset of a shape."""

    def roi(self, shape: Shape) -> BoolArray | None:
        """Return the scan positions that it is about; None: all of those of the view."""

    def read(self, results: UDFResults) -> Array:
        """Return the answer, float64 (k, *axes), from what the UDF has by now."""

    def called(self, name: str) -> Question:
        """Return the same question of a shape that is called so."""


@dataclass(frozen=True)
class Detector:
    """What a virtual detector lets through, for each scan position.

    Parameters
    ----------
    name : str
        For messages.
    shape : Figure
        On the pattern.
    moments : bool
        Also weighted with y and with x.
    """

    name: str
    shape: Figure
    moments: bool = False

    def masks(self, sig: tuple[int, int]) -> list[Array]:
        """Return what is summed up: the pixels as booleans, then the weights with y and with x.

        Raises
        ------
        Unanswerable
            If no pixel belongs to the detector.
        """
        mask = self.shape.mask(sig)
        if not mask.any():
            raise Unanswerable(
                f"{self.name}: no pixel of the pattern of {sig[0]} x {sig[1]} lies in "
                f"{self.shape!r}; move or enlarge it"
            )
        if not self.moments:
            return [mask]
        y, x = np.indices(sig)
        return [mask, mask * y, mask * x]

    def udf(self, shape: Shape) -> UDF:
        """Return the UDF that sums."""
        masks = self.masks((shape.sig.axes[0], shape.sig.axes[1]))
        # As float64, in which sums are exact.
        factories = [partial(np.asarray, each, np.float64) for each in masks]
        return ApplyMasksUDF(factories, mask_count=len(masks), mask_dtype=np.float64)

    def roi(self, shape: Shape) -> BoolArray | None:
        """Return None: all positions."""
        return None

    def read(self, results: UDFResults) -> Array:
        """Return the sums, the first one without weights."""
        sums = np.asarray(results.buffers[0]["intensity"].data, np.float64)
        return np.moveaxis(sums, -1, 0)

    def called(self, name: str) -> Detector:
        """Return the same question of a detector that is called so."""
        return replace(self, name=name)


@dataclass(frozen=True)
class Pattern:
    """The patterns of some scan positions, summed.

    Parameters
    ----------
    name : str
        For messages.
    shape : Figure or None
        On the scan; None for the whole scan.
    """

    name: str
    shape: Figure | None = None

    def udf(self, shape: Shape) -> UDF:
        """Return the UDF that sums."""
        return SumUDF(dtype=np.float64)

    def roi(self, shape: Shape) -> BoolArray | None:
        """Return the positions in the shape.

        Raises
        ------
        Unanswerable
            If there are none.
        """
        if self.shape is None:
            return None
        ny, nx = as_image(shape.nav.axes)
        positions = self.shape.mask((ny, nx))
        if not positions.any():
            raise Unanswerable(
                f"{self.name}: no position of the scan of {ny} x {nx} lies in {self.shape!r}; "
                "move or enlarge it"
            )
        return positions.reshape(shape.nav.axes)

    def read(self, results: UDFResults) -> Array:
        """Return the sum."""
        return np.asarray(results.buffers[0]["intensity"].data, np.float64)[np.newaxis]

    def called(self, name: str) -> Pattern:
        """Return the same question of a shape that is called so."""
        return replace(self, name=name)


# Equal as patterns are: arrays cannot be compared as one.
@dataclass(frozen=True, eq=False)
class Few(Pattern):
    """The patterns of the same few scan positions whenever they are asked for, summed.

    Parameters
    ----------
    positions : numpy.ndarray of bool
        Of nav shape.
    """

    positions: BoolArray = field(kw_only=True)

    def roi(self, shape: Shape) -> BoolArray:
        """Return the positions."""
        return self.positions


def as_image(nav: tuple[int, ...]) -> tuple[int, int]:
    """Return the shape in which a scan is shown: a line as one row."""
    return (1, nav[0]) if len(nav) == 1 else (nav[0], nav[1])
