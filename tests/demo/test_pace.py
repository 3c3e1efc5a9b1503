"""Paced frames are the same frames, later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from tests.io.writers.frms6 import write_frms6
from udfwidgets.demo import PacedDataSet
from udfwidgets.io.dataset.frms6 import FRMS6DataSet
from udfwidgets.io.dataset.memory import MemoryDataSet


class TestPaced(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = np.arange(5 * 7 * 3 * 2, dtype="u2").reshape(5, 7, 3, 2)
        return Case(PacedDataSet(MemoryDataSet(truth), frames_per_second=1e6), truth)


def test_pace_must_be_positive():
    with pytest.raises(ValueError, match="frames_per_second is 0"):
        PacedDataSet(MemoryDataSet(np.ones((2, 2, 2, 2))), 0)


def test_corrections_are_those_of_the_other_dataset(tmp_path: Path) -> None:
    truth = np.arange(15 * 6 * 8, dtype="u2").reshape(15, 6, 8)
    dark = np.full((1, 6, 8), 7, "u2")
    scan = FRMS6DataSet(write_frms6(tmp_path, truth + dark[0], dark, (3, 5)))
    found = PacedDataSet(scan, 1e6).get_correction_data().get_dark_frame()
    np.testing.assert_array_equal(found, dark[0])
