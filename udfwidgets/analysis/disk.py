"""The intensity inside a disk: a bright-field detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from udfwidgets import masks
from udfwidgets.analysis.masks import SingleMaskAnalysis
from udfwidgets.names import further
from udfwidgets.udf.masks import MaskFactory


class DiskMaskAnalysis(SingleMaskAnalysis):
    """The intensity inside a disk with centre 'cx', 'cy' and radius 'r', in pixels."""

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with a disk in the middle as default."""
        radius = min(self.dataset.shape.sig) / 2 * 0.3
        return super().get_parameters({"r": radius, **parameters})

    def get_mask_factories(self) -> Sequence[MaskFactory]:
        """Return what makes the mask."""
        (size_y, size_x), given = self.dataset.shape.sig, self.parameters
        cx, cy, radius = given["cx"], given["cy"], given["r"]
        return [lambda: masks.circular(cx, cy, size_x, size_y, radius)]

    def get_description(self) -> str:
        """Say what the result is."""
        return "intensity inside the disk"


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
