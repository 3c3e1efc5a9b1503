"""Compresses chunks as HDF5 and Zarr keep them."""

from __future__ import annotations

import struct
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_codecs: Any = imagecodecs

#: Larger blocks cost less time around each of them: 8 kB 0.15 GB/s, 32 kB 0.8.
BLOCK_BYTES = 32 << 10


def bitshuffle_lz4(data: Bytes, itemsize: int) -> bytes:
    """Return a chunk of the filter 32008 of HDF5, with LZ4; see `codecs.lz4_chunks`."""
    n_blocks = len(data) - len(data) % (8 * itemsize)
    shuffled = _codecs.bitshuffle_encode(
        data[:n_blocks].tobytes(), itemsize=itemsize, blocksize=BLOCK_BYTES // itemsize
    )
    packed = [struct.pack(">QI", len(data), BLOCK_BYTES)]
    for at in range(0, n_blocks, BLOCK_BYTES):
        block = _codecs.lz4_encode(shuffled[at : at + BLOCK_BYTES], header=False)
        packed += [struct.pack(">I", len(block)), block]
    return b"".join([*packed, data[n_blocks:].tobytes()])


def zstd(data: Bytes, level: int) -> bytes:
    """Return a frame of Zstd."""
    return bytes(_codecs.zstd_encode(data, level=level))
