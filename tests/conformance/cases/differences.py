"""What comes out differently on purpose."""

import logging
import tempfile
import warnings
from pathlib import Path

import h5py
import numpy as np
from libertem.masks import ring
from libertem.udf import UDF
from libertem.udf.com import CoMUDF
from libertem.udf.raw import PickUDF
from libertem.udf.stddev import StdDevUDF
from libertem.udf.sum import SumUDF
from libertem.udf.sumsigudf import SumSigUDF

from tests.conformance.case import error_of, scan


def large(ctx, factor=1):
    return ctx.load("memory", data=scan((16, 16), (64, 64), "f4") * factor, num_partitions=8)


def stored_results(ctx):
    stored = list(ctx.run_udf_iter(large(ctx), SumUDF()))
    sums = [float(step.buffers[0]["intensity"].data.sum()) for step in stored]
    return len(set(sums)) == len(stored) > 1


def one_instance_in_two_runs(ctx):
    udf = SumUDF()
    first = ctx.run_udf_iter(large(ctx), udf)
    next(first)
    for _ in ctx.run_udf_iter(large(ctx, 2), udf):
        pass
    *_, last = first
    expected = ctx.run_udf(large(ctx), SumUDF())["intensity"].data
    return np.allclose(last.buffers[0]["intensity"].data, expected)


def exact_sums(ctx):
    data = np.random.default_rng(0).integers(0, 65536, (200, 100, 2, 2)).astype("u2")
    results = ctx.run_udf(ctx.load("memory", data=data), SumUDF())
    exact = data.sum(axis=(0, 1), dtype="i8").astype("f4")
    return np.array_equal(results["intensity"].data, exact)


def sums_beyond_the_dtype(ctx):
    dataset = ctx.load("memory", data=np.full((4, 4, 8, 8), 200, "u1"))
    return error_of(ctx.run_udf, dataset, SumUDF(dtype="u1"))


class Input(UDF):
    def get_result_buffers(self):
        return {"dtype": self.buffer("single", dtype="U16")}

    def get_preferred_input_dtype(self):
        return self.params.dtype

    def process_frame(self, frame):
        self.results.dtype[:] = str(frame.dtype)

    def merge(self, dest, src):
        dest.dtype[:] = src.dtype


def input_dtypes(ctx):
    udfs = [Input(dtype=bool), Input(dtype="f4"), Input(dtype="f8")]
    results = ctx.run_udf(ctx.load("memory", data=scan()), udfs)
    return [str(result["dtype"].data[0]) for result in results]


class Results(UDF):
    def get_result_buffers(self):
        return {
            "x": self.buffer("nav"),
            "made": self.buffer("single", (2,), "int64", use="result_only"),
        }

    def process_frame(self, frame):
        self.results.x[:] = frame.max()

    def get_results(self):
        return self.params.results


def results_without_numpy(ctx):
    dataset = ctx.load("memory", data=scan())
    return error_of(ctx.run_udf, dataset, Results(results={"made": [1, 2]}))


def results_left_out(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Results(results={}))


def results_undeclared(ctx):
    results = {"made": np.array([1, 2]), "other": np.ones(3)}
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Results(results=results))


def results_of_wrong_shape(ctx):
    results = {"made": np.arange(5)}
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Results(results=results))


class Whole(Results):
    def get_result_buffers(self):
        return {"made": self.buffer("nav", use="result_only")}

    def process_frame(self, frame):
        pass


def results_outside_of_the_roi(ctx):
    roi = np.zeros((4, 5), bool)
    roi[1:3] = True
    udf = Whole(results={"made": np.ones((4, 5), "f4")})
    return int(
        np.isfinite(ctx.run_udf(ctx.load("memory", data=scan()), udf, roi=roi)["made"]).sum()
    )


def results_as_declared(ctx):
    results = {"made": np.array([1, 2])}
    result = ctx.run_udf(ctx.load("memory", data=scan()), Results(results=results))
    return str(result["made"].use)


def valid_before_anything_came(ctx):
    nothing = np.zeros((4, 5), bool)
    result = ctx.run_udf(ctx.load("memory", data=scan()), SumUDF(), roi=nothing)
    return bool(result["intensity"].valid_mask.any())


