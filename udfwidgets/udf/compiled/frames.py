"""`process_frame` of users that numba can compile: a loop over frames, without the GIL.

A method takes `self`, of which compiled code knows nothing. What it gets instead are named tuples
that read the same: `self.results.spread` is an array in both.
"""

# numba has no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import time
import warnings
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import CodeType
from typing import Any, NamedTuple, TypeVar, overload
from weakref import WeakKeyDictionary

import numba
import numpy as np
from numba.core.compiler_lock import global_compiler_lock

from udfwidgets.buffers import Array
from udfwidgets.errors import text_of
from udfwidgets.udf.compiled.kernels import ANY_ORDER

# As of `numba.njit`: indices beyond an array are errors, as in Python, and what is divided by zero
# is infinite, as in NumPy. Checked indices cost next to nothing: 3.6 Gpixel/s, and 3.8 without.
_OPTIONS = {"boundscheck": True, "error_model": "numpy", "fastmath": ANY_ORDER}
# Seconds for which frames are gone through in one call: so long a cancelled run takes to stop.
CALL = 0.008
#: Bytes of a tile: it does not have to stay in the cache, and each costs some Python code.
TILE_BYTES = 4 << 20
#: Of numbers that numba takes as integers.
INT_BITS = 63
#: So many numbers in a list are handed over as an array.
MANY = 16
# Names of what only looks at frames. Others may write through what numba takes to be read-only, as
# `flat`, `fill_diagonal` and `ascontiguousarray` do, and frames may be a map of the user's file.
_LOOKING = """
range len int float abs min max sum mean std var any all argmax argmin shape size ndim dtype
np numpy math sqrt exp log floor ceil results params task_data
"""
_READS = frozenset(_LOOKING.split())
# What of a UDF is there for compiled code.
_SHOWN = ("results", "params", "task_data")

# Globals of these types are alike if they are equal, and not only if they are the same.
_PLAIN = (bool, int, float, complex, str, bytes)

Method = TypeVar("Method", bound=Callable[..., Any])


@overload
def jit_frame(method: Method, /) -> Method: ...
@overload
def jit_frame(**options: Any) -> Callable[[Method], Method]: ...
def jit_frame(method: Any = None, /, **options: Any) -> Any:
    """Have `process_frame` compiled by numba when it is first used: ten times as fast, and more.

    Frames are then worked on by all cores at once. What it can use of `self` are `self.results`,
    `self.params` and `self.task_data`; of these, numbers, text, tuples and arrays. Results are
    written into, as in ``self.results.spread[:] = ...``. Where numba cannot compile it, a warning
    says why, and it runs as Python. Sums of floats are rounded in another order than NumPy's.

    Parameters
    ----------
    **options
        As `numba.njit` takes them. Without any, indices are checked, and floats may be added up in
        any order: ``@jit_frame(fastmath=False)`` keeps them in the order that is written.

    Examples
    --------
    ```python
    class BrightUDF(UDF):
        def get_result_buffers(self):
            return {"n": self.buffer(kind="nav", dtype="int64")}

        @jit_frame
        def process_frame(self, frame):
            self.results.n[:] = (frame > self.params.threshold).sum()
    ```
    """

    def mark(function: Any) -> Any:
        name = getattr(function, "__name__", repr(function))
        if name != "process_frame" or not hasattr(function, "__code__"):
            raise TypeError(
                f"jit_frame stands above a method process_frame, not {name}: have functions that "
                "other methods call compiled with numba.njit(nogil=True)"
            )
        function.jit_options = {**_OPTIONS, **options, "nogil": True}
        return function

    return mark if method is None else mark(method)


class FrameError(Exception):
    """Raised from what compiled code raised, which says in `row` of which frame of a tile."""

    def __init__(self, row: int) -> None:
        super().__init__(row)
        self.row = row


class _Shape(NamedTuple):
    """What a loop is made for."""

    nav: tuple[tuple[str, str], ...]
    others: tuple[tuple[str, str], ...]
    copies: bool


