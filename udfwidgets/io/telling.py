"""Tells the type of a file: by its first bytes, for want of them by its name."""

from __future__ import annotations

import os
import re
import zipfile
from pathlib import Path

import numpy as np

from udfwidgets.io.layout.files import read_start, size_of

EXTENSIONS = {
    **dict.fromkeys((".h5", ".hdf5", ".hdf", ".nxs", ".emd", ".hspy", ".py4dstem"), "hdf5"),
    **dict.fromkeys((".mib", ".hdr"), "mib"),
    **dict.fromkeys((".dm3", ".dm4"), "dm"),
    **dict.fromkeys((".mrc", ".mrcs"), "mrc"),
    ".npy": "npy",
    ".blo": "blo",
    ".seq": "seq",
    ".tvips": "tvips",
    **dict.fromkeys((".ser", ".emi"), "ser"),
    ".gtg": "k2is",
    ".frms6": "frms6",
    ".toml": "raw_csr",
}
_MAGICS = {
    b"\x93NUMPY": "npy",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"MQ1,": "mib",
    b"HDR,": "mib",
    b"IMGBLO": "blo",
    b"II\x97\x01": "ser",
    b"JK\0\x02": "ser",
    b"\xed\xfe\0\0N\0o\0r\0p\0i\0x\0": "seq",
}
# HDF5 may begin after a user block of 512 bytes or a power of two times that.
_MAX_USER_BLOCK = 1 << 16
#: A frame of an EMPAD, whose `.raw` begins with pixels.
EMPAD_BYTES = 130 * 128 * 4
#: What stands at the top of a Zarr store: of version 3, a group and an array of version 2.
ZARR_DOCUMENTS = {"zarr.json", ".zgroup", ".zarray"}
# Of a directory, that are looked at.
_MOST_FILES = 500


def is_zarr(path: Path) -> bool:
    """Tell a Zarr store, a directory or a zip, by the metadata at its top."""
    if path.is_dir():
        return any((path / name).is_file() for name in ZARR_DOCUMENTS)
    if not path.is_file() or read_start(path, 4) != b"PK\x03\x04":
        return False
    try:
        with zipfile.ZipFile(path) as file:
            return not ZARR_DOCUMENTS.isdisjoint(file.namelist())
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError):
        return False


def store_around(path: Path) -> Path | None:
    """Return the Zarr store that something is a part of; None if there is none."""
    inside = [folder for folder in path.parents if is_zarr(folder)]
    return inside[-1] if inside else None


def scans_in(folder: Path) -> list[str]:
    """Return the names of what is in a directory, and can be told to be a scan."""
    try:
        found = sorted(folder.iterdir())[:_MOST_FILES]
    except OSError:
        return []
    return [path.name for path in found if _is_of_a_type(path)]


def _is_of_a_type(path: Path) -> bool:
    if is_zarr(path):
        return True
    is_file = path.is_file() and os.access(path, os.R_OK)
    return is_file and bool(by_content(path) or EXTENSIONS.get(path.suffix.lower()))


def by_content(file: Path) -> str | None:
    """Return the type of a file, None where its first bytes do not tell."""
    start = read_start(file, _MAX_USER_BLOCK + 8)
    for magic, filetype in _MAGICS.items():
        if start.startswith(magic):
            return filetype
    at = 512
    while at <= _MAX_USER_BLOCK:
        if start[at:].startswith(b"\x89HDF\r\n\x1a\n"):
            return "hdf5"
        at *= 2
    return next((filetype for filetype, tells in _TELLING.items() if tells(file, start)), None)


def _is_dm(file: Path, start: bytes) -> bool:
    """Tell by version, byte order, and what the first group says of itself."""
    order = {3: start[8:14], 4: start[12:18]}.get(int.from_bytes(start[:4], "big"), b"")
    return len(order) == 6 and order[:3] == b"\0\0\0" and max(order[3:]) <= 1


def _is_k2is(file: Path, start: bytes) -> bool:
    """Tell a sector by its first block, and the tags that belong to it by their name."""
    is_sector = start[:4] == b"\xff\xff\0\x55" and start[36:40] == b"\0\0\x57\x58"
    return is_sector or (file.suffix.lower() == ".gtg" and _is_dm(file, start))


def _is_frms6(file: Path, start: bytes) -> bool:
    """Tell a file by the lengths of its headers and its version, a `.hdr` by its section."""
    is_part = start[:4] == b"\0\4\x40\0" and start[7:8] == b"\6"
    return is_part or (file.suffix.lower() == ".hdr" and b"[measurementInfo]" in start)


def _is_tvips(file: Path, start: bytes) -> bool:
    """Tell by the length of the header, its version and the bits of a pixel."""
    if len(start) < 256:
        return False
    size, version, _, _, bits = np.frombuffer(start, "<i4", 5)
    return bool(size == 256 and version in (1, 2) and bits in (8, 16))


def _is_mrc(file: Path, start: bytes) -> bool:
    return len(start) >= 1024 and start[208:212] in (b"MAP ", b"MAP\0")


def _is_empad(file: Path, start: bytes) -> bool:
    """Tell an `.xml` by what it names, and a `.raw` by its name, if that fits its size."""
    if file.suffix.lower() == ".xml":
        return b"<raw_file" in start
    nav = nav_in_name(file.name) if file.suffix.lower() == ".raw" else None
    return nav is not None and nav[0] * nav[1] * EMPAD_BYTES == size_of(file)


_TELLING = {
    "k2is": _is_k2is,
    "frms6": _is_frms6,
    "dm": _is_dm,
    "tvips": _is_tvips,
    "mrc": _is_mrc,
    "empad": _is_empad,
}


def nav_in_name(name: str) -> tuple[int, int] | None:
    """Return the scan shape that the name of an EMPAD's `.raw` tells."""
    found = re.search(r"_x([0-9]{1,6})_y([0-9]{1,6})(?![0-9])", name)
    return (int(found[2]), int(found[1])) if found else None
