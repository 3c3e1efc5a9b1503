"""process_*: precedence, what is in hand, hooks and tiling."""

import numpy as np
from libertem.udf import UDF
from libertem.udf.base import UDFException  # noqa: F401

from tests.conformance.case import clause, error_of, scan, some_of


class All(UDF):
    def get_result_buffers(self):
        return {"by": self.buffer("nav", dtype="int8")}

    def process_tile(self, tile):
        self.results.by[:] = 1

    def process_frame(self, frame):
        self.results.by[:] = 2

    def process_partition(self, partition):
        self.results.by[:] = 3


class FrameAndPartition(UDF):
    get_result_buffers = All.get_result_buffers
    process_frame = All.process_frame
    process_partition = All.process_partition


class Chosen(All):
    def get_method(self):
        return self.UDF_METHOD[self.params.method]


@clause("`process_tile(tile)` > `process_frame(frame)` > `process_partition(partition)`")
def precedence(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), [All(), FrameAndPartition()])


@clause("unless `get_method()` says otherwise", "`UDF.UDF_METHOD.TILE/FRAME/PARTITION`")
def chosen(ctx):
    udfs = [Chosen(method=method) for method in ("TILE", "FRAME", "PARTITION")]
    methods = [udf.get_method().value for udf in udfs]
    return methods, ctx.run_udf(ctx.load("memory", data=scan()), udfs)


@clause("unless `get_method()` says otherwise")
def chosen_but_missing(ctx):
    class Without(UDF):
        def get_result_buffers(self):
            return {}

        def get_method(self):
            return self.UDF_METHOD.TILE

        def process_frame(self, frame):
            pass

    class Nonsense(Without):
        def get_method(self):
            return "tile"

    dataset = ctx.load("memory", data=scan())
    return error_of(ctx.run_udf, dataset, Without()), error_of(ctx.run_udf, dataset, Nonsense())


class Shapes(UDF):
    """Notes the shapes of all it is shown, without those that depend on the partitioning."""

    def get_result_buffers(self):
        return {
            "flat": self.buffer("nav"),
            "wide": self.buffer("nav", (2, 3)),
            "sig": self.buffer("sig"),
            "deep": self.buffer("sig", (2,)),
            "single": self.buffer("single"),
            "several": self.buffer("single", (99,)),
            "note": self.buffer("single", dtype="U256"),
        }

    def note(self, data, is_frame=False):
        results = self.results
        by_frame = [a.shape[not is_frame :] for a in (data, results.flat, results.wide)]
        whole = [a.shape for a in (results.sig, results.deep, results.single, results.several)]
        results.note[:] = " ".join(map(str, by_frame + whole))

    def merge(self, dest, src):
        dest.note[:] = src.note


class TileShapes(Shapes):
    def process_tile(self, tile):
        assert len(self.results.flat) == len(self.results.wide) == len(tile)
        self.note(tile)


class FrameShapes(Shapes):
    def process_frame(self, frame):
        self.note(frame, is_frame=True)


class PartitionShapes(Shapes):
    def process_partition(self, partition):
        assert len(self.results.flat) == len(self.results.wide) == len(partition)
        assert self.meta.partition_shape[0] == len(partition)
        self.note(partition)


@clause(
    "Tile: (depth, *sig slice); frame: sig shape; partition: (frames, *sig)",
    "`self.results.name` is the view that belongs to exactly the data in hand",
    "for nav buffers the rows (or the one position) of this tile or frame",
    "for sig buffers the sig slice",
)
def shapes(ctx):
    udfs = [TileShapes(), FrameShapes(), PartitionShapes()]
    cases = [
        (scan(), None, 2),
        (scan(), some_of(), 2),
        (scan(nav=(10,)), None, 2),
        (scan(nav=(2, 3, 4)), None, 2),
        (scan(nav=(9, 3), sig=(11,)), None, 1),
        (scan(nav=(10,), sig=(3, 4, 5)), None, 3),
    ]
    return [
        [r["note"].data for r in ctx.run_udf(ctx.load("memory", data=d, sig_dims=n), udfs, roi=roi)]
        for d, roi, n in cases
    ]


