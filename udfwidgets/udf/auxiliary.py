"""Auxiliary data: arrays given to a UDF that are sliced like its buffers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from udfwidgets.buffers import Array, BoolArray, BufferDeclaration
from udfwidgets.shapes import Shape


@dataclass(frozen=True, eq=False)
class AuxData:
    """An array with one entry per scan position or detector pixel, passed in as a parameter.

    Parameters
    ----------
    data : numpy.ndarray
        The values, in the order of the scan; any shape with the right number of elements.
    declaration : BufferDeclaration
        How it is to be sliced.
    """

    data: Array
    declaration: BufferDeclaration

    def resolve(self, shape: Shape, roi: BoolArray | None) -> Array:
        """Return the values in buffer shape: for kind 'nav' one row per selected position.

        Raises
        ------
        ValueError
            If the number of elements does not fit the dataset.
        """
        full = self.declaration.leading(shape.nav.size, shape.sig) + self.declaration.extra_shape
        if self.data.size != np.prod(full, dtype=np.int64):
            raise ValueError(
                f"aux_data of shape {self.data.shape} does not fit a {self.declaration.kind} "
                f"buffer of shape {full} for a dataset with nav {shape.nav} and sig {shape.sig}"
            )
        rows = self.data.reshape(full)
        if self.declaration.kind == "nav" and roi is not None:
            return rows[roi.reshape(-1)]
        return rows
