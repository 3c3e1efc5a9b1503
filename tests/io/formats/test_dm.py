from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract, read_all
from tests.io.writers.dm import KINDS, Writer, write_dm
from udfwidgets.errors import DataSetException
from udfwidgets.io.dataset.dm.dataset import DMDataSet
from udfwidgets.io.load import load

TRUTH = np.random.default_rng(1).integers(0, 100, (2, 3, 4, 5)).astype("u2")


class TestScan(DataSetContract):
    @pytest.fixture(params=[*KINDS, "c8"])
    def kind(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    @pytest.fixture(params=[(3, "<"), (4, "<"), (3, ">"), (4, ">")])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path, kind: str) -> Case:
        truth = TRUTH.astype(kind)
        return Case(DMDataSet(write_dm(tmp_path / "a.dm", truth, *request.param)), truth)


class TestTurned(DataSetContract):
    """All values of a pixel together, as older versions write scans."""

    @pytest.fixture(params=["<", ">"])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        turned = np.ascontiguousarray(np.moveaxis(TRUTH, (0, 1), (2, 3)))
        path = write_dm(tmp_path / "a.dm4", turned, order=request.param, swapped=False)
        return Case(DMDataSet(path), TRUTH)


class TestStack(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = TRUTH.reshape(6, 4, 5)
        return Case(DMDataSet(write_dm(tmp_path / "a.dm3", truth, 3, swapped=None)), truth)


class TestSpectra(DataSetContract):
    @pytest.fixture(params=[True, False])
    def case(self, request: pytest.FixtureRequest, tmp_path: Path) -> Case:
        truth = TRUTH.reshape(6, 4, 5)
        stored = truth if request.param else np.ascontiguousarray(np.moveaxis(truth, 2, 0))
        swapped = True if request.param else None
        path = write_dm(tmp_path / "a.dm4", stored, swapped=swapped, form="Spectrum image")
        return Case(DMDataSet(path), truth)


@pytest.mark.parametrize("version", [3, 4])
def test_auto_tells_it_by_content(tmp_path: Path, version: int) -> None:
    path = write_dm(tmp_path / "a.dat", TRUTH, version)
    np.testing.assert_array_equal(read_all(load("auto", path)), TRUTH.reshape(-1, 4, 5))


def test_what_nothing_tells_is_a_guess(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "a.dm4", TRUTH, swapped=None)
    with pytest.warns(UserWarning, match="pass force_c_order=True"):
        dataset = load("auto", path)
    assert dataset.shape == (4, 5, 2, 3)
    dataset = load("auto", path, force_c_order=True)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(-1, 4, 5))


def test_it_tells_how_large_steps_and_pixels_are(tmp_path: Path) -> None:
    told = DMDataSet(write_dm(tmp_path / "a.dm4", TRUTH)).metadata
    assert told["nav_scales"] == (0.5, 1.5)
    assert told["sig_scales"] == (2.5, 3.5)
    assert told["nav_units"] == ("nm", "nm")
    assert told["sig_units"] == ("1/nm", "1/nm")
    assert told["sig_origins"] == (1.0, 1.0)


def test_a_single_image_is_a_scan_of_one_position(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "a.dm4", TRUTH[0, 0], swapped=None)
    assert load("auto", path).shape == (1, 4, 5)


def test_the_image_with_most_axes_is_taken(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "a.dm4", TRUTH[0, 0], more=(TRUTH,))
    dataset = load("dm", path)
    assert dataset.shape == TRUTH.shape
    assert dataset.metadata["dataset_index"] == 2
    assert load("dm", path, dataset_index=1).shape == (1, 4, 5)
    with pytest.raises(DataSetException, match=r"no image of numbers .* with dataset_index=0"):
        load("dm", path, dataset_index=0)  # the thumbnail is in colour


def test_several_scans_have_to_be_told_apart(tmp_path: Path) -> None:
    path = write_dm(tmp_path / "a.dm4", TRUTH, more=(TRUTH + 1,))
    with pytest.raises(DataSetException, match=r"1 \(5, 4, 3, 2\), 2 .*; pass dataset_index="):
        load("dm", path)
    dataset = load("dm", path, dataset_index=2)
    np.testing.assert_array_equal(read_all(dataset), TRUTH.reshape(-1, 4, 5) + 1)
    with pytest.raises(DataSetException, match="with dataset_index=7"):
        load("dm", path, dataset_index=7)


@pytest.mark.parametrize("version", [3, 4])
def test_a_file_that_ends_anywhere_is_refused(tmp_path: Path, version: int) -> None:
    path = write_dm(tmp_path / "a.dm", TRUTH, version)
    content = path.read_bytes()
    for n_bytes in range(0, len(content) - 8, 7):
        path.write_bytes(content[:n_bytes])
        with pytest.raises(DataSetException, match=r"complete Digital|version"):
            load("dm", path)


def of(path: Path, root: bytes) -> Path:
    path.write_bytes(b"\0\0\0\4" + bytes(8) + b"\0\0\0\1" + root)
    return path


def nested(depth: int) -> bytes:
    writer = Writer(4, "<")
    group = writer.group([])
    for _ in range(depth):
        group = writer.group([("", group)])
    return group


@pytest.mark.parametrize(
    ("root", "message"),
    [
        (nested(2000), "groups in groups beyond 64"),
        (b"\0\0" + (1 << 62).to_bytes(8, "big"), "its end"),
        (Writer(4, "<").group([("a", b"%%%%" + (1 << 60).to_bytes(8, "big"))]), "described in"),
        (
            Writer(4, "<").group([("a", Writer(4, "<").data((20, 4, -9), b""))]),
            "array of -18 bytes",
        ),
        (Writer(4, "<").group([("a", Writer(4, "<").data((99,), b""))]), "a value of kind 99"),
        (Writer(4, "<").group([("a", Writer(4, "<").data((15, 0, 9, 0, 2), b""))]), "a structure"),
        (
            Writer(4, "<").group([("a", Writer(4, "<").data((20, 20, 3), b""))]),
            "elements of kind 20",
        ),
        (Writer(4, "<").group([]), "has no image of numbers"),
        (b"\0\0" + (1 << 20).to_bytes(8, "big") + (b"\x14" + bytes(20)) * (1 << 18), "more than"),
    ],
    ids=["deep", "many", "info", "negative", "kind", "structure", "array", "nothing", "tags"],
)
def test_a_tree_that_lies_is_refused(tmp_path: Path, root: bytes, message: str) -> None:
    with pytest.raises(DataSetException, match=message):
        load("dm", of(tmp_path / "a.dm4", root))


@pytest.mark.parametrize(("axis", "value"), [(0, 0), (0, 1 << 31), (3, 50)])
def test_dimensions_that_lie_are_refused(tmp_path: Path, axis: int, value: int) -> None:
    path = write_dm(tmp_path / "a.dm4", TRUTH)
    content = path.read_bytes()
    # Only the scan has four of them.
    dimensions = b"".join(_dimension(n) for n in reversed(TRUTH.shape))
    lying: list[Any] = [*reversed(TRUTH.shape)]
    lying[axis] = value
    assert content.count(dimensions) == 1
    path.write_bytes(content.replace(dimensions, b"".join(map(_dimension, lying))))
    with pytest.raises(DataSetException, match="it is damaged"):
        load("dm", path)


def _dimension(length: int) -> bytes:
    return Writer(4, "<")._entry("", Writer(4, "<").number(5, length))
