"""The steps of the built-in UDFs, compiled for a dtype when they are first asked for."""

# Compiled: numba takes the types from the signature.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numba
import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.udf.compiled.both import add_both
from udfwidgets.udf.compiled.detectors import add_matrix, add_runs, narrow_dtype
from udfwidgets.udf.compiled.fused import Step, compiled_step
from udfwidgets.udf.compiled.kernels import (
    add_squares,
    exact_dtype,
    strip_dtype,
    sum_pixels,
)
from udfwidgets.udf.compiled.moments import (
    MOMENT_STRIP,
    add_moments,
    add_moments_of_integers,
    ramp_dtype,
    spans_within,
)
from udfwidgets.udf.compiled.words import (
    add_frames_in_words,
    add_pixels_in_words,
    needs_words,
)


def joined(steps: Sequence[Step], dtype: np.dtype[Any]) -> Sequence[Step]:
    """Return steps that do the same with frames of a dtype, those together that are faster so."""
    by_key = {step.key: step for step in steps}
    frames, pixels = by_key.get("sum"), by_key.get("sum per frame")
    if frames is None or pixels is None or needs_words(dtype):
        return steps
    both = replace(frames, more=pixels.out)
    return [both, *(step for step in steps if step is not frames and step is not pixels)]


# All have the signature of `compiled_step`, and are shown the pixels from `first` on: `n_pixels` of
# each of `n_frames` frames, which begin `stride` pixels after each other.


@cache
def add_up_frames(dtype: np.dtype[Any], partial: np.dtype[Any]) -> int:
    """Sum of all frames in a dtype, and of each frame in `more`."""
    if needs_words(dtype):
        return compiled_step(_add_up_frames_in_words, dtype, "i8", "i8", "i8")
    return compiled_step(_add_up_both, dtype, partial, "i8", exact_dtype(dtype))


def _add_up_both(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    total, totals = numba.carray(out, (first + n_pixels,)), numba.carray(more, (row + n_frames,))
    add_both(tile, total[first:], totals[row:])


def _add_up_frames_in_words(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    add_frames_in_words(tile, numba.carray(out, (first + n_pixels, 2))[first:])


@cache
def add_up_pixels(dtype: np.dtype[Any]) -> int:
    """Sum of each frame: `aux` is of the dtype to add up in."""
    if needs_words(dtype):
        return compiled_step(_add_up_pixels_in_words, dtype, "i8", "i8", "i8")
    return compiled_step(_add_up_pixels, dtype, exact_dtype(dtype), strip_dtype(dtype), "i8")


def _add_up_pixels(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames,))
    sum_pixels(tile, n_pixels, numba.carray(aux, (1,)), totals[row:])


def _add_up_pixels_in_words(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, 2))
    add_pixels_in_words(tile, n_pixels, totals[row:])


@cache
def add_up_squares(dtype: np.dtype[Any], partial: np.dtype[Any]) -> int:
    """Sum of all frames in a dtype, and of their squares in `aux`."""
    return compiled_step(_add_up_squares, dtype, partial, "u8", "i8")


def _add_up_squares(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    total, squares = numba.carray(out, (first + n_pixels,)), numba.carray(aux, (first + n_pixels,))
    add_squares(tile, total[first:], squares[first:])


@cache
def add_up_runs(dtype: np.dtype[Any]) -> int:
    """Masks as runs: `aux` are the runs, `more` the weights, `n_more` the masks."""
    is_narrow = narrow_dtype(dtype, np.dtype(np.float64)) == np.int32
    step = _add_up_runs_of_integers if is_narrow else _add_up_runs
    return compiled_step(step, dtype, "f8", "i8", "f8")


def _add_up_runs(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, n_more))
    runs = numba.carray(aux, (n_aux, 5))
    weights = numba.carray(more, (_n_weights(runs),))
    add_runs(tile, first, n_pixels, runs, weights, np.zeros(1, np.float64), totals[row:])


def _add_up_runs_of_integers(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, n_more))
    runs = numba.carray(aux, (n_aux, 5))
    weights = numba.carray(more, (_n_weights(runs),))
    add_runs(tile, first, n_pixels, runs, weights, np.zeros(1, np.int32), totals[row:])


@compiled()
def _n_weights(runs):
    if not len(runs):
        return 0
    _, begin, end, offset, _ = runs[-1]
    return offset + end - begin


@cache
def add_up_matrix(dtype: np.dtype[Any], weights: np.dtype[Any]) -> int:
    """Masks as a matrix: `aux` in the dtype of `weights`, `n_aux` rows, of which `n_more` count.

    In `more` is the length of the rows.
    """
    return compiled_step(_add_up_matrix, dtype, "f8", weights, "i8")


def _add_up_matrix(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    totals = numba.carray(out, (row + n_frames, n_more))
    masks = numba.carray(aux, (n_aux, numba.carray(more, (1,))[0]))
    add_matrix(tile, first, n_pixels, masks, totals[row:])


@cache
def add_up_moments(dtype: np.dtype[Any], moments: np.dtype[Any]) -> int:
    """Moments within a mask: `aux` are `n_aux` spans, `more` is a ramp, `n_more` the width."""
    is_narrow = dtype.kind in "ui" and dtype.itemsize <= 2
    step = _add_up_moments_of_integers if is_narrow else _add_up_moments
    return compiled_step(step, dtype, moments, "i8", ramp_dtype(dtype))


def _add_up_moments(pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more):
    tile = numba.carray(pixels, (n_frames, stride))
    spans, ramp = numba.carray(aux, (n_aux, 3)), numba.carray(more, (MOMENT_STRIP,))
    totals = numba.carray(out, (row + n_frames, 3))
    top, n_rows = first // n_more, n_pixels // n_more
    own = spans_within(spans, top, top + n_rows)
    add_moments(tile, (n_rows, n_more), own, (top, 0), ramp, totals[row:])


def _add_up_moments_of_integers(
    pixels, n_frames, n_pixels, stride, row, first, out, aux, more, n_aux, n_more
):
    tile = numba.carray(pixels, (n_frames, stride))
    spans, ramp = numba.carray(aux, (n_aux, 3)), numba.carray(more, (MOMENT_STRIP,))
    totals = numba.carray(out, (row + n_frames, 3))
    top, n_rows = first // n_more, n_pixels // n_more
    own = spans_within(spans, top, top + n_rows)
    add_moments_of_integers(tile, (n_rows, n_more), own, (top, 0), ramp, totals[row:])
