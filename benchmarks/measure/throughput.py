"""How fast whole runs are: a row is a work on a file, done by everyone who can do it."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.answers import Answers, answers, compare
from benchmarks.contenders import LIBERTEM, LIBERTEM_BEST, LIMIT, LOOPS
from benchmarks.extent import Extent
from benchmarks.processes import Worker, WorkerError, able, interleaved

Results = dict[str, Any]


@dataclass(frozen=True)
class Row:
    """A row of the table.

    Parameters
    ----------
    key, title : str
        For machines and for people.
    work : str
        What is computed: a name that contenders list among their `works`, and that
        `benchmarks.answers` has the right results of.
    storage : Storage
        How the frames lie in the file.
    """

    key: str
    title: str
    work: str
    storage: data.Storage = data.RAW


ROWS = (
    Row("sums", "SumUDF + SumSigUDF, one pass", "sums"),
    Row("mask", "one mask (virtual detector)", "mask"),
    Row("masks8", "8 masks", "masks8"),
    Row("stddev", "StdDev", "stddev"),
    Row("com", "CoM", "com"),
    Row("framemax", "Python process_frame: frame.max()", "framemax"),
    Row("compiledmax", "compiled process_frame: frame.max()", "compiledmax"),
    Row("gzip", "HDF5 gzip-1, chunk 1x8", "sums", data.GZIP),
    Row("bslz4", "HDF5 bitshuffle-LZ4, chunk 1x8", "sums", data.BITSHUFFLE),
    Row("bslz4-frames", "HDF5 bitshuffle-LZ4, chunk per frame", "sums", data.BITSHUFFLE_FRAMES),
    Row("chunked", "HDF5 chunked 1x8, not compressed", "sums", data.CHUNKED),
    Row("contiguous", "HDF5 contiguous", "sums", data.CONTIGUOUS),
    Row("dm", "DM4", "sums", data.DETECTORS["dm"]),
    Row("empad", "EMPAD (float32)", "sums", data.DETECTORS["empad"]),
    Row("blo", "BLO of 16 bits", "sums", data.DETECTORS["blo"]),
    Row("seq", "SEQ", "sums", data.DETECTORS["seq"]),
    Row("mrc", "MRC", "sums", data.DETECTORS["mrc"]),
    Row("tvips", "TVIPS", "sums", data.DETECTORS["tvips"]),
    Row("k2is", "K2IS", "sums", data.DETECTORS["k2is"]),
    Row("frms6", "FRMS6, offsets subtracted", "sums", data.DETECTORS["frms6"]),
    Row("zarr", "Zarr, Zstd, chunk 1x8", "sums", data.DETECTORS["zarr"]),
)


def measure(row: Row, workers: Sequence[Worker], extent: Extent, folder: Path) -> Results:
    """Seconds of every round for everyone, and whether their results are right."""
    scan = extent.scan_in(row.storage)
    file = scan.describe(folder, row.storage)
    data.warm(file)
    expected = answers(scan, folder)
    takers = [worker for worker in workers if worker.can(row.work, file)]
    checked = able(takers, row.title, partial(warm_up, row.work, file, expected))
    times = interleaved(list(checked), extent, partial(_time, row.work))
    return {
        "title": row.title,
        "bytes": scan.bytes_in(row.storage),
        "seconds": times,
        "right": {worker.label: right for worker, right in checked.items()},
    }


def warm_up(work: str, file: dict[str, Any], expected: Answers, worker: Worker) -> bool:
    """Let a worker open a file and run once, and tell whether its results are right."""
    worker.ask("load", scan=file)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.npz"
        worker.ask("run", works=[work], save=str(path))
        with np.load(path) as saved:
            arrays = [saved[name] for name in saved.files]
    exact = expected[work]
    if len(arrays) == 1 and len(exact) == 2:  # who only reads has one number
        exact = [exact[0].sum()]
    return compare(arrays, exact)[0]


def _time(work: str, worker: Worker) -> float:
    try:
        return float(worker.ask("run", works=[work]))
    except WorkerError as error:
        raise SystemExit(f"{work} went well once, and then failed: {error}") from error


def named(seconds: dict[str, Any], label: str | None) -> str | None:
    """Return whom a label means in a row: LiberTEM's best executor, and the best loop, differ."""
    if label == LIBERTEM_BEST:
        return best_libertem(seconds)
    if label != LIMIT:
        return label
    loops = {label: statistics.median(seconds[label]) for label in LOOPS if label in seconds}
    return min(loops, key=loops.__getitem__, default=None)


def best_libertem(values: dict[str, Any], *, highest: bool = False) -> str | None:
    """Return the label of LiberTEM's best executor: that of the lowest (or highest) median."""
    found = {
        label: statistics.median(np.atleast_1d(value))
        for label, value in values.items()
        if label.startswith(LIBERTEM) and label != LIBERTEM_BEST and not isinstance(value, str)
    }
    if not found:
        return None
    return (max if highest else min)(found, key=lambda label: found[label])
