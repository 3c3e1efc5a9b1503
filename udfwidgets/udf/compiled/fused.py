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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled, compiled_callback


def _nothing() -> Array:
    return np.zeros(0, np.int64)


#: Pixels that steps are shown at a time: sums of them stay in the first-level cache.
PART = 8192
# Frames of up to so many are shown whole: 128x128 go through 5 % faster than in two halves.
WHOLE = 16384
#: Frames that several steps are shown at a time, more of those that are smaller than a part; and
#: those that a single one is.
BLOCK_FRAMES, MOST_FRAMES = 16, 16384

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
    buffers : tuple of numpy.ndarray, optional
        The buffers that the results are put in the place of, where they are no buffers themselves.
    unit : int
        If it can be shown some pixels of frames after the others: of how many, or a multiple of
        it, from a multiple on. 0 if it wants whole frames.
    contains : mapping of hashable to numpy.ndarray
        What steps with other keys would make of the same frames.
    leaps : bool
        Whether it goes over frames by leaps, and is better shown what others have brought into the
        cache.
    """

    address: int
    out: Array
    aux: Array = field(default_factory=_nothing)
    more: Array = field(default_factory=_nothing)
    n_aux: int = 0
    n_more: int = 0
    key: object = field(kw_only=True)
    n_results: int = 1
    buffers: tuple[Array, ...] = ()
    unit: int = 0
    contains: Mapping[object, Array] = field(default_factory=dict)
    leaps: bool = False

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


def part_of(steps: Sequence[Step]) -> int:
    """Return how many pixels of all frames steps are shown at a time; 0 for whole frames."""
    if not all(step.unit for step in steps):
        return 0
    unit = math.lcm(*(step.unit for step in steps))
    return max(PART // unit, 1) * unit


def drive(
    frames: Array,
    numbers: Array,
    depth: int,
    steps: Sequence[Step],
    row: int,
    pixels: tuple[int, int] | None = None,
) -> None:
    """Let all steps see some frames, at most `depth` of them at a time.

    Where all of them can be shown some pixels after the others, they are: what they add to is in
    the cache as well then, however large a frame is.

    Parameters
    ----------
    frames : numpy.ndarray
        Of shape (n_frames, *sig) and of the dtype that the steps were made for; see `stride_of`.
    numbers : numpy.ndarray of int64
        Which of them, ascending. Those that follow each other are seen together.
    depth : int
        Frames in a tile.
    steps : sequence of Step
        What sees them.
    row : int
        Which row of the partition the first frame is.
    pixels : tuple of int, optional
        From which pixel on, and up to which one (exclusive); from a multiple of `part_of` on.

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
    part = part_of(steps)
    if part:
        part = max(part, n_pixels) if n_pixels <= WHOLE else part
        together = BLOCK_FRAMES * max(1, PART // max(n_pixels, 1))
        # Nobody else wants to see them while they are in the cache.
        depth = MOST_FRAMES if len(steps) == 1 else min(together, MOST_FRAMES)
    # Through Python a tile costs 16 us for two UDFs, and 33 us when two threads wait for each
    # other's GIL. Four analyses took 2.7 times one that way, and take 2.0, or 1.1 where what is the
    # same is done once (docs/decisions/002-shared-scan.md).
    lying = frames.ctypes.data, frames.itemsize, stride
    shown = (*(pixels or (0, n_pixels)), part or n_pixels)
    _drive(lying, numbers, depth, shown, np.array([step.at(row) for step in steps]))


@intrinsic
def call_step(  # type: ignore[no-untyped-def]
    typingctx,
    address,
    pixels,
    n_frames,
    n_pixels,
    stride,
    row,
    first,
    out,
    aux,
    more,
    n_aux,
    n_more,
):
    """Call the function at an address; all arguments are integers of 64 bits."""
    # Addresses and no function objects: `_drive` is compiled once, whatever steps there are.
    arguments = (types.int64,) * 11

    def generate(context, builder, signature, values):  # type: ignore[no-untyped-def]
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [word] * len(arguments))
        function = builder.inttoptr(values[0], cgutils.voidptr_t)
        builder.call(builder.bitcast(function, kind.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.none(types.int64, *arguments), generate


@compiled()
def _drive(lying, numbers, depth, shown, steps):  # type: ignore[no-untyped-def]
    frames, itemsize, stride = lying
    begin, stop, part = shown
    for first in range(begin, stop, part):
        size = min(part, stop - first)
        at = 0
        while at < len(numbers):
            number, count = numbers[at], 1
            while (
                count < depth
                and at + count < len(numbers)
                and numbers[at + count] == number + count
            ):
                count += 1
            pixels = frames + (number * stride + first) * itemsize
            # Tiles outside, steps inside: a tile is fetched from memory once for all analyses.
            for k in range(steps.shape[0]):
                address, out, aux, more, n_aux, n_more, row = steps[k]
                call_step(
                    address,
                    pixels,
                    count,
                    size,
                    stride,
                    row + at,
                    first,
                    out,
                    aux,
                    more,
                    n_aux,
                    n_more,
                )
            at += count


def compiled_step(step: Callable[..., None], *dtypes: Any) -> int:
    """Return the address of a step for dtypes of pixels, out, aux and more; not twice for one."""
    pixels, out, aux, more = (types.CPointer(numba.from_dtype(np.dtype(dtype))) for dtype in dtypes)
    word = types.int64
    signature = types.void(pixels, *(word,) * 5, out, aux, more, word, word)
    function = compiled_callback(signature, step)
    _kept.append(function)
    return int(function.address)


# Compiled code lives as long as the object that it belongs to.
_kept: list[Any] = []
