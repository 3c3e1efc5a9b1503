"""Survives files that become shorter, or cannot be read any more, while they are mapped.

The system answers a look at a page that is not there with SIGBUS, which ends the process. Here a
few instructions, compiled once in a process, take that signal: if the address is in one of our
maps, they note that the map is torn and put zeros in place of its rest, and whoever was reading
goes on.
Results are merged only if no map was torn (see docs/decisions/100-torn-maps.md). Every other
SIGBUS goes to whoever had it before.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import signal
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

# Where the layout of what the system hands to a handler is known. Windows does not let a file that
# is mapped become shorter.
CAN_GUARD = sys.platform == "linux" and platform.machine() in ("x86_64", "aarch64")
# More maps than that are not looked after; a dataset has at most some 64 open at a time.
MOST = 4096

_SA_SIGINFO, _SA_ONSTACK, _SA_NODEFER = 4, 0x08000000, 0x40000000
_PRIVATE_ANONYMOUS_FIXED_NORESERVE = 0x02 | 0x20 | 0x10 | 0x4000
_WORD = 8
# Words of the table: how many places are in use, who had the signal before, whether it is there.
_USED, _BEFORE, _PASSING, _PLACES = 0, 1, 2, 8
# Words of a place: where the map begins, where it ends, whether it is torn.
_START, _STOP, _TORN, _WORDS = 0, 1, 2, 3


class _Action(ctypes.Structure):
    """The system's struct sigaction."""

    _fields_ = (
        ("handler", ctypes.c_void_p),
        ("mask", ctypes.c_byte * 128),
        ("flags", ctypes.c_int),
        ("restorer", ctypes.c_void_p),
    )


class GuardedMap(mmap.mmap):
    """A map of a file, read-only, that may be torn without harm.

    Attributes
    ----------
    path : Path
        Of the file.
    """

    path: Path
    _place: int | None

    @classmethod
    def of(cls, path: Path, descriptor: int, n_bytes: int, offset: int) -> GuardedMap:
        """Map a part of an open file that begins with a page."""
        made = cls(descriptor, n_bytes, access=mmap.ACCESS_READ, offset=offset)
        made.path = path
        made._place = _guard().take_in(made, n_bytes) if CAN_GUARD else None
        return made

    @property
    def is_torn(self) -> bool:
        """Whether a page was missing when somebody looked at it."""
        return self._place is not None and _guard().is_torn(self._place)

    def __del__(self) -> None:
        # Before the memory is given back, and belongs to somebody else.
        if getattr(self, "_place", None) is not None:
            _guard().let_go(self._place)


class _Guard:
    """The maps of this process, and what is done when one is torn."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a collection on the same thread may let go of a map
        self._table = np.zeros(_PLACES + MOST * _WORDS, np.int64)
        self._places = self._table[_PLACES:].reshape(MOST, _WORDS)
        self._free = list(range(MOST - 1, -1, -1))
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._engine, self._handler = _compiled(self._table.ctypes.data, self._libc)
        # The signal may come until the very end of the process.
        for needed in (self._table, self._engine):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(needed))

    def stand(self) -> None:
        """Take the signal, if somebody else has it by now."""
        now = _Action()
        with self._lock:
            self._libc.sigaction(signal.SIGBUS, None, ctypes.byref(now))
            if now.handler == self._handler:
                return
            self._table[_BEFORE] = now.handler or 0
            mine = _Action(handler=self._handler, flags=_SA_SIGINFO | _SA_ONSTACK | _SA_NODEFER)
            self._libc.sigaction(signal.SIGBUS, ctypes.byref(mine), None)

    def take_in(self, made: mmap.mmap, n_bytes: int) -> int | None:
        """Look after a map; return its place, None where there is none left."""
        self.stand()
        start = np.frombuffer(made, np.uint8).ctypes.data
        with self._lock:
            if not self._free:
                return None
            number = self._free.pop()
            place = self._places[number]
            # In this order there is never more in it than belongs to the map.
            place[_TORN], place[_START] = 0, start
            place[_STOP] = start + -(-n_bytes // mmap.PAGESIZE) * mmap.PAGESIZE
            self._table[_USED] = max(int(self._table[_USED]), number + 1)
        return number

    def let_go(self, number: int | None) -> None:
        """Look after a map no more."""
        if number is not None:
            with self._lock:
                self._places[number, _STOP] = 0
                self._free.append(number)

    def is_torn(self, number: int) -> bool:
        return bool(self._places[number, _TORN])

    def begin_anew(self) -> None:
        """Let go of a lock that another thread held when this process was forked."""
        self._lock = threading.RLock()


@cache
def _guard() -> _Guard:
    made = _Guard()
    os.register_at_fork(after_in_child=made.begin_anew)
    return made


def stand_guard() -> None:
    """Take the signal again, if there are maps, and somebody else has taken it meanwhile."""
    if CAN_GUARD and _guard.cache_info().currsize:
        _guard().stand()


def _compiled(table: int, libc: ctypes.CDLL) -> tuple[Any, int]:
    """Return the compiled handler: what keeps it, and its address."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(str(_handler(table, libc)))
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2, jit=True)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine, engine.get_function_address("on_fault")


