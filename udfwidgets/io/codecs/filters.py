"""Undoes the filters that chunks of HDF5 and Zarr went through, without their libraries.

`imagecodecs` decodes without the GIL, and without the one lock that all of HDF5 runs under.
Filters are listed in the order of writing, so they are undone from the last to the first.

A codec believes what the header of a chunk says about sizes. So these are held against the chunk
and against what is expected before it is called: a chunk that is shorter than it says would be
filled up with what lies behind it in memory.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from udfwidgets.io.codecs.bitshuffle import ITEMSIZES, unshuffle_blocks
from udfwidgets.io.codecs.deflate import inflate_chunks, interleave
from udfwidgets.io.codecs.lz4 import decode_block
from udfwidgets.io.codecs.lz4_chunks import decode_chunks

Bytes = npt.NDArray[np.uint8]

# Its annotations leave out arrays as `out`, which its functions take.
_codecs: Any = imagecodecs

DEFLATE, SHUFFLE = 1, 2
LZF, BLOSC, LZ4, BITSHUFFLE, ZSTD = 32000, 32001, 32004, 32008, 32015
#: Of Zarr alone, with numbers of our own: gzip, and one block of LZ4 behind its length.
GZIP, LZ4_BLOCK = -1, -2
_BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD = 2, 3
_BLOSC_HEADER, _BITSHUFFLE_HEADER, _LENGTH_BYTES = 16, 12, 4


@dataclass(frozen=True)
class Filter:
    """One step of a chunk's filter pipeline.

    Parameters
    ----------
    number : int
        As registered with the HDF Group, or one of those that only Zarr has.
    values : tuple of int
        The parameters that the writer stored.
    """

    number: int
    values: tuple[int, ...]

    @property
    def is_known(self) -> bool:
        """Whether `undo` can undo it."""
        if self.number == SHUFFLE:
            return len(self.values) >= 1 and self.values[0] in (1, 2, 4, 8, 16)
        if self.number == BITSHUFFLE:
            is_known = _compression(self.values) in (0, _BITSHUFFLE_LZ4, _BITSHUFFLE_ZSTD)
            return is_known and len(self.values) >= 3 and self.values[2] in ITEMSIZES
        return self.number in _DECODERS

    @property
    def is_broken(self) -> bool:
        """Whether nobody can undo it: the plugin of HDF5 would divide by this size of an item."""
        return self.number == BITSHUFFLE and not any(self.values[2:3])

    @property
    def keeps_size(self) -> bool:
        """Whether the data are as many bytes after the filter as before."""
        is_bitshuffle = self.number == BITSHUFFLE and not _compression(self.values)
        return self.number == SHUFFLE or is_bitshuffle


def _compression(values: tuple[int, ...]) -> int:
    """Tell what comes after bitshuffle."""
    return values[4] if len(values) > 4 else 0


def can_undo(filters: tuple[Filter, ...]) -> bool:
    """Tell whether `undo` knows all filters, and can tell the size of what each one gives.

    That is so if only the last one compresses.
    """
    return all(f.is_known for f in filters) and all(f.keeps_size for f in filters[:-1])


def decoder_of_many(filters: tuple[Filter, ...]) -> Callable[..., int] | None:
    """Return what undoes all filters of many chunks in one call, None if there is nothing.

    It takes the arguments of `lz4_chunks.decode_chunks` but the last one.
    """
    if not filters:
        return None
    *before, last = filters
    if last.number == LZ4 and not before:
        return partial(decode_chunks, itemsize=0)
    if last.number == BITSHUFFLE and _compression(last.values) == _BITSHUFFLE_LZ4 and not before:
        return partial(decode_chunks, itemsize=last.values[2])
    if last.number == DEFLATE and inflate_chunks is not None:
        if not before:
            return partial(inflate_chunks, itemsize=1)
        if [step.number for step in before] == [SHUFFLE]:
            return partial(inflate_chunks, itemsize=before[0].values[0])
    return None


def undo(filters: tuple[Filter, ...], data: Bytes, out: Bytes, spare: Bytes) -> None:
    """Decode a chunk.

    Parameters
    ----------
    filters : tuple of Filter
        For which `can_undo` holds, at least one.
    data : numpy.ndarray
        The chunk as stored.
    out : numpy.ndarray
        Is filled.
    spare : numpy.ndarray
        As long as `out`, is overwritten.

    Behind the end of each must be `lz4.SLACK` bytes more, which are read or overwritten.

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
    _check_blosc(data, out)
    # One thread: workers decode side by side already.
    return _length(_codecs.blosc_decode(data, numthreads=1, out=out), out)


