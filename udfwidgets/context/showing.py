"""What a Context shows of its runs: a live view, an overview, a dashboard."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from typing import Any

from udfwidgets.calibration import Calibration
from udfwidgets.context.options import UDFs, check_dataset
from udfwidgets.context.starting import Starter
from udfwidgets.engine.ends.overview import Overview
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.told.tracebacks import folded

# Stand above this floor, as the live view does.
DASHBOARD = "udfwidgets.live:Dashboard"
EXPLORE = "udfwidgets.explore:explore"


class Showing(Starter):
    """Shows runs: the methods of a `Context` whose answers are looked at."""

    @folded
    def live(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = None,
        plots: Any = True,
        corrections: CorrectionSet | None = None,
        order: Order | None = None,
        width: int | None = None,
    ) -> Any:
        """Start UDFs in the background and return their live view.

        Show it as the last line of a cell; the cell is free at once. The view can be awaited for
        the result and iterated over with ``async for``; `cancel` stops it.

        Parameters
        ----------
        dataset, udf, roi, plots, corrections
            As for `run_udf`.
        order : {'scan', 'progressive'}, optional
            As for `run_udf`; by default from coarse to fine.
        width : int, optional
            Of each image, in CSS pixels. By default they share the room there is; each of them
            has a corner to drag, and a `width`.

        Returns
        -------
        LiveAnalysis
        """
        options = {} if width is None else {"width": width}
        return self._start_live(dataset, udf, roi, plots, corrections, order, **options)

    @folded
    def explore(
        self,
        dataset: DataSet,
        *,
        detectors: Mapping[str, Any] | None = None,
        regions: Mapping[str, Any] | None = None,
        probe: Any = None,
        formulas: Mapping[str, str] | None = None,
        state: Mapping[str, Any] | None = None,
        roi: Any = None,
        corrections: CorrectionSet | None = None,
        calibration: Calibration | None = None,
    ) -> Any:
        """Return a view in which detectors, probe and regions are drawn by hand, and answered live.

        Show it as the last line of a cell. Shapes are those of `udfwidgets.geometry`.

        Parameters
        ----------
        dataset : DataSet
            A scan with one or two axes of patterns with two.
        detectors : mapping, optional
            Shapes on the pattern by name. By default bright field and annular dark field at the
            central disk, which is looked for.
        regions : mapping, optional
            Shapes on the scan by name: the patterns in each are summed.
        probe : Point, optional
            The position whose pattern is shown; by default the middle of the scan.
        formulas : mapping, optional
            Arithmetic of detectors by title, such as ``{"phase": "(A - B) / (A + B)"}``.
        state : mapping, optional
            The `state` of another view, which this one begins with; what is given besides counts.
        roi, corrections
            As for `run_udf`; `roi` limits what detectors are asked for.
        calibration : Calibration, optional
            How large pixels are: numbers of shapes are given in these units, too.

        Returns
        -------
        Explorer

        Raises
        ------
        ValueError
            If the dataset cannot be shown as images, a state or formula is not one, or a
            calibration is of other axes.
        """
        given = {"detectors": detectors, "regions": regions, "probe": probe, "formulas": formulas}
        check_dataset(dataset)
        return pkgutil.resolve_name(EXPLORE)(
            self, dataset, given, state, roi, corrections, calibration
        )

    @folded
    def display(self, dataset: DataSet, udf: UDFs, roi: Any = None) -> Overview:
        """Return an overview of what `run_udf` would do, to be shown in a notebook.

        Parameters
        ----------
        dataset, udf, roi
            As for `run_udf`.
        """
        run, _ = self._prepare(dataset, udf, roi)
        return Overview(run)

    @property
    def analyses(self) -> tuple[Run, ...]:
        """The runs that are under way; each can be paused, resumed and cancelled."""
        return self.executor.runs

    def dashboard(self) -> Any:
        """Return a view of all analyses of this Context, those to come included.

        Returns
        -------
        Dashboard
        """
        return pkgutil.resolve_name(DASHBOARD)(self)
