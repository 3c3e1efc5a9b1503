"""Decodes many HDF5 chunks of the gzip filter in one call, without the GIL.

`imagecodecs` decodes a chunk per call, with a few microseconds of Python around it, in which
threads wait for each other. Its module is linked to libdeflate, whose functions are called here by
their addresses, from compiled code. Where they cannot be found, `inflate_chunks` is None.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

import ctypes
import importlib
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfwidgets.compiling import compiled

Bytes = npt.NDArray[np.uint8]
Numbers = npt.NDArray[np.int64]


class _Library:
    """The functions of libdeflate that are needed; see libdeflate.h.

    Raises
    ------
    AttributeError, ImportError, OSError
        If they cannot be found.
    """

    def __init__(self) -> None:
        # It makes 1.5 GB/s on a thread, zlib-ng two thirds of that and zlib under half. The module
        # itself has none of its functions, but what it is linked to is looked through as well.
        path = importlib.import_module("imagecodecs._deflate").__file__
        # These two take no time: they may keep the GIL.
        library = ctypes.PyDLL(path)
        self.new = library.libdeflate_alloc_decompressor
        self.new.restype = ctypes.c_void_p
        self.free = library.libdeflate_free_decompressor
        self.free.argtypes = [ctypes.c_void_p]
        self.free.restype = None
        self.decompress = ctypes.cast(library.libdeflate_zlib_decompress, ctypes.c_void_p).value


def _inflate_chunks(
    data: Bytes,
    at: Numbers,
    n_stored: Numbers,
    out: Bytes,
    to: Numbers,
    n_bytes: int,
    itemsize: int,
) -> int:
    """Decode chunks, in order; see `lz4_chunks.decode_chunks`.

    Parameters
    ----------
    itemsize : int
        Bytes of the elements that were shuffled, 1 where they were not.
    """
    # One for each call, as no two threads may use the same. With `imagecodecs` for each chunk two
    # threads made 2.06 GB/s, this makes 2.34, and 2.66 with four tiles in a read.
    decompressor = _library.new()
    if decompressor is None:
        raise MemoryError("there is no memory for libdeflate")
    try:
        function = _library.decompress
        return int(_inflate(function, decompressor, data, at, n_stored, out, to, n_bytes, itemsize))
    finally:
        _library.free(decompressor)


@intrinsic
def _decompress(typingctx, function, decompressor, data, n_stored, out, n_bytes, made):
    """Call libdeflate_zlib_decompress at an address; all arguments are integers of 64 bits."""

    def generate(context, builder, signature, values):
        word = ir.IntType(64)
        kind = ir.FunctionType(ir.IntType(32), [word] * 6)
        called = builder.bitcast(builder.inttoptr(values[0], cgutils.voidptr_t), kind.as_pointer())
        return builder.call(called, values[1:])

    return types.int32(*(types.int64,) * 7), generate


@compiled()
def _inflate(function, decompressor, data, at, n_stored, out, to, n_bytes, itemsize):
    made = np.zeros(1, np.int64)
    shuffled = np.empty(n_bytes if itemsize > 1 else 0, np.uint8)
    for i in range(len(at)):
        if n_stored[i] == 0:
            continue
        target = out.ctypes.data + to[i] if itemsize == 1 else shuffled.ctypes.data
        source = data.ctypes.data + at[i]
        failed = _decompress(
            function, decompressor, source, n_stored[i], target, n_bytes, made.ctypes.data
        )
        if failed or made[0] != n_bytes:
            return i
        if itemsize > 1:
            interleave(shuffled, itemsize, out[to[i] : to[i] + n_bytes])
    return -1


@compiled()
def interleave(data, itemsize, out):
    """Undo the shuffle filter, which puts the first bytes of all elements first, then the second.

    Parameters
    ----------
    data, out : numpy.ndarray of uint8
        Of the same length, a whole number of elements.
    itemsize : int
        Bytes of an element.
    """
    n_items = out.shape[0] // itemsize
    if itemsize == 2:
        for i in range(n_items):
            out[2 * i] = data[i]
            out[2 * i + 1] = data[n_items + i]
    elif itemsize == 4:
        for i in range(n_items):
            for byte in range(4):
                out[4 * i + byte] = data[byte * n_items + i]
    else:
        for i in range(n_items):
            for byte in range(itemsize):
                out[itemsize * i + byte] = data[byte * n_items + i]


try:
    _library = _Library()
except (AttributeError, ImportError, OSError):
    inflate_chunks: Callable[..., int] | None = None
else:
    inflate_chunks = _inflate_chunks
