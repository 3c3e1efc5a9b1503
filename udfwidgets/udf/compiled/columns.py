"""Sums of columns, which stay in registers while compiled code goes down the rows.

A compiler that is shown loops over short rows looks, for each few of them, whether what it reads
and what it adds to overlap, and takes longer for that than for the sums.
"""

# numba's intrinsics have no types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

from llvmlite import ir
from llvmlite.binding import get_host_cpu_features
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

#: Columns that are added up together: their sums take half of the registers there are. The more,
#: the longer is what is read on end: alone, from memory, 32 go at 11 GB/s and 128 at 24.
MOST = 128 if get_host_cpu_features().get("avx512vl") else 32
#: And those of what is left over.
FEW = 32
_WORD, _HALF, _BYTE = ir.IntType(64), ir.IntType(32), ir.IntType(8)


def fetch(builder: Any, address: Any, *, to_write: bool) -> None:
    """Have the line of the cache at an address fetched, which may be anywhere."""
    line = _BYTE.as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [line, _HALF, _HALF, _HALF])
    function = builder.module.declare_intrinsic("llvm.prefetch", (line,), kind)
    # Into the first level, as data.
    numbers = [ir.Constant(_HALF, value) for value in (int(to_write), 3, 1)]
    builder.call(function, [builder.inttoptr(address, line), *numbers])


def _sum(builder: Any, vector: Any) -> Any:
    """Return the sum over a vector of 64-bit integers."""
    kind = ir.FunctionType(_WORD, [vector.type])
    name = f"llvm.vector.reduce.add.v{vector.type.count}i64"
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [vector])


def _moments_of(n_columns: int) -> Any:
    """Return what adds up so many columns."""
    sums_of, wide_of = ir.VectorType(_HALF, n_columns), ir.VectorType(_WORD, n_columns)

    @intrinsic
    def moments_of_columns(typingctx, tile, frame, at, n_rows, width):
        """Return sums over a block of columns: of all pixels, by column, and of what came before.

        Parameters
        ----------
        tile : (frames, pixels) array
            Integers of at most 16 bits, in C order.
        frame, at : int
            Where the first pixel of the block is.
        n_rows : int
            How many rows, at most 256.
        width : int
            Pixels from one row to the next.

        Returns
        -------
        tuple of three int64
            The sum over the block; that of pixels times the number of their column in the block;
            that of what columns have added up to after each row.
        """
        number = types.int64

        def generate(context, builder, signature, values):
            kind = signature.args[0]
            array = context.make_array(kind)(context, builder, values[0])
            frame, at, n_rows, width = values[1:]
            size = kind.dtype.bitwidth // 8
            line = ir.VectorType(ir.IntType(kind.dtype.bitwidth), n_columns)
            widened = builder.sext if kind.dtype.signed else builder.zext
            stride = builder.extract_value(array.strides, 0)
            place = builder.add(
                builder.mul(frame, stride), builder.mul(at, ir.Constant(_WORD, size))
            )
            begin = builder.add(builder.ptrtoint(array.data, _WORD), place)
            step = builder.mul(width, ir.Constant(_WORD, size))
            nothing = ir.Constant(sums_of, None)
            columns = cgutils.alloca_once_value(builder, nothing)
            so_far = cgutils.alloca_once_value(builder, nothing)
            with cgutils.for_range(builder, n_rows) as loop:
                row = builder.add(begin, builder.mul(loop.index, step))
                pixels = builder.load(builder.inttoptr(row, line.as_pointer()), align=size)
                added = builder.add(builder.load(columns), widened(pixels, sums_of))
                builder.store(added, columns)
                builder.store(builder.add(builder.load(so_far), added), so_far)
            ramp = ir.Constant(sums_of, [ir.Constant(_HALF, i) for i in range(n_columns)])
            weighted = builder.mul(builder.load(columns), ramp)
            found = builder.load(columns), weighted, builder.load(so_far)
            sums = [_sum(builder, widened(each, wide_of)) for each in found]
            return context.make_tuple(builder, signature.return_type, sums)

        return types.UniTuple(number, 3)(tile, *(number,) * 4), generate

    return moments_of_columns


moments_of_most, moments_of_few = _moments_of(MOST), _moments_of(FEW)
