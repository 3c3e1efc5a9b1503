"""The analysis that each front end shows; it tells in a file what Python knows of it."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import numpy as np

from udfwidgets import Context, SumSigUDF, demo
from udfwidgets.live import LiveAnalysis

#: Frames per second: ten seconds for all of them.
RATE = 400

#: The one that was started last, which is told of.
_newest: list[LiveAnalysis] = []


def start() -> LiveAnalysis:
    """Begin an analysis of a scan that becomes brighter to the right."""
    data = np.random.default_rng(0).random((64, 64, 16, 16), np.float32)
    data += np.arange(64)[:, None, None]
    ctx = Context()
    live = ctx.live(demo.PacedDataSet(ctx.load("memory", data=data), RATE), SumSigUDF())
    _newest[:] = [live]
    threading.Thread(target=_tell, args=(live, Path(os.environ["UDFW_STORY"])), daemon=True).start()
    return live


def _tell(live: LiveAnalysis, path: Path) -> None:
    over = threading.Event()
    while not over.wait(0.1) and live in _newest:
        image = live.images[0]
        state = {
            "state": live.status.status.state,
            "fraction": live.status.status.fraction,
            "log": image.log,
            "bytes": len(image.png() or b""),
        }
        path.with_suffix(".new").write_text(json.dumps(state))
        path.with_suffix(".new").replace(path)
