"""How runs are made of what was asked for, shown, and started."""

from __future__ import annotations

import pkgutil
import weakref
from typing import Any

from udfwidgets.context.options import as_udfs, check_corrections, check_dataset
from udfwidgets.engine.ends.bar import ProgressReporter, Reporting, reporter_of
from udfwidgets.engine.ends.plots import Live2DPlot, plots_of
from udfwidgets.engine.ends.registry import Registry
from udfwidgets.engine.ends.view import Plot, PlotSet, View, ViewClass
from udfwidgets.engine.executors import Executor
from udfwidgets.engine.executors.base import IS_ELSEWHERE
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.order import Order, Sight
from udfwidgets.engine.run import Run
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.told.names import Listed
from udfwidgets.udf.base import UDF
from udfwidgets.warned import warn

# The live view stands above this floor and needs a notebook: it is looked up by name when the
# first picture is asked for, so that scripts and servers do without it.
LIVE_VIEW = "udfwidgets.live:LiveAnalysis"


class Starter(Listed):
    """Makes runs, shows and starts them: what a `Context` does below what a user sees of it.

    Attributes
    ----------
    executor : Executor
        Where the work is done.
    plot_class : callable or None
        What shows a run where `plots` are asked for; the live images where there is none.
    registry : Registry
        The runs that were started, and their views.
    """

    _unlisted = ("registry",)

    def __init__(self, executor: Executor, plot_class: ViewClass | type[Live2DPlot] | None) -> None:
        self.executor = executor
        self.plot_class = plot_class
        self.registry = Registry()

    def _prepare(
        self,
        dataset: DataSet,
        udf: Any,
        roi: Any,
        corrections: Any = None,
        progress: bool | ProgressReporter = False,
        order: Order | None = None,
        is_live: bool = False,
        sight: Sight | None = None,
    ) -> tuple[Run, bool]:
        """Check what was asked for and return a run that has not started."""
        if self.executor.is_elsewhere:
            raise RuntimeError(IS_ELSEWHERE)
        check_dataset(dataset)
        check_corrections(corrections)
        job = Job.of(
            dataset,
            as_udfs(udf),
            roi,
            corrections=corrections,
            order=order,
            preferred_order="progressive" if is_live else "scan",
            sight=sight,
        )
        if not job.plan.n_selected:
            warn(
                f"roi selects none of the scan positions, nav {dataset.shape.nav}: the results are "
                "zero or NaN; set a part of it, as in roi[2:5, :8] = True"
            )
        run = Run(job, self.executor.workers)
        run.launcher = weakref.WeakMethod(self._launch)
        if (reporter := reporter_of(progress)) is not None:
            run.subscribe(Reporting(run, reporter))
        return run, isinstance(udf, UDF)

    def _show(self, run: Run, udf: Any, plots: Any) -> PlotSet | None:
        """Show a view of the run if wanted, or return the plots that the user brought."""
        if plots is None or plots is False:
            self.registry.add(run)
            return None
        if isinstance(plots, (list, tuple)) and all(isinstance(plot, Plot) for plot in plots):
            self.registry.add(run)
            return PlotSet(as_udfs(udf), plots)
        if (plot_class := _draws(self.plot_class)) is not None:
            udfs = as_udfs(udf)
            made = plots_of(plot_class, run.dataset, udfs, run.plan.roi, plots)
            self.registry.add(run)
            return PlotSet(udfs, made)
        self._view(run, plots).show()
        return None

    def _view(self, run: Run, plots: Any, **options: Any) -> View:
        chosen = None if _draws(self.plot_class) else self.plot_class
        view_class: Any = chosen or pkgutil.resolve_name(LIVE_VIEW)
        view: View = view_class(run, plots, **options)
        self.registry.add(run, view)
        return view

    def _start_live(
        self,
        dataset: Any,
        udf: Any,
        roi: Any,
        plots: Any,
        corrections: Any,
        order: Order | None,
        **options: Any,
    ) -> View:
        """Start a run in the background and return its view, which takes the options."""
        run, _ = self._prepare(dataset, udf, roi, corrections, order=order, is_live=True)
        view = self._view(run, plots, **options)
        try:
            self._start(run)
        except BaseException:
            # Nobody else gets hold of it. A class of the user's own need not have a close().
            getattr(view, "close", _do_nothing)()
            raise
        return view

    def _launch(self, run: Run) -> None:
        """Start the successor of a run."""
        self.registry.add(run)
        self._start(run)

    def _start(self, run: Run) -> None:
        try:
            self.executor.start(run)
        except BaseException as error:
            # A view that is on the screen already must not wait for it for ever.
            run.fail(error)
            run.try_to_finish()
            raise


def _draws(plot_class: Any) -> type[Live2DPlot] | None:
    """Return what is a class of plots for one channel each, as LiberTEM has them."""
    is_one = isinstance(plot_class, type) and issubclass(plot_class, Live2DPlot)
    return plot_class if is_one else None


def _do_nothing() -> None:
    pass
