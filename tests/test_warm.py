"""Compiling ahead: it fills the cache on disk, and a notebook starts it by itself."""

from __future__ import annotations

import os
import subprocess
import sys

from udfwidgets import warm
from udfwidgets.udf.kernels import sum_frames


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
        "from udfwidgets.warm import warm; from udfwidgets.udf.kernels import sum_frames;"
        "warm(['uint16']); stats = sum_frames.stats;"
        "print(len(stats.cache_hits), len(stats.cache_misses))",
    )
    assert loaded.split() == ["1", "0"]


def test_every_usual_dtype_is_covered():
    warm.warm()
    compiled = {str(signature[0].dtype) for signature in sum_frames.signatures}
    assert compiled >= set(warm.DTYPES)


def test_only_a_notebook_starts_it():
    show = "import udfwidgets; print(hasattr(udfwidgets, '_warming'))"
    in_a_kernel = (
        "import sys, types; sys.modules['ipykernel'] = types.ModuleType('ipykernel');"
        "import udfwidgets; udfwidgets._warming.kill(); udfwidgets._warming.wait();"
        "print(udfwidgets._warming.args[1:])"
    )
    assert python("-c", show).strip() == "False"
    assert python("-c", in_a_kernel).strip() == "['-m', 'udfwidgets.warm']"
