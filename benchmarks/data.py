"""The files that are read: raw uint16 scans with the same content on every machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scan:
    """A raw file of uint16 frames."""

    nav_shape: tuple[int, int]
    sig_shape: tuple[int, int]

    @property
    def n_bytes(self) -> int:
        return 2 * int(np.prod(self.nav_shape + self.sig_shape, dtype=np.int64))

    def describe(self, folder: Path) -> dict[str, Any]:
        """Make the file if it is not there, and say where and what it is, as JSON can carry it."""
        name = "x".join(map(str, self.nav_shape + self.sig_shape))
        path = folder / f"{name}-uint16.raw"
        if not path.exists() or path.stat().st_size != self.n_bytes:
            folder.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".part")
            self._write(unfinished)
            unfinished.rename(path)
        return {
            "path": str(path),
            "dtype": "uint16",
            "nav_shape": list(self.nav_shape),
            "sig_shape": list(self.sig_shape),
        }

    def _write(self, path: Path) -> None:
        rng = np.random.default_rng(20)
        with path.open("wb") as file:
            for _ in range(self.nav_shape[0]):
                row = (self.nav_shape[1], *self.sig_shape)
                rng.integers(0, 4096, row, dtype=np.uint16).tofile(file)


def warm(description: dict[str, Any]) -> None:
    """Read the file once, so that all contenders find it in the page cache."""
    with open(description["path"], "rb", buffering=0) as file:
        block = bytearray(1 << 24)
        while file.readinto(block):
            pass
