"""The intensity on a ring: an annular dark-field detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from udfwidgets import masks
from udfwidgets.analysis.masks import SingleMaskAnalysis
from udfwidgets.names import further
from udfwidgets.udf.masks import MaskFactory


class RingMaskAnalysis(SingleMaskAnalysis):
    """The intensity on a ring with centre 'cx', 'cy' and radii 'ri' to 'ro', in pixels."""

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with a ring along the border as default."""
        outer = parameters.get("ro", min(self.dataset.shape.sig) / 2)
        filled = super().get_parameters({"ro": outer, "ri": 0.8 * outer, **parameters})
        masks.check_radii(filled["ri"], filled["ro"])
        return filled

    def get_mask_factories(self) -> Sequence[MaskFactory]:
        """Return what makes the mask."""
        (size_y, size_x), given = self.dataset.shape.sig, self.parameters
        cx, cy, outer, inner = given["cx"], given["cy"], given["ro"], given["ri"]
        return [lambda: masks.ring(cx, cy, size_x, size_y, outer, inner)]

    def get_description(self) -> str:
        """Say what the result is."""
        return "intensity on the ring"


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
