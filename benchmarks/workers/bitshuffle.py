"""A loop over bitshuffle-LZ4 chunks that never takes the GIL, with the decoder of HDF5's plugin.

A chunk has a head of twelve bytes: its size, and that of the blocks it is compressed in.
"""

# No annotations: numba takes the types from the arguments.
# mypy: ignore-errors

import ctypes
from pathlib import Path

import hdf5plugin
import numba

from benchmarks.workers import kernels

_decode = ctypes.CDLL(
    str(next(Path(hdf5plugin.PLUGIN_PATH).glob("libh5bshuf.*")))
).bshuf_decompress_lz4
_decode.restype = ctypes.c_int64
_decode.argtypes = [ctypes.c_void_p, ctypes.c_void_p, *[ctypes.c_size_t] * 3]

_HEAD = 12
_add = kernels.add


@numba.njit(nogil=True)
def add_chunks(file, offsets, firsts, frames, total, sums_of_frames):
    """Add the frames of chunks to a total and sum each.

    Parameters
    ----------
    file : array of uint8
    offsets, firsts : array of int
        Of each chunk: its place in the file, and the number of its first frame.
    frames : array
        As many frames as a chunk has, for what is decoded.
    total, sums_of_frames : array
        As `kernels.add` takes them, the latter of the whole scan.
    """
    for i in range(offsets.shape[0]):
        start = offsets[i]
        block_bytes = 0
        for byte in file[start + 8 : start + _HEAD]:
            block_bytes = block_bytes << 8 | byte
        source, itemsize = file.ctypes.data + start + _HEAD, frames.itemsize
        block = block_bytes // itemsize
        if _decode(source, frames.ctypes.data, frames.size, itemsize, block) < 0:
            raise ValueError("a chunk cannot be decoded")
        _add(frames, total, sums_of_frames[firsts[i] : firsts[i] + frames.shape[0]])
