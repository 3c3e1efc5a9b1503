"""Scans that were stopped early: each format, against NumPy on the frames that are there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.merlin import write_hdr, write_mib
from udfwidgets import ApplyMasksUDF, Context, StdDevUDF, SumSigUDF, SumUDF
from udfwidgets.io.corrections import CorrectionSet
from udfwidgets.io.dataset.base import DataSet
from udfwidgets.io.dataset.hdf5.dataset import H5DataSet
from udfwidgets.io.dataset.memory import MemoryDataSet
from udfwidgets.io.dataset.mib.dataset import MIBDataSet
from udfwidgets.io.dataset.npy import NPYDataSet
from udfwidgets.io.dataset.raw import RawFileDataSet
from udfwidgets.udf.auto import AutoUDF
from udfwidgets.udf.base import UDF
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.raw import PickUDF
from udfwidgets.udf.record import RecordUDF

Array = npt.NDArray[Any]

NAV, SIG = (5, 6), (4, 128)
# Bright, so that a frame of zeros among them is seen in every mean.
STORED = np.random.default_rng(5).integers(900, 1000, (80, *SIG)).astype("u2")


def memory(folder: Path, frames: Array, **how: Any) -> DataSet:
    return MemoryDataSet(frames, nav_shape=NAV, **how)


def npy(folder: Path, frames: Array, **how: Any) -> DataSet:
    np.save(folder / "scan.npy", frames)
    return NPYDataSet(folder / "scan.npy", nav_shape=NAV, **how)


def npy_truncated(folder: Path, frames: Array, **how: Any) -> DataSet:
    np.save(folder / "scan.npy", np.concatenate([frames, frames[:5]]))
    content = (folder / "scan.npy").read_bytes()
    (folder / "scan.npy").write_bytes(content[: -4 * frames[0].nbytes - 3])
    return NPYDataSet(folder / "scan.npy", nav_shape=NAV, **how)


def raw(folder: Path, frames: Array, **how: Any) -> DataSet:
    frames.tofile(folder / "scan.raw")
    return RawFileDataSet(folder / "scan.raw", "u2", NAV, SIG, **how)


def raw_big_endian_cut_within_a_frame(folder: Path, frames: Array, **how: Any) -> DataSet:
    (folder / "scan.raw").write_bytes(frames.astype(">u2").tobytes() + b"half a frame")
    return RawFileDataSet(folder / "scan.raw", ">u2", NAV, SIG, **how)


def hdf5(folder: Path, frames: Array, **how: Any) -> DataSet:
    with h5py.File(folder / "scan.h5", "w") as file:
        file["scan"] = frames
    return H5DataSet(folder / "scan.h5", nav_shape=NAV, **how)


def hdf5_chunked(folder: Path, frames: Array, **how: Any) -> DataSet:
    with h5py.File(folder / "scan.h5", "w") as file:
        chunks = (4, *SIG)
        file.create_dataset("scan", data=frames, chunks=chunks, compression="gzip", shuffle=True)
    return H5DataSet(folder / "scan.h5", nav_shape=NAV, **how)


def mib(folder: Path, frames: Array, **how: Any) -> DataSet:
    write_mib(folder / "scan.mib", frames, "U16", 12)
    return MIBDataSet(folder / "scan.mib", NAV, **how)


def mib_of_a_hdr_cut_within_a_frame(folder: Path, frames: Array, **how: Any) -> DataSet:
    write_mib(folder / "scan1.mib", frames[:7], "U16", 12)
    write_mib(folder / "scan2.mib", frames[7:], "U16", 12, first=8)
    with (folder / "scan2.mib").open("ab") as file:
        file.write(b"MQ1,000099,00384")
    return MIBDataSet(write_hdr(folder / "scan.hdr", 30, 6), **how)


FORMATS = [
    memory,
    npy,
    npy_truncated,
    raw,
    raw_big_endian_cut_within_a_frame,
    hdf5,
    hdf5_chunked,
    mib,
    mib_of_a_hdr_cut_within_a_frame,
]
Make = Callable[..., DataSet]


@dataclass(frozen=True)
class Geometry:
    """How a scan was recorded, and which stored frame each position gets; -1 for none."""

    n_stored: int
    how: dict[str, Any]
    numbers: Array


def _snake(n_stored: int, flyback: int = 0) -> Array:
    lines = np.arange(30).reshape(NAV) + flyback * np.arange(5)[:, np.newaxis]
    lines[1::2] = lines[1::2, ::-1]
    return np.where(lines < n_stored, lines, -1)


_ALL = np.arange(30).reshape(NAV)
GEOMETRIES = {
    "stopped": Geometry(19, {}, np.where(_ALL < 19, _ALL, -1)),
    "blank at the start": Geometry(30, {"sync_offset": -3}, np.where(_ALL < 3, -1, _ALL - 3)),
    "moved out": Geometry(30, {"sync_offset": 4}, np.where(_ALL < 26, _ALL + 4, -1)),
    "second scan": Geometry(50, {"sync_offset": 30}, np.where(_ALL < 20, _ALL + 30, -1)),
    "flyback": Geometry(
        24, {"flyback": 2}, np.where(_ALL + 2 * (_ALL // 6) < 24, _ALL + 2 * (_ALL // 6), -1)
    ),
    "snake": Geometry(21, {"snake": True}, _snake(21)),
    "snake with flyback": Geometry(29, {"snake": True, "flyback": 1}, _snake(29, 1)),
}


@pytest.fixture(params=["threads", "inline"])
def ctx(request: pytest.FixtureRequest) -> Iterator[Context]:
    with Context.make_with(request.param) as context:
        yield context


def load(make: Make, folder: Path, geometry: Geometry) -> tuple[DataSet, Array, Array]:
    """Return a dataset, its frames in full shape, and where there are none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("udfwidgets.io.dataset.folded.warn", lambda _: None)
        dataset = make(folder, STORED[: geometry.n_stored], **geometry.how)
    missing = geometry.numbers < 0
    truth = np.where(missing[..., None, None], 0, STORED[geometry.numbers])
    return dataset, truth.astype("u2"), missing


