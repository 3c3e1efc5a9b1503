"""A contender in a process of its own, which takes orders on stdin and answers on stdout.

One JSON object per line in both directions. An order has an ``op`` (the name of a method of the
contender) and its keyword arguments; an answer has ``result`` or ``error``. The file is run as a
script, by the Python of the contender's environment, and needs nothing but NumPy and the contender.

udfwidgets and LiberTEM keep the same contract, so one class measures both: the text below is the
same but for the name of the package.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

UDFS = {"sum": ("udf.sum", "SumUDF"), "sumsig": ("udf.sumsigudf", "SumSigUDF")}


class PackageContender:
    """A package with the UDF contract: ``udfwidgets`` or ``libertem``.

    Parameters
    ----------
    package : str
        The name to import.
    executor : str or None
        What ``Context.make_with`` is given; None for a plain ``Context()``.
    """

    def __init__(self, package: str, executor: str | None) -> None:
        self.package = package
        self.executor = executor

    def start(self) -> dict[str, float]:
        """Import the package and make a Context; seconds of both."""
        begin = time.perf_counter()
        context_class = importlib.import_module(f"{self.package}.api").Context
        imported = time.perf_counter()
        if self.executor is None:
            self.context = context_class()
        else:
            self.context = context_class.make_with(self.executor)
        return {"import": imported - begin, "context": time.perf_counter() - imported}

    def load(self, scan: dict[str, Any]) -> None:
        self.dataset = self.context.load(
            "raw",
            path=scan["path"],
            dtype=scan["dtype"],
            nav_shape=tuple(scan["nav_shape"]),
            sig_shape=tuple(scan["sig_shape"]),
        )

    def _udfs(self, names: list[str]) -> list[Any]:
        found = (UDFS[name] for name in names)
        return [
            getattr(importlib.import_module(f"{self.package}.{module}"), name)()
            for module, name in found
        ]

    def run(self, udfs: list[str], save: str | None = None, repeat: int = 1) -> float:
        """Seconds of one run, the mean of `repeat` in a row; the results go to `save`."""
        begin = time.perf_counter()
        for _ in range(repeat):
            results = self.context.run_udf(dataset=self.dataset, udf=self._udfs(udfs))
            arrays = [np.asarray(result["intensity"].data) for result in results]
        seconds = (time.perf_counter() - begin) / repeat
        if save is not None:
            np.savez(save, *arrays)
        return seconds

    def iterate(self, udfs: list[str]) -> dict[str, Any]:
        """Go through the intermediate results, looking at how much each covers."""
        begin = time.perf_counter()
        first = 0.0
        covered: list[int] = []
        for step in self.context.run_udf_iter(dataset=self.dataset, udf=self._udfs(udfs)):
            if not covered:
                first = time.perf_counter() - begin
            covered.append(int(np.count_nonzero(step.damage.data)))
        seconds = time.perf_counter() - begin
        return {"seconds": seconds, "first": first, "steps": len(covered)}

    def stop(self) -> None:
        self.context.close()


class ArrayContender:
    """Work on a memory map of the file, without any package; it is opened once and stays open."""

    threads = max(2, len(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else 2

    def start(self) -> dict[str, float]:
        self.pool = ThreadPoolExecutor(self.threads)
        return {"import": 0.0, "context": 0.0}

    def load(self, scan: dict[str, Any]) -> None:
        shape = (*scan["nav_shape"], *scan["sig_shape"])
        self.scan = np.memmap(scan["path"], scan["dtype"], "r", shape=shape)
        self.frames = self.scan.reshape(-1, *scan["sig_shape"])

    def run(self, udfs: list[str], save: str | None = None, repeat: int = 1) -> float:
        if udfs != ["sum", "sumsig"]:
            raise ValueError(f"{type(self).__name__} can do sum and sumsig in one pass, not {udfs}")
        begin = time.perf_counter()
        for _ in range(repeat):
            arrays = self._sums()
        seconds = (time.perf_counter() - begin) / repeat
        if save is not None:
            np.savez(save, *arrays)
        return seconds

    def _sums(self) -> tuple[Any, ...]:
        """Sum over the scan, of sig shape, and over each frame, of nav shape."""
        bounds = np.linspace(0, len(self.frames), self.threads + 1, dtype=int)
        sums_of_frames = np.empty(len(self.frames), np.uint64)
        parts = list(
            self.pool.map(
                lambda start, stop: self._part(self.frames[start:stop], sums_of_frames[start:stop]),
                bounds[:-1],
                bounds[1:],
            )
        )
        total = np.sum(parts, axis=0, dtype=np.uint64).reshape(self.frames.shape[1:])
        return total, sums_of_frames.reshape(self.scan.shape[:2])

    def _part(self, frames: Any, sums_of_frames: Any) -> Any:
        raise NotImplementedError

    def stop(self) -> None:
        self.pool.shutdown()


class NumPyContender(ArrayContender):
    """NumPy over tiles of the size of a cache, on all processors."""

    depth = 64

    def _part(self, frames: Any, sums_of_frames: Any) -> Any:
        total = np.zeros(frames.shape[1:], np.uint64)
        for start in range(0, len(frames), self.depth):
            tile = frames[start : start + self.depth]
            # A whole scan fits uint64, a tile fits uint32, which NumPy adds faster.
            total += tile.sum(axis=0, dtype=np.uint32)
            sums_of_frames[start : start + self.depth] = tile.sum(axis=(1, 2), dtype=np.uint32)
        return total


class BareLoopContender(ArrayContender):
    """The limit: a numba loop without the GIL over a memory map, and no machinery around it.

    Parameters
    ----------
    variant : {None, "unrolled", "new map"}
        The plain loop, eight frames at a time, or the plain loop on a file that each run maps
        anew, as everyone has to who does not keep files open between runs.
    """

    def __init__(self, variant: str | None) -> None:
        self.variant = variant

    def start(self) -> dict[str, float]:
        self._add = compile_unrolled_sums() if self.variant == "unrolled" else compile_sums()
        return super().start()

    def load(self, scan: dict[str, Any]) -> None:
        super().load(scan)
        self._description = scan

    def _sums(self) -> tuple[Any, ...]:
        if self.variant == "new map":
            super().load(self._description)
        return super()._sums()

    def _part(self, frames: Any, sums_of_frames: Any) -> Any:
        flat = frames.reshape(len(frames), -1)
        total = np.zeros(flat.shape[1], np.uint64)
        for start in range(0, len(flat), 65536):  # as many uint16 as surely fit a uint32
            part = np.zeros(flat.shape[1], np.uint32)
            self._add(flat[start : start + 65536], part, sums_of_frames[start : start + 65536])
            total += part
        return total


class ReadOnlyContender(ArrayContender):
    """What memory gives: every number is read once and added to a single one."""

    def start(self) -> dict[str, float]:
        self._sum = compile_read_only_sum()
        return super().start()

    def _sums(self) -> tuple[Any, ...]:
        flat = self.frames.reshape(len(self.frames), -1)
        parts = self.pool.map(self._sum, np.array_split(flat, self.threads))
        return (np.array(sum(parts)),)


def compile_sums() -> Callable[..., None]:
    """Return the loop that adds frames to a total and sums each, in one pass."""
    numba = importlib.import_module("numba")
    uint32 = numba.uint32  # numba widens a sum of two to 64 bits unless told otherwise, each time

    def add(frames: Any, total: Any, sums_of_frames: Any) -> None:
        for f in range(frames.shape[0]):
            s = uint32(0)
            for p in range(frames.shape[1]):
                value = uint32(frames[f, p])
                total[p] = uint32(total[p] + value)
                s = uint32(s + value)
            sums_of_frames[f] = s

    compiled: Callable[..., None] = numba.njit(nogil=True)(add)
    return compiled


def compile_unrolled_sums() -> Callable[..., None]:
    """Return the same loop with eight frames at a time: an eighth of the work on the total."""
    numba = importlib.import_module("numba")
    uint32 = numba.uint32

    def add(frames: Any, total: Any, sums_of_frames: Any) -> None:
        if frames.shape[0] % 8:
            raise ValueError("the number of frames is not a multiple of eight")
        for f in range(0, frames.shape[0], 8):
            s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = uint32(0)
            for p in range(frames.shape[1]):
                v0, v1 = uint32(frames[f, p]), uint32(frames[f + 1, p])
                v2, v3 = uint32(frames[f + 2, p]), uint32(frames[f + 3, p])
                v4, v5 = uint32(frames[f + 4, p]), uint32(frames[f + 5, p])
                v6, v7 = uint32(frames[f + 6, p]), uint32(frames[f + 7, p])
                low = uint32(uint32(v0 + v1) + uint32(v2 + v3))
                high = uint32(uint32(v4 + v5) + uint32(v6 + v7))
                total[p] = uint32(total[p] + uint32(low + high))
                s0, s1 = uint32(s0 + v0), uint32(s1 + v1)
                s2, s3 = uint32(s2 + v2), uint32(s3 + v3)
                s4, s5 = uint32(s4 + v4), uint32(s5 + v5)
                s6, s7 = uint32(s6 + v6), uint32(s7 + v7)
            sums_of_frames[f], sums_of_frames[f + 1] = s0, s1
            sums_of_frames[f + 2], sums_of_frames[f + 3] = s2, s3
            sums_of_frames[f + 4], sums_of_frames[f + 5] = s4, s5
            sums_of_frames[f + 6], sums_of_frames[f + 7] = s6, s7

    compiled: Callable[..., None] = numba.njit(nogil=True)(add)
    return compiled


def compile_read_only_sum() -> Callable[..., int]:
    """Return the loop that adds up all numbers it is given."""
    numba = importlib.import_module("numba")
    uint32, uint64 = numba.uint32, numba.uint64

    def add(frames: Any) -> int:
        total = uint64(0)
        for f in range(frames.shape[0]):
            s = uint32(0)
            for p in range(frames.shape[1]):
                s = uint32(s + uint32(frames[f, p]))
            total += uint64(s)
        return int(total)

    compiled: Callable[..., int] = numba.njit(nogil=True)(add)
    return compiled


def make_contender(name: str, variant: str | None) -> Any:
    if name == "numpy":
        return NumPyContender()
    if name == "bare-loop":
        return BareLoopContender(variant)
    if name == "read-only":
        return ReadOnlyContender()
    return PackageContender(name, variant)


def main() -> None:
    # Whatever the contender prints goes to stderr: stdout carries the answers only.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    contender = make_contender(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
    for line in sys.stdin:
        order = json.loads(line)
        operation = order.pop("op")
        try:
            answer = {"result": getattr(contender, operation)(**order)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
        if operation == "stop":
            break
    # A thread that a peer left behind must not keep the process.
    if threading.active_count() > 1:
        sys.stderr.flush()
        os._exit(0)


if __name__ == "__main__":
    main()
