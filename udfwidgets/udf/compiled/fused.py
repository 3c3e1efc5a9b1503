"""Steps: what built-in UDFs do with a tile, as compiled functions that are called one by one.

A tile passes through Python once for each UDF: that costs some 10 µs, and two threads that do so
wait for each other's GIL. So built-in UDFs hand over a `Step` for a whole partition: the address
of a compiled function, and the memory that it works on. `drive` then goes through many tiles, and
lets all steps, of whichever UDFs and runs, see each tile while it is in the cache, without the GIL.

All steps have one signature, of integers and pointers only. What `aux` and `more` point to is
between a step and its UDF.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled, compiled_callback
from udfwidgets.udf.compiled.detectors import add_matrix, add_runs, narrow_dtype
from udfwidgets.udf.compiled.kernels import (
    MOMENT_STRIP,
    STRIP,
    add_moments,
    add_squares,
    exact_dtype,
    ramp_dtype,
    strip_dtype,
    sum_frames,
    sum_pixels,
)
from udfwidgets.udf.compiled.words import (
    add_frames_in_words,
    add_pixels_in_words,
    needs_words,
)


def _nothing() -> Array:
    return np.zeros(0, np.int64)


_KNOWN = {np.dtype(name) for name in ("u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f4", "f8")}


@dataclass(frozen=True, eq=False)
class Step:
    """A compiled function, and the memory that it works on; keeps that memory alive.

    Parameters
    ----------
    address : int
        Of the function, from one of the functions below.
    out : numpy.ndarray
        What it adds to: the whole buffer of a partition.
    aux, more : numpy.ndarray
        What else it needs.
    n_aux, n_more : int
        Sizes that go with them.
    key : hashable
        Equal for steps that make the same of the same frames.
    n_results : int
        How many of `out` and `aux` are results.
    """

    address: int
    out: Array
    aux: Array = field(default_factory=_nothing)
    more: Array = field(default_factory=_nothing)
    n_aux: int = 0
    n_more: int = 0
    key: object = field(kw_only=True)
    n_results: int = 1

    @property
    def results(self) -> tuple[Array, ...]:
        """What it has written to when it is through."""
        return (self.out, self.aux)[: self.n_results]

    def at(self, row: int) -> tuple[int, ...]:
        """Return the step as `drive` takes it, for tiles from a row of the partition on."""
        arrays = (self.out.ctypes.data, self.aux.ctypes.data, self.more.ctypes.data)
        return (self.address, *arrays, self.n_aux, self.n_more, row)


def is_known(dtype: np.dtype[Any]) -> bool:
    """Whether there are steps for data of a dtype."""
    return dtype in _KNOWN and dtype.isnative


def stride_of(frames: Array) -> int | None:
    """Return how many pixels lie from one frame to the next.

    None where steps cannot see the frames as they lie: each has to be in C order, at the same
    distance from the one before, and that a whole number of pixels.
    """
    n_pixels = math.prod(frames.shape[1:])
    if frames.flags.c_contiguous:
        return n_pixels
    stride, rest = divmod(frames.strides[0], frames.itemsize)
    return stride if not rest and stride >= n_pixels and frames[0].flags.c_contiguous else None


def drive(frames: Array, numbers: Array, depth: int, steps: Sequence[tuple[int, ...]]) -> None:
    """Let all steps see some frames, at most `depth` of them at a time.

    Parameters
    ----------
    frames : numpy.ndarray
        Of shape (n_frames, *sig) and of the dtype that the steps were made for; see `stride_of`.
    numbers : numpy.ndarray of int64
        Which of them, ascending. Those that follow each other are seen together.
    depth : int
        Frames in a tile.
    steps : sequence of tuple
        From `Step.at`.

    Raises
    ------
    IndexError
        If there are fewer frames: what lies behind them is not ours.
    """
    if len(numbers) and not 0 <= numbers[0] <= numbers[-1] < len(frames):
        raise IndexError(
            f"frames {numbers[0]} to {numbers[-1]} are to be looked at, but there are only "
            f"{len(frames)}: the file is shorter than the scan it was opened as"
        )
    n_pixels, stride = math.prod(frames.shape[1:]), stride_of(frames)
    if stride is None:
        raise ValueError(f"frames with strides {frames.strides} do not lie as steps see them")
    # Through Python a tile costs 16 us for two UDFs, and 33 us when two threads wait for each
    # other's GIL. Four analyses took 2.7 times one that way, and take 2.0, or 1.1 where what is the
    # same is done once (docs/decisions/002-shared-scan.md).
    stride_bytes = stride * frames.itemsize
    _drive(frames.ctypes.data, stride_bytes, n_pixels, stride, numbers, depth, np.array(steps))


@intrinsic
def _call(  # type: ignore[no-untyped-def]
    typingctx, address, pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more
):
    """Call the function at an address; all arguments are integers of 64 bits."""
    # Addresses and no function objects: `_drive` is compiled once, whatever steps there are.
    arguments = (types.int64,) * 10

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [word] * len(arguments))
        function = builder.inttoptr(values[0], cgutils.voidptr_t)
        builder.call(builder.bitcast(function, kind.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.none(types.int64, *arguments), generate


@compiled()
def _drive(frames, stride_bytes, n_pixels, stride, numbers, depth, steps):  # type: ignore[no-untyped-def]
    at = 0
    while at < len(numbers):
        first, count = numbers[at], 1
        while count < depth and at + count < len(numbers) and numbers[at + count] == first + count:
            count += 1
        pixels = frames + first * stride_bytes
        # Tiles outside, steps inside: a tile is fetched from memory once for all analyses.
        for k in range(steps.shape[0]):
            address, out, aux, more, n_aux, n_more, row = steps[k]
            row += at
            _call(address, pixels, count, n_pixels, stride, row, out, aux, more, n_aux, n_more)
        at += count


def compiled_step(step: Callable[..., None], *dtypes: Any) -> int:
    """Return the address of a step for dtypes of pixels, out, aux and more; not twice for one."""
    pixels, out, aux, more = (types.CPointer(numba.from_dtype(np.dtype(dtype))) for dtype in dtypes)
    word = types.int64
    signature = types.void(pixels, word, word, word, word, out, aux, more, word, word)
    function = compiled_callback(signature, step)
    _kept.append(function)
    return int(function.address)


# Compiled code lives as long as the object that it belongs to.
_kept: list[Any] = []


@cache
def add_up_frames(dtype: np.dtype[Any]) -> int:
    """Sum of all frames: `aux` is a strip."""
    if needs_words(dtype):
        return compiled_step(_add_up_frames_in_words, dtype, "i8", "i8", "i8")
    return compiled_step(_add_up_frames, dtype, exact_dtype(dtype), strip_dtype(dtype), "i8")


def _add_up_frames(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    sum_frames(tile, numba.carray(aux, (STRIP,)), numba.carray(out, (n_pixels,)))


def _add_up_frames_in_words(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    add_frames_in_words(tile, numba.carray(out, (n_pixels, 2)))


@cache
def add_up_pixels(dtype: np.dtype[Any]) -> int:
    """Sum of each frame: `aux` is of the dtype to add up in."""
    if needs_words(dtype):
        return compiled_step(_add_up_pixels_in_words, dtype, "i8", "i8", "i8")
    return compiled_step(_add_up_pixels, dtype, exact_dtype(dtype), strip_dtype(dtype), "i8")


def _add_up_pixels(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames,))
    sum_pixels(tile, n_pixels, numba.carray(aux, (1,)), totals[row:])


def _add_up_pixels_in_words(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, 2))
    add_pixels_in_words(tile, n_pixels, totals[row:])


@cache
def add_up_squares(dtype: np.dtype[Any]) -> int:
    """Sum of all frames, and of their squares in `aux`."""
    return compiled_step(_add_up_squares, dtype, exact_dtype(dtype), "u8", "i8")


def _add_up_squares(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    add_squares(tile, numba.carray(out, (n_pixels,)), numba.carray(aux, (n_pixels,)))


@cache
def add_up_runs(dtype: np.dtype[Any]) -> int:
    """Masks as runs: `aux` are the runs, `more` the weights, `n_more` the masks."""
    is_narrow = narrow_dtype(dtype, np.dtype(np.float64)) == np.int32
    step = _add_up_runs_of_integers if is_narrow else _add_up_runs
    return compiled_step(step, dtype, "f8", "i8", "f8")


def _add_up_runs(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    narrow = np.zeros(1, np.float64)
    _add_runs_in(narrow, pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more)


def _add_up_runs_of_integers(  # type: ignore[no-untyped-def]
    pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more
):
    narrow = np.zeros(1, np.int32)
    _add_runs_in(narrow, pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more)


@compiled()
def _add_runs_in(narrow, pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    runs = numba.carray(aux, (n_aux, 5))
    n_weights = 0
    if n_aux:
        last = runs[n_aux - 1]
        n_weights = last[3] + last[2] - last[1]
    totals = numba.carray(out, (row + n_frames, n_more))
    add_runs(tile, runs, numba.carray(more, (n_weights,)), narrow, totals[row:])


@cache
def add_up_matrix(dtype: np.dtype[Any], weights: np.dtype[Any]) -> int:
    """Masks as a matrix: `aux` in the dtype of `weights`, `n_aux` rows, of which `n_more` count."""
    return compiled_step(_add_up_matrix, dtype, "f8", weights, "i8")


def _add_up_matrix(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, n_more))
    add_matrix(tile, numba.carray(aux, (n_aux, n_pixels)), totals[row:])


@cache
def add_up_moments(dtype: np.dtype[Any], moments: np.dtype[Any]) -> int:
    """Moments within a mask: `aux` are `n_aux` spans, `more` is a ramp, `n_more` the width."""
    return compiled_step(_add_up_moments, dtype, moments, "i8", ramp_dtype(dtype))


def _add_up_moments(pixels, n_frames, n_pixels, stride, row, out, aux, more, n_aux, n_more):  # type: ignore[no-untyped-def]
    lying = numba.carray(pixels, (n_frames, stride))
    spans = numba.carray(aux, (n_aux, 3))
    ramp = numba.carray(more, (MOMENT_STRIP,))
    totals = numba.carray(out, (row + n_frames, 3))
    # One by one where something lies between them: each frame is worked on by itself anyway.
    depth = n_frames if stride == n_pixels else 1
    for at in range(0, n_frames, depth):
        tile = lying[at : at + depth].reshape(-1)[: depth * n_pixels]
        frames = tile.reshape(depth, n_pixels // n_more, n_more)
        add_moments(frames, spans, 0, 0, ramp, totals[row + at : row + at + depth])
