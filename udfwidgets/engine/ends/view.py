"""The contracts of what shows a run: a view of it, and a plot that is handed results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from udfwidgets.buffers import BoolArray, BufferWrapper, UDFResults
from udfwidgets.engine.run import Run
from udfwidgets.udf.base import UDF


class View(Protocol):
    """Shows a run while it goes on."""

    def show(self) -> None:
        """Appear in the notebook, before the run starts."""


class ViewClass(Protocol):
    """Makes a view of a run: the contract of ``plot_class``."""

    def __call__(self, run: Run, plots: Any) -> View:
        """Return the view.

        Parameters
        ----------
        run : Run
            Has not started yet; a view subscribes to it.
        plots : object
            True, a list with a list of channels for each UDF, or titles with channels.

        Raises
        ------
        ValueError
            If a channel does not exist or cannot be shown; those that can are listed.
        """


class NoView:
    """Shows nothing: a ``plot_class`` for runs without a screen.

    Parameters
    ----------
    run : Run
        Left alone.
    plots : object
        Ignored.
    """

    def __init__(self, run: Run, plots: Any) -> None:
        pass

    def show(self) -> None:
        """Do nothing."""


@runtime_checkable
class Plot(Protocol):
    """A plot of a user's own, for one UDF of a run: an element of ``plots``."""

    def get_udf(self) -> UDF:
        """Return the UDF whose results it shows: one of those given to the run."""

    def new_data(
        self, udf_results: Mapping[str, BufferWrapper], damage: BoolArray, force: bool = False
    ) -> None:
        """Show results.

        Parameters
        ----------
        udf_results : mapping of str to BufferWrapper
            Of the one UDF, as far as they are merged.
        damage : numpy.ndarray of bool
            Of nav shape, True where merged.
        force : bool
            These are the last ones: they should be shown even if others just were.
        """


class PlotSet:
    """Plots of a user's own, updated on the thread or task that waits for the run.

    Parameters
    ----------
    udfs : sequence of UDF
        As the user gave them.
    plots : sequence of Plot
        What to update.

    Raises
    ------
    ValueError
        If a plot belongs to a UDF that is not one of those given.
    """

    def __init__(self, udfs: Sequence[UDF], plots: Sequence[Plot]) -> None:
        self._plots = [(_place(plot, udfs), plot) for plot in plots]
        self._newest: UDFResults | None = None

    def update(self, results: UDFResults) -> None:
        """Hand each plot the results of its UDF."""
        self._newest = results
        self._hand_out(results, force=False)

    def finish(self) -> None:
        """Hand each plot the newest results once more: it may have passed over them."""
        if self._newest is not None:
            self._hand_out(self._newest, force=True)

    def _hand_out(self, results: UDFResults, force: bool) -> None:
        for place, plot in self._plots:
            plot.new_data(results.buffers[place], results.damage.data, force=force)


def _place(plot: Plot, udfs: Sequence[UDF]) -> int:
    for place, udf in enumerate(udfs):
        if plot.get_udf() is udf:
            return place
    raise ValueError(
        f"the plot {plot!r} belongs to a {type(plot.get_udf()).__name__} that is not one of the "
        "UDFs given: plot.get_udf() must return the same instance"
    )