class WritesThrough(UDF):
    def get_result_buffers(self):
        return {
            "set": self.buffer("nav", dtype="float64"),
            "added": self.buffer("nav", dtype="float64"),
            "assigned": self.buffer("nav", dtype="float64"),
            "set_sig": self.buffer("sig", dtype="float64"),
            "added_sig": self.buffer("sig", dtype="float64"),
            "added_single": self.buffer("single", dtype="float64"),
            "local": self.buffer("sig", dtype="float64"),
        }

    def merge(self, dest, src):
        for name in ("set", "added", "assigned"):
            getattr(dest, name)[:] = getattr(src, name)
        dest.set_sig[:] = np.maximum(dest.set_sig, src.set_sig)
        dest.added_sig += src.added_sig
        dest.added_single[:] += src.added_single
        dest.local = dest.local + src.local


class WritesByTile(WritesThrough):
    def process_tile(self, tile):
        self.results.set[:] = tile.sum(axis=(1, 2))
        self.results.added[:] += tile.sum(axis=(1, 2))
        self.results.assigned = tile.sum(axis=(1, 2))
        self.results.set_sig[:] = np.maximum(self.results.set_sig, tile.max(axis=0))
        self.results.added_sig += tile.sum(axis=0)
        self.results.added_single += tile.sum()
        local = self.results.local
        local += tile.sum(axis=0)


class WritesByFrame(WritesThrough):
    def process_frame(self, frame):
        self.results.set[:] = frame.sum()
        self.results.added += frame.sum()
        self.results.assigned = frame.sum()
        np.maximum(self.results.set_sig, frame, out=self.results.set_sig)
        self.results.added_sig[:] += frame
        self.results.added_single[0] += frame.sum()
        local = self.results.local
        local[:] += frame


class WritesByPartition(WritesThrough):
    def process_partition(self, partition):
        WritesByTile.process_tile(self, partition)


@clause("`self.results.name[:] = ...` and `+=` write through, zero-filled at the start")
def writing(ctx):
    udfs = [WritesByTile(), WritesByFrame(), WritesByPartition()]
    data = scan(nav=(16, 8), sig=(64, 64))
    dataset = ctx.load("memory", data=data, num_partitions=4)
    return ctx.run_udf(dataset, udfs), ctx.run_udf(dataset, udfs, roi=some_of((16, 8)))


class Extremes(UDF):
    """Starts from something else than zero."""

    def get_result_buffers(self):
        return {
            "least": self.buffer("sig"),
            "greatest": self.buffer("sig"),
            "first": self.buffer("nav", dtype="int32"),
        }

    def preprocess(self):
        self.results.least[:] = np.inf
        self.results.greatest[:] = -np.inf
        self.results.first[:] = -1

    def process_frame(self, frame):
        self.results.least[:] = np.minimum(self.results.least, frame)
        self.results.greatest[:] = np.maximum(self.results.greatest, frame)

    def merge(self, dest, src):
        dest.least[:] = np.minimum(dest.least, src.least)
        dest.greatest[:] = np.maximum(dest.greatest, src.greatest)
        dest.first[:] = src.first


@clause("`preprocess()`")
def preprocess(ctx):
    data = scan() + 5
    nothing = np.zeros((4, 5), bool)
    dataset = ctx.load("memory", data=data)
    results = [ctx.run_udf(dataset, Extremes(), roi=roi) for roi in (None, some_of(), nothing)]
    return [{name: wrapper.data for name, wrapper in result.items()} for result in results]


class Lists(UDF):
    """Collects in lists, which need to be made first."""

    def get_result_buffers(self):
        return {"found": self.buffer("nav", dtype=object)}

    def preprocess(self):
        for index in range(len(self.results.found)):
            self.results.found[index] = []

    def process_frame(self, frame):
        self.results.found[0].append(int(frame.max()))