def _check_blosc(data: Bytes, out: Bytes) -> None:
    """Check the header: four bytes, then the lengths of the data, of a block and of the chunk.

    Unless the second bit of the third byte says that the data are only copied, a position follows
    for each block.
    """
    if len(data) < _BLOSC_HEADER:
        raise ValueError(f"Blosc chunk of {len(data)} bytes, expected at least {_BLOSC_HEADER}")
    _, _, flags, itemsize, total, block, stored = struct.unpack(
        "<4B3I", data[:_BLOSC_HEADER].tobytes()
    )
    if total != len(out) or stored > len(data):
        raise ValueError(
            f"Blosc chunk that says it has {total} bytes in {stored}, expected {len(out)} in "
            f"{len(data)}"
        )
    if not itemsize or not 0 < block <= max(total, itemsize):
        raise ValueError(f"Blosc chunk of {total} bytes in blocks of {block}, items of {itemsize}")
    positions = total if flags & 2 else 4 * -(-total // block)
    if stored < _BLOSC_HEADER + positions:
        raise ValueError(f"Blosc chunk of {stored} bytes that cannot hold its {total} bytes")


def _undo_zstd(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.zstd_decode(data, out=out), out)


def _undo_gzip(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _length(_codecs.gzip_decode(data, out=out), out)


def _undo_lz4_block(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    said = int.from_bytes(data[:_LENGTH_BYTES].tobytes(), "little")
    if len(data) < _LENGTH_BYTES or said != len(out):
        raise ValueError(f"a block of LZ4 that says it makes {said} bytes, expected {len(out)}")
    if not decode_block(data, _LENGTH_BYTES, len(data), out, 0, len(out)):
        raise ValueError(f"a block of LZ4 that does not make {len(out)} bytes")
    return len(out)


def _undo_lz4(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    return _undo_blocks(data, out, 0)


def _undo_blocks(data: Bytes, out: Bytes, itemsize: int) -> int:
    """Undo LZ4, with bitshuffle below it unless `itemsize` is 0."""
    # The compiled decoder here as well: liblz4 makes 4.6 GB/s of what this makes 12.4
    # (docs/decisions/010-reading.md).
    zero, length = np.zeros(1, np.int64), np.array([len(data)])
    bad = decode_chunks(data, zero, length, out, zero, len(out), itemsize)
    if bad >= 0 or not len(data):
        raise ValueError(f"LZ4 blocks that do not make {len(out)} bytes")
    return len(out)


def _undo_shuffle(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    itemsize = values[0]
    if len(data) != len(out) or len(out) % itemsize:
        raise ValueError(f"shuffle of {len(data)} bytes, expected {len(out)} of {itemsize} each")
    interleave(data, itemsize, out)
    return len(out)


def _undo_bitshuffle(values: tuple[int, ...], data: Bytes, out: Bytes) -> int:
    """Undo bitshuffle, with or without compression; see `lz4_chunks` for how it is laid out."""
    itemsize, compression = values[2], _compression(values)
    if compression == _BITSHUFFLE_LZ4:
        return _undo_blocks(data, out, itemsize)
    n_tail = len(out) % (8 * itemsize)
    n_blocks = len(out) - n_tail
    if compression == _BITSHUFFLE_ZSTD:
        total, block_bytes = struct.unpack(">QI", data[:_BITSHUFFLE_HEADER].tobytes())
        # Before anything is made of it: the header of a damaged chunk may say anything.
        if total != len(out) or block_bytes < 8 * itemsize or block_bytes % (8 * itemsize):
            raise ValueError(f"bitshuffle of {total} bytes in blocks of {block_bytes}")
        shuffled = np.empty(len(out), np.uint8)
        end = _undo_zstd_blocks(data, shuffled[:n_blocks], block_bytes)
        if len(data) < end + n_tail:
            raise ValueError(f"bitshuffle of {len(data)} bytes, expected {end + n_tail}")
        shuffled[n_blocks:] = data[end : end + n_tail]
    else:
        # Without a size in the values, the writer has taken as many elements as fit 8 kB.
        block_items = (values[3] if len(values) > 3 else 0) or max(1024 // itemsize, 16) * 8
        block_bytes, shuffled = block_items * itemsize, data
        if len(data) != len(out) or block_items % 8:
            raise ValueError(f"bitshuffle of {len(data)} bytes in blocks of {block_items} elements")
    unshuffle_blocks(shuffled, block_bytes, itemsize, out)
    return len(out)


def _undo_zstd_blocks(data: Bytes, out: Bytes, block_bytes: int) -> int:
    """Decode blocks that each have their length before them, and return where they end."""
    at = _BITSHUFFLE_HEADER
    for begin in range(0, len(out), block_bytes):
        block = out[begin : begin + block_bytes]
        length = int.from_bytes(data[at : at + 4].tobytes(), "big")
        at += 4
        if length > len(data) - at:
            raise ValueError(f"bitshuffle block of {length} bytes, {len(data) - at} are left")
        if _undo_zstd((), data[at : at + length], block) != len(block):
            raise ValueError(f"bitshuffle block at byte {at} is not of {len(block)} bytes")
        at += length
    return at


_DECODERS: dict[int, Callable[[tuple[int, ...], Bytes, Bytes], int]] = {
    DEFLATE: _undo_deflate,
    SHUFFLE: _undo_shuffle,
    LZF: _undo_lzf,
    BLOSC: _undo_blosc,
    LZ4: _undo_lz4,
    BITSHUFFLE: _undo_bitshuffle,
    ZSTD: _undo_zstd,
    GZIP: _undo_gzip,
    LZ4_BLOCK: _undo_lz4_block,
}
