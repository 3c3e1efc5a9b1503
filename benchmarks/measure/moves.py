"""Detectors that are moved by a pixel, from the move to the exact image."""

from __future__ import annotations

import statistics
from typing import Any

from benchmarks import data
from benchmarks.contenders import NUMPY, OURS
from benchmarks.measure.live import Bench, Values
from benchmarks.processes import Worker, able, median_ratio

KINDS = ("disk", "annulus")
MOVES = 50
# Of those who go over all frames for each.
RERUNS = 5


def moves(bench: Bench) -> dict[str, Values]:
    """A disk and an annulus, moved by one pixel at a time: out of the store, and by new runs."""
    workers = bench.loaded("moved detectors", bench.extent.raw)
    ours = next(worker for worker in workers if worker.label == OURS)
    scan = bench.extent.raw.describe(bench.folder, data.RAW)
    turns = ours.ask("open_store", scan=scan, rounds=bench.extent.rounds)
    found: dict[str, Values] = {
        "store-copy": {OURS: median_ratio(turns["copy"], turns["build"])},
        "store-beside": {OURS: median_ratio(turns["beside"], turns["plain"])},
    }
    for kind in KINDS:
        found |= _moved(kind, ours, workers)
    ours.ask("close_store")
    return found


def _moved(kind: str, ours: Worker, workers: list[Worker]) -> dict[str, Values]:
    few = list(range(RERUNS))
    stored = ours.ask("move_stored", kind=kind, steps=list(range(MOVES)))
    if not stored["right"]:
        return {f"moved-{kind}": {OURS: "wrong"}}
    reruns = able(workers, "moved detectors", lambda w: w.ask("rerun", kind=kind, steps=few))
    seconds: dict[str, Any] = {w.label: statistics.median(s) for w, s in reruns.items()}
    again, own = seconds.pop(OURS), statistics.median(stored["seconds"])
    by_numpy = statistics.median(ours.ask("move_numpy", kind=kind, steps=few))
    peers = min(seconds.values(), default=None)
    return {
        f"moved-{kind}": {OURS: own, NUMPY: by_numpy, **seconds},
        f"moved-{kind}-peers": {} if peers is None else {OURS: peers / own},
        f"moved-{kind}-numpy": {OURS: by_numpy / own},
        f"moved-{kind}-again": {OURS: again / own},
    }
