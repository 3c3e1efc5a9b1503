from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets.api import Context
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.strided import StridedDataSet
from udfwidgets.io.layout.folding import fold
from udfwidgets.io.layout.maps import MOST_MAPS
from udfwidgets.io.layout.strided import Piece, count_frames
from udfwidgets.masks import circular
from udfwidgets.store.store import PixelStore
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.raw import PickUDF
from udfwidgets.udf.stddev import StdDevUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

NAV, SIG = (4, 6), (9, 8)


def write(
    folder: Path,
    frames: npt.NDArray[Any],
    gap: int = 0,
    offset: int = 0,
    cuts: tuple[int, ...] = (),
    **options: Any,
) -> StridedDataSet:
    """Write files of frames with bytes of 255 before each and at the start, cut at some of them."""
    flat = frames.reshape(-1, *SIG)
    pieces = []
    edges = [0, *cuts, len(flat)]
    for number, (begin, end) in enumerate(pairwise(edges)):
        path = folder / f"scan{number}.bin"
        own = b"".join(b"\xff" * gap + frame.tobytes() for frame in flat[begin:end])
        path.write_bytes(b"\xff" * offset + own)
        stride = flat[0].nbytes + gap
        n_bytes = path.stat().st_size
        pieces.append(Piece(path, n_bytes, offset + gap, stride, end - begin, begin))
    folded = fold(str(folder), len(flat), SIG, frames.shape[:2], **options)
    return StridedDataSet(str(folder), pieces, folded, frames.dtype)


def make_truth(dtype: str) -> npt.NDArray[Any]:
    return np.random.default_rng(8).integers(0, 99, (*NAV, *SIG)).astype(dtype)


class TestStrided(DataSetContract):
    @pytest.fixture(
        params=[
            ("u1", 6, ()),
            ("<u2", 64, (5, 23)),
            (">u2", 7, (5,)),
            ("<f4", 50, ()),
            ("u2", 0, (9,)),
        ]
    )
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        dtype, gap, cuts = request.param
        truth = make_truth(dtype)
        return Case(write(tmp_path, truth, gap, 12, cuts), truth)


class TestManyFiles(DataSetContract):
    """More of them than stay mapped."""

    @pytest.fixture
    def case(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
        monkeypatch.setattr("udfwidgets.io.layout.maps.MOST_MAPS", 3)
        monkeypatch.setattr("udfwidgets.io.layout.strided.MOST_MAPS", 3)
        truth = make_truth("u2")
        return Case(write(tmp_path, truth, 4, 0, (3, 6, 7, 15, 20)), truth)


@pytest.mark.parametrize(("gap", "is_seen"), [(0, True), (6, True), (3, False)])
def test_frames_a_whole_number_of_pixels_apart_are_seen_where_they_lie(
    tmp_path: Path, gap: int, is_seen: bool
) -> None:
    truth = make_truth("u2")
    with write(tmp_path, truth, gap, 5, (7,)).open() as source:
        assert (source.stretches is not None) == is_seen
        for first, frames in source.stretches or ():
            expected = truth.reshape(-1, *SIG)[first : first + len(frames)]
            np.testing.assert_array_equal(frames, expected)


def test_there_are_not_too_many_maps(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(bytes(MOST_MAPS + 1))
    pieces = []
    for number in range(MOST_MAPS + 1):
        path = tmp_path / str(number)
        path.write_bytes(bytes([number]))
        pieces.append(Piece(path, 1, 0, 1, 1, number))
    folded = fold("", len(pieces), (1, 1), (len(pieces),))
    dataset = StridedDataSet("", pieces, folded, np.dtype("u1"))
    with dataset.open() as source:
        assert source.stretches is None
    assert read_all(dataset).ravel().tolist() == list(range(MOST_MAPS + 1))


@pytest.mark.parametrize("dtype", ["u1", "u2", "i4", "u8", "f4", "f8"])
@pytest.mark.parametrize("options", [{}, {"sync_offset": 3}, {"sync_offset": -2}, {"snake": True}])
@pytest.mark.parametrize("gap", [0, 56])
def test_udfs_see_the_frames_and_nothing_between(
    tmp_path: Path, dtype: str, options: dict[str, Any], gap: int
) -> None:
    truth = make_truth(dtype)
    # Many masks are multiplied as a matrix, few as runs.
    masks = [lambda i=i: circular(4, i % 8, *reversed(SIG), 3) + 1.5 for i in range(4)]
    few = [lambda: circular(4, 4, *reversed(SIG), 3)]
    strided = write(tmp_path, truth, gap, 16, (7, 8), **options)
    with Context.make_with("inline") as ctx:
        udfs = [
            SumUDF(),
            SumSigUDF(),
            StdDevUDF(),
            ApplyMasksUDF(mask_factories=masks),
            ApplyMasksUDF(mask_factories=few),
            CoMUDF(),
            CoMUDF.with_params(cy=4, cx=4, r=3),
        ]
        plain = ctx.load("memory", data=truth, **options)
        for roi in (None, np.random.default_rng(3).random(NAV) < 0.4):
            expected = ctx.run_udf(dataset=plain, udf=udfs, roi=roi)
            found = ctx.run_udf(dataset=strided, udf=udfs, roi=roi)
            for one, other in zip(found, expected, strict=True):
                for name in other:
                    np.testing.assert_array_equal(one[name].data, other[name].data, err_msg=name)
        # In Python, frame by frame.
        roi = np.zeros(NAV, bool)
        roi[2, 1] = roi[3, 0] = True
        picked = ctx.run_udf(dataset=strided, udf=PickUDF(), roi=roi)["intensity"].data
        wanted = ctx.run_udf(dataset=plain, udf=PickUDF(), roi=roi)["intensity"].data
        np.testing.assert_array_equal(picked, wanted)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
@pytest.mark.parametrize("is_binned", [False, True])
def test_a_store_holds_the_frames_and_nothing_between(
    tmp_path: Path, dtype: str, is_binned: bool
) -> None:
    truth = np.random.default_rng(8).integers(0, 99, (5, 64, *SIG)).astype(dtype)
    strided = write(tmp_path, truth, 8, 0, (70,))
    mask = np.asarray(circular(4, 4, *reversed(SIG), 3)) > 0
    n_bytes = truth.nbytes if dtype == "f4" else truth.size
    budget = n_bytes - 1 if is_binned else None
    found = []
    with Context.make_with("threads", cpus=2) as ctx:
        for dataset in (strided, ctx.load("memory", data=truth)):
            with PixelStore(ctx.executor, dataset, budget=budget) as store:
                store.wait()
                assert store.is_exact != is_binned
                found.append(store.image(mask))
    np.testing.assert_array_equal(*found)
    assert found[0].any()


@pytest.mark.parametrize(
    ("n_bytes", "expected"), [(0, 0), (9, 0), (39, 0), (40, 1), (45, 1), (85, 1), (86, 2)]
)
def test_the_last_frame_is_whole_without_what_follows_it(n_bytes: int, expected: int) -> None:
    assert count_frames(n_bytes, 10, 46, 30) == expected


def test_a_file_that_was_cut_is_refused(tmp_path: Path) -> None:
    dataset = write(tmp_path, make_truth("u2"), 4)
    path = tmp_path / "scan0.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataSetException, match="load it again"):
        dataset.open()
