"""The limit: numba loops without the GIL, one thread per processor, and nothing around them."""

from __future__ import annotations

import ctypes
import subprocess
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks import detectors
from benchmarks.workers import chunks, kernels
from benchmarks.workers.arrays import ThreadedContender


class BareLoopContender(ThreadedContender):
    """Does one thing at a time to frames that lie in the page cache.

    The variant says what is different from the plain loop: "unrolled" takes eight frames at a time,
    "in parts" does so with a part of their pixels after the other, "C loop" is that in C, "new map"
    maps the file anew in each run, as everyone has to who does not keep files open, and "read only"
    adds everything to a single number.
    """

    formats = ("raw", "hdf5")

    def __init__(self, name: str, variant: str | None) -> None:
        super().__init__(name, variant)
        # The other kinds are there for the one row that is held against the fused loop.
        everything = ("sums", "mask", "masks8", "stddev", "com", "framemax")
        self.works = everything if variant is None else ("sums",)
        if variant is not None:
            self.formats = ("raw",)

    def load(self, scan: dict[str, Any]) -> None:
        self.scan = scan
        self.chunked = chunks.ChunkedScan(scan) if chunks.is_chunked(scan) else None
        if self.chunked is None:
            super().load(scan)
        else:
            self.nav_shape, self.sig_shape = tuple(scan["nav_shape"]), tuple(scan["sig_shape"])

    def sums(self) -> list[Any]:
        if self.variant == "read only":
            return [np.array(sum(self.parts(self._read, len(self.flat))))]
        if self.variant == "new map":
            super().load(self.scan)
        if self.chunked is not None:
            return self._sums_of_chunks(self.chunked)
        adds = {"unrolled": kernels.add_eight, "in parts": kernels.add_in_parts, "C loop": self._c}
        add = adds.get(self.variant or "", kernels.add)
        of_frames = self.per_frame(np.uint64)
        of_frames[:] = 0

        def part(start: int, stop: int) -> Any:
            total = np.zeros(self.flat.shape[1], np.uint32)  # no file here has too much for it
            add(self.flat[start:stop], total, of_frames[start:stop])
            return total

        total = np.sum(self.parts(part, len(self.flat)), axis=0, dtype=np.uint64)
        return [self.as_sig(total), self.as_nav(of_frames)]

    def _c(self, frames: Any, total: Any, of_frames: Any) -> None:
        pointers = (array.ctypes.data for array in (total, of_frames))
        self._loop(frames.ctypes.data, *frames.shape, *pointers)

    @cached_property
    def _loop(self) -> Any:
        """The loop in C, compiled for this machine."""
        with TemporaryDirectory() as folder:
            library = Path(folder) / "loop.so"
            flags = ["-O3", "-march=native", "-shared", "-fPIC"]
            source = Path(__file__).with_name("loop.c")
            subprocess.run(["cc", *flags, str(source), "-o", str(library)], check=True)
            loop = ctypes.CDLL(str(library)).add_in_parts
        pointer, size = ctypes.c_void_p, ctypes.c_size_t
        loop.argtypes, loop.restype = [pointer, size, size, pointer, pointer], None
        return loop

    def _read(self, start: int, stop: int) -> int:
        return int(kernels.add_all(self.flat[start:stop]))

    def _sums_of_chunks(self, scan: chunks.ChunkedScan) -> list[Any]:
        of_frames = np.empty(int(np.prod(self.nav_shape)), np.uint64)

        def part(start: int, stop: int) -> Any:
            return scan.add(start, stop, of_frames)

        total = np.sum(self.parts(part, len(scan)), axis=0, dtype=np.uint64)
        return [self.as_sig(total), self.as_nav(of_frames)]

    def mask(self) -> list[Any]:
        weights = detectors.ring(self.sig_shape).reshape(-1)
        found = self.per_frame(np.float32, 1)
        self.parts(
            lambda start, stop: kernels.weigh(self.flat[start:stop], weights, found[start:stop, 0]),
            len(self.flat),
        )
        return [self.as_nav(found)]

    def masks8(self) -> list[Any]:
        weights = detectors.segments(self.sig_shape).reshape(8, -1)
        found = self.per_frame(np.float32, 8)
        self.parts(
            lambda start, stop: kernels.weigh_eight(
                self.flat[start:stop], weights, found[start:stop]
            ),
            len(self.flat),
        )
        return [self.as_nav(found)]

    def stddev(self) -> list[Any]:
        def part(start: int, stop: int) -> Any:
            sums = np.zeros((2, self.flat.shape[1]), np.uint32)
            kernels.add_squares(self.flat[start:stop], sums[0], sums[1])
            return sums.astype(np.float64)

        mean, square = sum(self.parts(part, len(self.flat))) / len(self.flat)
        return [self.as_sig(np.sqrt(square - mean**2))]

    def com(self) -> list[Any]:
        found = self.per_frame(np.float32, 2)
        self.parts(
            lambda start, stop: kernels.moments(self.frames[start:stop], found[start:stop]),
            len(self.frames),
        )
        return [self.as_nav(found)]

    def framemax(self) -> list[Any]:
        """What Python can do with a call per frame: two threads take turns, and are slower."""
        found = self.per_frame(np.uint16)
        for i, frame in enumerate(self.frames):
            found[i] = frame.max()
        return [self.as_nav(found)]
