"""Auxiliary data: arrays given to a UDF that are sliced like its buffers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray, BufferDeclaration
from udfwidgets.shapes import Shape
from udfwidgets.udf.contract.views import Views


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

    @property
    def raw_data(self) -> Array:
        """The values, flat but for the extra axes of each entry."""
        return self.data.reshape((-1, *self.declaration.extra_shape))

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


def shown_params(
    given: Mapping[str, Any], shape: Shape, roi: BoolArray | None, rows: slice | Array = slice(None)
) -> Views:
    """Return parameters as a UDF sees them: arrays in place of auxiliary data.

    Parameters
    ----------
    given : mapping
        As the UDF was made with them.
    shape : Shape
        Of the dataset.
    roi : numpy.ndarray of bool or None
        Which positions are selected.
    rows : slice or numpy.ndarray of int
        Of the selected positions, those that nav arrays are cut to.
    """
    if not has_aux_data(given):
        return Views({}, {}, given)
    auxiliary = {name: value for name, value in given.items() if isinstance(value, AuxData)}
    declarations = {name: aux.declaration for name, aux in auxiliary.items()}
    arrays = {name: aux.resolve(shape, roi) for name, aux in auxiliary.items()}
    for name, declaration in declarations.items():
        if declaration.kind == "nav":
            arrays[name] = arrays[name][rows]
    return Views(declarations, arrays, {k: v for k, v in given.items() if k not in auxiliary})


def has_aux_data(given: Mapping[str, Any]) -> bool:
    """Whether any of some parameters is auxiliary data."""
    return any(isinstance(value, AuxData) for value in given.values())
