"""What is compared of Merlin, NumPy and the families of HDF5 files."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.io.hdf5.test_families import TRUTH, dectris, fpd
from tests.io.merlin import write_hdr, write_mib
from tests.io.writers.blo import write_blo
from tests.readers.cases import SQUARE, Array, Case, Write, scan
from udfwidgets.api import Context

_MERLIN = scan(3, 5, 8, 128)


def _merlin(kind: str, depth: int) -> Write:
    def write(folder: Path, truth: Array) -> Path:
        write_hdr(folder / "a.hdr", 15, 5)
        return write_mib(folder / "a.mib", truth.reshape(15, 8, 128), kind, depth)

    return write


def _npy(folder: Path, truth: Array) -> Path:
    np.save(folder / "a.npy", truth)
    return folder / "a.npy"


def _dectris(folder: Path, truth: Array) -> Path:
    dectris(folder / "a_master.h5", stack=truth)
    return folder / "a_master.h5"


def _fpd(folder: Path, truth: Array) -> Path:
    fpd(folder / "a.hdf5")
    return folder / "a.hdf5"


def _exported(folder: Path, truth: Array) -> Path:
    """Write what is told of pixels, too."""
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("auto", path=write_blo(folder / "a.blo", truth))
        ctx.export_dataset(dataset, folder / "a.nxs")
    return folder / "a.nxs"


_ARINA = scan(15, 16, 16)  # RosettaSciIO reads square ones only
_NAV = {"libertem mib": {"nav_shape": (3, 5)}}
_OF_MERLIN = ("rsciio quantumdetector", "libertem mib")
_ARINA_NAV = {"rsciio arina": {"navigation_shape": (3, 5)}}
FAMILIES = (
    Case(
        "MIB",
        "16 bit",
        _MERLIN,
        _merlin("U16", 12),
        ("rsciio quantumdetector", "libertem mib"),
        {},
        _NAV,
    ),
    Case("MIB", "raw R64", _MERLIN, _merlin("R64", 12), ("libertem mib",), {}, _NAV),
    Case("NPY", "4D", SQUARE, _npy, ("numpy", "libertem npy")),
    Case("NeXus", "4D", SQUARE, "rsciio nexus", ("rsciio nexus",), name="a.nxs"),
    Case("NeXus", "exported", SQUARE.astype("u1"), _exported, ("rsciio nexus",)),
    Case("hspy", "4D", SQUARE, "rsciio hspy", ("rsciio hspy",), name="a.hspy"),
    Case("EMD 0.x", "4D", SQUARE, "ncempy emd", ("ncempy",), name="a.emd"),
    Case("EMD 0.2", "4D", SQUARE, "rsciio emd", ("rsciio emd",), name="a.emd"),
    Case("EMD 1.0", "4D", SQUARE, "emdfile", ("emdfile",), name="a.emd"),
    Case("DECTRIS", "3 files", _ARINA, _dectris, ("rsciio arina",), {}, _ARINA_NAV),
    Case("fpd", "4D", TRUTH, _fpd, ("ncempy",)),
)