class Odd(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("single", (2,), self.params.dtype)}

    def process_frame(self, frame):
        pass

    def merge(self, dest, src):
        dest.x[:] = src.x


def odd_sizes(ctx):
    dtypes = ("U3", [("y", "i4"), ("x", "i2")])
    return [error_of(ctx.run_udf, ctx.load("memory", data=scan()), Odd(dtype=d)) for d in dtypes]


def strings_at_the_start(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), Odd(dtype="U4"))["x"].data


def missing_file(ctx):
    return error_of(ctx.load, "npy", path="/nowhere/scan.npy")


def more_forms_of_roi(ctx):
    dataset = ctx.load("memory", data=scan())
    forms = [
        [(1, 2), (3, 4)],
        [((1, 2), False)],
        [((1, 2), True), ((1, 2), False)],
        [(-1, -1)],
    ]
    return [error_of(ctx.run_udf, dataset, SumSigUDF(), roi=roi) is None for roi in forms]


class Sparse(UDF):
    def get_backends(self):
        return (self.BACKEND_SCIPY_CSR,)

    def get_result_buffers(self):
        return {"x": self.buffer("nav")}

    def process_tile(self, tile):
        self.results.x[:] = 1


def sparse_tiles(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Sparse())


class Remembers(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.x[:] = frame.max()

    def merge(self, dest, src):
        self.merged = True
        super().merge(dest, src)

    def get_results(self):
        return {"x": self.results.x * getattr(self, "merged", False)}


def own_attributes_between_hooks(ctx):
    udf = Remembers()
    result = ctx.run_udf(ctx.load("memory", data=scan()), udf)
    return hasattr(udf, "merged"), bool(result["x"].data.any())


def stddev_of_complex(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan(dtype="c8")), StdDevUDF())


class Weighted(UDF):
    def get_result_buffers(self):
        return {"x": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.x[:] = (frame * self.params.weights).sum()


def auxiliary_data_by_pixel(ctx):
    weights = Weighted.aux_data(np.arange(42, dtype="f4"), kind="sig", dtype="f4")
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Weighted(weights=weights))


def auxiliary_data_cast(ctx):
    return error_of(lambda: UDF.aux_data([1, 2, 3], kind="nav", dtype="f4"))


def mixed_dtypes(ctx):
    return [udf["intensity"].dtype for udf in ctx.run_udf(
        ctx.load("memory", data=scan()), [SumSigUDF(), SumUDF(dtype="f8")]
    )]  # fmt: skip


def update_for_unknown_udfs(ctx):
    steps = ctx.run_udf_iter(large(ctx), [SumUDF(), SumUDF()])
    next(steps)
    outcome = error_of(steps.update_parameters_experimental, [{}])
    steps.close()
    return outcome


def blank_at_the_start(ctx):
    return ctx.load("memory", data=scan(), sync_offset=-3)


def valid_where_nothing_is(ctx):
    intensity = ctx.run_udf(blank_at_the_start(ctx), SumSigUDF())["intensity"]
    return intensity.valid_mask.reshape(-1)[:5]


def picked_by_udf(ctx):
    roi = np.zeros((4, 5), bool)
    roi[0] = True
    picked = ctx.run_udf(blank_at_the_start(ctx), PickUDF(), roi=roi)["intensity"]
    return picked.data.any(axis=(1, 2)), picked.valid_mask.all(axis=(1, 2))


def picked_from_nothing(ctx):
    analysis = ctx.create_pick_analysis(blank_at_the_start(ctx), x=1, y=0)
    return error_of(ctx.run, analysis)


def merlin(folder, n_frames, per_trigger):
    """Return a scan of 10 frames whose .hdr promises others."""
    with Path(folder, "a.mib").open("wb") as file:
        for number in range(1, 11):
            head = f"MQ1,{number:06d},00384,01,0064,0002,U16,   1x1,0F,<time>,0.001,12,"
            file.write(head.encode().ljust(384, b"\0") + np.full(128, number, ">u2").tobytes())
    hdr = Path(folder, "a.hdr")
    hdr.write_text(
        f"HDR,\nFrames in Acquisition (Number):\t{n_frames}\n"
        f"Frames per Trigger (Number):\t{per_trigger}\nEnd\t"
    )
    return hdr