@pytest.mark.parametrize("make", FORMATS)
class TestReading(DataSetContract):
    @pytest.fixture(params=GEOMETRIES)
    def case(self, request: pytest.FixtureRequest, tmp_path: Path, make: Make) -> Case:
        dataset, truth, _ = load(make, tmp_path, GEOMETRIES[request.param])
        return Case(dataset, truth)


class CountUDF(UDF):
    """Counts what reaches it, and notes where."""

    def get_result_buffers(self) -> Any:
        return {
            "n": self.buffer("single", dtype=np.int64),
            "seen": self.buffer("nav", (2,), dtype=np.int64),
        }

    def process_frame(self, frame: Array) -> None:
        assert frame.min() >= 900
        self.results.n[0] += 1
        self.results.seen[:] = self.meta.coordinates[0]

    def merge(self, dest: Any, src: Any) -> None:
        dest.n[:] += src.n
        dest.seen[:] = src.seen


class PartitionUDF(UDF):
    """Is handed frames that follow each other."""

    def get_result_buffers(self) -> Any:
        return {"sum": self.buffer("nav", dtype=np.float64)}

    def process_partition(self, partition: Array) -> None:
        start = self.meta.slice.origin[0]
        coordinates = self.meta.coordinates
        assert coordinates[:, 0].tolist() == [(start + i) // 6 for i in range(len(partition))]
        self.results.sum[:] = partition.sum(axis=(1, 2), dtype=np.float64)


def check_all(
    ctx: Context, dataset: DataSet, truth: Array, missing: Array, roi: Array | None, order: Any
) -> None:
    wanted = ~missing if roi is None else roi & ~missing
    selected = np.ones(NAV, bool) if roi is None else roi
    there = truth[wanted].astype(np.float64)
    mask = np.arange(512.0).reshape(SIG)
    udfs = [
        SumUDF(),
        SumSigUDF(),
        StdDevUDF(),
        ApplyMasksUDF(lambda: mask, mask_dtype=np.float64),
        AutoUDF(lambda frame: frame.max()),
        CountUDF(),
        PickUDF(),
        CoMUDF.with_params(cy=1.5, cx=60, regression=1),
    ]
    results = ctx.run_udf(dataset, udfs, roi=roi, order=order)
    total, sums, deviation, masked, greatest, count, picked, com = results
    np.testing.assert_array_equal(total["intensity"].data, there.sum(axis=0))
    assert deviation["num_frames"].data[0] == len(there)
    np.testing.assert_allclose(deviation["mean"].data, there.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(deviation["var"].data, there.var(axis=0), rtol=1e-4)
    assert count["n"].data[0] == len(there)
    np.testing.assert_array_equal(count["seen"].data[wanted], np.argwhere(wanted))
    np.testing.assert_array_equal(picked["intensity"].data, truth[selected])
    np.testing.assert_array_equal(picked["intensity"].valid_mask.all(axis=(1, 2)), wanted[selected])
    np.testing.assert_allclose(masked["intensity"].data[wanted][:, 0], (there * mask).sum((1, 2)))
    for wrapper, truths in [
        (sums["intensity"], there.sum(axis=(1, 2))),
        (greatest["result"], there.max(axis=(1, 2))),
    ]:
        values = wrapper.data.reshape(NAV)
        np.testing.assert_array_equal(values[wanted], truths)
        # Blank where there is no frame, as in LiberTEM; nothing where it was not asked for.
        assert (values[selected & missing] == 0).all()
        np.testing.assert_array_equal(wrapper.valid_mask.reshape(NAV), wanted)
        np.testing.assert_array_equal(wrapper.masked_data.mask.reshape(NAV), ~wanted)
    np.testing.assert_array_equal(com["field_y"].valid_mask, wanted)
    x, weights = np.arange(128.0), there.sum(axis=1)
    centres = (weights * x).sum(axis=1) / weights.sum(axis=1)
    np.testing.assert_allclose(com["raw_com"].data[wanted][:, 1], centres, rtol=1e-5)


@pytest.mark.parametrize("order", ["scan", "progressive"])
@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("make", FORMATS)
def test_results_are_those_of_the_frames_that_are_there(
    ctx: Context, tmp_path: Path, make: Make, name: str, order: str
) -> None:
    dataset, truth, missing = load(make, tmp_path, GEOMETRIES[name])
    assert dataset.shape == (*NAV, *SIG)
    np.testing.assert_array_equal(dataset.missing, missing)
    facts = {fact["name"]: fact["value"] for fact in dataset.diagnostics}
    assert facts["Number of frames"] == str(np.count_nonzero(~missing))
    assert facts["Missing frames"] == str(np.count_nonzero(missing))
    assert dataset.notes[0].startswith(f"{np.count_nonzero(missing)} of 30 frames are missing")
    assert dataset.notes[0] in [fact["value"] for fact in dataset.diagnostics]
    check_all(ctx, dataset, truth, missing, None, order)


@pytest.mark.parametrize("order", ["scan", "progressive"])
@pytest.mark.parametrize("name", GEOMETRIES)
@pytest.mark.parametrize("make", [memory, hdf5_chunked, mib])
def test_a_roi_may_select_missing_positions(
    ctx: Context, tmp_path: Path, make: Make, name: str, order: str
) -> None:
    dataset, truth, missing = load(make, tmp_path, GEOMETRIES[name])
    roi = np.random.default_rng(1).random(NAV) < 0.6
    assert (roi & missing).any()
    check_all(ctx, dataset, truth, missing, roi, order)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_partitions_are_of_frames_that_follow_each_other(ctx: Context, name: str) -> None:
    dataset, truth, missing = load(memory, Path(), GEOMETRIES[name])
    result = ctx.run_udf(dataset, PartitionUDF())["sum"]
    np.testing.assert_array_equal(result.data, truth.sum(axis=(2, 3), dtype=np.float64))
    np.testing.assert_array_equal(result.valid_mask, ~missing)


def test_corrections_leave_missing_positions_alone(ctx: Context) -> None:
    dataset, truth, missing = load(memory, Path(), GEOMETRIES["blank at the start"])
    dark = CorrectionSet(dark=np.full(SIG, 10.0))
    got = ctx.run_udf(dataset, SumSigUDF(), corrections=dark)["intensity"].data.reshape(NAV)
    want = truth.sum(axis=(2, 3), dtype=np.float64) - 10 * 512
    np.testing.assert_allclose(got, np.where(missing, 0, want))


@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_steps_count_the_frames_that_are_there(ctx: Context, order: Any) -> None:
    dataset, truth, missing = load(memory, Path(), GEOMETRIES["snake"])
    total = np.zeros(SIG)
    for step in ctx.run_udf_iter(dataset, [SumUDF(), SumSigUDF()], order=order):
        damage = step.damage.data
        assert not (damage & missing).any()
        total = truth[damage].sum(axis=0, dtype=np.float64)
        np.testing.assert_array_equal(step.buffers[0]["intensity"].data, total)
        valid = step.buffers[1]["intensity"].valid_mask
        np.testing.assert_array_equal(valid.reshape(NAV), damage)
    np.testing.assert_array_equal(damage, ~missing)


def test_a_roi_of_nothing_but_missing_positions_is_done_at_once(ctx: Context) -> None:
    dataset, _, missing = load(memory, Path(), GEOMETRIES["stopped"])
    results = ctx.run_udf(dataset, [SumSigUDF(), PickUDF()], roi=missing)
    assert not results[0]["intensity"].valid_mask.any()
    assert results[1]["intensity"].data.shape == (11, *SIG)
    assert not results[1]["intensity"].valid_mask.any()


def test_runs_that_share_a_scan_get_the_same(tmp_path: Path) -> None:
    dataset, truth, missing = load(hdf5_chunked, tmp_path, GEOMETRIES["snake with flyback"])
    roi = np.zeros(NAV, bool)
    roi[1:4] = True
    with Context() as ctx:
        awaited = [
            ctx.run_udf_iter(dataset, SumUDF(), roi=where, order=order)
            for where in (None, roi)
            for order in ("scan", "progressive", None)
        ]
        last = [list(stream)[-1].buffers[0]["intensity"].data for stream in awaited]
    for got in last[:3]:
        np.testing.assert_array_equal(got, truth[~missing].sum(axis=0, dtype=np.float64))
    for got in last[3:]:
        np.testing.assert_array_equal(got, truth[roi & ~missing].sum(axis=0, dtype=np.float64))


def test_an_export_has_zeros_and_says_so(ctx: Context, tmp_path: Path) -> None:
    dataset, truth, _ = load(memory, tmp_path, GEOMETRIES["stopped"])
    with pytest.warns(UserWarning, match="11 of 30 frames are missing, and zeros in") as caught:
        ctx.export_dataset(dataset, tmp_path / "out.npy")
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), truth)


