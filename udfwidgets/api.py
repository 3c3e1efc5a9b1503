"""The Context: the one object through which a user loads data and runs UDFs."""

from __future__ import annotations

import os
import pkgutil
import weakref
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn, cast, overload

from udfwidgets.analysis.create import Analyses
from udfwidgets.buffers import BufferWrapper
from udfwidgets.closing import Closing
from udfwidgets.engine.ends.bar import ProgressBar
from udfwidgets.engine.ends.overview import Overview
from udfwidgets.engine.ends.registry import Registry
from udfwidgets.engine.ends.stream import (
    AsyncResult,
    AsyncResultStream,
    Result,
    ResultStream,
    wait_for_result,
)
from udfwidgets.engine.ends.view import Plot, PlotSet, View, ViewClass
from udfwidgets.engine.executors import Executor, make_executor
from udfwidgets.engine.plan.job import Job
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.run import Run
from udfwidgets.engine.subscription import EveryStep
from udfwidgets.errors import ExecutorSpecException
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.stream import StreamDataSet
from udfwidgets.io.load import load
from udfwidgets.udf.auto import AutoUDF
from udfwidgets.udf.base import UDF
from udfwidgets.udf.record import RecordUDF

__all__ = ["Context"]

# The live view stands above this floor and needs a notebook: it is looked up by name when the
# first picture is asked for, so that scripts and servers do without it.
LIVE_VIEW = "udfwidgets.live:LiveAnalysis"
DASHBOARD = "udfwidgets.live:Dashboard"