def lines_that_do_not_come_out(ctx):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = ctx.load("mib", path=str(merlin(folder, 10, 4)))
        return tuple(dataset.shape.nav), ctx.run_udf(dataset, SumSigUDF())["intensity"].data


def stopped_scan_warns(ctx):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = ctx.load("mib", path=str(merlin(folder, 12, 4)))
        shape = tuple(dataset.shape.nav)
    return shape, any("2 of 12 frames are missing" in str(warning.message) for warning in caught)


def guessed_shape_warns(ctx):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        shape = tuple(ctx.load("mib", path=str(merlin(folder, 10, 1))).shape.nav)
    return shape, any("is a guess: pass nav_shape=" in str(warning.message) for warning in caught)


def frame_cut_off_warns(ctx):
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        path = merlin(folder, 10, 5).with_suffix(".mib")
        path.write_bytes(path.read_bytes()[:-20])
        dataset = ctx.load("mib", path=str(path), nav_shape=(9,))
        sums = ctx.run_udf(dataset, SumSigUDF())["intensity"].data
    return sums, any("is not complete" in str(w.message) for w in caught)


def offsets_beyond_the_frames(ctx):
    how = {"data": scan((2,)), "sig_dims": 2, "nav_shape": (5,), "sync_offset": -3}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if error := error_of(ctx.load, "memory", **how):
            return error
        dataset = ctx.load("memory", **how)
    return ctx.run_udf(dataset, SumSigUDF())["intensity"].data > 0


class PartitionSums(UDF):
    def get_result_buffers(self):
        return {"sums": self.buffer("nav", dtype="f8")}

    def process_partition(self, partition):
        self.results.sums[:] = partition.sum(axis=(1, 2))


def partitions_with_missing_frames(ctx):
    dataset = blank_at_the_start(ctx)
    return error_of(ctx.run_udf, dataset, PartitionSums())


def com_beside_missing_frames(ctx):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = ctx.load("memory", data=scan((10,)), nav_shape=(3, 4), sig_dims=2)
    divergence = ctx.run_udf(dataset, CoMUDF())["divergence"].data
    return np.isnan(divergence)


def executors_by_name(ctx):
    with type(ctx).make_with(executor_spec="threads", cpus=2) as threads:
        return type(threads.executor).__name__


class Clips(UDF):
    def get_result_buffers(self):
        return {"sums": self.buffer("nav", dtype="f8")}

    def process_frame(self, frame):
        frame[frame < 50] = 50
        self.results.sums[:] = frame.sum()


def written_in_place(ctx):
    data = scan(dtype="f4")
    dataset = ctx.load("memory", data=data)
    clips, sums = ctx.run_udf(dataset, [Clips(), SumSigUDF()])
    return {
        "clipped": np.allclose(clips["sums"].data, np.maximum(scan(), 50).sum(axis=(2, 3))),
        "the others": np.allclose(sums["intensity"].data, scan().sum(axis=(2, 3))),
        "the array": np.array_equal(data, scan()),
    }


class NoImages(UDF):
    def get_result_buffers(self):
        return {"vector": self.buffer("nav", (2,)), "profile": self.buffer("single", (3,))}

    def process_frame(self, frame):
        self.results.vector[:] = frame.max()

    def merge(self, dest, src):
        dest.vector[:] = src.vector


def plots_of_no_images(ctx):
    dataset = ctx.load("memory", data=scan())
    return [
        error_of(ctx.run_udf, dataset, NoImages(), plots=plots)
        for plots in ([["vector"]], [["profile"]])
    ]


def frames_beyond_the_scan(ctx):
    told = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = told.append
    logging.getLogger().addHandler(handler)
    dataset = ctx.load("memory", data=scan((5, 6)), nav_shape=(3, 5))
    logging.getLogger().removeHandler(handler)
    return tuple(dataset.shape.nav), len(told)


def empty_roi_warns(ctx):
    dataset = ctx.load("memory", data=scan())
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ctx.run_udf(dataset, SumUDF(), roi=np.zeros((4, 5), bool))
    return bool(caught)


