"""Where the names of LiberTEM's modules are at home here.

A line is a name, or ``name=other`` where it is called otherwise here; a path in front of a colon is
that of its module here, outside of udfwidgets where it begins with a dot.
"""

from __future__ import annotations

_TABLE = """
analysis.masks
    analysis.results: MasksResultSet=AnalysisResultSet SingleMaskResultSet=AnalysisResultSet
analysis.com
    analysis.results: COMResultSet=AnalysisResultSet
analysis.sum
    analysis.results: SumResultSet=AnalysisResultSet
analysis.raw
    analysis.results: PickResultSet=AnalysisResultSet
analysis.radialfourier
    analysis.results: RadialFourierResultSet=AnalysisResultSet
analysis
    analysis.sum: SumAnalysis
    analysis.com: COMAnalysis
    analysis.radialfourier: RadialFourierAnalysis
    analysis.disk: DiskMaskAnalysis
    analysis.ring: RingMaskAnalysis
    analysis.point: PointMaskAnalysis
    analysis.masks: MasksAnalysis
    analysis.raw: PickFrameAnalysis
analysis.base
    analysis.base: BaseAnalysis=Analysis
api
    engine.ends.stream: ResultGenerator=ResultStream ResultAsyncGenerator=AsyncResultStream
    io.dataset.base: DataSet
common
    shapes: Shape Slice
common.analysis
    analysis.results: AnalysisResult AnalysisResultSet
common.cupy
    names.devices: has_cupy
common.backend
    names.devices: get_use_cuda set_use_cuda get_use_cpu set_use_cpu get_device_class
common.buffers
    buffers: BufferWrapper reshaped_view
    udf.base: ArrayWithMask=MaskedResult
    udf.contract.auxiliary: AuxBufferWrapper=AuxData
    errors: InvalidMaskError=UDFException
common.container
    udf.container: MaskContainer
common.exceptions
    errors: UDFException ExecutorSpecException UDFRunCancelled
common.executor
    engine.executors.base: JobExecutor=Executor
    errors: ExecutorError=UDFWidgetsError JobCancelledError=UDFRunCancelled
common.math
    .math: prod
    .numpy: count_nonzero flat_nonzero=flatnonzero ndenumerate
common.progress
    engine.ends.bar: ProgressState ProgressReporter TQDMProgressReporter
common.shape
    shapes: Shape
common.slice
    shapes: Slice
common.sparse
    masks: is_sparse to_dense to_sparse
common.udf
    udf.base: UDFMethod UDFProtocol=UDF
common.viz
    analysis.colours: encode_image
corrections
    io.corrections: CorrectionSet
corrections.coordinates
    names.coordinates: scale rotate rotate_deg flip_y flip_x identity scale_rotate_flip_y
corrections.corrset
    io.corrections: CorrectionSet
corrections.detector
    io.corrections: correct
exceptions
    errors: UDFException ExecutorSpecException UDFRunCancelled
executor
executor.base
    engine.executors.base: BaseJobExecutor=Executor
executor.concurrent
    engine.executors.threads: ConcurrentJobExecutor=ThreadsExecutor
executor.dask
    engine.executors.dask.executor: DaskJobExecutor=DaskExecutor
executor.inline
    engine.executors.inline: InlineJobExecutor=InlineExecutor
executor.pipelined
    engine.executors.threads: PipelinedExecutor=ThreadsExecutor
io.corrections.corrset
    io.corrections: CorrectionSet
io.corrections.detector
    io.corrections: correct
io.dataset
    io.load: load detect filetypes=FILETYPES get_dataset_cls get_extensions get_search_order
io.dataset.base
    errors: DataSetException
    io.described: DataSetMeta Partition BasePartition=Partition
    names.backends: IOBackend MMapBackend BufferedBackend DirectBackend
    .numpy: DataTile=ndarray
io.dataset.base.backend
    names.backends: IOBackend
io.dataset.base.backend_buffered
    names.backends: BufferedBackend
io.dataset.base.backend_direct
    names.backends: DirectBackend
io.dataset.base.backend_mmap
    names.backends: MMapBackend
io.dataset.base.dataset
    io.dataset.base: DataSet
io.dataset.base.exceptions
    errors: DataSetException
io.dataset.base.meta
    io.described: DataSetMeta
io.dataset.base.partition
    io.described: Partition BasePartition=Partition
io.dataset.base.tiling
    .numpy: DataTile=ndarray
udf
    udf.auto: AutoUDF
    udf.base: UDFData=Views check_cast
    udf.mixins: UDFMergeAllMixin
    errors: UDFRunCancelled
udf.base
    buffers: BufferWrapper
    .numpy: DataTile=ndarray
    .builtins: UDFResultDict=dict
    udf.base: UDFData=Views MergeAttrMapping=Views UDFBase=UDF
    udf.mixins: UDFFrameMixin UDFTileMixin UDFPartitionMixin
    udf.mixins: UDFPreprocessMixin UDFPostprocessMixin UDFMergeAllMixin
utils
utils.devices
    names.devices: detect has_cupy
viz
    analysis.colours: rgb_from_2dvector encode_image visualize_simple
    engine.ends.plots: get_plottable_2D_channels
viz.base
    analysis.colours: rgb_from_2dvector visualize_simple
    engine.ends.plots: Live2DPlot Dummy2DPlot get_plottable_2D_channels
"""


def homes() -> dict[str, dict[str, str]]:
    """Return for each module its names that are here, each with ``module:name``."""
    found: dict[str, dict[str, str]] = {}
    module = ""
    for line in _TABLE.strip().splitlines():
        if not line.startswith(" "):
            module = line
            found.setdefault(module, {})
            continue
        where, _, names = line.strip().partition(": ")
        where = where[1:] if where.startswith(".") else f"udfwidgets.{where}"
        for entry in names.split():
            name, _, other = entry.partition("=")
            found[module][name] = f"{where}:{other or name}"
    return found
