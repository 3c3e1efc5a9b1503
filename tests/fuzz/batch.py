"""Damages files one after the other and reads each; what comes of it goes to a file, line by line.

A line is written before each step, so that whoever started this process knows what it was at when
it ended without one that says so.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.damage import damaged, damaged_text
from tests.fuzz.seeds import DETECTORS, HDF5, HEADER_BYTES, SEEDS, STORES, TRUTH, Array, peer
from udfwidgets.errors import DataSetException
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch

#: More frames than this are not read, but their number is held against the file.
_MOST_FRAMES = 1000
_FORMATS = {"npy": "npy", "npy fortran": "npy", "raw": "raw"}
_FORMATS |= dict.fromkeys(DETECTORS, "auto") | dict.fromkeys(STORES, "zarr")
_OPTIONS: dict[str, dict[str, Any]] = {
    "raw": {"dtype": "u2", "nav_shape": (3, 5), "sig_shape": (16, 16)},
    "seq": {"nav_shape": (3, 5)},
}


def read(path: Path, kind: str) -> tuple[Array, str]:
    """Read what the package makes of a file: all frames that are there, and where."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        form = "hdf5" if kind in HDF5 else _FORMATS.get(kind, "mib")
        opened = path.parent if path.parent.suffix == ".zarr" else path
        dataset: Any = load(form, opened, **_OPTIONS.get(kind, {}))
    n_frames = min(dataset.shape.nav.size, _MOST_FRAMES)
    with dataset.open() as source:
        frames = source.read(0, n_frames, Scratch())
    there = slice(None) if dataset.missing is None else ~dataset.missing.ravel()[:n_frames]
    return frames[there].copy(), getattr(dataset, "ds_path", "")


def outcome(path: Path, kind: str, note: Callable[[str], None]) -> str:
    """Read a file both ways and say in a word what came of it."""
    try:
        frames, ds_path = read(path, kind)
    except DataSetException:
        return "refused"
    except Exception as error:
        return f"error {type(error).__name__}: {str(error)[:200]}"
    written = TRUTH.reshape(-1, 16, 16) if kind in HDF5 else frames[:0]
    if _are_of(frames, written):
        return "right"
    note("peer")
    expected = peer(path, kind, frames, ds_path)
    if expected is None:
        return "unchecked"
    # HDF5 finds no chunk whose key in the tree is damaged, and gives out the fill value.
    is_right = len(frames) == len(expected) and _are_of(frames, expected, written)
    return "right" if is_right else f"wrong {frames.shape} {frames.dtype}"


def _are_of(frames: Array, *scans: Array) -> bool:
    """Tell whether each frame is at its place in one of the scans."""
    return len(frames) <= max(map(len, scans)) and all(
        any(at < len(scan) and _same(frame, scan[at]) for scan in scans)
        for at, frame in enumerate(frames)
    )


def _same(frame: Array, wanted: Array) -> bool:
    return np.array_equal(frame, wanted, equal_nan=frame.dtype.kind in "fc")


def _peak() -> int:
    """Return the most memory that this program has had, in KiB.

    Not `ru_maxrss`, which begins with what the process had that started it.
    """
    status = Path("/proc/self/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


def main(kind: str, seed: int, n_cases: int, report: Path) -> None:
    with tempfile.TemporaryDirectory() as folder, report.open("a") as log:

        def note(stage: str, **more: Any) -> None:
            peak = _peak()
            log.write(json.dumps({"stage": stage, "peak": peak, **more}) + "\n")
            log.flush()

        path = SEEDS[kind](Path(folder))
        # Compiles what is needed, which a damaged file must not be blamed for.
        assert outcome(path, kind, note) == "right", kind
        content = path.read_bytes()
        for number in range(seed, seed + n_cases):
            rng = np.random.default_rng(number)
            if kind in HDF5:
                path.write_bytes(damaged(content, rng, len(content)))
            elif rng.integers(2):
                path.write_bytes(damaged_text(content, rng, HEADER_BYTES[kind]))
            else:
                path.write_bytes(damaged(content, rng, HEADER_BYTES[kind]))
            note("read", case=number)
            note("done", case=number, outcome=outcome(path, kind, note))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
