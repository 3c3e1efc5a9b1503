"""What a Context shows of its runs: a live view, an overview, a dashboard."""

from __future__ import annotations

import pkgutil
from typing import Any

from udfwidgets.context.options import UDFs
from udfwidgets.context.starting import Starter
from udfwidgets.engine.ends.overview import Overview
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet

# Stands above this floor, as the live view does.
DASHBOARD = "udfwidgets.live:Dashboard"


class Showing(Starter):
    """Shows runs: the methods of a `Context` whose answers are looked at."""

    def live(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = None,
        plots: Any = True,
        corrections: CorrectionSet | None = None,
        order: Order | None = None,
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

        Returns
        -------
        LiveAnalysis
        """
        return self._start_live(dataset, udf, roi, plots, corrections, order)

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
