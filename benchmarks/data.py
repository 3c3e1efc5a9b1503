"""The files that are read: uint16 scans with the same content on every machine."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from benchmarks.formats import ENVELOPES, Envelope
from benchmarks.several import SEVERAL

DS_PATH = "data"
PATTERNS = 256
# Of frames of more pixels there are fewer.
_MOST_PIXELS = 1 << 25


@dataclass(frozen=True)
class Storage:
    """How frames lie in a file.

    Parameters
    ----------
    name : str
        Part of the file's name.
    chunk : int or None
        Frames along a row of the scan that HDF5 keeps together; None for contiguous.
    filters : mapping
        What `h5py` is told about compression.
    hdf5 : bool
        False for a file of nothing but pixels.
    detector : str
        Whose format it is; see `ENVELOPES` and `SEVERAL`.
    dtype : str
        Of the pixels of a file of nothing else.
    """

    name: str
    chunk: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    hdf5: bool = True
    detector: str = ""
    dtype: str = "<u2"


RAW = Storage("raw", hdf5=False)
RAW_FLOATS = Storage("raw-float32", hdf5=False, dtype="<f4")
CONTIGUOUS = Storage("contiguous")
CHUNKED = Storage("chunk8", 8)
GZIP = Storage("gzip1-chunk8", 8, {"compression": "gzip", "compression_opts": 1})
BITSHUFFLE = Storage("bslz4-chunk8", 8, hdf5plugin.Bitshuffle(cname="lz4"))
DETECTORS = {name: Storage(name, hdf5=False, detector=name) for name in (*ENVELOPES, *SEVERAL)}
BITSHUFFLE_FRAMES = Storage("bslz4-chunk1", 1, hdf5plugin.Bitshuffle(cname="lz4"))


@dataclass(frozen=True)
class Scan:
    """A scan of uint16 frames.

    Parameters
    ----------
    nav_shape, sig_shape : tuple of int
        Scan and detector axes.
    counts : {"electrons", "large"}
        Diffraction patterns in single electrons, most pixels of which are empty, or counts over
        the whole range of uint16, whose sums do not fit float32.
    """

    nav_shape: tuple[int, int]
    sig_shape: tuple[int, int]
    counts: str = "electrons"

    @property
    def n_bytes(self) -> int:
        return 2 * int(np.prod(self.nav_shape + self.sig_shape, dtype=np.int64))

    @property
    def name(self) -> str:
        return "x".join(map(str, self.nav_shape + self.sig_shape)) + f"-{self.counts}"

    def rows(self) -> Iterator[Any]:
        """Yield the scan row by row, as arrays of shape (nav x, *sig)."""
        rng = np.random.default_rng(20)
        n_x = self.nav_shape[1]
        if self.counts == "large":
            for _ in range(self.nav_shape[0]):
                yield rng.integers(0, 65536, (n_x, *self.sig_shape), dtype=np.uint16)
            return
        patterns = _patterns(self.sig_shape, rng)
        for _ in range(self.nav_shape[0]):
            # No pattern comes twice within a chunk: compression must not find the repetition.
            n = len(patterns)
            order = np.concatenate([rng.permutation(n) for _ in range(-(-n_x // n))])
            yield patterns[order[:n_x]]

    def describe(self, folder: Path, storage: Storage = RAW) -> dict[str, Any]:
        """Make the file if it is not there, and say where and what it is, as JSON can carry it."""
        if storage.detector in SEVERAL:
            return self._describe_several(folder / f"{self.name}-{storage.name}", storage.detector)
        around = self._around(storage)
        suffix = ".h5" if storage.hdf5 else around.suffix
        path = folder / f"{self.name}-{storage.name}{suffix}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            (self._write_hdf5 if storage.hdf5 else self._write_raw)(unfinished, storage)
            unfinished.rename(path)
            forget(path)
        kind = "hdf5" if storage.hdf5 else storage.detector or "raw"
        described = self._described(path, kind, around.dtype, around.needs_shape)
        if storage.detector:
            unwrapped = RAW if around.dtype == RAW.dtype else RAW_FLOATS
            described["unwrapped"] = self.describe(folder, unwrapped)
        return described

    def _described(self, path: Path, kind: str, dtype: str, needs_shape: bool) -> dict[str, Any]:
        return {
            "path": str(path.resolve()),
            "format": kind,
            "needs_shape": needs_shape,
            "ds_path": DS_PATH,
            "dtype": dtype,
            "nav_shape": list(self.nav_shape),
            "sig_shape": list(self.sig_shape),
        }

    def _describe_several(self, folder: Path, kind: str) -> dict[str, Any]:
        """Make a folder with the files, and a note of what is opened of them."""
        note, several = folder / "opened", SEVERAL[kind]
        if not note.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            opened = several.write(folder, self.rows(), self.nav_shape, self.sig_shape)
            note.write_text(opened.name)
            for each in folder.rglob("*"):
                if each.is_file():
                    forget(each)
        path = folder / note.read_text()
        return self._described(path, kind, "uint16", several.needs_shape)

    def bytes_in(self, storage: Storage) -> int:
        """Return how many bytes of pixels there are."""
        return self.n_bytes * np.dtype(self._around(storage).dtype).itemsize // 2

    def _around(self, storage: Storage) -> Envelope:
        if storage.detector in ENVELOPES:
            return ENVELOPES[storage.detector](self.nav_shape, self.sig_shape)
        return Envelope(dtype=storage.dtype, suffix=".raw")

    def _write_raw(self, path: Path, storage: Storage) -> None:
        around = self._around(storage)
        fields = [("before", f"V{around.before}"), ("pixels", around.dtype, self.sig_shape)]
        record = np.dtype([*fields, ("after", f"V{around.after}")])
        with path.open("wb") as file:
            file.write(around.head)
            for row in self.rows():
                frames = np.zeros(len(row), record)
                frames["pixels"] = row
                frames.tofile(file)
            file.write(around.tail)

    def _write_hdf5(self, path: Path, storage: Storage) -> None:
        chunks = None if storage.chunk is None else (1, storage.chunk, *self.sig_shape)
        with h5py.File(path, "w") as file:
            stored = file.create_dataset(
                DS_PATH,
                self.nav_shape + self.sig_shape,
                np.uint16,
                chunks=chunks,
                **storage.filters,
            )
            for y, row in enumerate(self.rows()):
                stored[y] = row


def _patterns(sig_shape: tuple[int, int], rng: np.random.Generator) -> Any:
    """Return diffraction patterns: a bright disk, six weaker ones, and little in between."""
    y, x = np.indices(sig_shape)
    size = min(sig_shape)
    n_patterns = min(PATTERNS, _MOST_PIXELS // (sig_shape[0] * sig_shape[1]))
    patterns = np.empty((n_patterns, *sig_shape), np.uint16)
    for pattern in patterns:
        centre_y, centre_x = (n / 2 + rng.uniform(-0.03, 0.03) * size for n in sig_shape)
        mean = np.full(sig_shape, 0.05)
        mean += 20.0 * (np.hypot(y - centre_y, x - centre_x) < 0.1 * size)
        for angle in np.arange(6) * np.pi / 3:
            dy, dx = 0.3 * size * np.sin(angle), 0.3 * size * np.cos(angle)
            mean += 5.0 * (np.hypot(y - centre_y - dy, x - centre_x - dx) < 0.08 * size)
        pattern[:] = rng.poisson(mean)
    return patterns


def forget(path: Path) -> None:
    """Have a file read from the disk again, where the system can be told so.

    Pages that were written lie in the cache one by one, and take 15 % longer to go through than
    those that were read in large pieces: files that were there before had an advantage.
    """
    if hasattr(os, "posix_fadvise"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def warm(description: dict[str, Any]) -> None:
    """Read all files once, so that all contenders find them in the page cache."""
    path, block = Path(description["path"]), bytearray(1 << 24)
    paths = path.parent.rglob("*") if description["format"] in SEVERAL else [path]
    for each in paths:
        if each.is_file():
            with each.open("rb", buffering=0) as file:
                while file.readinto(block):
                    pass
    if "unwrapped" in description:
        warm(description["unwrapped"])
