"""Which files are compared, and who reads them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tests.io.writers.blo import write_blo
from tests.io.writers.dm import write_dm
from tests.io.writers.empad import write_empad
from tests.io.writers.frms6 import write_frms6
from tests.io.writers.k2is import SIG, write_k2is
from tests.io.writers.mrc import write_mrc
from tests.io.writers.raw_csr import write_raw_csr
from tests.io.writers.seq import write_seq
from tests.io.writers.ser import write_emi, write_ser
from tests.io.writers.tvips import write_tvips
from udfwidgets.api import Context

Array = npt.NDArray[Any]
Write = Callable[[Path, Array], Path]


@dataclass(frozen=True)
class Case:
    """A file.

    Parameters
    ----------
    kind, what : str
        Its format, and what is special about it.
    truth : numpy.ndarray
        All pixels, in the order of the scan.
    write : callable or str
        Makes it; or the package that does, see `foreign`.
    readers : tuple of str
        Who reads it, see `foreign`.
    options : mapping
        For the package.
    foreign : mapping
        Options for each other reader.
    name, found : str
        Of a file that another package writes, and what the first of several is called then.
    turned : int
        How many axes others have first that belong to the frame.
    """

    kind: str
    what: str
    truth: Array
    write: Write | str
    readers: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    foreign: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = ""
    found: str = ""
    turned: int = 0

    @property
    def writer(self) -> str:
        """Who made the file."""
        return self.write.split()[0] if isinstance(self.write, str) else "own"


def scan(*shape: int, dtype: str = "u2", most: int = 250) -> Array:
    return np.random.default_rng(len(shape)).integers(0, most, shape).astype(dtype)


SQUARE, FRAMES = scan(3, 5, 16, 16), scan(15, 12, 20)
K2 = scan(6, *SIG, most=4096)
EMPAD = np.random.default_rng(5).random((2, 3, 128, 128)).astype("f4")
DM, BLO, TVIPS = "rsciio digitalmicrograph", "rsciio blockfile", "rsciio tvips"


def positions() -> npt.NDArray[np.float32]:
    y, x = np.mgrid[:3, :5].reshape(2, -1)
    return np.stack([x, y], axis=1).astype("f4")


def _dm(version: int, order: str = "<", **options: Any) -> Write:
    def write(folder: Path, truth: Array) -> Path:
        return write_dm(folder / f"a.dm{version}", truth, version, order, **options)

    return write


def _dm_turned(folder: Path, truth: Array) -> Path:
    turned = np.ascontiguousarray(np.moveaxis(truth, (0, 1), (2, 3)))
    return write_dm(folder / "a.dm4", turned, swapped=False)


def _exported(folder: Path, truth: Array) -> Path:
    """Write what is told of pixels, too."""
    with Context.make_with("inline") as ctx:
        dataset = ctx.load("auto", path=write_blo(folder / "a.blo", truth))
        ctx.export_dataset(dataset, folder / "a.zarr")
    return folder / "a.zarr"


def _ser_with_emi(folder: Path, truth: Array) -> Path:
    write_ser(folder / "a_1.ser", truth)
    return write_emi(folder / "a.emi")


_NAV, _PLAIN = {"nav_shape": (3, 5)}, {"enable_offset_correction": False}
CASES = (
    Case("DM4", "4D", SQUARE, _dm(4), (DM, "ncempy", "libertem dm")),
    Case("DM4", "4D, by pixels", SQUARE, _dm_turned, (DM, "ncempy"), turned=2),
    Case("DM4", "4D float32", scan(2, 3, 5, 7, dtype="f4"), _dm(4), (DM, "ncempy", "libertem dm")),
    Case("DM3", "stack", FRAMES, _dm(3, swapped=None), (DM, "ncempy", "libertem dm")),
    Case(
        "EMPAD",
        "xml and raw",
        EMPAD,
        lambda folder, truth: write_empad(folder / "scan_x3_y2.xml", truth),
        ("rsciio empad", "libertem empad"),
    ),
    Case(
        "EMPAD",
        "series",
        EMPAD[0],
        lambda folder, truth: write_empad(folder / "series.xml", truth),
        ("rsciio empad", "libertem empad"),
    ),
    Case(
        "BLO",
        "8 bit",
        SQUARE.astype("u1"),
        lambda folder, truth: write_blo(folder / "a.blo", truth),
        (BLO, "libertem blo"),
    ),
    Case(
        "BLO",
        "16 bit",
        SQUARE * 200,
        lambda folder, truth: write_blo(folder / "a.blo", truth),
        ("libertem blo",),
    ),
    Case("BLO", "8 bit", SQUARE.astype("u1"), BLO, (BLO, "libertem blo"), name="a.blo"),
    Case(
        "SEQ",
        "version 5, padded",
        FRAMES,
        lambda folder, truth: write_seq(folder / "a.seq", truth),
        ("libertem seq",),
        {"nav_shape": (15,)},
        {"libertem seq": {"nav_shape": (15,)}},
    ),
    Case(
        "SEQ",
        "version 4, 8 bit",
        FRAMES.astype("u1"),
        lambda folder, truth: write_seq(folder / "a.seq", truth, 4, 0),
        ("libertem seq",),
        _NAV,
        {"libertem seq": _NAV},
    ),
    Case(
        "MRC",
        "extended header",
        FRAMES,
        lambda folder, truth: write_mrc(
            folder / "a.mrc", truth, extended=b"x" * 160, pixel_size=2.5
        ),
        ("mrcfile", "ncempy", "libertem mrc", "rsciio mrc"),
    ),
    Case(
        "MRC",
        "big-endian",
        FRAMES.astype("i2"),
        lambda folder, truth: write_mrc(folder / "a.mrc", truth, ">"),
        ("mrcfile",),
    ),
    *(
        Case("MRC", dtype, FRAMES.astype(dtype), "mrcfile", ("mrcfile",), name="a.mrc")
        for dtype in ("i1", "i2", "u2", "f4", "f2", "c8")
    ),
    Case("MRC", "volumes", FRAMES.reshape(3, 5, 12, 20), "mrcfile", ("mrcfile",), name="a.mrc"),
    Case("MRC", "u2", FRAMES, "ncempy", ("ncempy",), name="a.mrc"),
    Case(
        "TVIPS",
        "3 files, positions",
        FRAMES,
        lambda folder, truth: write_tvips(folder / "a", truth, cuts=(4, 9), positions=positions()),
        (TVIPS,),
        {},
        {TVIPS: {"scan_shape": (3, 5)}},
    ),
    Case(
        "TVIPS",
        "1 file, positions",
        FRAMES,
        lambda folder, truth: write_tvips(folder / "a", truth, positions=positions()),
        ("libertem tvips",),
    ),
    Case(
        "TVIPS",
        "version 1",
        FRAMES.astype("u1"),
        lambda folder, truth: write_tvips(folder / "a", truth, 1),
        ("libertem tvips",),
    ),
    Case(
        "TVIPS",
        "2 files",
        SQUARE,
        TVIPS,
        (TVIPS,),
        _NAV,
        {TVIPS: {"scan_shape": (3, 5)}},
        name="a.tvips",
        found="a_000.tvips",
    ),
    *(
        Case(f"Zarr {version}", what, SQUARE, f"zarr {version} {what}", ("zarr",), name="a.zarr")
        for version, what in (
            (2, "Zstd"),
            (2, "Blosc"),
            (2, "LZ4"),
            (2, "GZip"),
            (3, "Zstd"),
            (3, "shards"),
        )
    ),
    Case("Zarr", "exported", SQUARE, _exported, ("zarr",)),
    Case(
        "FRMS6",
        "3 files",
        FRAMES,
        lambda folder, truth: write_frms6(folder, truth, truth[:2], (3, 5), cuts=(4, 9)),
        ("libertem frms6",),
        _PLAIN,
        {"libertem frms6": _PLAIN},
    ),
    Case(
        "FRMS6",
        "binned, not counted",
        FRAMES.repeat(4, axis=1),
        lambda folder, truth: write_frms6(folder, truth, truth, (5, 3), 4, is_counted=False),
        ("libertem frms6",),
        _PLAIN,
        {"libertem frms6": _PLAIN},
    ),
    Case(
        "K2IS",
        "scan",
        K2,
        lambda folder, truth: write_k2is(folder, truth),
        ("libertem k2is",),
        {"nav_shape": (3, 2)},
        {"libertem k2is": {"nav_shape": (3, 2)}},
    ),
    Case(
        "K2IS",
        "series, sectors begin elsewhere",
        K2[1:],
        lambda folder, truth: write_k2is(folder, K2, begins=(0, 5, 31, 0, 1, 0, 16, 32)),
        ("libertem k2is",),
    ),
    Case(
        "raw_csr",
        "sparse scan",
        SQUARE * (SQUARE > 200),
        lambda folder, truth: write_raw_csr(folder / "a.toml", truth),
        ("libertem raw_csr",),
    ),
    Case("SER", "emi, 4D", SQUARE, _ser_with_emi, ("rsciio tia",)),
    Case(
        "SER",
        "4D",
        SQUARE.astype("i4"),
        lambda folder, truth: write_ser(folder / "a_1.ser", truth, step=2e-10),
        ("libertem ser",),
    ),
    Case(
        "SER",
        "series",
        FRAMES,
        lambda folder, truth: write_ser(folder / "a_1.ser", truth, (("", 1.0),), step=2e-10),
        ("rsciio tia", "libertem ser", "ncempy"),
    ),
    Case(
        "SER",
        "version 0x210, float32",
        SQUARE.astype("f4"),
        lambda folder, truth: write_ser(folder / "a_1.ser", truth, version=0x210, step=2e-10),
        ("rsciio tia", "libertem ser"),
    ),
    Case(
        "SER",
        "spectra",
        SQUARE[..., 0],
        lambda folder, truth: write_ser(folder / "a_1.ser", truth),
        ("rsciio tia",),
    ),
)
