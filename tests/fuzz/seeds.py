"""Whole files that the fuzz run damages, and how each is read without the package."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt

from tests.io.merlin import write_hdr, write_mib

Array = npt.NDArray[Any]

TRUTH = np.random.default_rng(4).integers(0, 60, (3, 5, 16, 16)).astype("u2")
_FRAME = (1, 1, 16, 16)
HDF5: dict[str, dict[str, Any]] = {
    "plain": {},
    "chunks": {"chunks": (1, 5, 16, 16)},
    "gzip": {"chunks": (1, 2, 16, 16), "compression": "gzip", "shuffle": True},
    "lzf": {"chunks": _FRAME, "compression": "lzf"},
    "lz4": {"chunks": _FRAME, **hdf5plugin.LZ4(nbytes=128)},
    "blosc": {"chunks": _FRAME, **hdf5plugin.Blosc(cname="lz4", shuffle=1)},
    "zstd": {"chunks": _FRAME, **hdf5plugin.Zstd()},
    "bitshuffle lz4": {"chunks": _FRAME, **hdf5plugin.Bitshuffle(cname="lz4", nelems=16)},
    "bitshuffle zstd": {"chunks": _FRAME, **hdf5plugin.Bitshuffle(cname="zstd", nelems=16)},
    "latest": {"chunks": (2, 2, 8, 8), "compression": "gzip"},
}


def write_hdf5(folder: Path, kind: str) -> Path:
    path = folder / "scan.h5"
    with h5py.File(path, "w", libver="latest" if kind == "latest" else None) as file:
        file.create_dataset("entry/scan", data=TRUTH, **HDF5[kind])
        file.attrs["default"], file["entry"].attrs["signal"] = "entry", "scan"
    return path


def write_npy(folder: Path) -> Path:
    np.save(folder / "scan.npy", TRUTH)
    return folder / "scan.npy"


def write_merlin(folder: Path) -> Path:
    write_hdr(folder / "scan.hdr", 15, 5)
    return write_mib(folder / "scan.mib", TRUTH.reshape(15, 16, 16), "U16", 12)


def write_raw_merlin(folder: Path) -> Path:
    frames = np.zeros((15, 16, 64), "u1")
    frames[:, :, ::3] = 1
    write_hdr(folder / "scan.hdr", 15, 5)
    return write_mib(folder / "scan.mib", frames, "R64", 1)


HEADERS = {"npy": write_npy, "mib": write_merlin, "r64": write_raw_merlin, "hdr": write_merlin}
HEADER_BYTES = {"npy": 128, "mib": 384, "r64": 384, "hdr": 400}
