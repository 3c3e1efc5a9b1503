"""Every attribute of self.meta."""

import numpy as np
from libertem.udf import UDF

from tests.conformance.case import clause, error_of, scan, some_of


class OnMeta(UDF):
    def get_result_buffers(self):
        return {"facts": self.buffer("single", (12,), "U64")}

    def note(self, facts):
        self.results.facts[:] = [str(fact) for fact in facts] + [""] * (12 - len(facts))

    def merge(self, dest, src):
        dest.facts[:] = src.facts


def facts_of(ctx, udf, roi=None, data=None, **kwargs):
    dataset = ctx.load("memory", data=scan() if data is None else data, **kwargs)
    return ctx.run_udf(dataset, udf, roi=roi)["facts"].data


@clause(
    "`dataset_shape`, `dataset_dtype`, `input_dtype`",
    "`device_class`, `threads_per_worker`",
    "meta `roi`",
)
def about_the_dataset(ctx):
    class About(OnMeta):
        def process_frame(self, frame):
            meta = self.meta
            self.note(
                [
                    tuple(meta.dataset_shape),
                    tuple(meta.dataset_shape.nav),
                    tuple(meta.dataset_shape.sig),
                    meta.dataset_shape.sig.dims,
                    np.dtype(meta.dataset_dtype),
                    np.dtype(meta.input_dtype),
                    meta.device_class,
                    meta.threads_per_worker is None or meta.threads_per_worker > 0,
                    meta.roi is None or (meta.roi.shape, meta.roi.dtype, meta.roi.sum()),
                    meta.array_backend,
                ]
            )

    return facts_of(ctx, About()), facts_of(ctx, About(), roi=some_of())


@clause("`corrections`", needs=("io.corrections:CorrectionSet",))
def corrections(ctx):
    class About(OnMeta):
        def process_frame(self, frame):
            found = self.meta.corrections
            self.note(
                [found.have_corrections(), found.get_gain_map() is None, found.get_dark_frame()]
            )

    return facts_of(ctx, About())


class InHand(OnMeta):
    """Checks where the data in hand comes from."""

    def check(self, frames):
        meta, params = self.meta, self.params
        where, box = meta.slice, meta.sig_slice
        full = meta.slice.shape
        assert full[0] == len(frames), (full, frames.shape)
        assert tuple(full.sig) == frames.shape[1:]
        assert tuple(box.shape) == frames.shape[1:]
        flat = params.data.reshape((-1, *meta.dataset_shape.sig))
        if meta.roi is not None:
            flat = flat[meta.roi.reshape(-1)]
        assert np.all(flat[where.get()] == frames)
        assert np.all(where.get(flat) == frames)
        start = where.origin[0]
        rows = flat[start : start + len(frames)]
        assert np.all(rows[(Ellipsis, *box.get())] == frames)
        assert np.all(flat[0][where.get(sig_only=True)].shape == frames.shape[1:])
        assert np.all(flat[where.get(nav_only=True)] == rows)
        at = meta.coordinates
        assert at.shape == (len(frames), meta.dataset_shape.nav.dims), at.shape
        assert np.all(params.data[tuple(at.T)][(Ellipsis, *box.get())] == frames)
        assert meta.partition_shape.sig == meta.dataset_shape.sig
        assert meta.partition_shape.dims == meta.dataset_shape.sig.dims + 1
        assert 0 <= meta.tiling_scheme_idx < len(meta.tiling_scheme)
        scheme = meta.tiling_scheme[meta.tiling_scheme_idx]
        assert tuple(scheme.origin) == tuple(box.origin)
        self.note(["fine", at.dtype.kind, meta.partition_shape.nav.dims, where.nav.shape.dims])


class TileInHand(InHand):
    def process_tile(self, tile):
        self.check(tile)


class FrameInHand(InHand):
    def process_frame(self, frame):
        self.check(frame[np.newaxis])


class PartitionInHand(InHand):
    def process_partition(self, partition):
        self.check(partition)


@clause(
    "`slice`, `sig_slice`",
    "`coordinates` (per frame of the tile, (depth, nav dims))",
    "`partition_shape`",
    "`tiling_scheme`, `tiling_scheme_idx`",
)
def in_hand(ctx):
    data = scan(nav=(16, 8), sig=(64, 64))
    line = scan(nav=(9,))
    volume = scan(nav=(3, 4, 5))
    return [
        facts_of(ctx, udf_class(data=d), roi=roi, data=d, num_partitions=3)
        for udf_class in (TileInHand, FrameInHand, PartitionInHand)
        for d, roi in (
            (data, None),
            (data, some_of((16, 8))),
            (line, None),
            (line, some_of((9,))),
            (volume, some_of((3, 4, 5))),
        )
    ]


