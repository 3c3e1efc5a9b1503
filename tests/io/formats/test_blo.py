from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.blo import write_blo
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.blo import BloDataSet
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(1).integers(0, 256, (3, 5, 6, 6)).astype("u1")


class TestBlo(DataSetContract):
    @pytest.fixture(params=["u1", "<u2", ">u2"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        truth = TRUTH.astype(request.param) * (1 if request.param == "u1" else 200)
        order = ">" if request.param.startswith(">") else "<"
        return Case(BloDataSet(write_blo(tmp_path / "a.blo", truth, order)), truth)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_blo(tmp_path / "scan.blo", TRUTH)


def test_auto_tells_it_by_content(path: Path) -> None:
    renamed = path.rename(path.with_suffix(".dat"))
    np.testing.assert_array_equal(read_all(load("auto", renamed)), TRUTH.reshape(-1, 6, 6))


def test_it_tells_how_large_a_step_is(path: Path) -> None:
    told = BloDataSet(path).metadata
    assert told["nav_scales"] == (2.5, 1.5)
    assert told["nav_units"] == ("nm", "nm")
    assert told["sig_scales"] == (0.4, 0.4)
    assert told["sig_units"] == ("cm", "cm")
    assert told["beam_energy"] == 200_000


def test_a_file_without_any_mark_is_read(tmp_path: Path) -> None:
    path = write_blo(tmp_path / "a.blo", TRUTH, mark=b"\0\0")
    np.testing.assert_array_equal(read_all(BloDataSet(path)), TRUTH.reshape(-1, 6, 6))


def test_a_scan_that_was_stopped_lacks_frames(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: -3 * 42 - 1])
    with pytest.warns(UserWarning, match="truncated: it has 11 of 15 frames"):
        dataset = load("auto", path)
    assert dataset.missing is not None
    np.testing.assert_array_equal(dataset.missing.ravel().nonzero()[0], [11, 12, 13, 14])
    np.testing.assert_array_equal(read_all(dataset)[:11], TRUTH.reshape(-1, 6, 6)[:11])


@pytest.mark.parametrize(
    ("at", "value", "message"),
    [
        (6, b"\x07\x07", r"has version 0x707 at byte 6, expected 0x102 or 0x103"),
        (20, b"\0\0", "expected 15 frames of 0 bytes"),
        (20, b"\x05\0", r"has b.* expected b'\\xaaU' as before the first pattern"),
        (20, b"\xff\xff", "header is damaged"),
        (24, b"\0\0", "expected 0 frames of 36 bytes"),
        (12, b"\xff\xff\xff\xff", "expected 15 frames of 36 bytes from byte 4294967301"),
        (0, b"IMGBLA", "begins with b'IMGBLA', expected b'IMGBLO'"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, at: int, value: bytes, message: str) -> None:
    content = bytearray(path.read_bytes())
    content[at : at + len(value)] = value
    path.write_bytes(content)
    with pytest.raises(DataSetException, match=message):
        BloDataSet(path)


def test_a_strange_depth_is_refused(tmp_path: Path) -> None:
    path = write_blo(tmp_path / "a.blo", TRUTH.astype("u2"))
    path.write_bytes(path.read_bytes().replace(b"Depth: 16", b"Depth: 12"))
    with pytest.raises(DataSetException, match="pixels of 12 bits, expected 8, 16 or 32"):
        BloDataSet(path)


@pytest.mark.parametrize("n_bytes", [0, 5, 60])
def test_a_file_of_a_few_bytes_is_refused(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])
    with pytest.raises(DataSetException, match="truncated"):
        load("blo", path)
