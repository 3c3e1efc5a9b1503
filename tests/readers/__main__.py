"""Reads files of each format with the package and with independent readers, and compares.

``python -m tests.readers PYTHON`` with the interpreter of an environment that has these readers. It
prints a table, and fails if anything in it is not the same.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.readers.cases import CASES, Case
from tests.readers.families import FAMILIES
from udfwidgets.api import Context
from udfwidgets.io.load import load
from udfwidgets.io.scratch import Scratch
from udfwidgets.udf.sum import SumUDF

Array = npt.NDArray[Any]
FOREIGN = Path(__file__).with_name("foreign.py")
_METRES = {"m": 1.0, "nm": 1e-9, "Å": 1e-10, "cm": 1e-2, "1/nm": 1e9, "1/m": 1.0}


def read(case: Case, path: Path) -> tuple[Array, list[float | None]]:
    """Return what the package reads, in full shape, and how large a step along each axis is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = load("auto", path, **case.options)
    with dataset.open() as source:
        frames = source.read(0, dataset.shape.nav.size, Scratch()).copy()
    with Context.make_with("inline") as ctx:
        # Frames that lie in the file are not read for it.
        summed = ctx.run_udf(dataset=dataset, udf=SumUDF(), corrections=None)["intensity"].data
    wide = np.complex128 if frames.dtype.kind == "c" else np.float64
    if not np.allclose(summed, frames.sum(axis=0, dtype=wide), rtol=1e-5):
        raise SystemExit(f"{path}: the sum over the frames is not that of what is read")
    told = getattr(dataset, "metadata", {})
    return frames.reshape(dataset.shape.to_tuple()), _scales(told, dataset.shape.to_tuple())


def _scales(told: Mapping[str, Any], shape: Sequence[int]) -> list[float | None]:
    scales: list[float | None] = [None] * len(shape)
    for kind, at in (("nav", 0), ("sig", len(shape) - 2)):
        numbers = zip(told.get(f"{kind}_scales", ()), told.get(f"{kind}_units", ()), strict=True)
        for axis, (number, unit) in enumerate(numbers, at):
            scales[axis] = number * _METRES[unit] if unit in _METRES else None
    return scales


def read_elsewhere(
    python: str, case: Case, reader: str, path: Path
) -> tuple[Array, list[float | None]] | str:
    """Return the same from another reader; what it said where it could not read the file."""
    out = path.with_name("out.npy")
    options = json.dumps(case.foreign.get(reader, {}))
    done = _call(python, "read", reader, str(path), str(out), options)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1][:90]
    told = json.loads(done.stdout.splitlines()[-1])
    return np.load(out), told["scales"]


def write(python: str, case: Case, folder: Path) -> Path:
    """Write the file of a case, here or with another package."""
    if not isinstance(case.write, str):
        return case.write(folder, case.truth)
    np.save(folder / "data.npy", case.truth)
    path = folder / case.name
    done = _call(python, "write", case.write, str(path), str(folder / "data.npy"))
    if done.returncode:
        raise SystemExit(f"{case.write} could not write {path}: {done.stderr}")
    return next(folder.glob(case.found or case.name))


def _call(python: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [python, str(FOREIGN), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


def compare(python: str, case: Case, reader: str, folder: Path) -> tuple[str, ...]:
    """Return a row of the table."""
    path = write(python, case, folder)
    ours, scales = read(case, path)
    row = (case.kind, case.what, case.writer, reader)
    if not np.array_equal(ours.reshape(-1), case.truth.reshape(-1)):
        return (*row, "NO", "NO", "not what was written", "")
    found = read_elsewhere(python, case, reader, path)
    if isinstance(found, str):
        return (*row, "-", "-", "-", found)
    theirs, their_scales = found
    if case.turned:
        theirs = np.moveaxis(theirs, range(case.turned), range(-case.turned, 0))
    shape = "yes" if theirs.squeeze().shape == ours.squeeze().shape else f"NO {theirs.shape}"
    dtype = "yes" if theirs.dtype.newbyteorder("=") == ours.dtype else f"NO {theirs.dtype}"
    same = theirs.size == ours.size and np.array_equal(theirs.reshape(-1), ours.reshape(-1))
    return (*row, shape, dtype, "yes" if same else "NO", _calibration(scales, their_scales, case))


def _calibration(ours: list[float | None], theirs: list[float | None], case: Case) -> str:
    if case.turned and theirs:
        theirs = theirs[case.turned :] + theirs[: case.turned]
    pairs = [
        (one, other)
        for one, other in zip(ours[::-1], theirs[::-1], strict=False)
        if one is not None and other is not None
    ]
    if not pairs:
        return "-"
    return "yes" if np.allclose(*zip(*pairs, strict=True), rtol=1e-4, atol=0) else f"NO {pairs}"


def main(python: str) -> int:
    heads = ("format", "file", "written by", "reader", "shape", "dtype", "pixels", "calibration")
    print("| " + " | ".join(heads) + " |\n|" + "---|" * len(heads))
    is_good = True
    for case in (*CASES, *FAMILIES):
        for reader in case.readers:
            with tempfile.TemporaryDirectory() as folder:
                row = compare(python, case, reader, Path(folder))
            is_good &= not any(cell.startswith("NO") for cell in row) and row[4] != "-"
            print("| " + " | ".join(row) + " |", flush=True)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
