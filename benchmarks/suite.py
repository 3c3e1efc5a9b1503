"""Everything that is measured, in order."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.contenders import OURS, Contender
from benchmarks.extent import Extent
from benchmarks.measure import cluster, concurrency, live, moves, painted
from benchmarks.measure.live import Bench, Case
from benchmarks.measure.scaling import scaling
from benchmarks.measure.throughput import ROWS, measure
from benchmarks.processes import running

CASES: tuple[Case, ...] = (
    live.intermediate,
    live.tiny,
    live.memory,  # before there are any widgets, which a script does not have
    concurrency.concurrent_raw,
    concurrency.concurrent_gzip,
    concurrency.views_raw,
    concurrency.views_gzip,
    concurrency.cancel,
    moves.moves,
    cluster.cluster,
    painted.painted,
    live.iterators,
    live.same_instance,
    live.history,
    live.start,
    live.rounding,
    live.huge,
)


def run_all(
    extent: Extent, everyone: Sequence[Contender], folder: Path, only: str = ""
) -> dict[str, Any]:
    """Run what is asked for and return what `benchmarks.report.write` prints and writes.

    Parameters
    ----------
    extent : Extent
        How much.
    everyone : sequence of Contender
        Who.
    folder : Path
        Of the files, which are made when missing.
    only : str
        A regular expression; rows and cases whose name it is not found in are left out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "workers.log"
    log.unlink(missing_ok=True)
    results: dict[str, Any] = {"rounds": extent.rounds, "throughput": {}, "live": {}}
    with running(everyone, log) as workers:
        for row in ROWS:
            if _wanted(only, row.key):
                results["throughput"][row.key] = measure(row, workers, extent, folder)
        if _wanted(only, "scaling"):
            results["scaling"] = scaling(workers, extent, folder)
        packages = [worker for worker in workers if worker.contender.is_live]
        bench = Bench(packages, extent, folder, log)
        for case in CASES:
            if _wanted(only, case.__name__):
                results["live"] |= case(bench)
    rights = [right for row in results["throughput"].values() for right in row["right"].values()]
    words = [values.get(OURS) for values in results["live"].values()]
    results["correct"] = all(rights) and "wrong" not in words
    return results


def _wanted(only: str, name: str) -> bool:
    if re.search(only, name) is None:
        return False
    print(f"    {time.strftime('%H:%M:%S')} {name}", flush=True)
    return True