def test_a_recording_keeps_nothing_of_an_older_one(ctx: Context, tmp_path: Path) -> None:
    dataset, truth, _ = load(memory, tmp_path, GEOMETRIES["stopped"])
    np.save(tmp_path / "out.npy", np.full(truth.shape, 7, truth.dtype))
    ctx.run_udf(dataset, RecordUDF(tmp_path / "out.npy"))
    np.testing.assert_array_equal(np.load(tmp_path / "out.npy"), truth)


def test_map_and_analyses(ctx: Context) -> None:
    dataset, truth, missing = load(memory, Path(), GEOMETRIES["stopped"])
    mapped = ctx.map(dataset, lambda frame: frame.min())
    np.testing.assert_array_equal(mapped.data[~missing], truth[~missing].min(axis=(1, 2)))
    np.testing.assert_array_equal(mapped.valid_mask, ~missing)
    disk = ctx.run(ctx.create_disk_analysis(dataset, cx=64, cy=2, r=500))
    np.testing.assert_allclose(
        disk.intensity.raw_data[~missing], truth[~missing].sum(axis=(1, 2)), rtol=1e-6
    )
    # The picture takes its colours from what is there: the darkest of it is not far from the rest.
    shown = disk.intensity.visualized[~missing].astype(int)
    assert np.ptp(shown.sum(axis=-1)) > 100
    picked = ctx.run(ctx.create_pick_analysis(dataset, x=0, y=3))
    np.testing.assert_array_equal(picked.intensity.raw_data, truth[3, 0])
    with pytest.raises(ValueError, match=r"no frame at \(4, 5\): it is one of the 11 that"):
        ctx.run(ctx.create_pick_analysis(dataset, x=5, y=4))


