from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.base import Scratch
from udfwidgets.io.dataset.npy import NPYDataSet

RNG = np.random.default_rng(1)
ARRAYS = {
    "u2": RNG.integers(0, 1000, (3, 5, 4, 6)).astype("u2"),
    "big-endian u2": RNG.integers(0, 1000, (3, 5, 4, 6)).astype(">u2"),
    "f4": RNG.random((3, 5, 4, 6), "f4"),
    "big-endian c8": (RNG.random((3, 2, 4, 3)) + 1j).astype(">c8"),
    "bool": RNG.random((3, 5, 4, 6)) > 0.5,
    "stack": RNG.integers(0, 1000, (7, 4, 6)).astype("i4"),
    "five axes": RNG.integers(0, 9, (2, 3, 2, 4, 6)).astype("u1"),
    "1-wide sig": RNG.integers(0, 9, (3, 5, 4, 1)).astype("u1"),
    "one frame": RNG.integers(0, 9, (1, 1, 4, 5)).astype("u1"),
}


class TestNPY(DataSetContract):
    @pytest.fixture(params=[*ARRAYS, "Fortran u2", "Fortran >f4"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        array = ARRAYS.get(request.param)
        if array is None:
            array = np.asfortranarray(ARRAYS["u2"].astype(request.param.split()[1]))
        np.save(tmp_path / "scan.npy", array)
        return Case(NPYDataSet(tmp_path / "scan.npy"), array)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.save(tmp_path / "scan.npy", ARRAYS["u2"])
    return tmp_path / "scan.npy"


def test_nav_shape_folds_a_scan(path: Path) -> None:
    dataset = NPYDataSet(path, nav_shape=(5, 3))
    assert dataset.shape == (5, 3, 4, 6)
    np.testing.assert_array_equal(read_all(dataset), ARRAYS["u2"].reshape(15, 4, 6))


def test_sig_shape_folds_a_frame(path: Path) -> None:
    dataset = NPYDataSet(path, sig_shape=(24,))
    assert dataset.shape == (3, 5, 24)
    assert dataset.shape.sig.dims == 1


def test_a_single_image_is_a_scan_of_one(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((4, 6)))
    assert NPYDataSet(tmp_path / "a.npy").shape == (1, 4, 6)


def test_home_is_expanded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent))
    assert NPYDataSet("~/scan.npy").shape == (3, 5, 4, 6)


@pytest.mark.parametrize(
    ("sync_offset", "expected"),
    [(2, [2, 3, 4, 5, 0, 0]), (-2, [0, 0, 0, 1, 2, 3]), (0, [0, 1, 2, 3, 4, 5])],
)
def test_sync_offset_shifts_and_blanks(
    tmp_path: Path, sync_offset: int, expected: list[int]
) -> None:
    np.save(tmp_path / "a.npy", np.arange(6).reshape(2, 3, 1, 1))
    dataset = NPYDataSet(tmp_path / "a.npy", sync_offset=sync_offset)
    assert read_all(dataset).ravel().tolist() == expected


def test_a_blank_run_reads_as_zeros(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.ones((3, 3, 2, 2)))
    with NPYDataSet(tmp_path / "a.npy", sync_offset=-5).open() as source:
        assert not source.read(0, 4, Scratch()).any()


def test_a_scan_without_any_frame_is_refused(path: Path) -> None:
    with pytest.raises(DataSetException, match="leaves nothing of a scan of 20 frames"):
        NPYDataSet(path, nav_shape=(4, 5), sync_offset=15)


def test_a_scan_of_which_next_to_nothing_is_there_is_refused(path: Path) -> None:
    with pytest.raises(DataSetException, match=r"frames are missing; pass the nav_shape="):
        NPYDataSet(path, nav_shape=(40_000, 50_000))


def test_fewer_frames_are_used_with_a_warning(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert NPYDataSet(path, nav_shape=(2, 5)).shape.nav == (2, 5)
    assert "uses 10" in caplog.text


def test_a_changed_file_is_refused(path: Path) -> None:
    dataset = NPYDataSet(path)
    np.save(path, ARRAYS["u2"][:2])
    with pytest.raises(DataSetException, match="load it again"):
        dataset.open()


def test_objects_are_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([[[None]]]), allow_pickle=True)
    with pytest.raises(DataSetException, match="object"):
        NPYDataSet(tmp_path / "a.npy")


@given(cut=st.integers(min_value=0))
def test_truncated_files_have_the_frames_that_are_whole(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path, truth = tmp_path_factory.mktemp("npy") / "cut.npy", ARRAYS["u2"]
    np.save(path, truth)
    content = path.read_bytes()
    header, frame_bytes = len(content) - truth.nbytes, truth[0, 0].nbytes
    path.write_bytes(content[: cut % len(content)])
    n_whole = (cut % len(content) - header) // frame_bytes
    if n_whole < 1:
        with pytest.raises(DataSetException, match=r"cut\.npy"):
            NPYDataSet(path)
        return
    with pytest.warns(UserWarning, match=f"it has {n_whole} of {truth[..., 0, 0].size} frames"):
        dataset = NPYDataSet(path)
    assert dataset.shape == truth.shape
    assert dataset.missing is not None
    assert np.count_nonzero(~dataset.missing) == n_whole
    with dataset.open() as source:
        got = source.read(0, n_whole, Scratch())
        np.testing.assert_array_equal(got, truth.reshape(-1, *truth.shape[2:])[:n_whole])


def test_a_truncated_file_in_fortran_order_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.npy"
    np.save(path, np.asfortranarray(ARRAYS["u2"]))
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(DataSetException, match="the file is truncated"):
        NPYDataSet(path)


@given(header=st.binary(max_size=200), is_real=st.booleans())
def test_hostile_headers_are_refused(
    tmp_path_factory: pytest.TempPathFactory, header: bytes, is_real: bool
) -> None:
    path = tmp_path_factory.mktemp("npy") / "hostile.npy"
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") if is_real else b""
    path.write_bytes(start + header)
    with pytest.raises(DataSetException, match=r"hostile\.npy"):
        NPYDataSet(path)


@pytest.mark.parametrize(
    "shape", ["(-1, 2, 2)", "(True, 2, 2)", "(10**30, 2, 2)", "(0, 2, 2)", "(1<<40, 1<<40, 2, 2)"]
)
def test_impossible_shapes_are_refused(tmp_path: Path, shape: str) -> None:
    text = f"{{'descr': '<u2', 'fortran_order': False, 'shape': {shape}, }}"
    if "<<" in shape or "**" in shape:
        number = str(10**30)
        text = text.replace("10**30", number).replace("1<<40", str(1 << 40))
    header = text.encode().ljust(118) + b"\n"
    magic = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "a.npy").write_bytes(magic + header + bytes(64))
    with pytest.raises(DataSetException, match=r"a\.npy"):
        NPYDataSet(tmp_path / "a.npy")