@clause("`preprocess()`")
def preprocess_of_objects(ctx):
    found = ctx.run_udf(ctx.load("memory", data=scan()), Lists())["found"]
    return found.data.shape, str(found.dtype), [list(entry) for entry in found.data.reshape(-1)]


class Mean(UDF):
    def get_result_buffers(self):
        return {"mean": self.buffer("nav", dtype="float64")}

    def get_task_data(self):
        return {"n_pixels": np.prod(self.meta.dataset_shape.sig), "twice": {"x": 2}}

    def process_tile(self, tile):
        self.results.mean += tile.sum(axis=(1, 2)) * self.task_data.twice["x"]

    def postprocess(self):
        self.results.mean[:] /= self.task_data.n_pixels


@clause("`postprocess()`", "`get_task_data()` -> values at `self.task_data`")
def postprocess(ctx):
    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset, Mean()), ctx.run_udf(dataset, Mean(), roi=some_of())


class Scratch(UDF):
    """Keeps state for one partition in its task data and on itself."""

    def get_result_buffers(self):
        return {"count": self.buffer("single", dtype="int64")}

    def get_task_data(self):
        return {"work": np.zeros(self.meta.dataset_shape.sig), "seen": []}

    def process_frame(self, frame):
        self.task_data.work[:] = frame
        self.task_data.seen.append(1)
        self.own = getattr(self, "own", 0) + 1

    def postprocess(self):
        assert self.own == len(self.task_data.seen)
        self.results.count[:] = self.own

    def merge(self, dest, src):
        dest.count += src.count


@clause("`get_task_data()` -> values at `self.task_data`", "`cleanup()`")
def state(ctx):
    class Cleans(Scratch):
        def cleanup(self):
            del self.own

    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset, Scratch()), ctx.run_udf(dataset, Cleans())


class Tiled(UDF):
    def get_tiling_preferences(self):
        depth, size = self.params.depth, self.params.size
        return {
            "depth": getattr(self, depth) if isinstance(depth, str) else depth,
            "total_size": getattr(self, size) if isinstance(size, str) else size,
        }

    def get_result_buffers(self):
        return {"sum": self.buffer("sig"), "sums": self.buffer("nav")}

    def process_tile(self, tile):
        self.results.sum += tile.sum(axis=0)
        self.results.sums += tile.sum(axis=(1, 2))

    def merge(self, dest, src):
        dest.sum += src.sum
        dest.sums[:] = src.sums


@clause(
    "`get_tiling_preferences()` ({'depth', 'total_size'}",
    "`TILE_SIZE_BEST_FIT`, `TILE_SIZE_MAX`, `TILE_DEPTH_DEFAULT`, `TILE_DEPTH_MAX`",
)
def tiling(ctx):
    dataset = ctx.load("memory", data=scan())
    depths = ("TILE_DEPTH_DEFAULT", "TILE_DEPTH_MAX", 1, 3)
    sizes = ("TILE_SIZE_BEST_FIT", "TILE_SIZE_MAX", 1024)
    return [ctx.run_udf(dataset, Tiled(depth=d, size=s)) for d in depths for s in sizes]


class Backends(Tiled):
    def __init__(self, backends, depth=5, size="TILE_SIZE_MAX"):
        super().__init__(backends=backends, depth=depth, size=size)

    def get_backends(self):
        return self.params.backends


@clause("`get_backends()`")
def backends(ctx):
    dataset = ctx.load("memory", data=scan())
    choices = [
        UDF.BACKEND_NUMPY,
        (UDF.BACKEND_NUMPY,),
        (UDF.BACKEND_NUMPY, UDF.BACKEND_CUPY),
        [UDF.BACKEND_CUPY, UDF.BACKEND_NUMPY, UDF.BACKEND_SCIPY_CSR],
    ]
    return [ctx.run_udf(dataset, Backends(choice)) for choice in choices]