# What is said


@pytest.mark.parametrize("make", FORMATS)
def test_a_stopped_scan_warns_where_it_is_loaded(tmp_path: Path, make: Make) -> None:
    with pytest.warns(UserWarning, match=r"11 of 30 frames are missing.* only 19") as caught:
        make(tmp_path, STORED[:19])
    assert [w.filename for w in caught] == [__file__]


@pytest.mark.parametrize("make", FORMATS[:2])
def test_an_offset_that_was_asked_for_is_noted_without_a_warning(
    tmp_path: Path, make: Make
) -> None:
    dataset = make(tmp_path, STORED[:30], sync_offset=-3)
    assert dataset.notes == ("3 of 30 frames are missing, as sync_offset is -3",)
    assert make(tmp_path, STORED[:30]).notes == ()


@pytest.mark.filterwarnings("ignore:.*are dtype, sig_shape and nav_shape right:UserWarning")
def test_more_frames_than_the_scan(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for make in (memory, npy, raw, hdf5, mib):
        dataset = make(tmp_path, STORED)
        assert dataset.missing is None
        np.testing.assert_array_equal(dataset.shape, (*NAV, *SIG))
    assert caplog.text.count("uses 30") == 5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("flyback", -1),
        ("flyback", 1.5),
        ("flyback", "1"),
        ("sync_offset", 1.5),
        ("sync_offset", "1"),
        ("sync_offset", None),
        ("sync_offset", float("nan")),
        ("snake", "no"),
        ("snake", 2),
    ],
)
def test_what_is_no_number_of_frames_is_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=f"{name}={value!r}, expected"):
        MemoryDataSet(STORED[:30], nav_shape=NAV, **{name: value})


