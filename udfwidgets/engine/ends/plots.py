"""Plots of a user's own: what they have in common, to be subclassed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray, BufferWrapper, UDFResults
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.run import Run
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.udf.base import UDF

Results = Mapping[str, BufferWrapper]


def get_plottable_2D_channels(buffers: Results) -> list[str]:  # noqa: N802 - LiberTEM's name
    """Return the names of the results that are images, not counting axes of length 1."""
    return [name for name, buffer in buffers.items() if buffer.data.squeeze().ndim == 2]


class Live2DPlot:
    """Takes one image out of the results of a UDF; a subclass draws it, in `update`.

    Parameters
    ----------
    dataset : DataSet
        What the UDF will be run on.
    udf : UDF
        The instance that is given to the run.
    roi
        As for the run.
    channel : str, (str, callable), or callable, optional
        Which result; with a function that makes an image of its data; or a function that is given
        all results and the damage, and returns an image and where it is valid. By default the first
        result that is an image.
    title : str, optional
        By default the names of the UDF and the channel.
    min_delta : float
        Seconds between two updates, at least.
    udfresult : UDFResults, optional
        Results to begin with; by default all zero.

    Attributes
    ----------
    data : numpy.ndarray
        The image.
    """

    def __init__(
        self,
        dataset: DataSet,
        udf: UDF,
        roi: Any = None,
        channel: Any = None,
        title: str | None = None,
        min_delta: float = 0,
        udfresult: UDFResults | None = None,
    ) -> None:
        first = udfresult or Run(Job.of(dataset, (udf,), roi)).snapshot()
        (buffers,) = first.buffers
        images = get_plottable_2D_channels(buffers)
        if channel is None and images:
            channel = images[0]
        named = channel[0] if isinstance(channel, (tuple, list)) else channel
        known = images if isinstance(channel, str) or channel is None else buffers
        if not callable(named) and named not in known:
            raise ValueError(
                f"channel {named!r} of {type(udf).__name__} is no image, those that are: {images}"
            )
        self.udf, self.channel, self.min_delta = udf, channel, min_delta
        self.title = title or f"{type(udf).__name__}: {getattr(named, '__name__', named)}"
        self.last_update = 0.0
        self.data, _ = self.extract(buffers, first.damage.data)

    def get_udf(self) -> UDF:
        """Return the UDF whose results it shows."""
        return self.udf

    def extract(self, udf_results: Results, damage: Any) -> tuple[Array, Any]:
        """Return the image, and where it is valid."""
        if callable(self.channel):
            image, valid = self.channel(udf_results, damage)
            return image, valid
        if isinstance(self.channel, str):
            buffer = udf_results[self.channel]
            return buffer.masked_data.squeeze(), buffer.valid_mask.squeeze()
        name, function = self.channel
        make: Callable[[Array], Array] = function
        buffer = udf_results[name]
        return make(buffer.data), damage if buffer.kind == "nav" else True

    def new_data(self, udf_results: Results, damage: BoolArray, force: bool = False) -> None:
        """Take new results and update the plot, unless it just was and `force` is not set."""
        if not force and time.monotonic() - self.last_update < self.min_delta:
            return
        self.data, valid = self.extract(udf_results, damage)
        finite: Any = np.isfinite(self.data)
        if np.ndim(valid) and finite.ndim > np.ndim(valid):
            # Colours are one axis more.
            finite = finite.all(axis=tuple(range(np.ndim(valid), finite.ndim)))
        self.update(valid & finite, force=force)
        self.last_update = time.monotonic()

    def update(self, damage: BoolArray, force: bool = False) -> None:
        """Draw `data`, which is valid where `damage` is True."""
        raise NotImplementedError(f"{type(self).__name__} does not draw: implement update()")

    def display(self) -> None:
        """Appear in the notebook."""
        raise NotImplementedError(f"{type(self).__name__} does not show: implement display()")


class Dummy2DPlot(Live2DPlot):
    """Draws nothing: for runs without a screen."""

    def update(self, damage: BoolArray, force: bool = False) -> None:
        """Do nothing."""

    def display(self) -> None:
        """Do nothing."""


def plots_of(
    plot_class: type[Live2DPlot], dataset: DataSet, udfs: Sequence[UDF], roi: Any, plots: Any
) -> list[Live2DPlot]:
    """Make plots of a class for what is asked for, and let them appear.

    Parameters
    ----------
    plot_class : type
        Called as `Live2DPlot`, with one UDF and one channel.
    dataset, udfs, roi
        As they are given to the run.
    plots : object
        True for the first image of each UDF, or a list with a list of channels for each.

    Raises
    ------
    ValueError
        If it is something else, or a channel is no image.
    """
    firsts = [Run(Job.of(dataset, (udf,), roi)).snapshot() for udf in udfs]
    if plots is True:
        plots = [get_plottable_2D_channels(first.buffers[0])[:1] for first in firsts]
    lists = (list, tuple)
    is_list = isinstance(plots, lists) and all(isinstance(asked, lists) for asked in plots)
    if not is_list or len(plots) != len(udfs):
        raise ValueError(
            f"plots is {plots!r}, expected True or a list with one list of channels for each of "
            f"{', '.join(type(udf).__name__ for udf in udfs)}, as {plot_class.__name__} draws them"
        )
    made = [
        plot_class(dataset, udf=udf, roi=roi, channel=channel, udfresult=first)
        for udf, first, channels in zip(udfs, firsts, plots, strict=True)
        for channel in channels
    ]
    for plot in made:
        plot.display()
    return made