class FrameLoops:
    """The loops over one method, by what it uses and the types of that.

    Parameters
    ----------
    method : callable
        Marked by `jit_frame`.
    """

    def __init__(self, method: Any) -> None:
        self.method = method
        self._around = _around(method)
        self._names = _names_of(method.__code__)
        self._process: Any = numba.njit(**method.jit_options)(method)
        self._made: dict[_Shape, Any] = {}
        # None for what numba cannot compile.
        self._compiled: dict[object, Any] = {}
        # Whether it writes into frames, which are copies then.
        self._writes = False
        #: Seconds that a frame has taken last.
        self.seconds = CALL
        #: Whether something is returned, which nobody takes.
        self.returns = False

    def are_of(self, method: Any) -> bool:
        """Whether they are what a method would be compiled to now."""
        alike = method.__code__ == self.method.__code__
        alike = alike and method.jit_options == self.method.jit_options
        return alike and _is_same(self._around, _around(method))

    def bound(
        self, shown: Mapping[str, Any], tile: Array, dtype: np.dtype[Any], rows: slice, own: bool
    ) -> BoundLoop | None:
        """Return the loop over the frames of a tile; None where numba cannot compile it.

        Parameters
        ----------
        shown : mapping of str to Views
            What is there of `results`, `params` and `task_data`.
        tile : numpy.ndarray
            Of shape (n_frames, *sig).
        dtype : dtype
            In which frames are seen.
        rows : slice
            Of nav arrays, those that belong to the tile.
        own : bool
            Whether frames are copies in any case, that can be written to.
        """
        nav, others = self._used(shown, rows)
        if not tile.dtype.isnative or tile.dtype == np.float16:  # numba knows neither
            tile = tile.astype(dtype)
        # Functions that are handed over could write, too.
        used = {name for (_, name), value in {**nav, **others}.items() if not callable(value)}
        own = own or self._writes or not self._names - used <= _READS
        copies = own or dtype != tile.dtype or not tile.flags.c_contiguous
        shape = _Shape(tuple(nav), tuple(others), copies)
        arguments = [np.zeros(2, np.int64), *nav.values(), *others.values()]
        if copies:
            frame = np.empty(tile.shape[1:], dtype)
            arguments += [_read_only(tile.reshape(len(tile), -1)), frame, frame.reshape(-1)]
        else:
            arguments.append(_read_only(tile))
        loop = self._loop(shape, arguments)
        if loop is not None:
            return BoundLoop(self, loop, arguments, len(tile))
        return self.bound(shown, tile, dtype, rows, True) if not copies else None

    def _used(self, shown: Mapping[str, Any], rows: slice) -> tuple[dict[Any, Any], dict[Any, Any]]:
        """Return what the method may look at: nav arrays, and all others."""
        nav: dict[Any, Any] = {}
        others: dict[Any, Any] = {}
        for group in (each for each in _SHOWN if each in self._names):
            views = shown[group]
            by_row = {name: array for _, name, array in views.frame_by_frame(rows.start, rows.stop)}
            for name in sorted(self._names.intersection(views)):
                value = by_row.get(name, views[name])
                which = nav if name in by_row else others
                which[group, name] = _as_array(value) if isinstance(value, (list, tuple)) else value
        return nav, others

    def _loop(self, shape: _Shape, arguments: Sequence[Any]) -> Any:
        kind = shape, _kind(arguments)
        if kind in self._compiled:
            return self._compiled[kind]
        # One at a time: the others wait for what the first one compiles. By numba's own lock, which
        # is free in a process that is forked.
        with global_compiler_lock:
            if kind not in self._compiled:
                try:
                    self._compiled[kind] = self._compile(shape, arguments)
                except Exception as error:  # numba's own, and whatever it stumbles over
                    self._compiled[kind] = None
                    self._writes |= not shape.copies
                    if shape.copies:
                        self._tell(error)
            return self._compiled[kind]

    def _compile(self, shape: _Shape, arguments: Sequence[Any]) -> Any:
        loop = self._made.get(shape)
        if loop is None:
            loop = self._made[shape] = _made(shape, self._process)
        loop.compile(tuple(map(numba.typeof, arguments)))
        returned = {each.return_type for each in self._process.nopython_signatures}
        self.returns = returned != {numba.types.none}
        return loop

    def _tell(self, error: Exception) -> None:
        code = self.method.__code__
        # At the line that is meant: a worker has no line of the user's above it.
        warnings.warn_explicit(
            f"numba cannot compile {self.method.__qualname__}, so it runs as Python, far slower: "
            f"{_in_short(error)}. {_CAN_USE}",
            UserWarning,
            code.co_filename,
            code.co_firstlineno,
        )


class BoundLoop:
    """A compiled loop, and what it works on.

    Parameters
    ----------
    loops : FrameLoops
        Where it comes from.
    loop : callable
        Compiled.
    arguments : sequence
        What it is called with.
    n_frames : int
        In the tile.
    """

    def __init__(
        self, loops: FrameLoops, loop: Any, arguments: Sequence[Any], n_frames: int
    ) -> None:
        self._loops, self._loop, self._arguments = loops, loop, arguments
        self._n_frames = n_frames

    def run(self, stopped: Callable[[], bool]) -> None:
        """Go through all frames, or until `stopped`.

        Raises
        ------
        FrameError
            From whatever is raised for a frame.
        """
        n_frames, span = self._n_frames, self._arguments[0]
        while span[1] < n_frames and not stopped():
            span[0] = begin = span[1]
            span[1] = min(n_frames, begin + max(1, int(CALL / self._loops.seconds)))
            began = time.perf_counter()
            try:
                self._loop(*self._arguments)
            except Exception as error:
                raise FrameError(int(span[0])) from error
            self._loops.seconds = (time.perf_counter() - began) / (span[1] - begin)


