"""What is noted on an exception says where it came from this time."""

from __future__ import annotations

import numpy as np
import pytest

from udfwidgets import Context
from udfwidgets.udf.base import UDF

REFUSED = ValueError("one object, as many libraries keep")


class Picky(UDF):
    def get_result_buffers(self):
        return {"n": self.buffer("nav")}

    def process_frame(self, frame):
        raise REFUSED


def test_notes_on_an_exception_that_is_raised_again_do_not_pile_up():
    REFUSED.__notes__ = ["somebody else's"]
    with Context.make_with("inline") as ctx:
        for nav in ((2, 2), (3, 4)):
            with pytest.raises(ValueError, match="one object"):
                ctx.run_udf(ctx.load("memory", data=np.ones((*nav, 4, 4))), Picky())
            others, ours = REFUSED.__notes__
            assert others == "somebody else's"
            assert f"nav {nav}" in ours.replace("Shape", "")
