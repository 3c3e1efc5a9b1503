"""Lets steps see frames that are decoded part by part, each part while it is in the cache."""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled
from udfwidgets.udf.compiled.fused import Step, call_step


def drive_packed(
    address: int,
    about: Array,
    numbers: Array,
    n_parts: int,
    tile: Array,
    steps: Sequence[Step],
    row: int,
) -> int:
    """Decode some frames part by part, and let all steps see each part.

    Parameters
    ----------
    address : int
        Of ``int64 decode(int64 *about, int64 *numbers, int64 n_frames, int64 part, char *out)``.
    about : numpy.ndarray of int64
        What that has to know.
    numbers : numpy.ndarray of int64
        Which frames.
    n_parts : int
        How many parts a frame has.
    tile : numpy.ndarray
        Memory for a part of so many frames, in the dtype that the steps were made for.
    steps : sequence of Step
        Those that go by pixel.
    row : int
        Which row of the partition the first frame is.

    Returns
    -------
    int
        How many frames are done: fewer where one could not be decoded.
    """
    told = [step.at(row) for step in steps]
    sizes = (len(tile), tile[0].size, n_parts)
    return int(_drive(address, about, numbers, sizes, tile.ctypes.data, np.array(told)))


@intrinsic
def _decode(typing_context, address, about, numbers, n_frames, part, out):
    """Call the function at an address; all arguments are integers of 64 bits."""
    arguments = (types.int64,) * 5

    def generate(context, builder, signature, values):
        word = ir.IntType(64)
        kind = ir.FunctionType(word, [word] * len(arguments))
        function = builder.inttoptr(values[0], cgutils.voidptr_t)
        return builder.call(builder.bitcast(function, kind.as_pointer()), values[1:])

    return types.int64(types.int64, *arguments), generate


@compiled()
def _drive(address, about, numbers, sizes, tile, steps):
    depth, n_pixels, n_parts = sizes
    for at in range(0, len(numbers), depth):
        count = min(depth, len(numbers) - at)
        chosen = numbers[at:].ctypes.data
        for part in range(n_parts):
            if _decode(address, about.ctypes.data, chosen, count, part, tile) != 0:
                return at
            first = part * n_pixels
            for k in range(steps.shape[0]):
                step, out, aux, more, n_aux, n_more, row = steps[k]
                row += at
                call_step(
                    step, tile, count, n_pixels, n_pixels, row, first, out, aux, more, n_aux, n_more
                )
    return len(numbers)
