"""How much is measured: the sizes of the files, and how often."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.data import Scan, Storage
from benchmarks.several import SEVERAL


@dataclass(frozen=True)
class Extent:
    """One of the two modes.

    Parameters
    ----------
    raw, hdf5 : Scan
        What most rows read.
    huge : Scan or None
        Runs under a limit of memory that is smaller than itself.
    rounds : int
        Of the interleaved runs.
    peer_rounds : int
        Of those that are not interleaved, for LiberTEM; `rounds` for us.
    patience : float
        Seconds in one row after which a contender sits out the rounds that are left.
    cancels_everywhere : bool
        Runs are cancelled on compressed files and in Python code, too, not only on raw data.
    """

    raw: Scan
    hdf5: Scan
    huge: Scan | None
    rounds: int
    peer_rounds: int
    patience: float
    cancels_everywhere: bool
    tiny_repeat: int = 20

    def scan_in(self, storage: Storage) -> Scan:
        """Return the scan that rows read which are about this kind of file."""
        # LiberTEM reads no MRC file of 2 GiB.
        is_small = storage.hdf5 or storage.detector in ("zarr", "mrc")
        scan = self.hdf5 if is_small else self.raw
        sig = SEVERAL[storage.detector].sig if storage.detector in SEVERAL else None
        if sig is None:
            return scan
        # About as many pixels.
        width = 128 if sig[0] < 1024 else 8
        return Scan((round(scan.n_bytes / (2 * sig[0] * sig[1] * width)), width), sig)


FULL = Extent(
    raw=Scan((256, 256), (128, 128)),
    hdf5=Scan((128, 256), (128, 128)),
    huge=Scan((512, 256), (128, 128)),
    rounds=5,
    peer_rounds=1,
    patience=3.0,
    cancels_everywhere=True,
)
QUICK = Extent(
    raw=Scan((32, 256), (128, 128)),
    hdf5=Scan((16, 256), (128, 128)),
    huge=None,
    rounds=2,
    peer_rounds=1,
    patience=0.3,
    cancels_everywhere=False,
)
TINY = Scan((16, 16), (32, 32))
LARGE_COUNTS = Scan((128, 128), (32, 32), counts="large")
MEMORY_LIMIT = 1536 * 2**20