@clause("`get_backends()`")
def backend_names(ctx):
    names = ("NUMPY", "CUPY", "CUDA", "SPARSE_COO", "SPARSE_GCXS", "SPARSE_DOK")
    names += ("SCIPY_COO", "SCIPY_CSR", "SCIPY_CSC", "CUPY_SCIPY_CSR", "CUPY_SCIPY_CSC")
    names += ("SCIPY_COO_ARRAY", "SCIPY_CSR_ARRAY", "SCIPY_CSC_ARRAY", "CUPY_SCIPY_COO")
    return [getattr(UDF, f"BACKEND_{name}") for name in names], "numpy" in UDF.BACKEND_ALL


@clause("`get_backends()`")
def sets_of_backends(ctx):
    kinds = ("CPU", "CUDA", "CUPY", "SPARSE", "DENSE", "ND", "D2")
    sets = [getattr(UDF, f"{kind}_BACKENDS") for kind in kinds]
    dataset = ctx.load("memory", data=scan())
    # NumPy has given its matrices up.
    names = [sorted(found - {"numpy.matrix"}) for found in sets]
    return names, ctx.run_udf(dataset, Backends(UDF.CPU_BACKENDS & UDF.DENSE_BACKENDS))


@clause("`get_backends()`")
def no_backend_for_the_data(ctx):
    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Backends(("nonsense",)))


class Library(UDF):
    def get_result_buffers(self):
        return {"sum": self.buffer("sig", (2,)), "sums": self.buffer("nav")}

    def process_tile(self, tile):
        total = self.xp.stack([self.xp.sum(tile, axis=0)] * 2, axis=-1)
        self.results.sum[:] += self.forbuf(total, self.results.sum)
        self.results.sums[:] = self.forbuf(tile.sum(axis=(1, 2)), self.results.sums)

    def merge(self, dest, src):
        dest.sum[:] += src.sum
        dest.sums[:] = src.sums


@clause("`self.xp`, `self.forbuf(arr, target)` exist (NumPy on the CPU)")
def library(ctx):
    return Library().xp is np, ctx.run_udf(ctx.load("memory", data=scan()), Library())


class FlatSum(Library):
    """Works on flat detectors and folds the result back."""

    def process_tile(self, tile):
        flat = tile.reshape((tile.shape[0], -1))
        total = np.repeat(flat.sum(axis=0), 2)
        self.results.sum[:] += self.forbuf(total, self.results.sum)


@clause("`self.xp`, `self.forbuf(arr, target)` exist (NumPy on the CPU)")
def folding_back(ctx):
    return ctx.run_udf(ctx.load("memory", data=scan()), FlatSum())


class Counted(UDF):
    """Counts the frames that it is handed, and where they are."""

    def get_result_buffers(self):
        return {
            "n": self.buffer("single", dtype="i8"),
            "places": self.buffer("nav", (2,), dtype="i8"),
            "row": self.buffer("nav", dtype="i8"),
        }

    def process_tile(self, tile):
        self.results.n[:] += len(tile)
        self.results.places[:] = self.meta.coordinates
        self.results.row[:] = self.meta.slice.nav.origin[0] + np.arange(len(tile))

    def get_tiling_preferences(self):
        return {"depth": 1, "total_size": np.inf}

    def merge(self, dest, src):
        dest.n[:] += src.n
        dest.places[:] = src.places
        dest.row[:] = src.row


def _blank(ctx):
    return ctx.load("memory", data=scan(), sync_offset=-3)


@clause("positions without a frame are not processed, and nav results are zero there")
def blank_positions(ctx):
    results = ctx.run_udf(_blank(ctx), [Counted(), Library()])
    return [{name: one[name].data for name in one} for one in results]


@clause("positions without a frame are not processed, and nav results are zero there")
def blank_positions_in_a_roi(ctx):
    results = ctx.run_udf(_blank(ctx), [Counted(), Library()], roi=some_of())
    return [{name: one[name].raw_data for name in one} for one in results]
