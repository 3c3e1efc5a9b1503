"""Opens series of TIA as datasets."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.ser.emi import series_of
from udfwidgets.io.dataset.ser.series import Series, element_of, read_series
from udfwidgets.io.dataset.strided import Layout, StridedFile
from udfwidgets.io.layout.files import check_whole, size_of
from udfwidgets.io.layout.strided import Piece, StridedSource
from udfwidgets.io.source import Array, Source
from udfwidgets.names import further

_MOST_PIECES = 1 << 12


class SERDataSet(StridedFile):
    """Images or spectra of a `.ser` file, or of the largest one that belongs to an `.emi`.

    Takes the parameters of a `StridedFile`.

    Raises
    ------
    DataSetException
        If it is not such a file, holds nothing, or images of different sizes; or if several belong
        to an `.emi` that are as large.
    """

    def _find(self, path: Path, *, is_told: bool) -> Layout:
        told: dict[str, Any] = {}
        if path.suffix.lower() == ".emi":
            path, told = series_of(path)
        series = read_series(path)
        n_bytes, n_valid = size_of(path), len(series.offsets)
        self._stored_sig, dtype, element = element_of(path, series, 0)
        frame_bytes = math.prod(self._stored_sig) * dtype.itemsize
        begins = series.offsets + series.element.itemsize
        is_whole = begins + min(frame_bytes, n_bytes + 1) <= n_bytes
        n_stored = int(np.argmin(np.append(is_whole, False)))
        if not n_stored or not frame_bytes:
            raise DataSetException(
                f"{path} has {n_bytes} bytes, expected {n_valid} frames of {frame_bytes} bytes "
                f"from byte {begins[0]}; the file is truncated, or its header is damaged"
            )
        notes = [f"the file is truncated: it has {n_stored} of {n_valid} frames"]
        notes = notes if n_stored < n_valid else []
        pieces = _pieces(path, n_bytes, begins[:n_stored], frame_bytes)
        for piece in pieces:
            for number in (piece.first, piece.first + piece.n_frames - 1):
                _check_same(path, series, number, (self._stored_sig, dtype))
        metadata = {**told, **_scales(series, element)}
        return Layout(pieces, self._stored_sig, dtype, series.nav, notes, metadata)

    def _source(self, sig: tuple[int, ...]) -> Source:
        if len(self._stored_sig) == 1:
            return super()._source(sig)
        return _UprightSource(self._pieces, self._stored_dtype, sig, self._stored_sig)


class _UprightSource(StridedSource):
    """Images that are stored from their lowest row on."""

    def __init__(
        self,
        pieces: tuple[Piece, ...],
        dtype: np.dtype[Any],
        sig: tuple[int, ...],
        stored_sig: tuple[int, ...],
    ) -> None:
        super().__init__(pieces, dtype, sig)
        self._stored_sig = stored_sig

    def _can_be_seen(self) -> bool:
        return False

    def _fill(self, index: int, first: int, out: Array) -> None:
        piece, shape = self._pieces[index], (len(out), *self._stored_sig)
        stored = self._frames(piece)[first : first + len(out)]
        np.copyto(out.reshape(shape)[:, ::-1], stored.reshape(shape))
        check_whole(self._raw(piece))


def _check_same(
    path: Path, series: Series, number: int, expected: tuple[tuple[int, ...], np.dtype[Any]]
) -> None:
    sig, dtype, _ = element_of(path, series, number)
    if (sig, dtype) != expected:
        raise DataSetException(
            f"{path} has in frame {number} {sig} pixels of {dtype}, expected {expected[0]} of "
            f"{expected[1]} as in the first one; the file is damaged, or its images differ"
        )


def _pieces(
    path: Path, n_bytes: int, begins: npt.NDArray[np.int64], frame_bytes: int
) -> list[Piece]:
    """Return the stretches in which frames are at one distance: the whole file as a rule."""
    distances, counts = np.unique(np.diff(begins), return_counts=True)
    stride = int(distances[counts.argmax()]) if distances.size else frame_bytes
    cuts = [0, *(np.flatnonzero(np.diff(begins) != stride) + 1).tolist(), len(begins)]
    if stride < frame_bytes or len(cuts) > _MOST_PIECES:
        raise DataSetException(
            f"{path} has {stride} bytes from one frame to the next and {len(cuts) - 2} gaps, "
            f"expected at least {frame_bytes} bytes and {_MOST_PIECES} gaps at most; the list of "
            "places is damaged"
        )
    return [Piece(path, n_bytes, int(begins[a]), stride, b - a, a) for a, b in pairwise(cuts)]


def _scales(series: Series, element: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if series.steps:
        told |= {"nav_scales": series.steps, "nav_units": series.units}
    if not series.is_image:
        return {**told, "sig_scales": (float(element["step"]),), "sig_units": ("eV",)}
    steps = (float(element["step_y"]), float(element["step_x"]))
    # Metres or their inverse; nothing tells which, but no pixel is as large as a metre.
    unit = "1/m" if min(map(abs, steps)) > 1 else "m"
    return {**told, "sig_scales": steps, "sig_units": (unit, unit)}


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
