"""What a user's function makes of results, found out by trying it with ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from udfwidgets.buffers import BufferDeclaration, BufferWrapper, Results, UDFResults
from udfwidgets.live.picture.channels import NUMBERS, Channel, Layout
from udfwidgets.live.picture.tint.planes import Nature, joined
from udfwidgets.shapes import Shape
from udfwidgets.udf.base import UDF


def of_results(
    udfs: Sequence[UDF], index: int | None, title: str, function: Callable[..., Any]
) -> Channel:
    """Return what a function makes of all results of one UDF, or of all UDFs."""
    shape, used = udfs[0].meta.dataset_shape, set[str]()
    examples = [
        _Noting({n: example(d, shape) for n, d in visible(udf).items()}, used) for udf in udfs
    ]
    made = tried(function, tuple(examples) if index is None else examples[index])
    # Where scan and detector are of one shape, the results that it has looked at decide.
    may_be_sig = shape.nav.axes == shape.sig.axes and "nav" not in used
    layout = layout_of(title, made, made.shape == shape.nav.axes and not may_be_sig)
    nature = made.nature if layout.form == "image" else "real"

    def make(results: UDFResults) -> Any:
        return function(results.buffers if index is None else results.buffers[index])

    named = index is None
    return Channel(index, title, layout, make, is_raw=False, is_named=named, nature=nature)


class _Noting(Results):
    """Results that note the kinds of those that somebody looks at."""

    def __init__(self, results: Mapping[str, BufferWrapper], used: set[str]) -> None:
        super().__init__(results)
        self._used = used

    def __getitem__(self, name: str) -> BufferWrapper:
        wrapper = super().__getitem__(name)
        self._used.add(wrapper.kind)
        return wrapper


def visible(udf: UDF) -> dict[str, BufferDeclaration]:
    """Return the results of a UDF that users get to see, as declared."""
    return {name: declared for name, declared in udf.declarations.items() if declared.visible}


def example(declaration: BufferDeclaration, shape: Shape) -> BufferWrapper:
    """Return a result of ones."""
    values = declaration.allocate(shape.nav.size, shape.sig)
    values[...] = 1
    return BufferWrapper(declaration, values, shape, None, np.ones((), bool))


@dataclass(frozen=True)
class Made:
    """What a function has made.

    Attributes
    ----------
    shape : tuple of int
        Without the axis of colours.
    dtype : numpy.dtype
        Of its numbers.
    nature : {'real', 'complex', 'vector', 'colours'}
        What they are.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    nature: Nature


def tried(function: Callable[[Any], Any], given: Any) -> Made:
    """Return what a function makes of something."""
    with np.errstate(all="ignore"):
        made, nature = joined(function(given))
    return Made(made.shape[:-1] if nature == "colours" else made.shape, made.dtype, nature)


def layout_of(what: str, made: Made, is_nav: bool) -> Layout:
    """Return how an array is drawn.

    Raises
    ------
    ValueError
        If it cannot be.
    """
    layout = Layout.of_axes("nav" if is_nav else "sig", made.shape)
    is_plain = made.nature in ("real", "complex")
    if layout is None or made.dtype.kind not in NUMBERS or not (is_plain or layout.form == "image"):
        raise ValueError(
            f"channel {what} gives an array of shape {made.shape} and dtype {made.dtype}, "
            "expected an image of numbers, a line, or a number"
        )
    return layout
