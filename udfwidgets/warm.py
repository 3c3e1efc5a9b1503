"""Compiles what runs and pictures need ahead: ``python -m udfwidgets.warm [dtype ...]``.

Compiled code is kept on disk and found again by every later process, so this is worth doing once
after an installation. What is there already is not compiled again.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from udfwidgets.api import Context
from udfwidgets.buffers import Array, BufferDeclaration
from udfwidgets.compiling import can_keep
from udfwidgets.geometry import Brush, Disk, Ellipse, Polygon, Sector, find_disk
from udfwidgets.live.picture.loops import compile_all
from udfwidgets.store import PixelStore
from udfwidgets.udf.base import UDF
from udfwidgets.udf.com import CoMUDF
from udfwidgets.udf.logsum import LogsumUDF
from udfwidgets.udf.masks import ApplyMasksUDF
from udfwidgets.udf.stddev import StdDevUDF
from udfwidgets.udf.sum import SumUDF
from udfwidgets.udf.sumsigudf import SumSigUDF

# Those that detectors write, the commonest first: they are ready first.
DTYPES = ("uint16", "uint8", "float32", "uint32", "int16", "int32", "float64")


class _ByFrames(UDF):
    """What comes before a user's own code."""

    def get_result_buffers(self) -> Mapping[str, BufferDeclaration]:
        return {"nothing": self.buffer("nav")}

    def process_frame(self, frame: Array) -> None:
        """Do nothing."""


class _ByNativeFrames(_ByFrames):
    def get_preferred_input_dtype(self) -> npt.DTypeLike:
        return self.USE_NATIVE_DTYPE


def udfs() -> Sequence[UDF]:
    """Return the UDFs to compile, those of the first picture first."""
    return [
        SumUDF(),
        SumSigUDF(),
        ApplyMasksUDF([lambda: np.eye(8)]),
        ApplyMasksUDF(lambda: np.ones((4, 8, 8))),
        ApplyMasksUDF(lambda: np.full((4, 8, 8), 0.5, np.float32)),
        CoMUDF(),
        StdDevUDF(),
        LogsumUDF(),
        _ByFrames(),
        _ByNativeFrames(),
    ]


def warm(dtypes: Iterable[npt.DTypeLike] = DTYPES) -> None:
    """Make a picture, and run the built-in UDFs over a few frames of each dtype."""
    compile_all()
    with Context.make_with("inline") as ctx:
        for dtype in dtypes:
            dataset = ctx.load("memory", data=np.ones((4, 4, 8, 8), dtype), sig_dims=2)
            for udf in udfs():
                ctx.run_udf(dataset=dataset, udf=udf)


def warm_shapes() -> None:
    """Fill a shape of each kind that takes a compiled loop, and find a disk."""
    corners = ((1, 1), (6, 1), (1, 6))
    for figure in (Sector(4, 4, 1, 3, 0, 90), Ellipse(4, 4, 3, 2), Polygon(corners)):
        figure.mask((8, 8))
    Brush(corners, 1).mask((8, 8))
    find_disk(Disk(15, 15, 6).mask((32, 32)).astype(np.float64))


def warm_store(dtype: npt.DTypeLike) -> None:
    """Keep a few frames by their pixels, and move a detector over them."""
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("memory", data=np.ones((4, 4, 8, 8), dtype), sig_dims=2)
        with PixelStore(ctx.executor, dataset) as store:
            store.wait()
            for mask in (np.eye(8, dtype=bool), np.eye(8)):
                moving = store.moving()
                moving.moved(mask)
                moving.moved(np.roll(mask, 1, 1))


def main(arguments: Sequence[str]) -> None:
    """Compile for the dtypes named, or the usual ones, and let everything else go first.

    Each dtype is printed when it is done.
    """
    if hasattr(os, "nice"):
        os.nice(19)
    for dtype in arguments or DTYPES:
        if not can_keep():
            return  # nobody would find it
        warm([dtype])
        print(dtype, flush=True)
    if can_keep():
        warm_shapes()
    for dtype in arguments or DTYPES:
        if can_keep():
            warm_store(dtype)


if __name__ == "__main__":
    main(sys.argv[1:])