@clause("`coordinates` (per frame of the tile, (depth, nav dims))", "`partition_shape`")
def in_hooks(ctx):
    class Hooks(OnMeta):
        def get_task_data(self):
            shape = self.meta.partition_shape
            return {"n": shape[0], "at": self.meta.coordinates, "sig": tuple(shape.sig)}

        def process_frame(self, frame):
            pass

        def postprocess(self):
            task = self.task_data
            assert task.n == len(task.at)
            self.note([task.sig, task.at.ndim, task.n > 0])

    return facts_of(ctx, Hooks()), facts_of(ctx, Hooks(), roi=some_of())


@clause("It may use `self.meta` and `self.params`")
def in_declarations(ctx):
    class Declares(UDF):
        def get_result_buffers(self):
            shape, dtype = self.meta.dataset_shape, np.dtype(self.meta.input_dtype)
            n_bins = self.params.n_bins
            count = shape.nav.size if self.meta.roi is None else int(self.meta.roi.sum())
            return {
                "bins": self.buffer("nav", (n_bins,), dtype),
                "copy": self.buffer("single", (count, *shape.sig), "f4", use="result_only"),
                "last": self.buffer("single", shape.sig, self.meta.dataset_dtype),
            }

        def process_frame(self, frame):
            self.results.bins[:] = np.histogram(frame, self.params.n_bins)[0]

        def merge(self, dest, src):
            dest.bins[:] = src.bins

        def get_results(self):
            shape = self.get_result_buffers()["copy"].extra_shape
            return {"copy": np.ones(shape, "f4")}

    dataset = ctx.load("memory", data=scan())
    return ctx.run_udf(dataset, Declares(n_bins=4)), ctx.run_udf(
        dataset, Declares(n_bins=3), roi=some_of()
    )


@clause("`partition_shape`")
def outside_of_a_partition(ctx):
    class Asks(UDF):
        def get_result_buffers(self):
            try:
                shape = self.meta.partition_shape
            except ValueError:
                shape = None
            assert shape is None or shape.dims == 3
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            self.results.x[:] = 1

    return error_of(ctx.run_udf, ctx.load("memory", data=scan()), Asks())


class Looks(UDF):
    """Notes in each hook whether what `self.meta` says fits the data and the partition."""

    def get_result_buffers(self):
        return {
            "sound": self.buffer("nav", (2,), bool),
            "deepest": self.buffer("nav", dtype="int64"),
        }

    def get_task_data(self):
        return {"sound": self.is_sound(self.meta.partition_shape[0], self.meta.dataset_shape.sig)}

    def is_sound(self, n_frames, sig):
        meta = self.meta
        nav = meta.dataset_shape.nav
        selected = np.arange(nav.size) if meta.roi is None else np.flatnonzero(meta.roi)
        start = meta.slice.origin[0]
        at = np.unravel_index(selected[start : start + n_frames], tuple(nav))
        box, scheme = meta.sig_slice, meta.tiling_scheme
        return (
            tuple(meta.slice.shape) == (n_frames, *sig)
            and np.array_equal(meta.coordinates, np.stack(at, axis=1))
            and tuple(box.shape) == tuple(sig)
            and scheme[meta.tiling_scheme_idx] == box
            and tuple(meta.slice.shape.sig) == tuple(box.shape)
            and 0 < n_frames <= meta.partition_shape[0]
            and tuple(scheme.shape) == (scheme.depth, *sig)
            and tuple(meta.partition_shape.sig) == tuple(meta.dataset_shape.sig)
        )

    def preprocess(self):
        if self.meta.tiling_scheme is not None and "sound" in self.task_data:
            whole = self.is_sound(self.meta.partition_shape[0], self.meta.dataset_shape.sig)
            self.results.sound[:, 1] = whole and self.task_data.sound

    def look(self, data):
        self.results.sound[..., 0] = self.is_sound(len(data), data.shape[1:])
        self.results.deepest[:] = len(data)


class LooksAtTiles(Looks):
    def process_tile(self, tile):
        self.look(tile)

    def get_tiling_preferences(self):
        return {"depth": self.TILE_DEPTH_DEFAULT, "total_size": self.params.size}


class LooksAtFrames(Looks):
    def process_frame(self, frame):
        self.look(frame[np.newaxis])


class LooksAtPartitions(Looks):
    def process_partition(self, partition):
        self.look(partition)


@clause(
    "`slice`, `sig_slice`",
    "`coordinates` (per frame of the tile, (depth, nav dims))",
    "`tiling_scheme`, `tiling_scheme_idx`",
    "`get_tiling_preferences()` ({'depth', 'total_size'}",
)
def in_every_hook(ctx):
    dataset = ctx.load("memory", data=scan(dtype="f4"), num_partitions=2)
    frame_bytes = 6 * 7 * 4
    udfs = [LooksAtTiles(size=n * frame_bytes) for n in (1, 3, 20)]
    seen = []
    for udf in [*udfs, LooksAtFrames(), LooksAtPartitions()]:
        for roi in (None, some_of()):
            result = ctx.run_udf(dataset, udf, roi=roi)
            sound = result["sound"].raw_data
            wanted = udf.params.size // frame_bytes if isinstance(udf, LooksAtTiles) else 20
            seen.append([bool(sound.all()), bool(result["deepest"].raw_data.max() <= wanted)])
    return seen
