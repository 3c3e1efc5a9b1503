"""Undoes the filters that HDF5 chunks went through, without HDF5.

`imagecodecs` decodes without the GIL, and without the one lock that all of HDF5 runs under.
Filters are listed in the order of writing, so they are undone from the last to the first.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numba
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

# Its annotations leave out arrays as `out`, which its functions take.
_codecs: Any = imagecodecs

_DEFLATE, _SHUFFLE = 1, 2
_LZF, _BLOSC, _LZ4, _BITSHUFFLE, _ZSTD = 32000, 32001, 32004, 32008, 32015
_BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD = 2, 3


@dataclass(frozen=True)
class Filter:
    """One step of a chunk's filter pipeline.

    Parameters
    ----------
    number : int
        As registered with the HDF Group.
    values : tuple of int
        The parameters that the writer stored.
    """

    number: int
    values: tuple[int, ...]

    @property
    def is_known(self) -> bool:
        """Whether `undo` can undo it."""
        if self.number == _SHUFFLE:
            return len(self.values) >= 1 and self.values[0] in (1, 2, 4, 8, 16)
        if self.number == _BITSHUFFLE:
            compression = self.values[4] if len(self.values) > 4 else 0
            return len(self.values) >= 3 and compression in (0, _BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD)
        return self.number in _DECODERS

    @property
    def keeps_size(self) -> bool:
        """Whether the data are as many bytes after the filter as before."""
        return self.number == _SHUFFLE or (self.number == _BITSHUFFLE and not any(self.values[4:5]))


def can_undo(filters: tuple[Filter, ...]) -> bool:
    """Tell whether `undo` knows all filters, and can tell the size of what each one gives.

    That is so if only the last one compresses.
    """
    return all(f.is_known for f in filters) and all(f.keeps_size for f in filters[:-1])


def undo(filters: tuple[Filter, ...], data: Bytes, out: Bytes, spare: Bytes) -> None:
    """Decode a chunk.

    Parameters
    ----------
    filters : tuple of Filter
        For which `can_undo` holds, at least one.
    data : numpy.ndarray
        The chunk as stored.
    out : numpy.ndarray
        Is filled, exactly.
    spare : numpy.ndarray
        As long as `out`, is overwritten.

    Raises
    ------
    Exception
        Of many kinds, from the codecs, if the data are damaged.
    """
    # The last step must end in `out`, so the first one depends on how many there are.
    target, other = (out, spare) if len(filters) % 2 else (spare, out)
    for step in reversed(filters):
        n_bytes = _DECODERS[step.number](step.values, data, target)
        if n_bytes != len(out):
            raise ValueError(f"filter {step.number} gave {n_bytes} bytes, expected {len(out)}")
        data, target, other = target, other, target


def _length(decoded: object, out: Bytes) -> int:
    return len(out) if decoded is out else len(memoryview(decoded))  # type: ignore[arg-type]


def _undo_deflate(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.deflate_decode(data, out=out), out)


def _undo_lzf(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.lzf_decode(data, out=out), out)


def _undo_blosc(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.blosc_decode(data, numthreads=1, out=out), out)


def _undo_zstd(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.zstd_decode(data, out=out), out)


def _undo_lz4(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.lz4h5_decode(data, out=out), out)


def _undo_shuffle(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    itemsize = values[0]
    n_items, rest = divmod(len(out), itemsize)
    if len(data) != len(out) or rest:
        raise ValueError(f"shuffle of {len(data)} bytes, expected {len(out)} of {itemsize} each")
    if itemsize == 2:
        _interleave_2(data, out)
    else:
        np.copyto(out.reshape(n_items, itemsize), data.reshape(itemsize, n_items).T)
    return len(out)


@numba.njit(nogil=True, cache=True)
def _interleave_2(data, out):  # type: ignore[no-untyped-def]
    n_items = out.shape[0] // 2
    for i in range(n_items):
        out[2 * i] = data[i]
        out[2 * i + 1] = data[n_items + i]


def _undo_bitshuffle(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    """Undo bitshuffle, with or without compression.

    A compressed chunk is a big-endian u64 of all bytes and a u32 of the bytes in a block, then each
    block as a u32 length and the data. Up to seven elements that do not make a group of
    eight stand raw at the end. What goes to bitshuffle is a memoryview, because `imagecodecs` takes
    the itemsize from an array and not from the argument.
    """
    itemsize, compression = values[2], values[4] if len(values) > 4 else 0
    if not compression:
        block_items = values[3] if len(values) > 3 else 0
        return _length(
            _codecs.bitshuffle_decode(data.data, itemsize=itemsize, blocksize=block_items, out=out),
            out,
        )
    n_bytes, block_bytes = struct.unpack(">QI", data[:12].tobytes())
    if n_bytes != len(out) or block_bytes < 8 * itemsize or block_bytes % (8 * itemsize):
        raise ValueError(f"bitshuffle of {n_bytes} bytes in blocks of {block_bytes}")
    n_tail = len(out) % (8 * itemsize)
    shuffled = np.empty(len(out), np.uint8)
    if (
        compression == _BITSHUFFLE_LZ4
        and not n_tail
        and _are_all_shorter(data, n_bytes, block_bytes)
    ):
        # The LZ4 filter has the same layout, and all blocks are decoded in one call: 4.4 GB/s
        # instead of 0.7. But a block that LZ4 did not make shorter is stored raw only there.
        _codecs.lz4h5_decode(data, out=shuffled)
    else:
        decode = _codecs.lz4_decode if compression == _BITSHUFFLE_LZ4 else _codecs.zstd_decode
        _decode_blocks(decode, data, shuffled[: len(out) - n_tail], block_bytes)
        shuffled[len(out) - n_tail :] = data[len(data) - n_tail :]
    _codecs.bitshuffle_decode(
        shuffled.data, itemsize=itemsize, blocksize=block_bytes // itemsize, out=out
    )
    return len(out)


@numba.njit(nogil=True, cache=True)
def _are_all_shorter(data, n_bytes, block_bytes):  # type: ignore[no-untyped-def]
    at = 12
    for begin in range(0, n_bytes, block_bytes):
        if at + 4 > data.shape[0]:
            return False
        length = 0
        for i in range(4):
            length = length << 8 | data[at + i]
        if length >= min(block_bytes, n_bytes - begin):
            return False
        at += 4 + length
    return True


def _decode_blocks(
    decode: Callable[..., object], data: Bytes, out: Bytes, block_bytes: int
) -> None:
    at = 12
    for begin in range(0, len(out), block_bytes):
        block = out[begin : begin + block_bytes]
        (length,) = struct.unpack(">I", data[at : at + 4].tobytes())
        decoded = decode(data[at + 4 : at + 4 + length], out=block)
        if _length(decoded, block) != len(block):
            raise ValueError(f"bitshuffle block at byte {at} is not of {len(block)} bytes")
        at += 4 + length


_DECODERS: dict[int, Callable[[tuple[int, ...], Bytes, Bytes], int]] = {
    _DEFLATE: _undo_deflate,
    _SHUFFLE: _undo_shuffle,
    _LZF: _undo_lzf,
    _BLOSC: _undo_blosc,
    _LZ4: _undo_lz4,
    _BITSHUFFLE: _undo_bitshuffle,
    _ZSTD: _undo_zstd,
}
