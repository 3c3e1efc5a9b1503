"""Pictures by compiled loops, and as they are before there are any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from udfwidgets.live.picture import loops


@contextmanager
def loops_that_are(is_compiled: bool) -> Iterator[None]:
    """Have pictures be made by compiled loops, or before they are compiled."""
    loops.compile_all()
    with pytest.MonkeyPatch.context() as patch:
        if not is_compiled:
            patch.setattr(loops, "_done", set())
        yield
