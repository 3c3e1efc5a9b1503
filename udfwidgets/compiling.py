"""Compiles functions, and keeps what is compiled on disk, where there is a place for it.

numba ends an import with an error where it may not write, and a run where the disk is full or a
file of its cache was cut short. None of that is a reason not to compute: what cannot be kept is
compiled for this process alone, what cannot be read is compiled and kept anew.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numba
from numba.core.caching import FunctionCache, NullCache
from numba.core.ccallback import CFunc
from numba.core.compiler_lock import global_compiler_lock

from udfwidgets.warned import warn

_CANNOT_KEEP = (
    "compiled code cannot be kept ({}): it is compiled anew in each session, which takes some "
    "seconds; make room, or set NUMBA_CACHE_DIR to a folder that can be written"
)
_CANNOT_READ = "compiled code was kept in {}, but cannot be read ({}): it is compiled anew"


# Not forked in the middle of compiling: the child would wait for ever to compile something itself.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=global_compiler_lock.acquire,
        after_in_parent=global_compiler_lock.release,
        after_in_child=global_compiler_lock.release,
    )


class _State:
    """What is known of the cache of this process."""

    has_told = False
    can_keep = True

    def tell(self, message: str) -> None:
        """Warn, once: the same is wrong with all functions."""
        if not self.has_told:
            self.has_told = True
            warn(message, RuntimeWarning)


_state = _State()


def can_keep() -> bool:
    """Whether what is compiled is found again by the next process, as far as is known."""
    return _state.can_keep


def compiled(**options: Any) -> Any:
    """Decorate a function to be compiled for each kind of arguments, and to run without the GIL.

    Parameters
    ----------
    **options
        As `numba.njit` takes them.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        made = numba.njit(nogil=True, **options)(function)
        if hasattr(made, "_cache"):  # not where numba is told to compile nothing
            made._cache = _cache_of(function)
        return made

    return decorate


def compiled_callback(signature: Any, function: Callable[..., Any]) -> Any:
    """Return a function compiled for one signature, which has an `address`."""
    made: Any = CFunc(function, (signature.args, signature.return_type), locals={}, options={})
    made._cache = _cache_of(function)
    made.compile()
    return made


class _Cache(FunctionCache):  # type: ignore[misc]
    """The compiled code of one function on disk, with whose loss one can live."""

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the compiled code; None where there is none that can be read."""
        try:
            return super().load_overload(signature, target)
        except Exception as error:  # whatever unpickling half a file comes to
            _state.tell(_CANNOT_READ.format(self.cache_path, _said(error)))
            # An index that cannot be read could not be added to either.
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, signature: Any, code: Any) -> None:
        """Keep compiled code, if that can be done."""
        try:
            super().save_overload(signature, code)
        except Exception as error:
            _state.can_keep = False
            _state.tell(_CANNOT_KEEP.format(_said(error)))


def _cache_of(function: Callable[..., Any]) -> Any:
    try:
        return _Cache(function)
    except (RuntimeError, OSError) as error:  # no place for it
        _state.can_keep = False
        _state.tell(_CANNOT_KEEP.format(_said(error)))
        return NullCache()


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
