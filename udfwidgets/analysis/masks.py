"""Virtual detectors: what each mask of a list sees."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from udfwidgets.analysis.base import Analysis, lin_and_log
from udfwidgets.analysis.colours import Covered, picture
from udfwidgets.analysis.results import AnalysisResult, AnalysisResultSet
from udfwidgets.buffers import Array, BufferWrapper
from udfwidgets.names import further
from udfwidgets.udf.masks import ApplyMasksUDF, Masks


class MasksAnalysis(Analysis):
    """The intensity behind each of the masks, by the names mask_0, mask_1, ...

    Parameters
    ----------
    dataset : DataSet
        What to look at.
    parameters : mapping
        'factories', and optionally 'use_sparse', 'mask_count', 'mask_dtype' and 'dtype': as
        `ApplyMasksUDF` takes them, the last one as `preferred_dtype`.
    """

    def get_mask_factories(self) -> Masks:
        """Return what makes the masks."""
        factories: Masks = self.parameters["factories"]
        return factories

    def get_udf(self) -> ApplyMasksUDF:
        """Return a UDF that applies the masks."""
        given = self.parameters
        return ApplyMasksUDF(
            self.get_mask_factories(),
            use_sparse=given.get("use_sparse"),
            mask_count=given.get("mask_count"),
            mask_dtype=given.get("mask_dtype"),
            preferred_dtype=given.get("dtype"),
        )

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return one result per mask; more if they are complex."""
        intensity = udf_results["intensity"].data
        results: list[AnalysisResult] = []
        for number in range(intensity.shape[-1]):
            results += _of_mask(intensity[..., number], number, damage)
        return AnalysisResultSet(results)


def _of_mask(data: Array, number: int, damage: Covered) -> list[AnalysisResult]:
    words = (f"mask_{number}", f"mask {number}", f"intensity behind mask {number}")
    if data.dtype.kind == "c":
        return lin_and_log(data, *words, damage)
    key, title, desc = words
    return [AnalysisResult(data, partial(picture, data, damage), title, desc, key)]


class SingleMaskAnalysis(MasksAnalysis):
    """The intensity behind one mask, on a 2-D detector."""

    def get_udf(self) -> ApplyMasksUDF:
        """Return a UDF that applies the mask."""
        sig = self.dataset.shape.sig
        if sig.dims != 2:
            raise ValueError(f"{type(self).__name__} takes a 2D detector, this one has sig {sig}")
        return super().get_udf()

    def get_parameters(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters with the centre of the detector as default."""
        size_y, size_x = self.dataset.shape.sig
        return {
            "cx": size_x / 2,
            "cy": size_y / 2,
            "mask_count": 1,
            "mask_dtype": np.float32,
            **parameters,
        }

    @abstractmethod
    def get_description(self) -> str:
        """Say what the result is."""

    def get_udf_results(
        self, udf_results: Mapping[str, BufferWrapper], roi: Any, damage: Covered
    ) -> AnalysisResultSet:
        """Return 'intensity' and 'intensity_log'; more if they are complex."""
        data = udf_results["intensity"].data[..., 0]
        words = ("intensity", "intensity", self.get_description())
        return AnalysisResultSet(lin_and_log(data, *words, damage))


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
