"""What each work should give: NumPy on the frames themselves, not on a file that someone read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import detectors
from benchmarks.data import Scan

Answers = dict[str, list[Any]]

# Of what is kept in files: one more where a work is added.
VERSION = 3


def answers(scan: Scan, folder: Path) -> Answers:
    """Return the arrays that each work should give, from a file when they were computed before."""
    path = folder / f"{scan.name}-answers-{VERSION}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        found = _compute(scan)
        np.savez(
            path, **{f"{w} {i}": a for w, arrays in found.items() for i, a in enumerate(arrays)}
        )
    collected: Answers = {}
    with np.load(path) as saved:
        for name in saved.files:
            collected.setdefault(name.split()[0], []).append(saved[name])
    return collected


def compare(arrays: Sequence[Any], expected: Sequence[Any]) -> tuple[bool, int]:
    """Tell whether results are right, and how many values are not the exact one, rounded once."""
    if len(arrays) != len(expected):
        return False, -1
    right, inexact = True, 0
    for array, exact in zip(arrays, expected, strict=True):
        if array.shape != exact.shape:
            return False, -1
        room = 1e-6 * float(np.abs(exact).max())
        right &= bool(np.allclose(array, exact, rtol=1e-4, atol=room))
        inexact += int(np.count_nonzero(array != exact.astype(array.dtype)))
    return right, inexact


def _compute(scan: Scan) -> Answers:
    total = np.zeros(scan.sig_shape, np.uint64)
    squares = np.zeros(scan.sig_shape, np.float64)
    by_row: dict[str, list[Any]] = {"sumsig": [], "weighted": [], "max": [], "n": []}
    masks = [
        detectors.ring(scan.sig_shape)[None],
        detectors.segments(scan.sig_shape),
        detectors.moments(scan.sig_shape),
    ]
    weights = np.concatenate(masks).reshape(-1, int(np.prod(scan.sig_shape))).T.astype(np.float64)
    for row in scan.rows():
        flat = row.reshape(len(row), -1).astype(np.float64)
        total += row.sum(axis=0, dtype=np.uint64)
        squares += np.einsum("fp,fp->p", flat, flat).reshape(scan.sig_shape)
        by_row["sumsig"].append(row.sum(axis=(1, 2), dtype=np.uint64))
        by_row["max"].append(row.max(axis=(1, 2)))
        by_row["n"].append((row > detectors.THRESHOLD).sum(axis=(1, 2)))
        by_row["weighted"].append(flat @ weights)
    sumsig, weighted, highest, counted = (
        np.stack(by_row[k]) for k in ("sumsig", "weighted", "max", "n")
    )
    n = np.prod(scan.nav_shape)
    return {
        "sums": [total, sumsig],
        "mask": [weighted[..., :1]],
        "masks8": [weighted[..., 1:9]],
        "stddev": [np.sqrt(squares / n - (total / n) ** 2)],
        "com": [weighted[..., 10:] / weighted[..., 9:10]],
        "framemax": [highest],
        "compiledmax": [highest],
        "counted": [counted],
    }