class Context(Analyses, Closing):
    """Loads datasets and runs UDFs over them.

    It owns worker threads from its first run on. Close it, or use it in a ``with`` block; at the
    latest the end of the interpreter closes it.

    Parameters
    ----------
    executor : Executor, optional
        Where the work is done; threads by default. The Context closes it.
    plot_class : callable, optional
        What shows a run where `plots` are asked for; the live images by default.

    Examples
    --------
    >>> with Context() as ctx:
    ...     dataset = ctx.load("memory", data=np.ones((4, 4, 8, 8)))
    ...     ctx.run_udf(dataset=dataset, udf=SumUDF())
    {'intensity': <BufferWrapper kind=sig dtype=float64 extra_shape=()>}
    """

    def __init__(
        self, executor: Executor | None = None, plot_class: ViewClass | None = None
    ) -> None:
        self.executor = make_executor("threads") if executor is None else executor
        self.plot_class = plot_class
        self.registry = Registry()
        self._streams: weakref.WeakSet[StreamDataSet] = weakref.WeakSet()

    @classmethod
    def make_with(
        cls,
        spec: str = "threads",
        cpus: int | None = None,
        plot_class: ViewClass | None = None,
        gpus: int | None = None,
    ) -> Context:
        """Return a Context with an executor of a kind.

        Parameters
        ----------
        spec : {'threads', 'inline', 'synchronous'}
            Worker threads, or the calling thread alone ('synchronous' is another name for it).
        cpus : int, optional
            How many workers.
        plot_class : callable, optional
            As for `Context`.
        gpus : int, optional
            Taken from code written for LiberTEM; there is nothing here that works on them.

        Raises
        ------
        ExecutorSpecException
            If there is no such executor, or it cannot honour `cpus` or `gpus`.
        """
        if gpus:
            raise ExecutorSpecException(
                f"the {spec} executor works on processors and cannot use gpus={gpus}: leave it out"
            )
        return cls(make_executor(spec, cpus), plot_class)

    def load(self, filetype: str, *args: Any, **kwargs: Any) -> DataSet:
        """Open a scan.

        Parameters
        ----------
        filetype : str
            'auto' to find out from the file; 'memory', 'npy', 'raw', 'hdf5', 'mib', or 'stream'
            for frames from an async iterator.
        *args, **kwargs
            As the dataset takes them, ``path=`` for all that are files. ``follow=True`` takes an
            HDF5 or Merlin file that is still being recorded; see `GrowingH5DataSet`,
            `GrowingMIBDataSet`, and `StreamDataSet` for 'stream', which the Context closes.

        Raises
        ------
        DataSetException
            If the type is unknown, or the file cannot be read as that.
        """
        dataset = load(filetype, *args, **kwargs)
        if isinstance(dataset, StreamDataSet):
            self._streams.add(dataset)
        return dataset

    @overload
    def run_udf(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = ...,
        corrections: CorrectionSet | None = ...,
        progress: bool = ...,
        backends: Any = ...,
        plots: Any = ...,
        sync: Literal[True] = ...,
        order: Order | None = ...,
    ) -> Result: ...
    @overload
    def run_udf(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = ...,
        corrections: CorrectionSet | None = ...,
        progress: bool = ...,
        backends: Any = ...,
        plots: Any = ...,
        *,
        sync: Literal[False],
        order: Order | None = ...,
    ) -> AsyncResult: ...
    def run_udf(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = None,
        corrections: CorrectionSet | None = None,
        progress: bool = False,
        backends: Any = None,
        plots: Any = None,
        sync: bool = True,
        order: Order | None = None,
    ) -> Result | AsyncResult:
        """Run one or several UDFs over a dataset, in one pass.

        Parameters
        ----------
        dataset : DataSet
            From `load`.
        udf : UDF, or list or tuple of UDF
            What to run. They are copied: an instance may be in several runs at once.
        roi : array or coordinates, optional
            Which scan positions; see `resolve_roi` for the forms it may have.
        corrections : CorrectionSet, optional
            Applied to the data on the fly; by default those that the dataset declares, if any.
        progress : bool
            Show a progress bar as text.
        backends : sequence of str, optional
            Taken from code written for several array libraries; 'numpy', the one here, has to be
            among them.
        plots : bool or list, optional
            True shows the first channel of each UDF that is an image, live. A list has one entry
            per UDF: a list of channels, each a name or (name, function). Or a list of plots of
            your own, see `Plot`.
        sync : bool
            False returns at once, with an awaitable of the result.
        order : {'scan', 'progressive'}, optional
            In which order the frames are visited: as they were recorded, or from coarse to fine,
            so that a few percent of them already make a picture. By default as recorded, unless
            another run is at work on the same dataset, which then reads for both.

        Returns
        -------
        dict or tuple of dict, or an awaitable of it
            Name to `BufferWrapper`: a dict for one UDF, a tuple of them for a list or tuple.

        Raises
        ------
        TypeError, ValueError
            If an argument is not what it should be.
        """
        _check_blocking(dataset, sync)
        _check_backends(backends)
        run, single = self._prepare(dataset, udf, roi, corrections, progress, order)
        own_plots = self._show(run, udf, plots)
        self._start(run)
        if not sync:
            return AsyncResult(run, single, own_plots)
        return wait_for_result(run, single, own_plots)

    @overload
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = ...,
        corrections: CorrectionSet | None = ...,
        progress: bool = ...,
        backends: Any = ...,
        plots: Any = ...,
        sync: Literal[True] = ...,
        order: Order | None = ...,
    ) -> ResultStream: ...
    @overload
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = ...,
        corrections: CorrectionSet | None = ...,
        progress: bool = ...,
        backends: Any = ...,
        plots: Any = ...,
        *,
        sync: Literal[False],
        order: Order | None = ...,
    ) -> AsyncResultStream: ...
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
        roi: Any = None,
        corrections: CorrectionSet | None = None,
        progress: bool = False,
        backends: Any = None,
        plots: Any = None,
        sync: bool = True,
        order: Order | None = None,
    ) -> ResultStream | AsyncResultStream:
        """Run one or several UDFs and iterate over what is merged so far, step by step.

        The parameters are those of `run_udf`.

        Returns
        -------
        iterator, or async iterator, of UDFResults
            Each has `buffers`, always a tuple with one dict per UDF, and `damage`, which says
            which scan positions are in. A result that was handed out never changes. Leaving the
            loop, in whatever way, stops the run.
        """
        _check_blocking(dataset, sync)
        _check_backends(backends)
        run, _ = self._prepare(dataset, udf, roi, corrections, progress, order)
        own_plots = self._show(run, udf, plots)
        inbox = EveryStep()
        run.subscribe(inbox)
        self._start(run)
        stream = ResultStream if sync else AsyncResultStream
        return stream(run, inbox, own_plots)

    def map(
        self,
        dataset: DataSet,
        f: Callable[[Any], Any],
        roi: Any = None,
        progress: bool = False,
        corrections: CorrectionSet | None = None,
        backends: Any = None,
    ) -> BufferWrapper:
        """Call a function with every frame and return what it gives, laid out like the scan.

        Parameters
        ----------
        f : callable
            Takes a frame, returns a number or an array, always of the same shape and dtype.
        dataset, roi, progress, corrections, backends
            As for `run_udf`.

        Returns
        -------
        BufferWrapper
            Kind nav.
        """
        results = self.run_udf(dataset, AutoUDF(f), roi, corrections, progress, backends)
        return cast("Mapping[str, BufferWrapper]", results)["result"]

    def export_dataset(
        self,
        dataset: DataSet,
        path: str | os.PathLike[str],
        progress: bool = False,
        overwrite: bool = False,
    ) -> None:
        """Write all frames of a dataset to a NumPy file, in full shape.

        The file gets its name when it is complete: what was there before is kept until then.

        Parameters
        ----------
        dataset : DataSet
            What to write; corrections that it declares are applied.
        path : str or path
            Of the file, ending in ``.npy``.
        progress : bool
            Show a progress bar as text.
        overwrite : bool
            Replace a file that exists.

        Raises
        ------
        ValueError
            If the name does not end in ``.npy``.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        """
        target = Path(path).expanduser()
        if target.suffix != ".npy":
            raise ValueError(f"cannot export to {target}: expected a name that ends in .npy")
        if target.exists() and not overwrite:
            raise FileExistsError(f"{target} exists: pass overwrite=True to replace it")
        unfinished = target.with_name(f".{target.stem}.unfinished.npy")
        try:
            self.run_udf(dataset, RecordUDF(unfinished), progress=progress)
            unfinished.replace(target)
        finally:
            unfinished.unlink(missing_ok=True)

    def live(
        self,
        dataset: DataSet,
        udf: UDF | Sequence[UDF],
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
        run, _ = self._prepare(dataset, udf, roi, corrections, order=order, is_live=True)
        view = self._view(run, plots)
        try:
            self._start(run)
        except BaseException:
            # Nobody else gets hold of it. A class of the user's own need not have a close().
            getattr(view, "close", _do_nothing)()
            raise
        return view

    def display(self, dataset: DataSet, udf: UDF | Sequence[UDF], roi: Any = None) -> Overview:
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

    def close(self) -> None:
        """Cancel all runs, close all streams and end all threads. Closing twice is allowed."""
        self.executor.close()
        for stream in tuple(self._streams):
            stream.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Context owns the threads of its process and cannot be pickled: make one where it "
            "is needed, and leave it out of what UDFs refer to"
        )

    def _prepare(
        self,
        dataset: DataSet,
        udf: Any,
        roi: Any,
        corrections: Any = None,
        progress: bool = False,
        order: Order | None = None,
        is_live: bool = False,
    ) -> tuple[Run, bool]:
        """Check what was asked for and return a run that has not started."""
        if not isinstance(dataset, DataSet):
            raise TypeError(f"dataset is a {type(dataset).__name__}, expected one from ctx.load()")
        if not isinstance(corrections, CorrectionSet | None):
            raise TypeError(
                f"corrections is a {type(corrections).__name__}, expected a CorrectionSet"
            )
        job = Job.of(
            dataset,
            _as_udfs(udf),
            roi,
            corrections=corrections,
            order=order,
            preferred_order="progressive" if is_live else "scan",
        )
        run = Run(job, self.executor.workers)
        run.launcher = weakref.WeakMethod(self._launch)
        if progress:
            run.subscribe(ProgressBar(run))
        return run, isinstance(udf, UDF)

    def _show(self, run: Run, udf: Any, plots: Any) -> PlotSet | None:
        """Show a view of the run if wanted, or return the plots that the user brought."""
        if plots is None or plots is False:
            self.registry.add(run)
            return None
        if isinstance(plots, (list, tuple)) and all(isinstance(plot, Plot) for plot in plots):
            self.registry.add(run)
            return PlotSet(_as_udfs(udf), plots)
        self._view(run, plots).show()
        return None

    def _view(self, run: Run, plots: Any) -> View:
        view_class: ViewClass = self.plot_class or pkgutil.resolve_name(LIVE_VIEW)
        view = view_class(run, plots)
        self.registry.add(run, view)
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


def _do_nothing() -> None:
    pass


def _check_blocking(dataset: Any, sync: bool) -> None:
    """Raise if a call would wait for frames that can come only once it has returned."""
    if sync and isinstance(dataset, StreamDataSet):
        dataset.check_blocking()


def _check_backends(backends: Any) -> None:
    if backends is not None and "numpy" not in backends:
        raise ValueError(f"backends={backends!r} leaves out 'numpy', which is the one here: add it")


def _as_udfs(udf: Any) -> tuple[UDF, ...]:
    udfs = tuple(udf) if isinstance(udf, (list, tuple)) else (udf,)
    if not udfs:
        raise ValueError("the list of UDFs is empty: give at least one, such as [SumUDF()]")
    for one in udfs:
        if isinstance(one, type) and issubclass(one, UDF):
            raise TypeError(
                f"{one.__name__} is a UDF class, expected an instance: write {one.__name__}()"
            )
        if not isinstance(one, UDF):
            raise TypeError(f"{one!r} is a {type(one).__name__}, expected an instance of UDF")
    return udfs