# By the class that defines the method; a class that is defined anew is another one.
_all: WeakKeyDictionary[type, FrameLoops] = WeakKeyDictionary()


def frame_loops(udf: type) -> FrameLoops | None:
    """Return the loops over `process_frame` of a class; None where it is not marked."""
    home = next((each for each in udf.__mro__ if "process_frame" in vars(each)), udf)
    method = vars(home).get("process_frame")
    if not hasattr(method, "jit_options") or numba.config.DISABLE_JIT:
        return None
    loops = _all.get(home) or _all.setdefault(home, FrameLoops(method))
    # Another one was put in its place, or what is around it: compiled code has that as constants.
    # Classes of notebooks come with a new function each time they are sent to a process.
    if not loops.are_of(method):
        loops = _all[home] = FrameLoops(method)
    return loops


def _as_array(value: Sequence[Any]) -> Any:
    """Return many numbers as an array: of tuples, each length is a type of its own to compile."""
    array = np.asarray(value) if len(value) >= MANY else None
    is_flat = array is not None and array.ndim == 1 and array.dtype.kind in "biufc"
    return array if is_flat else tuple(value)


def _around(method: Any) -> dict[str, Any]:
    """Return the globals that a method uses, and what its closure has."""
    space = method.__globals__
    found = {name: space[name] for name in _names_of(method.__code__) if name in space}
    for name, cell in zip(method.__code__.co_freevars, method.__closure__ or (), strict=True):
        with suppress(ValueError):  # of an empty cell
            found[name] = cell.cell_contents
    return found


def _names_of(code: CodeType) -> set[str]:
    """Return names of globals and attributes that code mentions."""
    inner = (_names_of(each) for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*inner)


def _is_same(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    return before.keys() == now.keys() and all(
        one is now[name] or (type(one) is type(now[name]) in _PLAIN and one == now[name])
        for name, one in before.items()
    )


def _made(shape: _Shape, process: Any) -> Any:
    """Return a loop that hands the method what it uses, as named tuples."""
    groups: dict[str, list[tuple[str, str]]] = {}
    names = ["span"]
    for number, (group, name) in enumerate((*shape.nav, *shape.others)):
        names.append(f"a{number}")
        value = f"a{number}[i]" if number < len(shape.nav) else f"a{number}"
        groups.setdefault(group, []).append((name, value))
    space: dict[str, Any] = {"process": process, "Self": _tuple("Self", ["nothing", *groups])}
    parts = ["None"]
    for group, members in groups.items():
        space[group] = _tuple(group, [name for name, _ in members])
        parts.append(f"{group}({', '.join(value for _, value in members)})")
    text = (_COPIES if shape.copies else _LOOKS).format(", ".join(names), ", ".join(parts))
    exec(text, space)
    return numba.njit(nogil=True, error_model="numpy")(space["loop"])


# Of names that are not known before it runs.
_tuple: Any = namedtuple

# In `span` are the first frame and the last one (exclusive); how far it has come is left there.
_LOOKS = """
def loop({0}, frames):
    for i in range(span[0], span[1]):
        span[0] = i
        process(Self({1}), frames[i])
"""
# Pixel by pixel: to assign arrays takes numba three times as long to compile as all else.
_COPIES = """
def loop({0}, pixels, frame, flat):
    for i in range(span[0], span[1]):
        span[0] = i
        for k in range(flat.shape[0]):
            flat[k] = pixels[i, k]
        process(Self({1}), frame)
"""


def _kind(value: Any) -> object:
    """Return what tells types apart that compiled code is made for: a tenth of `numba.typeof`."""
    if isinstance(value, np.ndarray):
        flags = value.flags
        layout = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"  # as numba's
        return value.dtype, value.ndim, layout, flags.writeable
    if isinstance(value, tuple):
        return tuple(map(_kind, value))
    return type(value), type(value) is int and value.bit_length() > INT_BITS


def _read_only(tile: Array) -> Array:
    """Return a view that cannot be written to: for compiled code that is a type of its own."""
    tile = tile.view()
    tile.flags.writeable = False
    return tile


_CAN_USE = (
    "Of self it can use self.results, written into as in self.results.name[:] = ..., self.params "
    "and self.task_data, with numbers, text, tuples and arrays; leave @jit_frame away for the rest"
)


def _in_short(error: Exception) -> str:
    """Return what numba says, without the path of what it looked at."""
    lines = [line.strip() for line in text_of(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(("Failed in", "During:", "File "))]
    said = next(iter(telling or lines), "it does not say why")
    return f"{said.rstrip('.')} ({type(error).__name__})"
