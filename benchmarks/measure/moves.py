"""Detectors that are moved by a pixel, from the move to the exact image."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks import data
from benchmarks.contenders import NUMPY, OURS
from benchmarks.measure.live import Bench, Values
from benchmarks.processes import Worker, able, median_ratio
from benchmarks.report.quantities import seconds as written

KINDS = ("disk", "annulus")
MOVES = 50
# Of those who go over all frames for each.
RERUNS = 5


def moves(bench: Bench) -> dict[str, Values]:
    """A disk and an annulus, moved by one pixel at a time: in a view, and by new runs."""
    workers = bench.loaded("moved detectors", bench.extent.raw)
    ours = next(worker for worker in workers if worker.label == OURS)
    reruns = {kind: _reruns(kind, workers) for kind in KINDS}
    scan = bench.extent.raw.describe(bench.folder, data.RAW)
    turns = ours.ask("build_stores", scan=scan, rounds=bench.extent.rounds)
    for name, times in turns.items():
        print(f"    {name}: {', '.join(map(written, times))}")
    found: dict[str, Values] = {
        "store-copy": {OURS: median_ratio(turns["copy"], turns["build"])},
        "store-beside": {OURS: median_ratio(turns["beside"], turns["plain"])},
    }
    ours.ask("open_view")
    for kind in KINDS:
        found |= _moved(kind, ours, reruns[kind])
    ours.ask("close_view")
    return found


def _reruns(kind: str, workers: list[Worker]) -> dict[str, float]:
    steps = list(range(RERUNS))
    seconds = able(workers, "moved detectors", lambda w: w.ask("rerun", kind=kind, steps=steps))
    return {worker.label: statistics.median(each) for worker, each in seconds.items()}


def _moved(kind: str, ours: Worker, reruns: dict[str, float]) -> dict[str, Values]:
    stored = ours.ask("move", kind=kind, steps=list(range(MOVES)))
    if not stored["right"]:
        return {f"moved-{kind}": {OURS: "wrong"}}
    seconds: dict[str, Any] = dict(reruns)
    again, own = seconds.pop(OURS), statistics.median(stored["seconds"])
    way, times = ours.ask("move_numpy", kind=kind, steps=list(range(RERUNS)))
    by_numpy = statistics.median(times)
    print(f"    {kind}: {written(own)}, NumPy's {way} {written(by_numpy)}, new runs {reruns}")
    peers = min(seconds.values(), default=None)
    return {
        f"moved-{kind}": {OURS: own, NUMPY: by_numpy, **seconds},
        f"moved-{kind}-peers": {} if peers is None else {OURS: peers / own},
        f"moved-{kind}-numpy": {OURS: by_numpy / own},
        f"moved-{kind}-again": {OURS: again / own},
    }
