"""The Context: the one object through which a user loads data and runs UDFs."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal, NoReturn, cast, overload

from typing_extensions import Unpack

from udfwidgets.analysis.create import Analyses
from udfwidgets.buffers import BufferWrapper
from udfwidgets.closing import Closing
from udfwidgets.context.exporting import WriteUDF, exporting
from udfwidgets.context.options import RunOptions, UDFs, check_backends, check_dataset
from udfwidgets.context.showing import Showing
from udfwidgets.engine.ends.bar import ProgressReporter
from udfwidgets.engine.ends.plots import Live2DPlot
from udfwidgets.engine.ends.stream import (
    AsyncResult,
    AsyncResultStream,
    Result,
    ResultStream,
    wait_for_result,
)
from udfwidgets.engine.ends.view import ViewClass
from udfwidgets.engine.executors import Executor, check_gpus, count_of, make_executor
from udfwidgets.engine.plan.order import Order
from udfwidgets.engine.subscription import EveryStep
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.stream import StreamDataSet
from udfwidgets.io.load import load
from udfwidgets.names import further
from udfwidgets.told.tracebacks import folded
from udfwidgets.udf.auto import AutoUDF

__all__ = ["Context"]

_log = logging.getLogger(__name__)


class Context(Analyses, Showing, Closing):
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
        self,
        executor: Executor | None = None,
        plot_class: ViewClass | type[Live2DPlot] | None = None,
    ) -> None:
        super().__init__(make_executor("threads") if executor is None else executor, plot_class)
        self._streams: weakref.WeakSet[StreamDataSet] = weakref.WeakSet()

    @classmethod
    def make_with(
        cls,
        executor_spec: str = "threads",
        cpus: int | Iterable[int] | None = None,
        plot_class: ViewClass | type[Live2DPlot] | None = None,
        gpus: int | Iterable[int] | None = None,
        snooze_timeout: float | None = None,
        main_process_gpu: int | None = None,
    ) -> Context:
        """Return a Context with an executor of a kind.

        Parameters
        ----------
        executor_spec : str
            'threads'; 'processes', single-threaded ones of a Dask cluster that is started on this
            machine, for Python code that holds the GIL for long; or 'inline', the calling thread
            alone. Other names, of LiberTEM: 'concurrent' and 'pipelined' for threads, 'dask' for
            processes, 'synchronous' for inline.
        cpus : int, or iterable of int, optional
            How many workers, or the numbers of the processors, of which as many are used.
        plot_class : callable, optional
            As for `Context`.
        gpus, main_process_gpu : int, or iterable of int, optional
            Taken from code written for LiberTEM, where they ask for none: there is nothing here
            that works on them.
        snooze_timeout : float, optional
            Taken without effect: workers that rest cost nothing.

        Raises
        ------
        ExecutorSpecException
            If there is no such executor, or it cannot honour `cpus` or `gpus`.
        """
        check_gpus(executor_spec, gpus, main_process_gpu)
        if snooze_timeout is not None:
            _log.debug("snooze_timeout is taken without effect: workers that rest cost nothing")
        return cls(make_executor(executor_spec, count_of(cpus)), plot_class)

    @folded
    def load(self, filetype: str, *args: Any, **kwargs: Any) -> DataSet:
        """Open a scan.

        Parameters
        ----------
        filetype : str
            'auto' to find out from the file; 'memory', 'npy', 'raw', 'hdf5', 'mib', or 'stream'
            for frames from an async iterator.
        *args, **kwargs
            As the dataset takes them, ``path=`` for all that are files. ``follow=True`` takes a
            file that is still being recorded, 'hdf5', 'mib', 'seq', 'tvips' or 'raw'; see
            `GrowingH5DataSet`, `GrowingMIBDataSet`, `udfwidgets.io.dataset.growing`, and
            `StreamDataSet` for 'stream', which the Context closes.
            ``calibration=Calibration(sig=(0.4, "mrad"), nav=(2.5, "nm"))`` says how large pixels
            are, in place of what the file tells; `DataSet.calibrate` does so later.

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
        udf: UDFs,
        roi: Any = ...,
        *,
        sync: Literal[False],
        **options: Unpack[RunOptions],
    ) -> AsyncResult: ...
    @overload
    def run_udf(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = ...,
        *,
        sync: Literal[True] = ...,
        **options: Unpack[RunOptions],
    ) -> Result: ...
    @folded
    def run_udf(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = None,
        corrections: CorrectionSet | None = None,
        progress: bool | ProgressReporter = False,
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
        progress : bool or ProgressReporter
            Show a progress bar as text, or tell a reporter of your own that inherits from
            `ProgressReporter`.
        backends : sequence of str, optional
            Taken from code written for several array libraries; 'numpy', the one here, has to be
            among them.
        plots : bool, list or dict, optional
            True shows the first result of each UDF that is an image, live, or else the first that
            can be shown as a line or a number; of one with an `extra_shape` up to six slices, or
            one with a slider. A list has one entry per UDF: a list of channels, or a dict of
            titles to channels; one such dict is enough where the names are clear. A channel is the
            name of a result; (name, function) to make an image, a line or a number of its data;
            (name, index) for one slice of it; or a function of all results, in the form in which
            they are returned. Or a list of plots of your own, see `Plot`.
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
        check_dataset(dataset, sync)
        check_backends(backends)
        run, single = self._prepare(dataset, udf, roi, corrections, progress, order)
        own_plots = self._show(run, udf, plots)
        if not plots and not progress:
            run.hurry(alone=sync)
        self._start(run)
        if not sync:
            return AsyncResult(run, single, own_plots)
        return wait_for_result(run, single, own_plots)

    @overload
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = ...,
        *,
        sync: Literal[False],
        **options: Unpack[RunOptions],
    ) -> AsyncResultStream: ...
    @overload
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = ...,
        *,
        sync: Literal[True] = ...,
        **options: Unpack[RunOptions],
    ) -> ResultStream: ...
    @folded
    def run_udf_iter(
        self,
        dataset: DataSet,
        udf: UDFs,
        roi: Any = None,
        corrections: CorrectionSet | None = None,
        progress: bool | ProgressReporter = False,
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
        check_dataset(dataset, sync)
        check_backends(backends)
        run, _ = self._prepare(dataset, udf, roi, corrections, progress, order)
        own_plots = self._show(run, udf, plots)
        inbox = EveryStep()
        run.subscribe(inbox)
        self._start(run)
        stream = ResultStream if sync else AsyncResultStream
        return stream(run, inbox, own_plots)

    @folded
    def map(
        self,
        dataset: DataSet,
        f: Callable[[Any], Any],
        roi: Any = None,
        progress: bool | ProgressReporter = False,
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
        results = self.run_udf(
            dataset, AutoUDF(f), roi, corrections=corrections, progress=progress, backends=backends
        )
        return cast("Mapping[str, BufferWrapper]", results)["result"]

    @folded
    def export_dataset(
        self,
        dataset: DataSet,
        path: str | os.PathLike[str],
        progress: bool | ProgressReporter = False,
        overwrite: bool = False,
    ) -> None:
        """Write all frames of a dataset to a file, in full shape.

        The file gets its name when it is complete: what was there before is kept until then, and
        nothing is left of an export that fails or is interrupted. Positions without a frame are
        written as zeros, as a warning says. What the dataset tells of the size of pixels is
        written, too, where the format has a place for it.

        Parameters
        ----------
        dataset : DataSet
            What to write; corrections that it declares are applied.
        path : str or path
            Of the file. Its end says what it will be: ``.npy``; ``.h5``, ``.hdf5`` or ``.nxs``, a
            NeXus file with chunks of Bitshuffle and LZ4; ``.zarr``, a directory with chunks of
            Zstd; ``.mib`` or ``.hdr``, which writes both; ``.blo``.
        progress : bool or ProgressReporter
            As for `run_udf`.
        overwrite : bool
            Replace a file that exists.

        Raises
        ------
        ValueError
            If the name ends in something else, if it is that of the file which is read, or if the
            format has no place for such data: `.mib` and `.blo` hold whole numbers from 0 on, of a
            scan of two axes.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        DataSetException
            If ``.zarr`` is asked for and the package zarr is not installed.
        """
        check_dataset(dataset)
        with exporting(dataset, path, overwrite) as udf, ExitStack() as stack:
            is_here = not isinstance(udf, WriteUDF) or self.executor.name != "dask"
            ctx = self if is_here else stack.enter_context(Context())
            ctx.run_udf(dataset, udf, progress=progress, order="scan")

    def close(self) -> None:
        """Cancel all runs, close all streams and end all threads. Closing twice is allowed.

        In a process that was forked there is nothing to close.
        """
        if self.executor.is_elsewhere:
            return
        self.executor.close()
        for entry in self.registry.entries():
            entry.run.retire()
        for stream in tuple(self._streams):
            stream.close()

    def __repr__(self) -> str:
        return f"<Context workers={self.executor.workers} analyses={len(self.analyses)}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            "a Context owns the threads of its process and cannot be pickled: make one where it "
            "is needed, and leave it out of what UDFs refer to"
        )


if not TYPE_CHECKING:
    __getattr__ = further(__name__)
