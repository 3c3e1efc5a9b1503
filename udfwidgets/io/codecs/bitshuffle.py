"""Undoes the bit transposition of bitshuffle, a block at a time.

A shuffled block of n elements has the lowest bit of all elements first, in n / 8 bytes, then the
next bit, and so on: a plane for each bit. Eight planes make one byte of every element, so they
are turned back eight at a time: three rounds swap bits between planes, for as many bytes at once as
a vector register holds. Then each plane holds every eighth element, and they are woven together.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import numpy as np

from udfwidgets.compiling import compiled

ITEMSIZES = (1, 2, 4, 8)

_U8 = np.uint8


@compiled()
def unshuffle(shuffled, n_items, itemsize, planes, out, to):
    """Undo the transposition of one block.

    Parameters
    ----------
    shuffled : numpy.ndarray of uint8
        Begins with the block.
    n_items : int
        Elements of the block, a multiple of 8.
    itemsize : int
        One of `ITEMSIZES`.
    planes : numpy.ndarray of uint8
        As long as the block, is overwritten.
    out : numpy.ndarray of uint8
        Gets the block.
    to : int
        Where in `out` it begins.
    """
    n = n_items // 8
    # By whole planes: 10 GB/s on a thread, where the C library makes 4.7
    # (docs/decisions/010-reading.md).
    for byte in range(itemsize):
        _turn(shuffled[byte * n_items : (byte + 1) * n_items], n, planes[byte * n_items :])
    target = out[to : to + n_items * itemsize]
    if itemsize == 1:
        _weave_1(planes, n, target)
    elif itemsize == 2:
        _weave_2(planes, n, target.view(np.uint16))
    elif itemsize == 4:
        _weave_4(planes, n, target.view(np.uint32))
    else:
        _weave_8(planes, n, target.view(np.uint64))


@compiled()
def unshuffle_blocks(shuffled, block_bytes, itemsize, out):
    """Undo the transposition of blocks that follow each other.

    The last one may be shorter. Up to seven elements that do not make a group of eight stand at the
    end as they are.

    Parameters
    ----------
    shuffled, out : numpy.ndarray of uint8
        Of the same length.
    block_bytes : int
        Of each block, a multiple of eight elements.
    itemsize : int
        One of `ITEMSIZES`.
    """
    stop = len(out) - len(out) % (8 * itemsize)
    planes = np.empty(min(block_bytes, stop), np.uint8)
    for begin in range(0, stop, block_bytes):
        n_items = min(block_bytes, stop - begin) // itemsize
        unshuffle(shuffled[begin:], n_items, itemsize, planes, out, begin)
    out[stop:] = shuffled[stop:]


@compiled(inline="always")
def _swap(a, b, shift, mask):
    # All in bytes: numba would compute in 64 bits, an eighth as many at once.
    t = _U8(_U8(_U8(a >> shift) ^ b) & mask)
    return _U8(a ^ _U8(t << shift)), _U8(b ^ t)


@compiled()
def _turn(data, n, out):
    """Turn eight planes of n bytes, so that bit i of plane j becomes bit j of plane i."""
    s0, s1, s2, s3 = data[:n], data[n : 2 * n], data[2 * n : 3 * n], data[3 * n : 4 * n]
    s4, s5, s6, s7 = data[4 * n : 5 * n], data[5 * n : 6 * n], data[6 * n : 7 * n], data[7 * n :]
    t0, t1, t2, t3 = out[:n], out[n : 2 * n], out[2 * n : 3 * n], out[3 * n : 4 * n]
    t4, t5, t6, t7 = out[4 * n : 5 * n], out[5 * n : 6 * n], out[6 * n : 7 * n], out[7 * n : 8 * n]
    for k in range(n):
        a, b = _swap(s0[k], s1[k], _U8(1), _U8(0x55))
        c, d = _swap(s2[k], s3[k], _U8(1), _U8(0x55))
        e, f = _swap(s4[k], s5[k], _U8(1), _U8(0x55))
        g, h = _swap(s6[k], s7[k], _U8(1), _U8(0x55))
        a, c = _swap(a, c, _U8(2), _U8(0x33))
        b, d = _swap(b, d, _U8(2), _U8(0x33))
        e, g = _swap(e, g, _U8(2), _U8(0x33))
        f, h = _swap(f, h, _U8(2), _U8(0x33))
        a, e = _swap(a, e, _U8(4), _U8(0x0F))
        b, f = _swap(b, f, _U8(4), _U8(0x0F))
        c, g = _swap(c, g, _U8(4), _U8(0x0F))
        d, h = _swap(d, h, _U8(4), _U8(0x0F))
        t0[k], t1[k], t2[k], t3[k] = a, b, c, d
        t4[k], t5[k], t6[k], t7[k] = e, f, g, h


@compiled()
def _weave_1(planes, n, out):
    for k in range(n):
        for j in range(8):
            out[8 * k + j] = planes[j * n + k]


@compiled()
def _weave_2(planes, n, out):
    low, high = planes[: 8 * n].reshape(8, n), planes[8 * n : 16 * n].reshape(8, n)
    for k in range(n):
        for j in range(8):
            out[8 * k + j] = np.uint16(low[j, k]) | np.uint16(np.uint16(high[j, k]) << np.uint16(8))


@compiled()
def _weave_4(planes, n, out):
    p0, p1 = planes[: 8 * n].reshape(8, n), planes[8 * n : 16 * n].reshape(8, n)
    p2, p3 = planes[16 * n : 24 * n].reshape(8, n), planes[24 * n : 32 * n].reshape(8, n)
    for k in range(n):
        for j in range(8):
            low = np.uint32(p0[j, k]) | np.uint32(p1[j, k]) << np.uint32(8)
            high = np.uint32(p2[j, k]) | np.uint32(p3[j, k]) << np.uint32(8)
            out[8 * k + j] = np.uint32(low) | np.uint32(high) << np.uint32(16)


@compiled()
def _weave_8(planes, n, out):
    for k in range(n):
        for j in range(8):
            word = np.uint64(0)
            for byte in range(8):
                word |= np.uint64(planes[(8 * byte + j) * n + k]) << np.uint64(8 * byte)
            out[8 * k + j] = word
