"""What a person notices besides throughput, of packages with the UDF contract.

A case is a function from running workers to the values of one or several quantities. A value is a
number, or a word where there is nothing to count.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.answers import answers, compare
from benchmarks.contenders import OURS
from benchmarks.extent import LARGE_COUNTS, MEMORY_LIMIT, TINY, Extent
from benchmarks.measure.memory import peak_memory
from benchmarks.processes import (
    Worker,
    WorkerError,
    WorkerHangsError,
    able,
    interleaved,
    left_out,
    median_ratio,
)

SUMS = ["sums"]
Values = dict[str, Any]
"""Of each contender."""


@dataclass(frozen=True)
class Bench:
    """What a case is given: the workers and where and what the files are."""

    workers: Sequence[Worker]
    extent: Extent
    folder: Path
    log: Path

    def loaded(
        self,
        where: str,
        scan: data.Scan,
        storage: data.Storage = data.RAW,
        workers: Sequence[Worker] | None = None,
    ) -> list[Worker]:
        """Return the workers that have opened a file, and run once."""
        file = scan.describe(self.folder, storage)
        data.warm(file)

        def prepare(worker: Worker) -> None:
            worker.ask("load", scan=file)
            worker.ask("run", works=SUMS)

        return list(able(self.workers if workers is None else workers, where, prepare))

    def fresh(self, label: str) -> Worker:
        """Return a worker that is not started, of the same kind as one of the workers."""
        contender = next(w.contender for w in self.workers if w.label == label)
        return Worker(contender, self.log)


Case = Callable[[Bench], dict[str, Values]]


def intermediate(bench: Bench) -> dict[str, Values]:
    """Intermediate results: how many, how soon, and what they cost beside a plain run."""
    workers = bench.loaded("intermediate results", bench.extent.raw)

    def both(worker: Worker) -> dict[str, float]:
        plain = worker.ask("run", works=SUMS)
        return {**worker.ask("iterate", works=SUMS), "plain": plain}

    able(workers, "intermediate results", both)
    turns = interleaved(workers, bench.extent, both)
    return {
        "steps": {k: statistics.median(turn["steps"] for turn in t) for k, t in turns.items()},
        "first": {k: statistics.median(turn["first"] for turn in t) for k, t in turns.items()},
        "cost": {
            k: median_ratio([turn["seconds"] for turn in t], [turn["plain"] for turn in t])
            for k, t in turns.items()
        },
    }


def tiny(bench: Bench) -> dict[str, Values]:
    """A scan of 16 x 16 frames: what the machinery costs when there is nothing to do."""
    workers = bench.loaded("a tiny run", TINY)
    repeat = bench.extent.tiny_repeat
    times = interleaved(
        workers, bench.extent, lambda worker: worker.ask("run", works=SUMS, repeat=repeat)
    )
    return {"tiny": {label: statistics.median(seconds) for label, seconds in times.items()}}


def history(bench: Bench) -> dict[str, Values]:
    """Results that were kept while the run went on."""
    workers = bench.loaded("history", bench.extent.hdf5, data.CONTIGUOUS)
    kept = able(workers, "history", lambda worker: worker.ask("history", works=SUMS))
    return {"history": {w.label: "stays" if same else "changes" for w, same in kept.items()}}


def same_instance(bench: Bench) -> dict[str, Values]:
    """One instance of a UDF in two runs at once."""
    workers = bench.loaded("one instance in two runs", bench.extent.hdf5, data.CONTIGUOUS)

    def measure(worker: Worker) -> str:
        try:
            right = worker.ask("same_instance", timeout=3, works=SUMS, times=5)
        except WorkerHangsError:
            return "hangs"
        except WorkerError as error:
            left_out("one instance in two runs", error)
            worker.end()
            return "error"
        return "right" if right else "wrong"

    return {"instance": {worker.label: measure(worker) for worker in workers}}


def iterators(bench: Bench) -> dict[str, Values]:
    """Two async iterators at once: whether they come to an end."""
    workers = bench.loaded("two async iterators", bench.extent.hdf5, data.CONTIGUOUS)

    def measure(worker: Worker) -> str:
        try:
            worker.ask("iterators", timeout=3, works=SUMS)
        except WorkerHangsError:
            return "hangs"
        except WorkerError as error:
            left_out("two async iterators", error)
            worker.end()
            return "error"
        return "ends"

    return {"iterators": {worker.label: measure(worker) for worker in workers}}


def start(bench: Bench) -> dict[str, Values]:
    """Import and Context, in a new process each time."""
    found: dict[str, list[float]] = {worker.label: [] for worker in bench.workers}
    for number in range(bench.extent.rounds):
        for label, seconds in found.items():
            if label != OURS and number >= bench.extent.peer_rounds:
                continue
            with bench.fresh(label) as worker:
                seconds.append(worker.start())
    return {"start": {label: statistics.median(seconds) for label, seconds in found.items()}}


def memory(bench: Bench) -> dict[str, Values]:
    """Anonymous memory at the highest, with intermediate results and without."""
    workers = bench.loaded("memory", bench.extent.raw)
    return {
        "memory": {
            worker.label: max(
                peak_memory(worker, partial(worker.ask, operation, works=SUMS))
                for operation in ("run", "iterate")
            )
            for worker in workers
        }
    }


def rounding(bench: Bench) -> dict[str, Values]:
    """Sums of large counts: how many are not the exact one, rounded once."""
    workers = bench.loaded("large counts", LARGE_COUNTS)
    exact = answers(LARGE_COUNTS, bench.folder)["sums"]

    def count(worker: Worker) -> int:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.npz"
            worker.ask("run", works=SUMS, save=str(path))
            with np.load(path) as saved:
                return compare([saved["arr_0"]], exact[:1])[1]

    return {"inexact": {w.label: n for w, n in able(workers, "large counts", count).items()}}


def huge(bench: Bench) -> dict[str, Values]:
    """A file larger than all the private memory that the process may have."""
    if bench.extent.huge is None:
        return {}
    file = bench.extent.huge.describe(bench.folder)
    data.warm(file)
    expected = answers(bench.extent.huge, bench.folder)["sums"]
    found: Values = {}
    for label in (w.label for w in bench.workers if w.label in (OURS, "LiberTEM threads")):
        with bench.fresh(label) as worker, tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "results.npz"
            try:
                worker.ask("limit_memory", n_bytes=MEMORY_LIMIT)
                worker.start()
                worker.ask("load", scan=file)
                order = partial(worker.ask, "run", works=SUMS, save=str(path))
                found[label] = peak_memory(worker, order)
            except WorkerError as error:
                left_out("a file larger than memory", error)
                found[label] = "fails"
                continue
            with np.load(path) as saved:
                if not compare([saved["arr_0"], saved["arr_1"]], expected)[0]:
                    found[label] = "wrong"
    return {"huge": found}
