"""The intensity of a single detector pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from udfwidgets.analysis.masks import SingleMaskAnalysis
from udfwidgets.masks import scipy_sparse
from udfwidgets.names import further
from udfwidgets.udf.masks import MaskFactory


class PointMaskAnalysis(SingleMaskAnalysis):
    """The intensity of the pixel at 'cx', 'cy', of which fractions are cut off."""

    def get_mask_factories(self) -> Sequence[MaskFactory]:
        """Return what makes the mask."""
        size, at = self.dataset.shape.sig.axes, self.parameters
        y, x = int(at["cy"]), int(at["cx"])
        if not (0 <= y < size[0] and 0 <= x < size[1]):
            raise ValueError(f"the pixel y={y}, x={x} is outside of a detector of {size} pixels")
        one = np.ones(1, np.float32)
        return [lambda: scipy_sparse().csr_matrix((one, ([y], [x])), shape=size)]

    def get_description(self) -> str:
        """Say what the result is."""
        return "intensity of the pixel"


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
