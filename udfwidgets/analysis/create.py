"""The methods with which a Context makes and runs analyses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy.typing as npt

from udfwidgets.analysis.base import Analysis
from udfwidgets.analysis.com import COMAnalysis
from udfwidgets.analysis.disk import DiskMaskAnalysis
from udfwidgets.analysis.masks import MasksAnalysis
from udfwidgets.analysis.point import PointMaskAnalysis
from udfwidgets.analysis.radialfourier import RadialFourierAnalysis
from udfwidgets.analysis.raw import PickFrameAnalysis
from udfwidgets.analysis.results import AnalysisResultSet
from udfwidgets.analysis.ring import RingMaskAnalysis
from udfwidgets.analysis.sum import SumAnalysis
from udfwidgets.engine.plan.roi import resolve_roi
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.told.tracebacks import folded
from udfwidgets.udf.masks import Masks


class Analyses(ABC):
    """Makes analyses, and runs them as UDFs.

    Coordinates and radii are in pixels; what is left out takes the default of the analysis.
    """

    @abstractmethod
    def run_udf(
        self, dataset: DataSet, udf: Any, roi: Any, *, corrections: Any, progress: Any
    ) -> Any:
        """Run a UDF."""

    @folded
    def run(
        self, job: Analysis, roi: Any = None, progress: Any = False, corrections: Any = None
    ) -> AnalysisResultSet:
        """Run an analysis.

        Parameters
        ----------
        job : Analysis
            From one of the ``create_..._analysis`` methods.
        roi, progress, corrections
            As for `run_udf`; by default the roi that the analysis asks for.

        Returns
        -------
        AnalysisResultSet
            As documented by the analysis.
        """
        if not isinstance(job, Analysis):
            raise TypeError(
                f"{job!r} is a {type(job).__name__}, expected an analysis from "
                "ctx.create_..._analysis(); UDFs are run by ctx.run_udf()"
            )
        where = job.get_roi() if roi is None else roi
        results = self.run_udf(
            job.dataset, job.get_udf(), where, corrections=corrections, progress=progress
        )
        damage = resolve_roi(where, job.dataset.shape.nav)
        if (missing := job.dataset.missing) is not None:
            damage = ~missing if damage is None else damage & ~missing
        return job.get_udf_results(results, where, True if damage is None else damage)

    @folded
    def create_mask_analysis(
        self,
        factories: Masks,
        dataset: DataSet,
        use_sparse: bool | str | None = None,
        mask_count: int | None = None,
        mask_dtype: npt.DTypeLike | None = None,
        dtype: npt.DTypeLike | None = None,
    ) -> MasksAnalysis:
        """Return an analysis of the intensity behind masks; see `MasksAnalysis`."""
        return MasksAnalysis(
            dataset,
            {
                "factories": factories,
                "use_sparse": use_sparse,
                "mask_count": mask_count,
                "mask_dtype": mask_dtype,
                "dtype": dtype,
            },
        )

    @folded
    def create_com_analysis(
        self,
        dataset: DataSet,
        cx: float | None = None,
        cy: float | None = None,
        mask_radius: float | None = None,
        flip_y: bool = False,
        mask_radius_inner: float | None = None,
        scan_rotation: float = 0.0,
    ) -> COMAnalysis:
        """Return an analysis of the centre of mass; see `COMAnalysis`.

        Parameters
        ----------
        dataset, cx, cy, flip_y, scan_rotation
            As there.
        mask_radius, mask_radius_inner : float, optional
            'r' and 'ri' there; the inner radius needs the outer one.
        """
        if dataset.shape.nav.dims != 2:
            raise ValueError(f"the centre of mass takes a 2D scan, got nav {dataset.shape.nav}")
        _needs_2d_detector(dataset)
        if mask_radius is None and mask_radius_inner is not None:
            raise ValueError("mask_radius_inner alone makes no ring: give mask_radius as well")
        return COMAnalysis(
            dataset,
            {
                "cx": cx,
                "cy": cy,
                "r": mask_radius,
                "ri": mask_radius_inner,
                "flip_y": flip_y,
                "scan_rotation": scan_rotation,
            },
        )

    @folded
    def create_radial_fourier_analysis(
        self,
        dataset: DataSet,
        cx: float | None = None,
        cy: float | None = None,
        ri: float | None = None,
        ro: float | None = None,
        n_bins: int | None = None,
        max_order: int | None = None,
        use_sparse: bool | str | None = None,
    ) -> RadialFourierAnalysis:
        """Return an analysis of the symmetry of rings; see `RadialFourierAnalysis`."""
        _needs_2d_detector(dataset)
        return RadialFourierAnalysis(
            dataset,
            {
                "cx": cx,
                "cy": cy,
                "ri": ri,
                "ro": ro,
                "n_bins": n_bins,
                "max_order": max_order,
                "use_sparse": use_sparse,
            },
        )

    @folded
    def create_disk_analysis(
        self,
        dataset: DataSet,
        cx: float | None = None,
        cy: float | None = None,
        r: float | None = None,
    ) -> DiskMaskAnalysis:
        """Return an analysis of the intensity inside a disk; see `DiskMaskAnalysis`."""
        _needs_2d_detector(dataset)
        return DiskMaskAnalysis(dataset, {"cx": cx, "cy": cy, "r": r})

    @folded
    def create_ring_analysis(
        self,
        dataset: DataSet,
        cx: float | None = None,
        cy: float | None = None,
        ri: float | None = None,
        ro: float | None = None,
    ) -> RingMaskAnalysis:
        """Return an analysis of the intensity on a ring; see `RingMaskAnalysis`."""
        _needs_2d_detector(dataset)
        return RingMaskAnalysis(dataset, {"cx": cx, "cy": cy, "ri": ri, "ro": ro})

    @folded
    def create_point_analysis(
        self, dataset: DataSet, x: float | None = None, y: float | None = None
    ) -> PointMaskAnalysis:
        """Return an analysis of the intensity of one pixel; see `PointMaskAnalysis`."""
        _needs_2d_detector(dataset)
        return PointMaskAnalysis(dataset, {"cx": x, "cy": y})

    @folded
    def create_sum_analysis(self, dataset: DataSet) -> SumAnalysis:
        """Return an analysis of the sum of all frames; see `SumAnalysis`."""
        return SumAnalysis(dataset, {})

    @folded
    def create_pick_analysis(
        self, dataset: DataSet, x: int, y: int | None = None, z: int | None = None
    ) -> PickFrameAnalysis:
        """Return an analysis of one frame; see `PickFrameAnalysis`."""
        analysis = PickFrameAnalysis(dataset, {"x": x, "y": y, "z": z})
        analysis.get_origin()
        return analysis


def _needs_2d_detector(dataset: DataSet) -> None:
    if dataset.shape.sig.dims != 2:
        raise ValueError(f"the analysis takes a 2D detector, got sig {dataset.shape.sig}")
