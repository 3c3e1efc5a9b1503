"""Whole files that the fuzz run damages, and how each is read without the package."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np
import numpy.typing as npt

from tests.fuzz import plain
from tests.io.merlin import write_hdr, write_mib
from tests.io.writers.blo import write_blo
from tests.io.writers.dm import write_dm
from tests.io.writers.empad import write_empad
from tests.io.writers.frms6 import write_frms6
from tests.io.writers.k2is import SIG, write_k2is
from tests.io.writers.mrc import write_mrc
from tests.io.writers.raw_csr import write_raw_csr
from tests.io.writers.seq import write_seq
from tests.io.writers.ser import write_ser
from tests.io.writers.tvips import write_tvips

try:
    import zarr
except ImportError:  # for Python 3.10 there is none
    zarr = None

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


def write_fortran(folder: Path) -> Path:
    with (folder / "scan.npy").open("wb") as file:
        np.lib.format.write_array(file, np.asfortranarray(TRUTH), version=(2, 0))
    return folder / "scan.npy"


def write_raw(folder: Path) -> Path:
    TRUTH.tofile(folder / "scan.raw")
    return folder / "scan.raw"


def write_merlin(folder: Path) -> Path:
    write_hdr(folder / "scan.hdr", 15, 5)
    return write_mib(folder / "scan.mib", TRUTH.reshape(15, 16, 16), "U16", 12)


def write_raw_merlin(folder: Path) -> Path:
    frames = np.zeros((15, 16, 64), "u1")
    frames[:, :, ::3] = 1
    write_hdr(folder / "scan.hdr", 15, 5)
    return write_mib(folder / "scan.mib", frames, "R64", 1)


def write_header(folder: Path) -> Path:
    return write_merlin(folder).with_suffix(".hdr")


FRAMES = TRUTH.reshape(15, 16, 16)


def write_scan_of_empad(folder: Path) -> Path:
    frames = np.random.default_rng(4).random((3, 2, 128, 128)).astype("f4")
    return write_empad(folder / "scan.xml", frames)


def write_sectors_of_k2(folder: Path) -> Path:
    frames = np.random.default_rng(4).integers(0, 4096, (2, *SIG), "u2")
    return write_k2is(folder, frames).with_name("scan_1.bin")


def write_files_of_pnccd(folder: Path, name: str) -> Path:
    write_frms6(folder, FRAMES, FRAMES[:2], (3, 5), cuts=(9,))
    return folder / name


def write_zarr(folder: Path, version: int) -> Path:
    """Write an array, and return the file that says what it is."""
    zarr.create_array(folder / "scan.zarr", data=TRUTH, chunks=(1, 5, 16, 16), zarr_format=version)
    return folder / "scan.zarr" / ("zarr.json" if version == 3 else ".zarray")


def write_zip(folder: Path) -> Path:
    with zarr.storage.ZipStore(folder / "scan.zip", mode="w") as store:
        zarr.create_array(store, data=TRUTH[:, :2], chunks=(1, 1, 16, 16))
    return folder / "scan.zip"


#: Files of stores: of a directory what is damaged is what says how it is to be read.
STORES: dict[str, Callable[[Path], Path]] = {
    "zarr 2": partial(write_zarr, version=2),
    "zarr 3": partial(write_zarr, version=3),
    "zarr zip": write_zip,
}
#: Those of detectors, by the names of their readers in `plain`.
DETECTORS: dict[str, Callable[[Path], Path]] = {
    "dm3": lambda folder: write_dm(folder / "scan.dm3", TRUTH[..., :4, :4], 3),
    "dm4": lambda folder: write_dm(folder / "scan.dm4", TRUTH[..., :4, :4], 4),
    "empad": write_scan_of_empad,
    "blo": lambda folder: write_blo(folder / "scan.blo", TRUTH.astype("u1")),
    "blo 16": lambda folder: write_blo(folder / "scan.blo", TRUTH),
    "seq": lambda folder: write_seq(folder / "scan.seq", FRAMES, 4),
    "mrc": lambda folder: write_mrc(folder / "scan.mrc", FRAMES, extended=b"\0" * 64),
    "tvips": lambda folder: write_tvips(folder / "scan", FRAMES),
    "k2is": write_sectors_of_k2,
    "frms6": partial(write_files_of_pnccd, name="scan_002.frms6"),
    "frms6 hdr": partial(write_files_of_pnccd, name="scan.hdr"),
    "ser": lambda folder: write_ser(folder / "scan_1.ser", TRUTH),
    "raw_csr": lambda folder: write_raw_csr(folder / "scan.toml", TRUTH),
}
if sys.version_info < (3, 11):  # no reader of TOML
    del DETECTORS["raw_csr"]
#: What of each is damaged: the header, or where there is none, all of it.
HEADER_BYTES = {
    "npy": 128, "npy fortran": 128, "raw": 7680, "mib": 384, "r64": 384, "hdr": 400,
    "dm3": 3000, "dm4": 3000, "empad": 800, "blo": 64, "blo 16": 300, "seq": 640, "mrc": 240,
    "tvips": 64, "ser": 420, "k2is": 22440, "frms6": 1100, "frms6 hdr": 240, "raw_csr": 280,
    "zarr 2": 600, "zarr 3": 900, "zarr zip": 6000,
}  # fmt: skip
HEADERS = {
    "npy": write_npy,
    "npy fortran": write_fortran,
    "raw": write_raw,
    "mib": write_merlin,
    "r64": write_raw_merlin,
    "hdr": write_header,
    **DETECTORS,
    **({} if zarr is None else STORES),
}
SEEDS: dict[str, Callable[[Path], Path]] = {
    **HEADERS,
    **{kind: partial(write_hdf5, kind=kind) for kind in HDF5},
}


def peer(path: Path, kind: str, frames: Array, ds_path: str) -> Array | None:
    """Read the same without the package; None where the other reader refuses."""
    try:
        if kind in HDF5:
            with h5py.File(path) as file:
                whole = file[ds_path][...]
        elif kind == "raw":
            whole = np.fromfile(path, "u2")
            whole = whole[: min(len(whole) // 256, 15) * 256]
        elif kind in HEADERS and path.suffix == ".npy":
            whole = np.load(path, mmap_mode="r")
        elif kind in STORES:
            whole = plain.zarr(path)
        elif kind in DETECTORS:
            whole = _of_detector(path, kind, frames)
        else:
            whole = _merlin(path, frames)
    except Exception:
        return None
    return np.asarray(whole).reshape(-1, *frames.shape[1:])[: len(frames)]


def _of_detector(path: Path, kind: str, frames: Array) -> Array:
    if kind == "empad":
        return plain.empad(path)
    if kind == "raw_csr":
        return plain.raw_csr(path)
    if kind == "k2is":
        return plain.k2is(path.parent)
    if kind.startswith("frms6"):
        return plain.frms6(path.parent)
    if kind.startswith("dm"):
        return plain.dm(path.read_bytes(), frames)
    whole: Array = getattr(plain, kind.split()[0])(path.read_bytes())
    # Kept apart from numbers of another kind that happen to be as large.
    return whole if whole.dtype.newbyteorder("=") == frames.dtype else np.zeros((0, 1))


def _merlin(path: Path, frames: Array) -> Array:
    """Take the numbers in the first header at their word."""
    path = path.with_suffix(".mib")
    content = path.read_bytes()
    fields = content[:2048].split(b",")
    size, width, height, kind = int(fields[2]), int(fields[4]), int(fields[5]), fields[6].strip()
    if kind.upper() == b"R64":
        assert frames.shape[1:] == (height, width)
        return frames
    dtype = np.dtype(f">u{int(kind[1:]) // 8}")
    stored = np.frombuffer(content, np.uint8).reshape(-1, size + width * height * dtype.itemsize)
    return stored[:, size:].copy().view(dtype).reshape(-1, height, width)
