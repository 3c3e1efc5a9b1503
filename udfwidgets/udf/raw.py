"""Frames as they are."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.udf.base import UDF, MaskedResult
from udfwidgets.udf.contract.views import Views


class PickUDF(UDF):
    """Picks the frames that the roi selects, in scan order and in the dtype of the file.

    Results
    -------
    intensity : kind single
        Of shape (selected frames, sig axes). Positions without a frame have zeros that are not
        valid.
    """

    takes_any_frames = True

    def __init__(self) -> None:
        super().__init__()

    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        """Read the data as they are."""
        return self.USE_NATIVE_DTYPE

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        """Declare one frame per selected position."""
        shape, roi = self.meta.dataset_shape, self.meta.roi
        n_frames = shape.nav.size if roi is None else int(np.count_nonzero(roi))
        return {
            "intensity": self.buffer(
                "single", (n_frames, *shape.sig), self.meta.input_dtype, use="result_only"
            ),
            # Kept per position, so that merging copies each frame to its own place.
            "frames": self.buffer("nav", shape.sig.axes, self.meta.input_dtype, use="private"),
        }

    def process_tile(self, tile: Array) -> None:
        """Copy a tile."""
        rows = (slice(None), *self.meta.sig_slice.get())
        self.results.frames[rows] = tile

    def merge(self, dest: Views, src: Views) -> None:
        """Copy the frames of a partition to their place."""
        dest.frames[:] = src.frames

    def get_results(self) -> Mapping[str, MaskedResult]:
        """Hand over the frames, and which of them are in: all but missing ones, in the end."""
        frames, valid = self.results.frames, self.meta.get_valid_nav_mask()
        mask = (
            True if valid is None else valid.reshape(-1, *(1,) * self.meta.dataset_shape.sig.dims)
        )
        return {"intensity": self.with_mask(frames, mask)}
