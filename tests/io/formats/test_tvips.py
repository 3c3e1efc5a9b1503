from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.tvips import Positions, write_tvips
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.tvips import TVIPSDataSet
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(1).integers(0, 200, (15, 4, 7)).astype("u2")


def scan(n_before: int, ny: int, nx: int, n_after: int = 0) -> Positions:
    """Positions of a scan, at (0, 0) before and at the last one after."""
    y, x = np.mgrid[:ny, :nx].reshape(2, -1)
    positions = np.stack([x, y], axis=1).astype("f4")
    return np.pad(positions, ((n_before, n_after), (0, 0)), mode="edge")


class TestTVIPS(DataSetContract):
    @pytest.fixture(params=[("u1", 2, 128, ()), ("u2", 1, 12, (4,)), ("u2", 2, 61, (1, 9))])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        kind, version, header_bytes, cuts = request.param
        truth = TRUTH.astype(kind)
        path = write_tvips(tmp_path / "a", truth, version, header_bytes, cuts)
        return Case(TVIPSDataSet(path, (3, 5)), truth.reshape(3, 5, 4, 7))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_tvips(tmp_path / "a", TRUTH, cuts=(6, 12))


@pytest.mark.parametrize("number", [0, 1, 2])
def test_any_of_the_files_stands_for_all(path: Path, number: int) -> None:
    dataset = load("auto", path.with_name(f"a_{number:03d}.tvips"))
    assert dataset.shape == (15, 4, 7)
    np.testing.assert_array_equal(read_all(dataset), TRUTH)


def test_auto_tells_it_by_content(tmp_path: Path) -> None:
    path = write_tvips(tmp_path / "a", TRUTH)
    renamed = path.rename(tmp_path / "movie.dat")
    np.testing.assert_array_equal(read_all(load("auto", renamed)), TRUTH)


def test_other_movies_are_left_alone(path: Path) -> None:
    write_tvips(path.with_name("ab"), TRUTH[:3])
    write_tvips(path.with_name("a_b"), TRUTH[:3])
    np.testing.assert_array_equal(read_all(load("auto", path)), TRUTH)


@pytest.mark.parametrize("n_before", [0, 4])
def test_the_headers_tell_the_scan(tmp_path: Path, n_before: int) -> None:
    frames = TRUTH[: n_before + 8]
    path = write_tvips(tmp_path / "a", frames, cuts=(2,), positions=scan(n_before, 2, 4))
    dataset = TVIPSDataSet(path)
    assert dataset.shape == (2, 4, 4, 7)
    assert dataset.meta.sync_offset == n_before
    np.testing.assert_array_equal(read_all(dataset), frames[n_before:])


def test_frames_after_the_scan_are_left_out(tmp_path: Path) -> None:
    path = write_tvips(tmp_path / "a", TRUTH[:12], positions=scan(1, 2, 4, 3))
    np.testing.assert_array_equal(read_all(TVIPSDataSet(path)), TRUTH[1:9])


def test_what_is_asked_for_goes_before_what_is_told(tmp_path: Path) -> None:
    path = write_tvips(tmp_path / "a", TRUTH[:9], positions=scan(1, 2, 4))
    dataset = TVIPSDataSet(path, (3, 3), sync_offset=0)
    np.testing.assert_array_equal(read_all(dataset), TRUTH[:9])


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e30, -5])
def test_positions_that_are_none_tell_nothing(tmp_path: Path, value: float) -> None:
    positions = scan(0, 3, 5)
    positions[2:] = value
    assert TVIPSDataSet(write_tvips(tmp_path / "a", TRUTH, positions=positions)).shape.sig == (4, 7)
    positions[:] = value
    assert TVIPSDataSet(write_tvips(tmp_path / "b", TRUTH, positions=positions)).shape.nav == (15,)


def test_it_tells_how_large_a_pixel_is(path: Path) -> None:
    told = TVIPSDataSet(path).metadata
    assert told["sig_scales"] == (31.0, 31.0)
    assert told["sig_units"] == ("1/nm", "1/nm")
    assert told["high_tension"] == 200


def test_a_missing_file_is_named(path: Path) -> None:
    path.with_name("a_001.tvips").unlink()
    with pytest.raises(DataSetException, match=r"number 001 is missing: expected a_001\.tvips"):
        load("auto", path)


def test_a_scan_that_was_stopped_lacks_frames(path: Path) -> None:
    last = path.with_name("a_002.tvips")
    last.write_bytes(last.read_bytes()[:-1])
    with pytest.warns(UserWarning, match=r"the last frame of a_002\.tvips is not complete"):
        dataset = TVIPSDataSet(path, (3, 5))
    np.testing.assert_array_equal(read_all(dataset)[:14], TRUTH[:14])


def test_a_file_cut_before_the_last_one_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataSetException, match=r"a_000\.tvips is truncated: 183 bytes are left"):
        load("auto", path)


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (0, 255, "begins with a header of 255 bytes"),
        (4, 3, "version 3, expected 256 bytes, version 1 or 2"),
        (8, 0, "4 x 0 pixels"),
        (12, -1, "-1 x 7 pixels"),
        (12, 1 << 19, "expected at least one frame|truncated"),
        (16, 12, "pixels of 12 bits, expected 8 or 16"),
        (48, -1, "frame headers of -1 bytes"),
        (48, 1 << 19, "expected at least one frame|truncated"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: int, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + 4] = value.to_bytes(4, "little", signed=True)
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        load("tvips", path)


@pytest.mark.parametrize("n_bytes", [0, 100, 255, 256, 256 + 128 + 55])
def test_a_file_of_a_few_bytes_is_refused(tmp_path: Path, n_bytes: int) -> None:
    path = write_tvips(tmp_path / "a", TRUTH)
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("tvips", path)
