"""What of LiberTEM's names is not here, and what to do instead.

A line without indentation is an advice; below it are the modules, and the names in them, for which
it is given.
"""

from __future__ import annotations

_TABLE = """
run the UDF itself with ctx.run_udf()
    analysis: FEMAnalysis PickFFTFrameAnalysis SumfftAnalysis ApplyFFTMask SDAnalysis
        ClusterAnalysis SumSigAnalysis
    analysis.apply_fft_mask: FFTMaskTemplate ApplyFFTMask
    analysis.clust: ClusterTemplate ClusterAnalysis
    analysis.com: ComTemplate ParameterGuessProc
    analysis.disk: DiskTemplate
    analysis.fem: FEMTemplate FEMAnalysis
    analysis.getroi: get_roi
    analysis.helper: GeneratorHelper
    analysis.masks: BaseMasksAnalysis
    analysis.point: PointTemplate
    analysis.radialfourier: RadialTemplate radial_mask_factory
    analysis.raw: PickTemplate
    analysis.rawfft: PickfftTemplate PickFFTFrameAnalysis
    analysis.ring: RingTemplate
    analysis.sd: SDTemplate SDAnalysis
    analysis.sum: SumTemplate
    analysis.sumfft: SumfftTemplate SumfftAnalysis
    analysis.sumsig: SumSigTemplate SumSigAnalysis
annotate with ResultStream and AsyncResultStream of udfwidgets.engine.ends.stream
    api: RunUDFGenType RunUDFGenTypeL RunUDFAGenType RunUDFAGenTypeL RunUDFAsync RunUDFAsyncL
        RunUDFSyncL RunUDFResultType
annotate with what it is: a str, a dict, an array, a callable
    api: ExecutorSpecType RoiT IterableRoiT
    common.buffers: BufferKind BufferLocation BufferSize BufferUse
    common.container: FactoryT SparseSupportedT
    common.executor: GPUSpec ResourceDef
    common.math: ProdAccepted
    common.shape: ShapeLike
    io.dataset.base.tiling_scheme: TilingIntent
    io.dataset.base.utils: NodeType
    masks: MaskArrayType MaskFactoriesType
    udf.base: BackendSpec DeviceClass ExecutionPlan UDFKwarg UDFKwargs
    udf.com: RegressionOptionsT
catch ValueError
    common: SliceUsageError
pass copy=None to NumPy from version 2 on
    common.compat: copy_if_needed
    common.slice: SliceUsageError
use sync=False and await, or async for, what ctx.run_udf() and ctx.run_udf_iter() return
    common.async_utils: MyStopIteration sync_to_async async_generator run_agen_get_last
        run_gen_get_last AsyncGenToQueueThread async_to_sync_generator SyncGenToQueueThread
        async_generator_eager adjust_event_loop_policy
use resource.setrlimit of Python
    common.backend: set_file_limit
use NumPy arrays and their slices; the buffers of a UDF are declared with self.buffer()
    common.buffers: batched bytes_aligned empty_aligned zeros_aligned to_numpy disjoint
        BufferPool ManagedBuffer get_inner_slice get_bbox_2d get_bbox get_bbox_slice
        PlaceholderBufferWrapper PreallocBufferWrapper
leave it out: the work is done on processors, with NumPy
    common.cupy: use_gpu
run UDFs through a Context; its executor takes nothing but runs
    common.executor: Environment TaskProtocol GenericTaskProtocol AsyncJobExecutor
        WorkerQueueEmpty WorkerQueue SimpleWorkerQueue SimpleMPWorkerQueue WorkerContext
        TaskCommHandler NoopCommHandler
use math and NumPy
    common.math: make_2D_square
pass parameters as Python objects
    common.messageconverter: MessageConverter
use numba.njit and np.ravel_multi_index
    common.numba: numba_ravel_multi_index_single numba_ravel_multi_index_multi
        numba_unravel_index_single numba_unravel_index_multi rmatmul
        numba_dtypes
    common.numba.cache: cached_njit hasher MyFunctionCache MyCPUDispatcher MyCPU
pass progress=True, or look at run.progress of the runs in ctx.analyses
    common.progress: CommsDispatcher ProgressManager PartitionTrackerNoOp get_time
        PartitionProgressTracker
leave it out: workers take partitions by themselves
    common.scheduler: WorkerSet Worker Scheduler
use Shape, whose nav and sig are shapes too
    common.shape: SigOnlyShape NavOnlyShape
leave it out: threads cost nothing while they rest
    common.snooze: SnoozeMessage SnoozeManager keep_alive keep_alive_context
use to_dense and to_sparse
    common.sparse: sparse_to_coo assert_sparse
subscribe to a run with run.subscribe()
    common.subscriptions: SubscriptionManager
leave it out: a worker is one thread, and threadpoolctl limits those of NumPy
    common.threading: detect_pyfftw set_fftw_threads detect_pytorch set_torch_threads
        set_numba_threads ThreadpoolWrapper set_num_threads set_num_threads_env mitigations
        lock
use a profiler such as py-spy
    common.tracing: maybe_setup_tracing setup_tracing attach_to_parent add_partition_to_span
        TracedThreadPoolExecutor
return a dict with 'depth' and 'total_size' from get_tiling_preferences()
    common.udf: TileDepthEnum TileSizeEnum TilingPreferences
transpose the array with NumPy, and save it as .npy
    contrib.convert_transposed: ConvertTransposedDatasetUDF convert_dm4_transposed
write it with ctx.export_dataset() and open the file with dask.array.from_array(np.load(...))
    contrib.daskadapter: make_dask_array
use CorrectionSet and pass it as corrections=
    corrections.detector: RepairDescriptor RepairValueError correct_dot_masks
    io.corrections.corrset: disjunct_multiplier adjust
    io.corrections.detector: CorrectError environments RepairValueError flatten_filter
        RepairDescriptor correct_dot_masks
use Context(), or Context.make_with('threads') or ('inline')
    executor.base: ResourceError make_canonical AsyncAdapter
    executor.cli: log_values preload_help
    executor.concurrent: ConcurrentWorkerContext AsyncConcurrentJobExecutor
    executor.dask: DaskWorkerContext set_worker_log_level worker_setup cluster_spec
        CommonDaskMixin AsyncDaskJobExecutor cli_worker
    executor.delayed: DelayedUDFRunner DelayedJobExecutor make_copy merge_wrap task_wrap
        structure_from_task delayed_to_buffer_wrappers
    executor.inline: InlineWorkerContext
    executor.integration: get_dask_integration_executor
    executor.pipelined: WorkerQueues WorkerSpec PoolWorkerInfo PoolStateError WorkerPool
        schedule_task set_thread_name worker_run_task worker_run_function worker_loop
        pipelined_worker PipelinedWorkerContext DeviceT ResultT ResultWithID WorkerSelector
    executor.utils: assign_cudas
    executor.utils.dask_buffer: DaskBufferWrapper DaskPreallocBufferWrapper
        DaskResultBufferWrapper
    executor.utils.dask_inplace: fake_np_flags DaskInplaceWrapper combine_slices_multid
        combine_slices
    executor.utils.delayed_unpack: default_unpackable default_merge_fns IgnoreClass
        StructDescriptor flatten_nested build_mapping rebuild_nested pairwise insert_at_pos
        find_tuples set_as_tuple list_to_tuple
    executor.utils.shmqueue: PoolAllocation PoolShmClient PoolShmAllocator drain_queue ShmQueue
use ctx.load(); a new format is a class in udfwidgets/io/dataset, see CONTRIBUTING.md
    io.dataset: build_extension_map register_dataset_cls unregister_dataset_cls
    io.dataset.hdf5: HDF5DatasetParams HDF5ArrayDescriptor H5Reader H5Partition
        current_time
    io.dataset.memory: FakeMMapFile MemBackend MemBackendImpl MemDatasetParams MemoryFile
        MemPartition
    io.dataset.mib: MIBDatasetParams read_hdr_file is_valid_hdr nav_shape_from_hdr get_filenames
        get_image_count_and_sig_shape encode_u1 encode_u2 encode_r1 encode_r6 encode_r12
        decode_r1_swap_2x2 decode_r6_swap_2x2 decode_r12_swap_2x2 decode_r1_swap decode_r6_swap
        decode_r12_swap decode_r24_swap MIBDecoder HeaderDict MIBHeaderReader MIBFile MIBFileSet
        MIBPartition MIBKind mib_2x2_get_read_ranges mib_r24_get_read_ranges
    io.dataset.npy: NPYDatasetParams NPYInfo read_npy_info
    io.dataset.raw: RAWDatasetParams RawFile RawFileSet RawPartition
leave it out: each format reads as fits its files; a new one implements DataSet and Source
    io.dataset.base: PartitionStructure WritableDataSet WritablePartition FileSet File FileTree
        TilingScheme default_get_read_ranges make_get_read_ranges Decoder DtypeConversionDecoder
        Negotiator decode_swap_2 decode_swap_4 get_coordinates
    io.dataset.base.backend: IOBackendImpl
    io.dataset.base.backend_buffered: block_get_min_fill_factor BufferedFile DirectBufferedFile
        BufferedBackendImpl
    io.dataset.base.backend_mmap: MMapFileBase MMapFile MMapBackendImpl
    io.dataset.base.coordinates: get_coordinates
    io.dataset.base.dataset: RoiHelper WritableDataSet
    io.dataset.base.decode: byteswap_2_straight byteswap_2_decode byteswap_4_straight
        byteswap_4_decode byteswap_8_straight byteswap_8_decode default_decode decode_swap_2
        decode_swap_4 decode_swap_8 decode_swap_only_2 decode_swap_only_4 decode_swap_only_8
        Decoder DtypeConversionDecoder
    io.dataset.base.file: OffsetsSizes File
    io.dataset.base.fileset: FileSet
    io.dataset.base.meta: PartitionStructure
    io.dataset.base.partition: WritablePartition
    io.dataset.base.roi: roi_for_partition
    io.dataset.base.tiling: make_get_read_ranges default_get_read_ranges
    io.dataset.base.tiling_scheme: TilingScheme Negotiator
    io.dataset.base.utils: FileTree
    io.dataset.blo: BLODatasetParams get_header_dtype_list BloFileSet MAGIC_EXPECT
    io.dataset.dm: SingleDMDatasetParams StackedDMDatasetParams StackedDMFile DMFileSet
    io.dataset.dm_single: DMFile DMPartition
    io.dataset.empad: get_params_from_xml EMPADDatasetParams EMPADFileSet EMPAD_DETECTOR_SIZE
        EMPAD_DETECTOR_SIZE_RAW
    io.dataset.frms6: FRMS6DatasetParams GainMapCSVDialect get_filenames decode_frms6_b1
        decode_frms6_b2 decode_frms6_b4 FRMS6Decoder FRMS6FileSet FRMS6Partition
        READOUT_MODE_PAT file_header_dtype frame_header_dtype frms6_get_read_ranges
    io.dataset.k2is: K2ISDatasetParams decode_uint12_le decode_k2is K2ISDecoder get_filenames
        K2Syncer Sector DataBlock K2FileSet K2ISFile K2ISPartition
        BLOCKS_PER_SECTOR_PER_FRAME BLOCK_SHAPE BLOCK_SIZE DATA_SIZE FIRST_FRAME_SCAN_SIZE
        HEADER_SIZE NUM_SECTORS SECTOR_SIZE SHUTTER_ACTIVE_MASK k2is_get_read_ranges
    io.dataset.mrc: MRCDatasetParams MRCBackendFile MRCBackend MRCBackendImpl MRCPartition
    io.dataset.raw_csr: TOMLError load_toml RawCSRDatasetParams CSRDescriptor CSRTriple
        RawCSRPartition sliced_indptr get_triple check get_descriptor get_nav_size
        read_tiles_straight populate_tile populate_tile_numba can_use_numba read_tiles_with_roi
    io.dataset.seq: xml_map_sizes xml_unbinned_map_maker xml_binned_map_maker
        xml_map_index_selector xml_defect_coord_extractor xml_defect_data_extractor bin_array2d
        array_cropping xml_generate_map_size xml_processing SEQDatasetParams SEQFileSet
        DOUBLE DWORD HEADER_FIELDS HEADER_SIZE LONG USHORT
    io.dataset.ser: SERDatasetParams SERFile SERFileSet SERPartition
    io.dataset.tvips: TVIPSDatasetParams SeriesHeader read_series_header frames_in_file
        get_image_count_and_sig_shape DetectionError detect_shape get_filenames
        MAX_SCAN_IDX SERIES_HEADER_SIZE image_header_v2_dtype series_header_dtype
write ctx.load('dm', path=...), which opens one file
    io.dataset.dm: StackedDMDataSet
    io.dataset.dm_single: SingleDMDataSet
ctx.load('memory', data=array.compute())
    io.dataset.dask: DaskDatasetParams FakeDaskMMapFile DaskBackend DaskBackendImpl DaskDataSet
        DaskFile DaskFileSet DaskPartition array_mult get_last_chunked_dim get_chunksizes
        modify_chunking findall neighbour_idxs min_neighbour min_with_min_neighbor get_values
        merge_until_target
leave it out: files are read as fits their format
    io.direct: open_direct readinto_direct
use pathlib and os.scandir
    io.fs: FSError stat_path get_fs_listing
leave it out: partitions are sized during the run
    io.utils: get_owner_name get_partition_shape
write the array with numpy.save, h5py or tifffile: np.asarray(result)
    io.writers:
    io.writers.base: WriteHandle
    io.writers.results:
    io.writers.results.base: ResultFormatRegistry ResultFormat
    io.writers.results.formats: HDF5ResultFormat NPZResultFormat NPZCompressedResultFormat
        TiffResultFormat RawResultFormat
run UDFs through a Context: ctx.run_udf() and ctx.run_udf_iter()
    udf.base: ResultsForDataSet TileConverter UDFKwargsWrapper UDFParams
        get_resources_for_backends GenericTask UDFTask UDFPartRunner UDFRunner UDFResultsLazy
subclass ApplyMasksUDF, whose masks are self.masks and self.task_data.masks
    udf.masks: ApplyMasksEngine
use StdDevUDF, which merges by itself
    udf.stddev: merge_single merge process_tile merge_ndarray process_tile_ndarray
calculate it with NumPy
    utils: make_cartesian make_polar rotate_precalc rotate_deg rotate_rad regularize_indices
        frame_peaks calc_coords within_frame
    utils.async_utils:
annotate with dict
    utils.devices: DetectResult
use udfwidgets.demo for synthetic scans
    utils.generate: cbed_frame hologram_frame gradient_data exclude_pixels
use udfwidgets.__version__
    versioning: get_git_rev
use the colour maps of the cmap package
    viz: libertem_cyclic
    viz.base: make_colormap libertem_cyclic cet_cyclic_isoluminant
leave plot_class out and pass plots=True; a plot of your own is a subclass of Live2DPlot
    viz.bqp: BQLive2DPlot
    viz.gms: GMSLive2DPlot
    viz.mpl: ui_events MPLLive2DPlot
nothing to catch: it is not raised
    warnings: UseDiscouragedWarning
"""


def elsewhere() -> dict[str, dict[str, str]]:
    """Return for each module its names that are not here, each with what to do instead."""
    found: dict[str, dict[str, str]] = {}
    advice = module = ""
    for line in _TABLE.strip().splitlines():
        if not line.startswith(" "):
            advice = line
            continue
        first, colon, rest = line.strip().partition(":")
        if colon:
            module = first
        names = rest if colon else line
        found.setdefault(module, {}).update(dict.fromkeys(names.split(), advice))
    return found