def _handler(table: int, libc: ctypes.CDLL) -> ir.Module:
    """Return the code of ``void on_fault(int signal, siginfo_t *info, void *context)``.

    It calls nothing but the system: the thread may be anywhere, with or without the GIL.
    """
    module = ir.Module("udfwidgets_guard")
    word, half, nothing = ir.IntType(64), ir.IntType(32), ir.VoidType()
    kind = ir.FunctionType(nothing, [half, word, word])
    function = ir.Function(module, kind, "on_fault")
    number, info, context = function.args
    builder = ir.IRBuilder(function.append_basic_block("entry"))

    def at(address: Any, size: Any = word) -> Any:
        address = address if isinstance(address, ir.Value) else word(address)
        return builder.inttoptr(address, size.as_pointer())

    def header(index: int) -> Any:
        return at(table + index * _WORD)

    def call(address: Any, returns: Any, *arguments: Any) -> Any:
        signature = ir.FunctionType(returns, [argument.type for argument in arguments])
        address = address if isinstance(address, ir.Value) else word(_address(libc, address))
        return builder.call(builder.inttoptr(address, signature.as_pointer()), arguments)

    look, ours, next_, foreign, last, pass_on, end, again = (
        function.append_basic_block(name)
        for name in ("look", "ours", "next", "foreign", "last", "pass_on", "end", "again")
    )
    begin = builder.block
    code = builder.load(at(builder.add(info, word(8)), half))
    fault = builder.load(at(builder.add(info, word(16))))
    n_used = builder.load(header(_USED))
    # Of the system, and not sent by a process; and there is a map.
    is_fault = builder.icmp_signed(">", code, half(0))
    builder.cbranch(
        builder.and_(is_fault, builder.icmp_signed(">", n_used, word(0))), look, foreign
    )

    builder.position_at_end(look)
    index = builder.phi(word)
    index.add_incoming(word(0), begin)
    offset = builder.mul(index, word(_WORDS * _WORD))
    place = builder.add(offset, word(table + _PLACES * _WORD))
    start = builder.load(at(place))
    stop = builder.load(at(builder.add(place, word(_STOP * _WORD))))
    after = builder.icmp_unsigned(">=", fault, start)
    builder.cbranch(builder.and_(after, builder.icmp_unsigned("<", fault, stop)), ours, next_)

    builder.position_at_end(next_)
    following = builder.add(index, word(1))
    index.add_incoming(following, next_)
    builder.cbranch(builder.icmp_signed("<", following, n_used), look, foreign)

    builder.position_at_end(ours)
    builder.store_atomic(
        word(1), at(builder.add(place, word(_TORN * _WORD))), "seq_cst", _WORD
    )  # before anybody can see zeros
    page = builder.and_(fault, word(-mmap.PAGESIZE))
    flags = half(_PRIVATE_ANONYMOUS_FIXED_NORESERVE)
    rest = builder.sub(stop, page)
    mapped = call("mmap", word, page, rest, half(mmap.PROT_READ), flags, half(-1), word(0))
    builder.cbranch(builder.icmp_signed("==", mapped, word(-1)), foreign, end)

    builder.position_at_end(foreign)
    before = builder.load(header(_BEFORE))
    # Who had it before may hand it on to us: there has to be an end.
    is_back = builder.icmp_signed("!=", builder.load(header(_PASSING)), word(0))
    is_nobody = builder.icmp_unsigned("<=", before, word(1))
    builder.cbranch(builder.or_(is_back, is_nobody), last, pass_on)

    builder.position_at_end(pass_on)
    builder.store(word(1), header(_PASSING))
    call(before, nothing, number, info, context)
    builder.store(word(0), header(_PASSING))
    builder.branch(end)

    builder.position_at_end(last)
    # What the system does by itself; a fault comes again at once, a message has to be sent again.
    call("signal", word, number, word(0))
    builder.cbranch(is_fault, end, again)
    builder.position_at_end(again)
    call("raise", half, number)
    builder.branch(end)
    builder.position_at_end(end)
    builder.ret_void()
    return module


def _address(libc: ctypes.CDLL, name: str) -> int:
    address = ctypes.cast(getattr(libc, name), ctypes.c_void_p).value
    assert address is not None
    return address
