"""One frame as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.analysis.base import Analysis, lin_and_log
from udfwidgets.analysis.colours import Covered
from udfwidgets.analysis.results import AnalysisResultSet
from udfwidgets.buffers import BoolArray, BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.raw import PickUDF

AXES = ("z", "y", "x")


class PickFrameAnalysis(Analysis):
    """The frame at 'x', 'y', 'z': 'intensity', shown logarithmically, and 'intensity_lin'.

    As many coordinates are needed as the scan has axes, up to three.
    """

    def get_origin(self) -> tuple[int, ...]:
        """Return the coordinates of the frame, in the order of the scan's axes."""
        nav, given = self.dataset.shape.nav, self.parameters
        if not 1 <= nav.dims <= len(AXES):
            raise ValueError(f"a frame is picked from a 1D, 2D or 3D scan, this one has nav {nav}")
        needed = AXES[-nav.dims :]
        if {axis for axis in AXES if axis in given} != set(needed):
            got = ", ".join(f"{axis}={given[axis]}" for axis in AXES if axis in given) or "none"
            raise ValueError(
                f"a frame of a {nav.dims}D scan is picked by {', '.join(needed)}; got {got}"
            )
        return tuple(int(given[axis]) for axis in needed)

    def get_udf(self) -> PickUDF:
        """Return a UDF that picks frames."""
        return PickUDF()

    def get_roi(self) -> BoolArray:
        """Return the place of the frame."""
        origin, nav = self.get_origin(), self.dataset.shape.nav
        roi = np.zeros(nav.axes, bool)
        try:
            roi[origin] = True
        except IndexError:
            raise ValueError(f"there is no frame at {origin} in a scan with nav {nav}") from None
        missing = self.dataset.missing
        if missing is not None and missing[origin]:
            raise ValueError(
                f"there is no frame at {origin}: it is one of the {np.count_nonzero(missing)} that "
                "are missing in this scan"
            )
        return roi

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return the frame; more if it is complex."""
        words = ("intensity", "intensity", f"frame at {self.get_origin()}")
        frame = udf_results["intensity"].data[0]
        return AnalysisResultSet(lin_and_log(frame, *words, True, log_first=True))


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