def test_numbers_of_frames_may_be_those_of_numpy() -> None:
    how = {"sync_offset": np.int64(-3), "flyback": 0.0, "snake": np.bool_(False)}
    dataset = MemoryDataSet(STORED[:30], nav_shape=NAV, **how)
    np.testing.assert_array_equal(dataset.missing, _ALL < 3)


# Lost frames


@pytest.fixture
def gappy(tmp_path: Path) -> Path:
    """Frames 1 to 30 in two files, without 4, 5, 13 (between the files) and 20."""
    kept = [n for n in range(1, 31) if n not in (4, 5, 13, 20)]
    for name, numbers in [("s1", kept[:10]), ("s2", kept[10:])]:
        with (tmp_path / f"{name}.mib").open("wb") as file:
            for number in numbers:
                one = write_mib(
                    tmp_path / "one.bin", STORED[number - 1 : number], "U16", 12, first=number
                )
                file.write(one.read_bytes())
    return write_hdr(tmp_path / "s.hdr", 30, 6)


def test_lost_frames_are_refused_with_a_way_out(gappy: Path) -> None:
    with pytest.raises(Exception, match="pass lost='missing'"):
        MIBDataSet(gappy)
    with pytest.raises(ValueError, match="lost='zero', expected"):
        MIBDataSet(gappy, lost="zero")  # type: ignore[arg-type]


@pytest.mark.parametrize("order", ["scan", "progressive"])
def test_lost_frames_are_missing(ctx: Context, gappy: Path, order: Any) -> None:
    with pytest.warns(UserWarning, match="4 of 30 frames are missing, as frames were lost"):
        dataset = MIBDataSet(gappy, lost="missing")
    missing = np.isin(_ALL + 1, (4, 5, 13, 20))
    truth = np.where(missing[..., None, None], 0, STORED[_ALL]).astype("u2")
    np.testing.assert_array_equal(dataset.missing, missing)
    check_all(ctx, dataset, truth, missing, None, order)
    partitioned = ctx.run_udf(dataset, PartitionUDF())["sum"].data
    np.testing.assert_array_equal(partitioned, truth.sum(axis=(2, 3), dtype=np.float64))


class TestLost(DataSetContract):
    @pytest.fixture
    def case(self, gappy: Path) -> Case:
        with pytest.warns(UserWarning, match="lost"):
            dataset = MIBDataSet(gappy, lost="missing")
        missing = np.isin(_ALL + 1, (4, 5, 13, 20))
        return Case(dataset, np.where(missing[..., None, None], 0, STORED[_ALL]).astype("u2"))


def test_numbers_that_go_back_are_no_lost_frames(tmp_path: Path) -> None:
    write_mib(tmp_path / "a.mib", STORED[:4], "U16", 12)
    again = write_mib(tmp_path / "b.bin", STORED[:2], "U16", 12, first=2)
    with (tmp_path / "a.mib").open("ab") as file:
        file.write(again.read_bytes())
    with pytest.raises(Exception, match=r"at the start of frame 4 of this file"):
        MIBDataSet(tmp_path / "a.mib", (2, 3), lost="missing")
