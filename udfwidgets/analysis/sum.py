"""The sum of all frames, as a picture of the detector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from udfwidgets.analysis.base import Analysis, lin_and_log
from udfwidgets.analysis.colours import Covered
from udfwidgets.analysis.results import AnalysisResultSet
from udfwidgets.buffers import BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.sum import SumUDF


class SumAnalysis(Analysis):
    """The sum of all frames: 'intensity', shown logarithmically, and 'intensity_lin'."""

    def get_udf(self) -> SumUDF:
        """Return a UDF that adds up."""
        return SumUDF()

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return the sum; more if it is complex."""
        words = ("intensity", "intensity", "sum of all frames")
        data = udf_results["intensity"].data
        return AnalysisResultSet(lin_and_log(data, *words, True, log_first=True))


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
