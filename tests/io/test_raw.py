from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.io.contract import Case, DataSetContract, read_all
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.raw import RawFileDataSet

# Most scans here are of a square number of frames, and what is guessed is not what is looked at.
pytestmark = pytest.mark.filterwarnings("ignore:.* is a guess:UserWarning")


class TestRaw(DataSetContract):
    @pytest.fixture(params=[0, 13], ids=["no header", "odd header"])
    def offset(self, request: pytest.FixtureRequest) -> int:
        return int(request.param)

    @pytest.fixture(params=["u1", "<u2", ">u2", ">u4", ">f8", "<c8", ">i2"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path, offset: int) -> Case:
        truth = np.random.default_rng(2).integers(0, 99, (3, 5, 3, 1)).astype(request.param)
        (tmp_path / "scan.raw").write_bytes(b"h" * offset + truth.tobytes())
        dataset = RawFileDataSet(
            tmp_path / "scan.raw", request.param, (3, 5), (3, 1), offset=offset
        )
        return Case(dataset, truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    np.arange(9 * 6, dtype="u2").tofile(tmp_path / "a.raw")
    return tmp_path / "a.raw"


def test_a_square_scan_needs_no_nav_shape(path: Path) -> None:
    assert RawFileDataSet(path, "u2", sig_shape=(2, 3)).shape == (3, 3, 2, 3)


def test_other_scans_need_nav_shape(path: Path) -> None:
    with pytest.raises(DataSetException, match=r"holds 18 frames.*pass nav_shape="):
        RawFileDataSet(path, "u2", sig_shape=(3,))


def test_one_sig_axis(path: Path) -> None:
    dataset = RawFileDataSet(path, "u2", (18,), (3,))
    np.testing.assert_array_equal(read_all(dataset).ravel(), np.arange(54))


def test_a_part_of_a_frame_is_refused(path: Path) -> None:
    with pytest.raises(DataSetException, match="8 bytes are left from byte 100"):
        RawFileDataSet(path, "u2", sig_shape=(10,))


def test_a_part_of_a_frame_of_a_known_scan_is_left_out(path: Path) -> None:
    with pytest.warns(UserWarning, match="the last 8 bytes are no whole frame"):
        dataset = RawFileDataSet(path, "u2", (5,), (10,))
    np.testing.assert_array_equal(read_all(dataset).ravel(), np.arange(50))


@pytest.mark.parametrize("shape", [(0, 3), (2.5, 3), (), (-1,)])
def test_impossible_shapes_are_wrong_arguments(path: Path, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="sig_shape="):
        RawFileDataSet(path, "u2", (3, 3), shape)


def test_the_sig_shape_is_needed(path: Path) -> None:
    with pytest.raises(TypeError, match="sig_shape"):
        RawFileDataSet(path, "u2", (3, 3))


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetException, match="is a directory"):
        RawFileDataSet(tmp_path, "u2", (3, 3), (2, 3))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataSetException, match=r"nothing\.raw does not exist"):
        RawFileDataSet(tmp_path / "nothing.raw", "u2", (3, 3), (2, 3))


@given(
    n_bytes=st.integers(0, 300),
    sig=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    offset=st.integers(0, 40),
)
def test_a_shape_is_never_guessed_wrong(
    tmp_path_factory: pytest.TempPathFactory, n_bytes: int, sig: tuple[int, int], offset: int
) -> None:
    path = tmp_path_factory.mktemp("raw") / "a.raw"
    path.write_bytes(bytes(n_bytes))
    try:
        dataset = RawFileDataSet(path, "u1", sig_shape=sig, offset=offset)
    except DataSetException:
        return
    assert dataset.shape.size == n_bytes - offset
    assert dataset.shape.sig == sig
