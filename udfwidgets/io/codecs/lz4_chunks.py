"""Decodes many HDF5 chunks of the LZ4 filters in one call, without the GIL.

Both filters begin with a big-endian u64 of all bytes and a u32 of the bytes in a block, then each
block comes as a u32 length and the data. In Bitshuffle-LZ4 each block is bitshuffled by itself, and
up to seven elements that do not make a group of eight stand raw at the end. The plain LZ4 filter
stores a block raw that did not get shorter.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from udfwidgets.compiling import compiled
from udfwidgets.io.codecs.bitshuffle import unshuffle
from udfwidgets.io.codecs.lz4 import SLACK, decode_block

_HEADER_BYTES = 12


@compiled()
def decode_chunks(data, at, n_stored, out, to, n_bytes, itemsize):
    """Decode chunks, in order.

    Parameters
    ----------
    data : numpy.ndarray of uint8
        With the stored chunks, and `SLACK` bytes behind them.
    at, n_stored : numpy.ndarray of int64
        Where each chunk begins in `data`, and how long it is. Chunks of length 0 are left out.
    out : numpy.ndarray of uint8
        With `SLACK` bytes behind the last chunk.
    to : numpy.ndarray of int64
        Where each chunk goes in `out`.
    n_bytes : int
        Length of each decoded chunk.
    itemsize : int
        Bytes of the elements that were bitshuffled, 0 where they were not.

    Returns
    -------
    int
        Number of the first chunk that is damaged, or -1.
    """
    shuffled = np.empty(SLACK, np.uint8)
    planes = np.empty(0, np.uint8)
    for i in range(len(at)):
        begin, end = at[i], at[i] + n_stored[i]
        if begin == end:
            continue
        if n_stored[i] < _HEADER_BYTES or _big_endian(data, begin, 8) != n_bytes:
            return i
        block_bytes = _big_endian(data, begin + 8, 4)
        if block_bytes == 0:
            return i
        begin += _HEADER_BYTES
        if not itemsize:
            is_whole = _decode_plain(data, begin, end, out, to[i], n_bytes, block_bytes)
        elif block_bytes % (8 * itemsize):
            is_whole = False
        else:
            # The header of a damaged chunk may ask for any amount of memory.
            block_bytes = min(block_bytes, n_bytes)
            # Once for all chunks of a call: they have blocks of one size.
            if len(planes) < block_bytes:
                shuffled = np.empty(block_bytes + SLACK, np.uint8)
                planes = np.empty(block_bytes, np.uint8)
            is_whole = _decode_shuffled(
                data, begin, end, out, to[i], n_bytes, block_bytes, itemsize, shuffled, planes
            )
        if not is_whole:
            return i
    return -1


@compiled(inline="always")
def _big_endian(data, at, n_bytes):
    value = np.int64(0)
    for i in range(n_bytes):
        value = value << 8 | np.int64(data[at + i])
    return value


@compiled()
def _decode_plain(data, at, end, out, to, n_bytes, block_bytes):
    stop = to + n_bytes
    while to < stop:
        if end - at < 4:
            return False
        n_stored = _big_endian(data, at, 4)
        n_block = min(block_bytes, stop - to)
        at += 4
        if n_stored > end - at:
            return False
        if n_stored == n_block:
            out[to : to + n_block] = data[at : at + n_block]
        elif not decode_block(data, at, at + n_stored, out, to, to + n_block):
            return False
        at += n_stored
        to += n_block
    return True


@compiled()
def _decode_shuffled(data, at, end, out, to, n_bytes, block_bytes, itemsize, shuffled, planes):
    n_tail = n_bytes % (8 * itemsize)
    stop = to + n_bytes - n_tail
    while to < stop:
        if end - at < 4:
            return False
        n_stored = _big_endian(data, at, 4)
        n_block = min(block_bytes, stop - to)
        at += 4
        if n_stored > end - at:
            return False
        # A block at a time through both steps: between them it stays in the cache.
        if not decode_block(data, at, at + n_stored, shuffled, 0, n_block):
            return False
        unshuffle(shuffled, n_block // itemsize, itemsize, planes, out, to)
        at += n_stored
        to += n_block
    if end - at < n_tail:
        return False
    out[to : to + n_tail] = data[at : at + n_tail]
    return True
