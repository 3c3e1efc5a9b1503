"""Several runs of one dataset at the same time, with views and without, and cancelled ones."""

from __future__ import annotations

import statistics
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import data
from benchmarks.answers import answers, compare
from benchmarks.contenders import LIBERTEM_DEFAULT, OURS
from benchmarks.measure.live import SUMS, Bench, Values
from benchmarks.processes import Worker, WorkerError, left_out, median_ratio
from benchmarks.report.bars import WAS_OVER

ROUNDS = 3
VIEW_ROUNDS = 15
# What is measured of them, see `Worker.views`.
VIEWS = ("live", "shown", "saved")
TAKING_PART = (OURS, LIBERTEM_DEFAULT, "LiberTEM threads")


@dataclass(frozen=True)
class Mix:
    """Runs that are started at once.

    Parameters
    ----------
    key : str
        Of the quantity.
    works : list of list of str
        The works of each run.
    by_peers : bool
        Whether LiberTEM is asked to, for which many at once take long.
    """

    key: str
    works: list[list[str]]
    by_peers: bool = True


TWO = Mix("two", [SUMS] * 2)
MIXES = (
    TWO,
    Mix("four", [SUMS] * 4),
    Mix("ten", [SUMS] * 10, by_peers=False),
    Mix("different", [SUMS, ["stddev"], ["com"], ["mask"]]),
)


def concurrent_raw(bench: Bench) -> dict[str, Values]:
    """Several runs on a raw file."""
    return _concurrent(bench, "raw", data.RAW)


def concurrent_gzip(bench: Bench) -> dict[str, Values]:
    """Several runs on gzip-compressed HDF5."""
    return _concurrent(bench, "gzip", data.GZIP)


def _concurrent(bench: Bench, name: str, storage: data.Storage) -> dict[str, Values]:
    scan = bench.extent.scan_in(storage)
    expected = answers(scan, bench.folder)
    everyone = [worker for worker in bench.workers if worker.label in TAKING_PART]
    found: dict[str, Values] = {f"{mix.key}-{name}": {} for mix in MIXES}
    workers = bench.loaded("concurrent runs", scan, storage, everyone)
    for worker in workers:
        ours = worker.label == OURS
        for mix in MIXES:
            if ours or mix.by_peers:
                rounds = ROUNDS if ours else bench.extent.peer_rounds
                value = relative(worker, mix, expected, rounds)
                found[f"{mix.key}-{name}"][worker.label] = value
    return found


def relative(worker: Worker, mix: Mix, expected: Any, rounds: int) -> float | str:
    """Time of all together over that of one alone: the slowest one, if they are different."""
    alone = [works for i, works in enumerate(mix.works) if works not in mix.works[:i]]
    exact = [array for works in mix.works for work in works for array in expected[work]]
    ratios = []
    try:
        for _ in range(rounds):
            one = max(worker.ask("concurrent", mix=[works]) for works in alone)
            together, arrays = _together(worker, mix)
            if not compare(arrays, exact)[0]:
                return "wrong"
            ratios.append(together / one)
    except WorkerError as error:
        left_out("concurrent runs", error)
        worker.end()
        return "fails"
    return statistics.median(ratios)


def _together(worker: Worker, mix: Mix) -> tuple[float, list[Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.npz"
        seconds = worker.ask("concurrent", mix=mix.works, save=str(path))
        with np.load(path) as saved:
            return seconds, [saved[name] for name in saved.files]


def views_raw(bench: Bench) -> dict[str, Values]:
    """Live analyses of a raw file."""
    return _views(bench, "raw", data.RAW)


def views_gzip(bench: Bench) -> dict[str, Values]:
    """Live analyses of gzip-compressed HDF5."""
    return _views(bench, "gzip", data.GZIP)


def _views(bench: Bench, name: str, storage: data.Storage) -> dict[str, Values]:
    """Time of four analyses with two live images each, of the time without: nobody else has any."""
    scan = bench.extent.scan_in(storage)
    ours = [worker for worker in bench.workers if worker.label == OURS]
    found: dict[str, Values] = {f"{kind}-{name}": {} for kind in VIEWS}
    for worker in bench.loaded("views", scan, storage, ours):
        order = partial(worker.ask, "views", works=SUMS, times=4)
        order(turn=0)
        turns = [order(turn=turn) for turn in range(VIEW_ROUNDS)]
        plain = [turn["plain"] for turn in turns]
        for kind in VIEWS:
            ratio = median_ratio([turn[kind] for turn in turns], plain)
            found[f"{kind}-{name}"][worker.label] = ratio
    return found


def cancel(bench: Bench) -> dict[str, Values]:
    """Cancel after 50 ms: compiled UDFs on a raw and on a gzip file, and one in Python."""
    raw, gzip = (bench.extent.raw, data.RAW), (bench.extent.hdf5, data.GZIP)
    found: dict[str, Values] = {}
    kinds = [("", raw, SUMS), ("-gzip", gzip, SUMS), ("-python", raw, ["framemax"] * 4)]
    for suffix, file, works in kinds if bench.extent.cancels_everywhere else kinds[:1]:
        measured = {w.label: _cancelled(bench, w, works) for w in bench.loaded("cancel", *file)}
        for what in ("cpu", "idle"):
            found[f"cancel-{what}{suffix}"] = {k: turn[what] for k, turn in measured.items()}
    return found


def _cancelled(bench: Bench, worker: Worker, works: list[str]) -> dict[str, Any]:
    """Return processor time and seconds until nothing goes on any more, or a word."""
    ours = worker.label == OURS
    family = [process.pid for process in worker.family()]
    order = partial(worker.ask, "cancel", timeout=40, works=works, after=0.05, family=family)
    rounds = bench.extent.rounds if ours else bench.extent.peer_rounds
    try:
        turns = [order() for _ in range(rounds)]
    except WorkerError as error:
        left_out("cancel", error)
        return dict.fromkeys(("cpu", "idle"), "fails")
    finally:
        if worker.contender.variant == "pipelined":  # is out of step afterwards
            worker.end()
    if any(turn["finished"] for turn in turns):
        return dict.fromkeys(("cpu", "idle"), WAS_OVER)
    return {what: statistics.median(turn[what] for turn in turns) for what in ("cpu", "idle")}
