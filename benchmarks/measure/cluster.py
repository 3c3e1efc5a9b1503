"""Two processes of ours, beside our threads, and LiberTEM's default, a Dask cluster as well."""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.answers import answers, compare
from benchmarks.contenders import LIBERTEM, LIBERTEM_DEFAULT, OURS, PROCESSES
from benchmarks.measure.bare import bare
from benchmarks.measure.concurrency import TWO, relative
from benchmarks.measure.live import SUMS, Bench, Values
from benchmarks.measure.memory import peak_memory
from benchmarks.measure.throughput import Results, Row, best_libertem, measure
from benchmarks.processes import Worker, able, median_ratio

# A millisecond of Python for each frame: on the large scan a minute for who has one core.
COUNTED = "counted"
LONG = 600.0
HERE = "processes"
#: In so many parts of the scan.
PARTS = 4
BARE = "bare loop"


def cluster(bench: Bench) -> dict[str, Values]:
    """What processes are good for, and what they cost where threads would do."""
    with _processes(bench) as ours:
        bench.loaded("processes", bench.extent.raw, workers=[ours])
        peers = [w for w in bench.workers if w.label.startswith(LIBERTEM)]
        threads = [w for w in bench.workers if w.label == OURS]
        default = [w for w in peers if w.label == LIBERTEM_DEFAULT]
        return (
            _row("sums", bench, [ours, *threads, *default])
            | _row("framemax", bench, [ours, *threads, *peers])
            | _python(bench, [ours, *threads, *default])
            | _first(bench, ours)
            | _two(bench, ours)
            | _memory(bench, [ours, *threads])
        )


@contextmanager
def _processes(bench: Bench) -> Iterator[Worker]:
    """Start our cluster, which no other case has a use for."""
    threads = next(w.contender for w in bench.workers if w.label == OURS)
    with Worker(replace(threads, label=PROCESSES, variant="processes"), bench.log) as worker:
        worker.start()
        yield worker


def _row(work: str, bench: Bench, everyone: Sequence[Worker]) -> dict[str, Values]:
    row = measure(Row(work, f"{work}, processes", work), everyone, bench.extent, bench.folder)
    return _compared(work, row)


def _compared(work: str, row: Results) -> dict[str, Values]:
    """Return the seconds of each, and how many times as fast as others our processes are."""
    seconds = {label: each for label, each in row["seconds"].items() if row["right"][label]}
    if PROCESSES not in seconds:
        return {f"{HERE}-{work}": {OURS: "wrong"}}
    own = seconds.pop(PROCESSES)
    others = {"threads": OURS, "dask": LIBERTEM_DEFAULT, "best": best_libertem(seconds)}
    found: dict[str, Values] = {
        f"{HERE}-{work}-{name}": {OURS: median_ratio(seconds[label], own)}
        for name, label in others.items()
        if label in seconds
    }
    medians = {label: statistics.median(each) for label, each in seconds.items()}
    print(f"    {work}: {statistics.median(own):.3f} s, threads (ours) and LiberTEM {medians}")
    return {f"{HERE}-{work}": {**medians, OURS: statistics.median(own)}, **found}


def _python(bench: Bench, everyone: Sequence[Worker]) -> dict[str, Values]:
    """A part of the scan after the other, in turn, and each by a bare loop as well.

    All of it takes the better part of a minute, in which a machine changes its pace.
    """
    file, scan = _file(bench), bench.extent.raw
    rows = scan.nav_shape[0] // PARTS
    (counts,) = answers(scan, bench.folder)[COUNTED]
    seconds: dict[str, list[float]] = {}
    right: dict[str, bool] = {}

    def note(label: str, took: float, is_right: bool) -> None:
        seconds.setdefault(label, []).append(took)
        right[label] = right.get(label, True) and is_right

    for part in range(PARTS):
        wanted = [counts[part * rows : (part + 1) * rows]]
        nav_shape, first = (rows, *scan.nav_shape[1:]), part * rows * math.prod(scan.nav_shape[1:])
        order = file | {"nav_shape": nav_shape, "first": first}
        turns = able(everyone, COUNTED, partial(_timed_and_checked, order, wanted))
        for worker, (took, is_right) in turns.items():
            note(worker.label, took, is_right)
        took, found = bare(file["path"], (math.prod(nav_shape), *scan.sig_shape), first)
        note(BARE, took, compare([found.reshape(nav_shape)], wanted)[0])
    loop = seconds.pop(BARE)
    found = _compared(COUNTED, {"seconds": seconds, "right": right})
    names = {PROCESSES: OURS, LIBERTEM_DEFAULT: LIBERTEM_DEFAULT}
    return found | {
        f"{HERE}-bare": {
            names[label]: median_ratio(each, loop) if right[BARE] else "wrong"
            for label, each in seconds.items()
            if label in names
        }
    }


def _timed_and_checked(
    file: dict[str, Any], expected: Sequence[Any], worker: Worker
) -> tuple[float, bool]:
    worker.ask("load", scan=file)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.npz"
        seconds = worker.ask("run", timeout=LONG, works=[COUNTED], save=str(path))
        with np.load(path) as saved:
            return float(seconds), compare([saved[name] for name in saved.files], expected)[0]


def _first(bench: Bench, ours: Worker) -> dict[str, Values]:
    """From the start of a short run to the first merge, on a cluster that has run before."""
    ours.ask("load", scan=_file(bench))
    turns = [ours.ask("iterate", works=SUMS) for _ in range(bench.extent.rounds + 1)]
    return {
        f"{HERE}-first": {OURS: statistics.median(turn["first"] for turn in turns[1:])},
        f"{HERE}-steps": {OURS: statistics.median(turn["steps"] for turn in turns[1:])},
    }


def _two(bench: Bench, ours: Worker) -> dict[str, Values]:
    expected = answers(bench.extent.raw, bench.folder)
    return {f"{HERE}-two": {OURS: relative(ours, TWO, expected, bench.extent.rounds)}}


def _memory(bench: Bench, both: Sequence[Worker]) -> dict[str, Values]:
    """Memory of the process that has the results, without its workers', of that with threads."""
    peaks = [
        max(
            peak_memory(worker, partial(worker.ask, operation, works=SUMS), alone=True)
            for operation in ("run", "iterate")
        )
        for worker in both
    ]
    print(f"    memory of the client: {peaks[0] / 1e6:.0f} MB, with threads {peaks[1] / 1e6:.0f}")
    return {f"{HERE}-memory": {OURS: peaks[0] / peaks[1]}}


def _file(bench: Bench) -> dict[str, Any]:
    return bench.extent.raw.describe(bench.folder, data.RAW)
