"""What is measured: each case is a function from running workers to a part of the results."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.contenders import Contender, Worker, interleaved, median_ratio, running
from benchmarks.data import Scan, warm

OURS = "udfwidgets"
PEER_DEFAULT = "LiberTEM default"
PEER_BEST = "LiberTEM best"
PEER_EXECUTORS = ("threads", "pipelined", "inline")
BARE_LOOP = "bare loop"
READ_ONLY = "read only"
SUMS = ["sum", "sumsig"]

Results = dict[str, Any]


@dataclass(frozen=True)
class Extent:
    """How much is measured."""

    scan: Scan
    rounds: int
    tiny_repeat: int = 20


FULL = Extent(Scan((256, 256), (128, 128)), rounds=5)
QUICK = Extent(Scan((64, 128), (128, 128)), rounds=3)
TINY = Scan((16, 16), (32, 32))


def contenders(python: str, peer_python: str | None, *, ours: bool) -> list[Contender]:
    """Return all who take part, us first."""
    found = [Contender(OURS, python, "udfwidgets")] if ours else []
    if peer_python is not None:
        found.append(Contender(PEER_DEFAULT, peer_python, "libertem"))
        found += [Contender(f"LiberTEM {e}", peer_python, "libertem", e) for e in PEER_EXECUTORS]
    return [
        *found,
        Contender("NumPy tiles", python, "numpy"),
        Contender(BARE_LOOP, python, "bare-loop"),
        Contender("bare loop, new map", python, "bare-loop", "new map"),
        Contender("bare loop, unrolled", python, "bare-loop", "unrolled"),
        Contender(READ_ONLY, python, "read-only"),
    ]


def measure_all(
    extent: Extent, *, data: Path, python: str, peer_python: str | None, ours: bool
) -> Results:
    """Run every case and return what `benchmarks.report` prints and writes.

    Parameters
    ----------
    extent : Extent
        How much.
    data : Path
        Folder of the files, which are made when missing.
    python, peer_python : str
        The interpreters that have udfwidgets and LiberTEM. Without the latter the peer is left out.
    ours : bool
        Whether udfwidgets takes part.
    """
    print("    making the files")
    scan, tiny = extent.scan.describe(data), TINY.describe(data)
    warm(scan)
    everyone = contenders(python, peer_python, ours=ours)
    log = data / "workers.log"
    log.unlink(missing_ok=True)
    results: Results = {"bytes": extent.scan.n_bytes, "rounds": extent.rounds}
    with running(everyone, log) as workers:
        packages = [w for w in workers if w.contender.package in ("udfwidgets", "libertem")]
        results["check"] = check(workers, scan)
        results["correct"] = all(row["right"] for row in results["check"].values())
        results["sums"] = sums(workers, scan, extent.rounds)
        results["iterate"] = iterate(packages, scan, extent.rounds)
        results["memory"] = memory(packages, scan)
        results["tiny"] = tiny_run(packages, tiny, extent)
    results["start"] = start([c for c in everyone if c.package in ("udfwidgets", "libertem")],
                             extent.rounds, log)  # fmt: skip
    return results


def check(workers: Sequence[Worker], scan: dict[str, Any]) -> Results:
    """Warm up, and compare every contender's sums with NumPy's exact ones."""
    print("    warming up and checking results")
    shape = (*scan["nav_shape"], *scan["sig_shape"])
    frames = np.memmap(scan["path"], scan["dtype"], "r", shape=shape)
    exact = [frames.sum(axis=(0, 1), dtype=np.uint64), frames.sum(axis=(2, 3), dtype=np.uint64)]
    found: Results = {}
    with tempfile.TemporaryDirectory() as folder:
        for worker in workers:
            label = worker.contender.label
            path = Path(folder) / "results.npz"
            worker.ask("load", scan=scan)
            worker.ask("run", udfs=SUMS, save=str(path))
            with np.load(path) as saved:
                found[label] = compare([saved[name] for name in saved.files], exact)
    return found


def compare(arrays: Sequence[Any], exact: Sequence[Any]) -> Results:
    """Say whether results are right, and how many are not the exact one in their own dtype."""
    if len(arrays) == 1:  # the read-only sum has one number
        exact = [exact[0].sum()]
    right = all(
        a.shape == e.shape and np.allclose(a, e, rtol=1e-4)
        for a, e in zip(arrays, exact, strict=True)
    )
    inexact = [
        int(np.count_nonzero(a != e.astype(a.dtype))) if a.shape == e.shape else -1
        for a, e in zip(arrays, exact, strict=True)
    ]
    return {"right": right, "inexact": inexact}


def sums(workers: Sequence[Worker], scan: dict[str, Any], rounds: int) -> Results:
    """Sum and SumSig in one pass: seconds of every round."""
    print("    Sum and SumSig in one pass")
    for worker in workers:
        worker.ask("load", scan=scan)
        worker.ask("run", udfs=SUMS)
    times = interleaved(workers, rounds, lambda worker: worker.ask("run", udfs=SUMS))
    return with_best_peer(times)


def with_best_peer(times: dict[str, list[float]]) -> dict[str, list[float]]:
    """Add the peer's executor with the lowest median, under a name of its own."""
    peers = {label: t for label, t in times.items() if label.startswith("LiberTEM")}
    if peers:
        times[PEER_BEST] = min(peers.values(), key=statistics.median)
    return times


def iterate(workers: Sequence[Worker], scan: dict[str, Any], rounds: int) -> Results:
    """Intermediate results: how many, how soon, and what they cost beside a plain run."""
    print("    intermediate results")

    def both(worker: Worker) -> Results:
        plain = worker.ask("run", udfs=SUMS)
        return {**worker.ask("iterate", udfs=SUMS), "plain": plain}

    for worker in workers:
        worker.ask("load", scan=scan)
        both(worker)
    found = interleaved(workers, rounds, both)
    return {
        label: {
            "steps": statistics.median(turn["steps"] for turn in turns),
            "first_seconds": statistics.median(turn["first"] for turn in turns),
            "cost": median_ratio([t["seconds"] for t in turns], [t["plain"] for t in turns]),
        }
        for label, turns in found.items()
    }


def memory(workers: Sequence[Worker], scan: dict[str, Any]) -> Results:
    """Anonymous memory at the highest, for a plain run and for one with intermediate results."""
    print("    memory")
    found: Results = {}
    for worker in workers:
        worker.ask("load", scan=scan)
        found[worker.contender.label] = {
            operation: worker.peak_memory(partial(worker.ask, operation, udfs=SUMS))
            for operation in ("run", "iterate")
        }
    return found


def tiny_run(workers: Sequence[Worker], scan: dict[str, Any], extent: Extent) -> Results:
    """A scan of 16 x 16 frames: what the machinery costs when there is nothing to do."""
    print("    a tiny scan")
    for worker in workers:
        worker.ask("load", scan=scan)
        worker.ask("run", udfs=SUMS)
    return with_best_peer(
        interleaved(
            workers,
            extent.rounds,
            lambda worker: worker.ask("run", udfs=SUMS, repeat=extent.tiny_repeat),
        )
    )


def start(everyone: Sequence[Contender], rounds: int, log: Path) -> Results:
    """Import and Context, in a new process each time."""
    print("    import and Context")
    found: dict[str, list[float]] = {contender.label: [] for contender in everyone}
    for _ in range(rounds):
        for contender in everyone:
            with Worker(contender, log) as worker:
                found[contender.label].append(sum(worker.ask("start").values()))
    return with_best_peer(found)
