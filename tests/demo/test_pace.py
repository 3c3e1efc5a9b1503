"""Paced frames are the same frames, later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.io.contract import Case, DataSetContract
from udfwidgets.demo import PacedDataSet
from udfwidgets.io.dataset.memory import MemoryDataSet


class TestPaced(DataSetContract):
    @pytest.fixture
    def case(self, tmp_path: Path) -> Case:
        truth = np.arange(5 * 7 * 3 * 2, dtype="u2").reshape(5, 7, 3, 2)
        return Case(PacedDataSet(MemoryDataSet(truth), frames_per_second=1e6), truth)


def test_pace_must_be_positive():
    with pytest.raises(ValueError, match="frames_per_second is 0"):
        PacedDataSet(MemoryDataSet(np.ones((2, 2, 2, 2))), 0)
