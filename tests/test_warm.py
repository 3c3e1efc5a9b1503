"""Compiling ahead: it fills the cache on disk."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from udfwidgets import warm
from udfwidgets.udf.compiled.kernels import strip_dtype
from udfwidgets.udf.compiled.moments import moment_dtype
from udfwidgets.udf.compiled.steps import add_up_frames, add_up_moments, add_up_runs


def python(*arguments, **environment):
    done = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
    )
    return done.stdout


def test_what_is_compiled_ahead_is_found_on_disk():
    python("-m", "udfwidgets.warm", "uint16")
    loaded = python(
        "-c",
        "from udfwidgets.warm import warm; from udfwidgets.udf.compiled import fused;"
        "warm(['uint16']); steps = fused._kept;"
        "print(len(steps), sum(step.cache_hits for step in steps))",
    )
    compiled, found = loaded.split()
    assert int(compiled) == int(found) >= 6


def test_what_shapes_take_is_found_on_disk():
    python("-m", "udfwidgets.warm", "uint8")
    missed = python(
        "-c",
        "from udfwidgets.warm import warm_shapes; from udfwidgets.geometry import rasters as r;"
        "from udfwidgets.geometry import guessing, repairing, rim; warm_shapes();"
        "steps = [r.keep_sector, r.fill_ellipse, r.fill_polygon, r.paint_line,"
        " repairing._repair, guessing._vote, rim._sample];"
        "print([sum(s.stats.cache_hits.values()) for s in steps],"
        " [sum(s.stats.cache_misses.values()) for s in steps])",
    )
    assert missed.split("] [")[0].strip("[\n") == "1, 1, 1, 1, 1, 1, 1"
    assert missed.split("] [")[1].strip("]\n") == "0, 0, 0, 0, 0, 0, 0"


def moments(dtype):
    return add_up_moments(dtype, moment_dtype(dtype, 8, 8))


moments.cache_info = add_up_moments.cache_info


def frames(dtype):
    return add_up_frames(dtype, strip_dtype(dtype))


frames.cache_info = add_up_frames.cache_info


@pytest.mark.parametrize("step", [frames, moments, add_up_runs])
def test_every_usual_dtype_is_covered(step):
    warm.warm()
    before = step.cache_info().misses
    for dtype in warm.DTYPES:
        step(np.dtype(dtype))
    assert step.cache_info().misses == before
