"""Damages files one after the other and reads each; what comes of it goes to a file, line by line.

A line is written before each step, so that whoever started this process knows what it was at when
it ended without one that says so.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.fuzz.seeds import HDF5, HEADER_BYTES, HEADERS, TRUTH, Array, write_hdf5
from udfwidgets.errors import DataSetException
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch

_ODD = (b"\0", b"\xff", b"\x7f", b"9", b"-", b"\x80", b",", b"\n")
#: More frames than this are not read, but their number is held against the file.
_MOST_FRAMES = 1000


def damaged(content: bytes, rng: np.random.Generator, n_bytes: int) -> bytes:
    """Change a few bytes among the first ones, or cut, swell or repeat a piece of them."""
    changed = bytearray(content)
    for _ in range(int(rng.integers(1, 5))):
        at, length = int(rng.integers(n_bytes)), int(rng.integers(1, 9))
        kind = int(rng.integers(8))
        if kind < 3:
            changed[at % len(changed)] ^= 1 << int(rng.integers(8))
        elif kind < 6:
            changed[at : at + length] = _ODD[int(rng.integers(len(_ODD)))] * length
        elif kind == 6:
            other = int(rng.integers(n_bytes))
            changed[at : at + length] = changed[other : other + length]
        elif rng.integers(4) == 0:
            del changed[at + int(rng.integers(len(content))) :]
        if not changed:
            return b""
    return bytes(changed)


def read(path: Path, kind: str) -> tuple[Array, str]:
    """Read what the package makes of a file: all frames, and where in the file they were."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset: Any = load("hdf5" if kind in HDF5 else "npy" if kind == "npy" else "mib", path)
    n_frames = min(dataset.shape.nav.size, _MOST_FRAMES)
    with dataset.open() as source:
        frames = source.read(0, n_frames, Scratch()).copy()
    return frames, getattr(dataset, "ds_path", "")


def peer(path: Path, kind: str, frames: Array, ds_path: str) -> Array | None:
    """Read the same without the package; None where the other reader refuses."""
    try:
        if kind in HDF5:
            with h5py.File(path) as file:
                whole = file[ds_path][...]
        elif kind == "npy":
            whole = np.load(path, mmap_mode="r")
        else:
            return _merlin(path, frames)
    except Exception:
        return None
    return np.asarray(whole).reshape(-1, *frames.shape[1:])[: len(frames)]


def _merlin(path: Path, frames: Array) -> Array | None:
    """Take the numbers in the first header at their word."""
    path = path.with_suffix(".mib")
    content = path.read_bytes()
    fields = content[:2048].split(b",")
    size, width, height, kind = int(fields[2]), int(fields[4]), int(fields[5]), fields[6].strip()
    if kind.upper() == b"R64":
        return frames if frames.shape[1:] == (height, width) else None
    dtype = np.dtype(f">u{int(kind[1:]) // 8}")
    stored = np.frombuffer(content, np.uint8).reshape(-1, size + width * height * dtype.itemsize)
    return stored[:, size:].copy().view(dtype).reshape(-1, height, width)


def outcome(path: Path, kind: str, note: Any) -> str:
    """Read a file both ways and say in a word what came of it."""
    try:
        frames, ds_path = read(path, kind)
    except DataSetException:
        return "refused"
    except Exception as error:
        return f"error {type(error).__name__}: {str(error)[:200]}"
    if kind in HDF5 and np.array_equal(frames, TRUTH.reshape(-1, 16, 16)):
        return "right"
    note("peer")
    expected = peer(path, kind, frames, ds_path)
    if expected is None:
        return "unchecked"
    same = np.array_equal(frames, expected, equal_nan=frames.dtype.kind in "fc")
    return "right" if same else f"wrong {frames.shape} {frames.dtype}"


def main(kind: str, seed: int, n_cases: int, report: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, report.open("a") as log:

        def note(stage: str, **more: Any) -> None:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            log.write(json.dumps({"stage": stage, "peak": peak, **more}) + "\n")
            log.flush()

        make = HEADERS.get(kind)
        path = write_hdf5(Path(folder), kind) if make is None else make(Path(folder))
        if kind == "hdr":
            path = path.with_suffix(".hdr")
        content = path.read_bytes()
        n_bytes = HEADER_BYTES.get(kind, len(content))
        for number in range(seed, seed + n_cases):
            rng = np.random.default_rng(number)
            path.write_bytes(damaged(content, rng, n_bytes))
            note("read", case=number)
            note("done", case=number, outcome=outcome(path, kind, note))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
