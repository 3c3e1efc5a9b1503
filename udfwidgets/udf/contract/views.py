"""Views: what `self.results` and `self.params` show of their arrays while a tile is in hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BoolArray, BufferDeclaration, BufferWrapper
from udfwidgets.shapes import Shape
from udfwidgets.told.values import called
from udfwidgets.unknown import unknown


class Views:
    """Arrays by name, read as attributes or items, that move with the data in hand.

    Between tiles it shows the whole arrays. During `process_tile` it shows the rows of the tile
    for nav buffers and its part of the detector for sig buffers; during `process_frame` the one
    row of the frame, of shape `extra_shape`, or ``(1,)`` where there is none.

    Parameters
    ----------
    declarations : mapping of str to BufferDeclaration
        Which of the arrays follow the scan or the detector. One that is declared but has no array,
        since it is made in `get_results`, reads as None.
    arrays : mapping of str to numpy.ndarray
        Nav arrays have one row per selected frame of the partition. Views write through.
    constants : mapping, optional
        Further values that are shown as they are.
    scan : tuple, optional
        What `get_buffer` needs: the shape that the arrays are laid out in, the roi, and which rows
        of nav arrays are valid.
    """

    # Where there is nothing but constants.
    _arrays: Mapping[str, Array] = MappingProxyType({})
    _declarations: Mapping[str, BufferDeclaration] = MappingProxyType({})
    _scan: tuple[Shape, BoolArray | None, BoolArray] | None = None
    _absent: frozenset[str] = frozenset()
    _box: tuple[slice, ...] | None = None
    _nav: Sequence[tuple[str, Array, bool]] = ()
    _sig: Sequence[tuple[str, Array]] = ()

    def __init__(
        self,
        declarations: Mapping[str, BufferDeclaration],
        arrays: Mapping[str, Array],
        constants: Mapping[str, Any] | None = None,
        scan: tuple[Shape, BoolArray | None, BoolArray] | None = None,
    ) -> None:
        # The shown values are the instance's own attributes: the fastest thing Python can look up.
        shown = self.__dict__
        shown.update(constants or {})
        if not declarations:
            return
        shown.update(arrays)
        kinds = {name: declarations[name].kind for name in arrays}
        shown["_box"] = None
        shown["_absent"] = frozenset(declarations) - frozenset(arrays)
        shown["_arrays"] = dict(arrays)
        shown["_declarations"], shown["_scan"] = declarations, scan
        shown["_nav"] = [(n, a, a.ndim == 1) for n, a in arrays.items() if kinds[n] == "nav"]
        shown["_sig"] = [(n, a) for n, a in arrays.items() if kinds[n] == "sig"]

    def show_all(self) -> None:
        """Show the whole arrays."""
        self.__dict__.update(self._arrays, _box=None)

    def show_tile(self, start: int, stop: int, box: tuple[slice, ...]) -> None:
        """Show the rows `start` to `stop` of nav arrays and a part of the detector for sig."""
        shown = self.__dict__
        for name, array, _ in self._nav:
            shown[name] = array[start:stop]
        if box is not self._box:
            shown["_box"] = box
            for name, array in self._sig:
                shown[name] = array[box]

    def frame_by_frame(self, start: int, stop: int) -> list[tuple[dict[str, Any], str, Array]]:
        """Return how to show some rows of the nav arrays one by one; the others stay as they are.

        Returns
        -------
        list of (dict, str, numpy.ndarray)
            To show row ``start + i``, what the array has at ``i`` is put into the dict by the name:
            so much faster than a call, for it is done for every frame.
        """
        rows = [
            (n, a[start:stop, np.newaxis] if flat else a[start:stop]) for n, a, flat in self._nav
        ]
        return [(self.__dict__, name, array) for name, array in rows]

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("_absent", ()):
            return None
        raise AttributeError(unknown(name, self))

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self:
            raise AttributeError(f"cannot set {name!r}: it is not one of {', '.join(self)}")
        shown = self.__dict__[name]
        if not isinstance(shown, np.ndarray):
            raise AttributeError(f"cannot set {name!r}: it is a {type(shown).__name__}")
        shown[...] = value

    def __setitem__(self, name: str, value: Any) -> None:
        setattr(self, name, value)

    def __getitem__(self, name: str) -> Any:
        if name in self:
            return self.__dict__[name]
        raise KeyError(unknown(name, self))

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__ and not str(name).startswith("_")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.__dict__ if not name.startswith("_"))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def get(self, name: str, default: Any = None) -> Any:
        """Return what is shown under a name, or the default."""
        return self.__dict__[name] if name in self else default

    def __dir__(self) -> list[str]:
        # Names of buffers and parameters, and how to get at them otherwise.
        pythons = (name for name in super().__dir__() if name.startswith("_"))
        return [*self, "get", "get_buffer", "items", "keys", "values", *pythons]

    def __repr__(self) -> str:
        return called("Views", dict(self.items()))

    def get_buffer(self, name: str) -> BufferWrapper:
        """Return the whole of a buffer, whatever is in hand, as users see theirs.

        In `merge` and `get_results`, and where the result is prepared, its `data` are in the shape
        of the scan; while a partition is worked on they have one row for each frame of it.

        Raises
        ------
        KeyError
            If there is none of that name, or it is only made in `get_results`.
        """
        if name in self._absent:
            raise KeyError(f"{name!r} has no buffer, it is declared as 'result_only'")
        if self._scan is None or name not in self._arrays:
            raise KeyError(unknown(name, self._arrays, "buffer "))
        declaration = self._declarations[name]
        shape, roi, valid = self._scan
        if declaration.kind != "nav":
            valid = np.asarray(valid.any())
        return BufferWrapper(declaration, self._arrays[name], shape, roi, valid)

    def __getstate__(self) -> dict[str, Any]:
        # Pickled parts of an array would no longer write through: a copy shows the whole arrays.
        return {**self.__dict__, **self._arrays, "_box": None}

    def keys(self) -> list[str]:
        """Return the names."""
        return list(self)

    def values(self) -> list[Any]:
        """Return what is shown."""
        return [self.__dict__[name] for name in self]

    def items(self) -> list[tuple[str, Any]]:
        """Return the names, each with what is shown."""
        return [(name, self.__dict__[name]) for name in self]