def ring_turned_inside_out(ctx):
    return error_of(ring, 8, 8, 16, 16, radius=2, radius_inner=5)


def com_dtypes(ctx):
    results = ctx.run_udf(ctx.load("memory", data=scan()), CoMUDF())
    return [str(results[name].data.dtype) for name in ("raw_com", "field", "curl", "regression")]


def com_integrated(ctx):
    analysis = ctx.create_com_analysis(ctx.load("memory", data=scan()))
    return [result.key for result in ctx.run(analysis)]


def com_of_one_position(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan((1, 1))), CoMUDF())


def raw_pixels_of_merlin(ctx):
    """Return the dtypes of 1 bit, and of 24 bits, as the chips send them."""
    dtypes = []
    with tempfile.TemporaryDirectory() as folder:
        for depth, width, n_bytes in ((1, 256, 8192), (24, 512, 262144)):
            path = Path(folder, "a.mib")
            shape = f"{width:04d},0256,R64,   1x1,0F"
            head = f"MQ1,000001,00384,01,{shape},<time>,0.1,0,0,0,1.0E+1,{depth},"
            path.write_bytes(head.encode().ljust(384, b"\0") + bytes(n_bytes))
            dtypes.append(str(ctx.load("mib", path=str(path), nav_shape=(1,)).dtype))
    return dtypes


def frames_that_come_last(ctx):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "stack.emd"))
        with h5py.File(path, "w") as file:
            file["Version"] = np.bytes_('{"format": "Velox", "version": "1.6"}')
            image = file.create_group("Data/Image/" + 8 * "01ab")
            image.create_dataset("Data", data=np.zeros((6, 7, 3), "u2"), chunks=(6, 7, 1))
            image["Metadata"] = np.zeros((30000, 3), "u1")
        return tuple(ctx.load("auto", path=path).shape)


def grid_of_a_volume(ctx):
    """The third number of the grid of an MRC file is that of the sections, if they are a volume."""
    header = np.zeros(256, "<i4")
    header[:4], header[7:10], header[52:54] = (
        (3, 2, 4, 6),
        (3, 2, 4),
        np.frombuffer(b"MAP DD\0\0", "<i4"),
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "volume.mrc")
        path.write_bytes(header.tobytes() + np.arange(24, dtype="<u2").tobytes())
        return tuple(ctx.load("mrc", path=str(path)).shape)


class Merges(UDF):
    def get_result_buffers(self):
        return {
            "x": self.buffer("nav", dtype="int64"),
            "first": self.buffer("single", (2,), "int64", use="result_only"),
        }

    def process_tile(self, tile):
        self.results.x[:] = len(tile)

    def get_tiling_preferences(self):
        return {"depth": self.params.depth, "total_size": self.TILE_SIZE_BEST_FIT}

    def merge(self, dest, src):
        assert error_of(lambda: self.meta.partition_shape) == "ValueError"
        dest.x[:] = -1 if self.meta.slice is None else self.meta.slice.origin[0] + 1

    def get_results(self):
        where = self.meta.slice
        found = [-1, -1] if where is None else [where.origin[0], where.shape[0]]
        return {"first": np.array(found), "x": self.results.x}


def where_merge_is(ctx):
    results = ctx.run_udf(ctx.load("memory", data=scan(), num_partitions=1), Merges(depth=20))
    return int(results["x"].data[0, 0]), results["first"].data.tolist()


class Deep(Merges):
    def merge(self, dest, src):
        dest.x[:] = src.x


def depth_of_tiles(ctx):
    dataset = ctx.load("memory", data=scan(), num_partitions=1)
    return int(ctx.run_udf(dataset, Deep(depth=7))["x"].data.max())


class Finishes(UDF):
    def get_result_buffers(self):
        return {"whole": self.buffer("nav", dtype=bool)}

    def process_frame(self, frame):
        pass

    def postprocess(self):
        n_frames = self.meta.partition_shape[0]
        self.results.whole[:] = self.meta.slice.shape[0] == len(self.meta.coordinates) == n_frames


def where_postprocess_is(ctx):
    dataset = ctx.load("memory", data=scan((2, 1)), num_partitions=1)
    return ctx.run_udf(dataset, Finishes())["whole"].data.reshape(-1)
