from __future__ import annotations

import numpy as np
import pytest

from udfwidgets.udf.compiled.fused import drive


@pytest.mark.parametrize("numbers", [[2, 8], [-1, 3]])
def test_frames_that_are_not_there_are_refused(numbers):
    with pytest.raises(IndexError, match="only 8: the file is shorter"):
        drive(np.zeros((8, 2, 2), "u2"), np.array(numbers), 4, [], 0)
