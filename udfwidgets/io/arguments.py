"""Arguments that LiberTEM's datasets have: taken, renamed, or refused with those there are."""

from __future__ import annotations

import difflib
import functools
import inspect
import logging
from abc import ABCMeta
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

#: Without effect here, and why.
WITHOUT_EFFECT = {
    **dict.fromkeys(
        ("num_partitions", "target_size", "min_num_partitions"), "partitions are sized by the run"
    ),
    **dict.fromkeys(("tileshape", "base_shape"), "tiles are shaped by what the UDFs prefer"),
    **dict.fromkeys(
        ("io_backend", "enable_direct", "array_backends", "force_need_decode"),
        "each format reads as fits its files, into NumPy arrays",
    ),
    "endianess": "the file tells its byte order",
    "tiledelay": "tiles are handed out as fast as they come",
    "executor": "a file is opened by who asks for it",
    "emipath": "an .emi is given as path=, and finds its series",
    "dest_dtype": "what a UDF asks for is what it gets",
    "check_cast": "what a UDF asks for is what it gets",
    "sig_dims": "the format says how many axes a frame has",
}
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
#: Older names, and today's.
RENAMED = {"scan_size": "nav_shape", "detector_size": "sig_shape"}


class DataSetType(ABCMeta):
    """Makes datasets, of arguments that LiberTEM's datasets take, too."""

    def __new__(mcs, name: str, bases: tuple[type, ...], members: dict[str, Any]) -> DataSetType:
        """Make a class of datasets; where a subclass calls `__init__`, it takes them, too."""
        cls = super().__new__(mcs, name, bases, members)
        if "__init__" in members:
            cls.__init__ = _taking(cls, members["__init__"])  # type: ignore[misc]
        return cls

    def __call__(cls: type[_T], *args: Any, **kwargs: Any) -> _T:
        """Make a dataset.

        Raises
        ------
        TypeError
            If there is an argument that the dataset does not take; those that it takes are listed.
        """
        made: _T = super().__call__(*args, **kwargs)  # type: ignore[misc]
        return made

    @property
    def __signature__(cls) -> inspect.Signature:
        """What the dataset itself takes."""
        init = inspect.signature(cls.__init__)  # type: ignore[misc]
        return init.replace(parameters=list(init.parameters.values())[1:])


def _taking(cls: type, init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def take(self: Any, *args: Any, **kwargs: Any) -> None:
        kept = accepted(cls, kwargs)
        _check_all_there(cls, args, kept)
        init(self, *args, **kept)

    return take


def _check_all_there(cls: type, args: tuple[Any, ...], kept: dict[str, Any]) -> None:
    known = inspect.signature(cls).parameters
    needed = [name for name, p in known.items() if p.default is p.empty and p.kind in _NAMED]
    missing = [f"{name}=" for name in needed[len(args) :] if name not in kept]
    if missing:
        takes = ", ".join(known)
        raise TypeError(f"{cls.__name__} needs {' and '.join(missing)} as well; it takes {takes}")


def accepted(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments that a class of datasets takes itself."""
    known = inspect.signature(cls).parameters
    if any(p.kind is p.VAR_KEYWORD for p in known.values()):
        return given
    kept = {}
    for name, value in given.items():
        today = RENAMED.get(name, name)
        if today in known:
            kept[today] = value
        elif name == "datashape" and "data" in known and "data" not in given:
            # An empty scan of that shape; its pages are not there before they are read.
            kept["data"] = np.zeros(tuple(value), np.float32)
        elif name in WITHOUT_EFFECT or name == "datashape":
            reason = WITHOUT_EFFECT.get(name, "the shape is that of the data")
            _log.debug("%s takes %s without effect: %s", cls.__name__, name, reason)
        else:
            raise TypeError(_refusal(cls.__name__, name, list(known)))
    return kept


def _refusal(what: str, name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]}=?" if close else ""
    return f"{what} takes no argument {name!r}, it takes {', '.join(known)}{hint}"
