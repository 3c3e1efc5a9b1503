"""The files that are read: uint16 scans with the same content on every machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from benchmarks.formats import ENVELOPES, Envelope

DS_PATH = "data"
PATTERNS = 256


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
        Whose format it is; see `ENVELOPES`.
    """

    name: str
    chunk: int | None = None
    filters: Mapping[str, Any] = field(default_factory=dict)
    hdf5: bool = True
    detector: str = ""


RAW = Storage("raw", hdf5=False)
CONTIGUOUS = Storage("contiguous")
CHUNKED = Storage("chunk8", 8)
GZIP = Storage("gzip1-chunk8", 8, {"compression": "gzip", "compression_opts": 1})
BITSHUFFLE = Storage("bslz4-chunk8", 8, hdf5plugin.Bitshuffle(cname="lz4"))
DETECTORS = {name: Storage(name, hdf5=False, detector=name) for name in ENVELOPES}
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
            order = np.concatenate([rng.permutation(PATTERNS) for _ in range(-(-n_x // PATTERNS))])
            yield patterns[order[:n_x]]

    def describe(self, folder: Path, storage: Storage = RAW) -> dict[str, Any]:
        """Make the file if it is not there, and say where and what it is, as JSON can carry it."""
        suffix, dtype, needs_shape = (".h5" if storage.hdf5 else ".raw"), "uint16", True
        if storage.detector:
            around = self._around(storage)
            suffix, dtype, needs_shape = around.suffix, around.dtype, around.needs_shape
        path = folder / f"{self.name}-{storage.name}{suffix}"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            (self._write_hdf5 if storage.hdf5 else self._write_raw)(unfinished, storage)
            unfinished.rename(path)
        return {
            "path": str(path.resolve()),
            "format": "hdf5" if storage.hdf5 else storage.detector or "raw",
            "needs_shape": needs_shape,
            "ds_path": DS_PATH,
            "dtype": dtype,
            "nav_shape": list(self.nav_shape),
            "sig_shape": list(self.sig_shape),
        }

    def bytes_in(self, storage: Storage) -> int:
        """Return how many bytes of pixels there are."""
        wider = np.dtype(self._around(storage).dtype).itemsize // 2 if storage.detector else 1
        return self.n_bytes * wider

    def _around(self, storage: Storage) -> Envelope:
        return ENVELOPES[storage.detector](self.nav_shape, self.sig_shape)

    def _write_raw(self, path: Path, storage: Storage) -> None:
        around = self._around(storage) if storage.detector else Envelope()
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
    patterns = np.empty((PATTERNS, *sig_shape), np.uint16)
    for pattern in patterns:
        centre_y, centre_x = (n / 2 + rng.uniform(-0.03, 0.03) * size for n in sig_shape)
        mean = np.full(sig_shape, 0.05)
        mean += 20.0 * (np.hypot(y - centre_y, x - centre_x) < 0.1 * size)
        for angle in np.arange(6) * np.pi / 3:
            dy, dx = 0.3 * size * np.sin(angle), 0.3 * size * np.cos(angle)
            mean += 5.0 * (np.hypot(y - centre_y - dy, x - centre_x - dx) < 0.08 * size)
        pattern[:] = rng.poisson(mean)
    return patterns


def warm(description: dict[str, Any]) -> None:
    """Read the file once, so that all contenders find it in the page cache."""
    with open(description["path"], "rb", buffering=0) as file:
        block = bytearray(1 << 24)
        while file.readinto(block):
            pass
