"""UDFs that write into what they are handed."""

from __future__ import annotations

import h5py
import numba
import numpy as np
import pytest

from udfwidgets.api import Context
from udfwidgets.engine.work.writers import is_writer
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.udf import UDF
from udfwidgets.udf.sum import SumUDF

SCAN = np.random.default_rng(0).integers(0, 9, (8, 9, 6, 7))


@numba.njit
def clip(frame):
    for i in range(frame.shape[0]):
        for j in range(frame.shape[1]):
            if frame[i, j] < 1:
                frame[i, j] = 1


class Largest(UDF):
    def get_result_buffers(self):
        return {"largest": self.buffer("nav"), "smallest": self.buffer("nav")}

    def process_frame(self, frame):
        self.results.largest[:] = frame.max()
        self.results.smallest[:] = frame.min()


def writer(method: str, written: str):
    """Return a new class of UDFs: each is found out anew."""

    class Clips(UDF):
        def get_result_buffers(self):
            return {"total": self.buffer("nav"), "counted": self.buffer("nav", dtype="i8")}

        def get_method(self):
            return self.UDF_METHOD[method]

        def process(self, data):
            # Before it writes: what was done by then must not count twice.
            self.results.counted[:] += 1
            if written == "by index":
                data[data < 1] = 1
            elif written == "in place":
                np.maximum(data, 1, out=data)
            elif written == "late":
                if data.max() > 7:
                    data[data < 1] = 1
                data = np.maximum(data, 1)
            elif written == "unlocked":
                data.setflags(write=True)
                data[data < 1] = 1
            elif written == "as an output":
                np.dot(np.maximum(data, 1), np.eye(7, dtype=data.dtype), out=data)
            elif data.ndim == 2:
                clip(data)
            else:
                for frame in data:
                    clip(frame)
            self.results.total[:] = data.sum(axis=(-2, -1))

        process_frame = process_tile = process_partition = process

    return Clips


@pytest.fixture(params=["inline", "threads"])
def ctx(request):
    with Context.make_with(request.param) as ctx:
        yield ctx


@pytest.fixture(params=["memory", "npy", "hdf5", "chunks"])
def dataset(request, ctx, tmp_path):
    data = SCAN.astype("f4")
    data.flags.writeable = False
    if request.param == "memory":
        return ctx.load("memory", data=data)
    if request.param == "npy":
        np.save(tmp_path / "a.npy", data)
        return ctx.load("npy", path=tmp_path / "a.npy")
    options = {"chunks": (1, 1, 6, 7), "compression": "gzip"} if request.param == "chunks" else {}
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("scan", data=data, **options)
    return ctx.load("hdf5", path=tmp_path / "a.h5")


@pytest.mark.parametrize(
    "written", ["by index", "in place", "late", "unlocked", "as an output", "compiled"]
)
@pytest.mark.parametrize("method", ["FRAME", "TILE", "PARTITION"])
def test_writing_is_private(ctx, dataset, method: str, written: str) -> None:
    if written == "compiled" and not isinstance(dataset, MemoryDataSet):
        pytest.skip("takes its time to compile, and is tried on memory")
    clips = writer(method, written)
    others = [Largest(), SumUDF()]
    for udfs in ([clips()], [clips(), *others], [*others, clips(), writer(method, written)()]):
        results = ctx.run_udf(dataset, udfs)
        for udf, result in zip(udfs, results, strict=True):
            if isinstance(udf, Largest):
                np.testing.assert_array_equal(result["largest"].data, SCAN.max((2, 3)))
                np.testing.assert_array_equal(result["smallest"].data, SCAN.min((2, 3)))
            elif isinstance(udf, SumUDF):
                np.testing.assert_array_equal(result["intensity"].data, SCAN.sum((0, 1)))
            else:
                np.testing.assert_array_equal(result["total"].data, np.maximum(SCAN, 1).sum((2, 3)))
                assert (result["counted"].data == 1).all()
    assert method == "PARTITION" or is_writer(clips)


@pytest.mark.parametrize("written", ["in place", "unlocked", "as an output"])
def test_an_array_in_memory_stays_as_it_is(ctx, written: str) -> None:
    data = SCAN.astype("f4")
    ctx.run_udf(ctx.load("memory", data=data), writer("TILE", written)())
    np.testing.assert_array_equal(data, SCAN)


def test_converted_data_are_private_too(ctx) -> None:
    dataset = ctx.load("memory", data=SCAN.astype("u2"))
    result, largest = ctx.run_udf(dataset, [writer("FRAME", "by index")(), Largest()])
    np.testing.assert_array_equal(result["total"].data, np.maximum(SCAN, 1).sum((2, 3)))
    np.testing.assert_array_equal(largest["smallest"].data, SCAN.min((2, 3)))


def test_a_read_only_array_of_ones_own_is_an_error(ctx) -> None:
    class Mistaken(UDF):
        def get_result_buffers(self):
            return {"x": self.buffer("nav")}

        def process_frame(self, frame):
            own = np.zeros(3)
            own.flags.writeable = False
            own[:] = 1

    with pytest.raises(ValueError, match="read-only"):
        ctx.run_udf(ctx.load("memory", data=SCAN), Mistaken())


def test_what_was_opened_is_given_back_before_it_is_done_again() -> None:
    open_now, most = [], []

    class Opens(writer("FRAME", "by index")):
        def get_task_data(self):
            open_now.append(self)
            most.append(len(open_now))
            return {}

        def cleanup(self):
            open_now.remove(self)

    with Context.make_with("inline") as ctx:
        ctx.run_udf(ctx.load("memory", data=SCAN.astype("f4")), Opens())
    assert open_now == []
    assert len(most) > 1
