"""How cost grows: with the scan, the detector, the number of UDFs and that of merge steps."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import data
from benchmarks.contenders import LOOPS, OURS
from benchmarks.extent import Extent
from benchmarks.measure.live import SUMS
from benchmarks.processes import Worker, interleaved

UDF_SETS = (SUMS, [*SUMS, "mask"], [*SUMS, "mask", "com"], [*SUMS, "mask", "com", "stddev"])
# Rows and columns of square frames.
TOGETHER = 16
SIZES = (16, 32, 64, 128, 192, 256, 512, 1024, 2048, 4096)
Points = list[dict[str, Any]]


def scaling(workers: Sequence[Worker], extent: Extent, folder: Path) -> dict[str, Points]:
    """Seconds of us, and of the bare loops, over parts and foldings of one raw file."""
    file = extent.raw.describe(folder)
    data.warm(file)
    takers = [worker for worker in workers if worker.label in (OURS, *LOOPS)]
    ours = [worker for worker in takers if worker.label == OURS]
    n_y, n_x = extent.raw.nav_shape
    width = extent.raw.sig_shape[0]
    found: dict[str, Points] = {"nav": [], "sig": [], "udfs": [], "steps": []}
    for part in (32, 16, 8, 4, 2, 1):
        scan = {**file, "nav_shape": [n_y // part, n_x]}
        found["nav"].append(_runs(takers, scan, SUMS, extent))
        found["steps"].append(_steps(ours, scan, extent))
    for size in SIZES:
        n_frames = n_y * n_x * width**2 // size**2
        if n_frames < TOGETHER:
            continue
        # Whole numbers of what loops take together, on both threads.
        scan = {**file, "nav_shape": [TOGETHER, n_frames // TOGETHER], "sig_shape": [size, size]}
        found["sig"].append(_runs(takers, scan, SUMS, extent))
    found["udfs"] = [_runs(ours, file, works, extent) for works in UDF_SETS]
    return found


def _load(workers: Sequence[Worker], scan: dict[str, Any], works: list[str]) -> dict[str, Any]:
    for worker in workers:
        worker.ask("load", scan=scan)
        worker.ask("run", works=works)
    return {"nav_shape": scan["nav_shape"], "sig_shape": scan["sig_shape"], "works": works}


def _runs(
    workers: Sequence[Worker], scan: dict[str, Any], works: list[str], extent: Extent
) -> dict[str, Any]:
    what = _load(workers, scan, works)
    times = interleaved(workers, extent, lambda worker: worker.ask("run", works=works))
    return {**what, "seconds": {label: statistics.median(t) for label, t in times.items()}}


def _steps(workers: Sequence[Worker], scan: dict[str, Any], extent: Extent) -> dict[str, Any]:
    what = _load(workers, scan, SUMS)

    def measure(worker: Worker) -> dict[str, Any]:
        plain = worker.ask("run", works=SUMS)
        return {**worker.ask("iterate", works=SUMS), "plain": plain}

    (turns,) = interleaved(workers, extent, measure).values()
    return {
        **what,
        "steps": statistics.median(turn["steps"] for turn in turns),
        "cost": statistics.median(turn["seconds"] / turn["plain"] for turn in turns),
    }
