"""Moves bytes to and from any position of an array, in compiled code.

Numba has no unaligned load of a word, and a slice assignment costs more than the few bytes that
are to be moved. Nothing is checked here: whoever calls makes sure that the positions are inside.
"""

# numba and llvmlite come without annotations for what a code generator is given.
# mypy: disable-error-code="no-untyped-def, no-untyped-call"

from __future__ import annotations

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

_WORD = ir.IntType(64)
_SIXTEEN = ir.VectorType(ir.IntType(8), 16)


def _pointer(context, builder, array_type, array, at):
    data = context.make_array(array_type)(context, builder, array).data
    return builder.gep(data, [at])


def _mover(kind):
    """Return a code generator that moves one value of a type."""

    def generate(context, builder, signature, args):
        to = _pointer(context, builder, signature.args[0], args[0], args[1])
        source = _pointer(context, builder, signature.args[2], args[2], args[3])
        # `align=1` is what numba leaves out: without it the compiler may count on aligned
        # addresses.
        value = builder.load(builder.bitcast(source, kind.as_pointer()), align=1)
        builder.store(value, builder.bitcast(to, kind.as_pointer()), align=1)
        return context.get_dummy_value()

    return generate


@intrinsic
def move_8(typing_context, out, to, data, at):
    """Copy 8 bytes from `data` at `at` to `out` at `to`; both are arrays of uint8."""
    return types.void(out, types.intp, data, types.intp), _mover(_WORD)


@intrinsic
def move_16(typing_context, out, to, data, at):
    """Copy 16 bytes from `data` at `at` to `out` at `to`; both are arrays of uint8."""
    return types.void(out, types.intp, data, types.intp), _mover(_SIXTEEN)


@intrinsic
def move(typing_context, out, to, data, at, n_bytes):
    """Copy bytes that do not overlap from `data` at `at` to `out` at `to`."""

    def generate(context, builder, signature, args):
        target = _pointer(context, builder, signature.args[0], args[0], args[1])
        source = _pointer(context, builder, signature.args[2], args[2], args[3])
        cgutils.raw_memcpy(builder, target, source, args[4], 1, align=1)
        return context.get_dummy_value()

    return types.void(out, types.intp, data, types.intp, types.intp), generate


@intrinsic
def bytes_at(typing_context, address):
    """Return a pointer to the bytes at an address, for `numba.carray`."""

    def generate(context, builder, signature, args):
        return builder.inttoptr(args[0], cgutils.voidptr_t)

    return types.CPointer(types.uint8)(types.int64), generate


@intrinsic
def unpack_12(typing_context, out, to, data, at):
    """Make 16 pixels of two bytes of the 24 bytes of `data` at `at`, each of which has 12 bits.

    Two of them are three bytes, the low bits first.
    """

    def generate(context, builder, signature, args):
        target = _pointer(context, builder, signature.args[0], args[0], args[1])
        source = _pointer(context, builder, signature.args[2], args[2], args[3])
        packed = ir.VectorType(ir.IntType(8), 24)
        stored = builder.load(builder.bitcast(source, packed.as_pointer()), align=1)
        # The two bytes that each pixel has a part of.
        places = [3 * pair + byte for pair in range(8) for byte in (0, 1, 1, 2)]
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), 32), places)
        both = builder.shuffle_vector(stored, ir.Constant(packed, ir.Undefined), lanes)
        pixels = ir.VectorType(ir.IntType(16), 16)
        # Every other one begins four bits further: by a factor, as not all machines shift lanes
        # by different numbers of bits.
        factors = ir.Constant(pixels, [16, 1] * 8)
        aligned = builder.mul(builder.bitcast(both, pixels), factors)
        found = builder.lshr(aligned, ir.Constant(pixels, [4] * 16))
        builder.store(found, builder.bitcast(target, pixels.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(out, types.intp, data, types.intp), generate


@intrinsic
def move_turned_32(typing_context, out, to, data, at):
    """Copy 16 pixels of two bytes, the last one first."""

    def generate(context, builder, signature, args):
        target = _pointer(context, builder, signature.args[0], args[0], args[1])
        source = _pointer(context, builder, signature.args[2], args[2], args[3])
        pixels = ir.VectorType(ir.IntType(16), 16)
        stored = builder.load(builder.bitcast(source, pixels.as_pointer()), align=1)
        lanes = ir.Constant(ir.VectorType(ir.IntType(32), 16), list(range(15, -1, -1)))
        turned = builder.shuffle_vector(stored, ir.Constant(pixels, ir.Undefined), lanes)
        builder.store(turned, builder.bitcast(target, pixels.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(out, types.intp, data, types.intp), generate


@intrinsic
def load_8(typing_context, data, at):
    """Return the 8 bytes of `data` at `at` as a uint64 in the machine's byte order."""

    def generate(context, builder, signature, args):
        source = _pointer(context, builder, signature.args[0], args[0], args[1])
        return builder.load(builder.bitcast(source, _WORD.as_pointer()), align=1)

    return types.uint64(data, types.intp), generate


@intrinsic
def store_8(typing_context, out, to, value):
    """Write a uint64 to `out` at `to` in the machine's byte order."""

    def generate(context, builder, signature, args):
        target = _pointer(context, builder, signature.args[0], args[0], args[1])
        builder.store(args[2], builder.bitcast(target, _WORD.as_pointer()), align=1)
        return context.get_dummy_value()

    return types.void(out, types.intp, types.uint64), generate
