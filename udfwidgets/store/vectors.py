"""What compiled loops do with 64 values at once, written down as it is done in registers.

A compiler finds no transposition of bytes by itself. These are the instructions of any machine with
vectors, in whatever length it has them.
"""

# numba's intrinsics have no types.
# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from udfwidgets.udf.compiled.columns import fetch

# Positions that lie together: their bytes of one pixel are a line of the cache.
LINE = 64

_BYTE, _WORD = ir.IntType(8), ir.IntType(64)
_BYTES, _SUMS = ir.VectorType(_BYTE, LINE), ir.VectorType(ir.IntType(16), LINE)
# A quarter of a vector: within it bytes are interleaved in one instruction.
_LANE = 16


def _zipped(first: int) -> list[int]:
    """Return which bytes of two vectors interleave a half of each quarter."""
    pairs = ((lane + first + i, LINE + lane + first + i) for lane in range(0, LINE, _LANE)
             for i in range(_LANE // 2))  # fmt: skip
    return [byte for pair in pairs for byte in pair]


def _quarters(*which: int) -> list[int]:
    """Return the bytes of some quarters of two vectors."""
    return [_LANE * quarter + i for quarter in which for i in range(_LANE)]


_LOW, _HIGH = _zipped(0), _zipped(_LANE // 2)


def _mixed(builder: Any, a: Any, b: Any, which: Sequence[int]) -> Any:
    """Return some elements of two vectors."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(ir.IntType(32), LINE), which))


def _turned_by_16(builder: Any, rows: list[Any]) -> list[Any]:
    """Turn 16 rows: of the result, quarter q of row k is column 16 q + k."""
    for _ in range(4):
        pairs = zip(rows[:8], rows[8:], strict=True)
        rows = [_mixed(builder, a, b, half) for a, b in pairs for half in (_LOW, _HIGH)]
    return rows


def _turn(builder: Any, rows: list[Any], store: Callable[[int, Any], None]) -> None:
    """Store the columns of 64 rows of 64 bytes."""
    groups = [_turned_by_16(builder, rows[at : at + _LANE]) for at in range(0, LINE, _LANE)]
    for k, (a, b, c, d) in enumerate(zip(*groups, strict=True)):
        for q in (0, 2):
            half = _quarters(q, q + 1, q + 4, q + 5)
            early, late = _mixed(builder, a, b, half), _mixed(builder, c, d, half)
            store(_LANE * q + k, _mixed(builder, early, late, _quarters(0, 2, 4, 6)))
            store(_LANE * (q + 1) + k, _mixed(builder, early, late, _quarters(1, 3, 5, 7)))


def _pointer(context: Any, builder: Any, kind: Any, array: Any, at: Any) -> tuple[Any, int]:
    """Return where an element of an array is, counted from the first one, and its size."""
    size = kind.dtype.bitwidth // 8
    data = context.make_array(kind)(context, builder, array).data
    address = builder.ptrtoint(data, _WORD)
    return builder.add(address, builder.mul(at, ir.Constant(_WORD, size))), size


def _load(builder: Any, address: Any, kind: Any, size: int) -> Any:
    return builder.load(builder.inttoptr(address, kind.as_pointer()), align=size)


def _store(builder: Any, value: Any, address: Any, kind: Any, size: int) -> None:
    builder.store(value, builder.inttoptr(address, kind.as_pointer()), align=size)


@intrinsic
def turn(typingctx, tile, at, step, plane, out, to, seen):
    """Write a byte of each of 64 frames of 64 pixels to `out`, pixel by pixel.

    Nothing is looked after: all of it has to be there.

    Parameters
    ----------
    tile : array
        Of unsigned integers, in C order.
    at, step : int
        Where the first frame is in it, and how far it is to the next one, in elements.
    plane : int
        Which byte, from the lowest one.
    out : uint8 array
        In C order.
    to : int
        Where the first pixel belongs; the others follow at once.
    seen : (64,) array
        Of the dtype of the tile: gets the values of each pixel, or-ed together.
    """
    item = ir.IntType(tile.dtype.bitwidth)
    values = ir.VectorType(item, LINE)

    def generate(context, builder, signature, arguments):
        kinds = signature.args
        frame, size = _pointer(context, builder, kinds[0], arguments[0], arguments[1])
        step = builder.mul(arguments[2], ir.Constant(_WORD, size))
        shift = builder.mul(arguments[3], ir.Constant(_WORD, 8))
        shift = shift if size == 8 else builder.trunc(shift, item)
        shift = builder.insert_element(ir.Constant(values, ir.Undefined), shift, _first)
        shift = _spread(builder, shift, values)
        rows, together = [], ir.Constant(values, [0] * LINE)
        for _ in range(LINE):
            row = _load(builder, frame, values, size)
            together = builder.or_(together, row)
            rows.append(row if size == 1 else builder.trunc(builder.lshr(row, shift), _BYTES))
            frame = builder.add(frame, step)
        first, _ = _pointer(context, builder, kinds[6], arguments[6], ir.Constant(_WORD, 0))
        _store(builder, together, first, values, size)
        out, _ = _pointer(context, builder, kinds[4], arguments[4], arguments[5])

        def store(pixel, line):
            address = builder.add(out, ir.Constant(_WORD, LINE * pixel))
            _store(builder, line, address, _BYTES, 1)

        _turn(builder, rows, store)
        return context.get_dummy_value()

    word = types.int64
    return types.none(tile, word, word, word, out, word, seen), generate


@intrinsic
def prefetch(typingctx, array, at, to_write):
    """Have the line that an element is in fetched; it may lie behind the end.

    Parameters
    ----------
    array : array
        In C order.
    at : int
        Which element, counted from the first one.
    to_write : bool
        Whether it is going to be written to.
    """
    if not isinstance(to_write, types.BooleanLiteral):
        return None

    def generate(context, builder, signature, arguments):
        address, _ = _pointer(context, builder, signature.args[0], arguments[0], arguments[1])
        fetch(builder, address, to_write=to_write.literal_value)
        return context.get_dummy_value()

    return types.none(array, types.int64, to_write), generate


_first = ir.Constant(ir.IntType(32), 0)


def _spread(builder: Any, value: Any, kind: Any) -> Any:
    """Return a vector that has the first element everywhere."""
    everywhere = ir.Constant(ir.VectorType(ir.IntType(32), LINE), [0] * LINE)
    return builder.shuffle_vector(value, ir.Constant(kind, ir.Undefined), everywhere)


def _adding(count: int, *, away: bool) -> Any:
    """Return an intrinsic that adds lines of so many pixels, or takes them away."""

    @intrinsic
    def add(typingctx, lines, at, step, ahead, pixels, first, strip):
        def generate(context, builder, signature, arguments):
            kinds = signature.args
            base, _ = _pointer(context, builder, kinds[0], arguments[0], arguments[1])
            number, size = _pointer(context, builder, kinds[4], arguments[4], arguments[5])
            sums, _ = _pointer(context, builder, kinds[6], arguments[6], ir.Constant(_WORD, 0))
            total = _load(builder, sums, _SUMS, 2)
            widen = builder.sext if kinds[0].dtype.signed else builder.zext
            follow = builder.sub if away else builder.add
            for _ in range(count):
                pixel = _load(builder, number, _WORD, size)
                line = builder.add(base, builder.mul(pixel, arguments[2]))
                fetch(builder, builder.add(line, arguments[3]), to_write=False)
                total = follow(total, widen(_load(builder, line, _BYTES, 1), _SUMS))
                number = builder.add(number, ir.Constant(_WORD, size))
            _store(builder, total, sums, _SUMS, 2)
            return context.get_dummy_value()

        word = types.int64
        return types.none(lines, word, word, word, pixels, word, strip), generate

    return add


# They add lines of 64 bytes to sums in 16 bits: of pixels `first`, ... of a list, each of which is
# `step` bytes after the one before it in `lines`, the first one `at` bytes from the beginning. What
# lies `ahead` bytes behind is fetched.
add_one, add_eight = _adding(1, away=False), _adding(8, away=False)
take_one, take_eight = _adding(1, away=True), _adding(8, away=True)
