"""Shapes and slices that know which axes are nav and which are sig."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload


@dataclass(frozen=True, eq=False, repr=False)
class Shape(Sequence[int]):
    """A tuple of axis lengths, split into nav axes (first) and sig axes (last).

    It compares equal to the plain tuple and can be used wherever NumPy wants a shape.

    Parameters
    ----------
    axes : iterable of int
        Length of every axis, nav axes first.
    sig_dims : int
        How many of the last axes belong to the detector.

    Examples
    --------
    >>> shape = Shape((16, 16, 128, 128), sig_dims=2)
    >>> shape.nav, shape.sig, shape.nav.size
    ((16, 16), (128, 128), 256)
    """

    axes: tuple[int, ...]
    sig_dims: int

    def __init__(self, axes: Sequence[int], sig_dims: int) -> None:
        lengths = tuple(int(n) for n in axes)
        if not 0 <= sig_dims <= len(lengths):
            raise ValueError(f"sig_dims={sig_dims} does not fit a shape of {len(lengths)} axes")
        object.__setattr__(self, "axes", lengths)
        object.__setattr__(self, "sig_dims", int(sig_dims))

    @cached_property
    def nav(self) -> Shape:
        """The scan axes alone."""
        return Shape(self.axes[: len(self.axes) - self.sig_dims], 0)

    @cached_property
    def sig(self) -> Shape:
        """The detector axes alone."""
        return Shape(self.axes[len(self.axes) - self.sig_dims :], self.sig_dims)

    @property
    def size(self) -> int:
        """Number of elements; 1 for no axes."""
        return math.prod(self.axes)

    @property
    def dims(self) -> int:
        """Number of axes."""
        return len(self.axes)

    def to_tuple(self) -> tuple[int, ...]:
        """Return the axis lengths as a plain tuple."""
        return self.axes

    def flatten_nav(self) -> Shape:
        """Return the shape with all nav axes folded into one."""
        return Shape((self.nav.size, *self.sig.axes), self.sig_dims)

    def flatten_sig(self) -> Shape:
        """Return the shape with all sig axes folded into one."""
        return Shape((*self.nav.axes, self.sig.size), 1)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[int, ...]: ...
    def __getitem__(self, index: int | slice) -> int | tuple[int, ...]:
        return self.axes[index]

    def __len__(self) -> int:
        return len(self.axes)

    def __iter__(self) -> Iterator[int]:
        return iter(self.axes)

    def __add__(self, other: Sequence[int]) -> tuple[int, ...]:
        return self.axes + tuple(other)

    def __radd__(self, other: Sequence[int]) -> tuple[int, ...]:
        return tuple(other) + self.axes

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Shape):
            return self.axes == other.axes and self.sig_dims == other.sig_dims
        return isinstance(other, (tuple, list)) and self.axes == tuple(other)

    def __hash__(self) -> int:
        return hash(self.axes)

    def __repr__(self) -> str:
        return repr(self.axes)


@dataclass(frozen=True)
class Slice:
    """A box in a dataset: where it begins and how long it is along each axis.

    Parameters
    ----------
    origin : tuple of int
        First index along each axis of `shape`.
    shape : Shape
        Length along each axis.
    """

    origin: tuple[int, ...]
    shape: Shape

    @property
    def nav(self) -> Slice:
        """The scan axes of the box."""
        return Slice(self.origin[: self.shape.nav.dims], self.shape.nav)

    @property
    def sig(self) -> Slice:
        """The detector axes of the box."""
        return Slice(self.origin[self.shape.nav.dims :], self.shape.sig)

    def get(self, arr: Any = None, sig_only: bool = False, nav_only: bool = False) -> Any:
        """Return the box as index slices, or what it cuts out of an array.

        Parameters
        ----------
        arr : array, optional
            The array to cut from, a view is returned where it allows one. Without it, the tuple
            of `slice` objects is returned.
        sig_only, nav_only : bool
            Use only the detector axes, or only the scan axes, of the box.
        """
        box = self.sig if sig_only else self.nav if nav_only else self
        index = tuple(
            slice(start, start + length)
            for start, length in zip(box.origin, box.shape, strict=True)
        )
        return index if arr is None else arr[index]


class TilingScheme(tuple[Slice, ...]):
    """The parts of the detector that tiles show one after the other, and how deep tiles are.

    Parameters
    ----------
    boxes : iterable of Slice
        The parts.
    depth : int
        The most frames that a tile has.
    """

    depth: int

    def __new__(cls, boxes: Iterable[Slice], depth: int) -> TilingScheme:
        """Return the boxes as a tuple that knows its depth."""
        scheme = super().__new__(cls, boxes)
        scheme.depth = depth
        return scheme

    def __reduce__(self) -> tuple[Any, ...]:
        return TilingScheme, (tuple(self), self.depth)

    @property
    def shape(self) -> Shape:
        """Of the largest tile: its depth, then sig axes."""
        box = max((box.shape for box in self), key=lambda shape: shape.size)
        return Shape((self.depth, *box), box.dims)

    @property
    def slices(self) -> list[tuple[int, Slice]]:
        """The parts, each with its number."""
        return list(enumerate(self))
