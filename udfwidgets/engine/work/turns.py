"""Turns: one thread at a time calls a user's quick Python code, frame by frame.

NumPy gives the GIL up in each of its calls. Where a call takes a microsecond or two, two threads
that do so spend their time on waking each other up, and are slower than one. So they take turns of
a tile: while one is in Python, the other brings its next tile into the cache, in compiled code, and
goes on to look out for its turn there, without the GIL. That way nobody ever waits for the GIL.

Code that takes longer is left alone: it may well do most of its work without the GIL.

And where a cell computes in Python for long, workers ask it for the GIL sooner than they would by
themselves.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import platform
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from udfwidgets.buffers import Array
from udfwidgets.compiling import compiled

# Seconds per frame up to which code counts as quick.
# Why turns are taken, and what else was tried: docs/decisions/040-turns.md.
QUICK = 10e-6
# How often a thread looks whether it is its turn, before it sleeps: about a millisecond, and less
# where there are more threads, of which one is enough.
LOOKS = 30_000 // max(1, (os.cpu_count() or 2) - 1)
# Seconds that it sleeps then, and how often before it takes the turn from whoever keeps it.
# With the looks that is about ten milliseconds: whoever keeps the turn so long waits for something.
SLEEP, SLEEPS = 0.0005, 5
# Whether the processor can be told that a thread does nothing but look.
_CAN_PAUSE = platform.machine() in ("x86_64", "AMD64")

_NOTHING = np.zeros(0, np.float32)
# 1 while somebody has the turn; there is one, as there is one GIL.
_taken = np.zeros(1, np.int64)
# Seconds per frame that the code of a class of UDFs has taken last.
_seconds: WeakKeyDictionary[type, float] = WeakKeyDictionary()


# Seconds after which whoever wants the GIL asks for it. A worker wants it a few times in every
# millisecond of its work: with Python's 5 ms, a run beside a busy cell takes nine times as long
# (0.14 s of work took 1.20 s; with 1 ms it takes 0.34, and no less with 0.3 ms).
SWITCH = 0.001
_lock = threading.Lock()
_usual: list[float] = []


def _begin_anew() -> None:
    """Let go, in a process that was forked, of what threads held that it does not have."""
    global _lock
    _lock = threading.Lock()
    _taken[:] = 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)


@contextmanager
def short_switches() -> Iterator[None]:
    """Have threads wait no longer than `SWITCH` for the GIL until all who are inside have left."""
    with _lock:
        _usual.append(sys.getswitchinterval())
        sys.setswitchinterval(min(SWITCH, _usual[0]))
    try:
        yield
    finally:
        with _lock:
            first = _usual[0]
            _usual.pop()
            if not _usual:
                sys.setswitchinterval(first)


def is_quick(udf: type) -> bool:
    """Whether the code of a class of UDFs is worth taking turns for."""
    return _seconds.get(udf, 0.0) < QUICK


@contextmanager
def timed(udf: type, n_frames: int) -> Iterator[None]:
    """Learn how long the code of a class of UDFs takes for some frames."""
    # Not what goes by: in that is what a thread waits for others.
    began = time.thread_time()
    yield
    _seconds[udf] = (time.thread_time() - began) / n_frames


class Turn:
    """Takes turns for a worker; it belongs to one thread."""

    def __init__(self) -> None:
        self._has_it = np.zeros(2, np.int64)  # and what was seen last in a tile

    def give(self) -> None:
        """Let others have the turn, if this worker has it."""
        if self._has_it[0]:
            self._has_it[0] = 0
            _taken[0] = 0

    def take(self, tile: Array, converted: Array | None = None) -> None:
        """Bring a tile into the cache, and take the next turn.

        Somebody who has had it for long is not waited for. Then two are in Python at the same time:
        that is slow, and nothing worse.

        Parameters
        ----------
        tile : numpy.ndarray
            In C order, of a dtype for which `is_known` holds.
        converted : numpy.ndarray, optional
            What to convert the tile into: of the same shape, in C order.
        """
        place, pixels = _taken.ctypes.data, tile.reshape(-1).view()
        pixels.flags.writeable = False  # always, for compiled code is of another type without
        into = _NOTHING if converted is None else converted.reshape(-1)
        for _ in range(SLEEPS):
            if _convert_and_take(pixels, into, place, self._has_it, LOOKS):
                return
            # Converted already: only the look-out is repeated.
            pixels, into = pixels[:0], into[:0]
            time.sleep(SLEEP)
        self._has_it[0] = _taken[0] = 1


@intrinsic
def _try_to_take(typingctx: Any, place: Any) -> Any:
    """Put a 1 where there is a 0, and return whether there was."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        if _CAN_PAUSE:
            kind = ir.FunctionType(ir.VoidType(), [])
            name = "llvm.x86.sse2.pause"
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), [])
        target = builder.inttoptr(args[0], word.as_pointer())
        # Read before it is swapped: a swap takes the line of the cache away from the one who is to
        # give the turn back.
        found = builder.load_atomic(target, "monotonic", 8)
        is_free = builder.icmp_signed("==", found, word(0))
        with builder.if_else(is_free) as (then, otherwise):
            with then:
                pair = builder.cmpxchg(target, word(0), word(1), "acq_rel", "monotonic")
                done = builder.extract_value(pair, 1)
                after_then = builder.block
            with otherwise:
                after_otherwise = builder.block
        result = builder.phi(ir.IntType(1))
        result.add_incoming(done, after_then)
        result.add_incoming(ir.IntType(1)(0), after_otherwise)
        return result

    return types.boolean(types.int64), generate


@intrinsic
def _give(typingctx: Any, place: Any) -> Any:
    """Put a 0 there, after everything that was written before."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word = ir.IntType(64)
        builder.store_atomic(word(0), builder.inttoptr(args[0], word.as_pointer()), "release", 8)
        return context.get_dummy_value()

    return types.none(types.int64), generate


@compiled()
def _convert_and_take(pixels, into, place, has_it, looks):  # type: ignore[no-untyped-def]
    # Given here, in compiled code, and not before: the other thread would ask for the GIL just
    # while this one still has it.
    if has_it[0]:
        has_it[0] = 0
        _give(place)
    if len(into):
        dtype = into.dtype.type
        for i in range(len(pixels)):
            into[i] = dtype(pixels[i])
    else:
        last = pixels.dtype.type(0)
        for i in range(0, len(pixels), 64 // pixels.itemsize):  # a line of the cache each
            last = max(last, pixels[i])
        has_it[1] = np.int64(last)  # so that it is not left out
    for _ in range(looks):
        if _try_to_take(place):
            has_it[0] = 1
            return True
    return False
