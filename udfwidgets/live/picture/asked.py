"""What a user asked to see, resolved to channels."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from udfwidgets.buffers import Array, BufferDeclaration, BufferWrapper, UDFResults
from udfwidgets.live.picture.channels import Channel, Layout, slice_title
from udfwidgets.live.picture.tint.planes import Vectors
from udfwidgets.live.picture.tried import example, layout_of, of_results, tried, visible
from udfwidgets.udf.base import UDF

#: So many slices of a result are drawn beside each other; of more, one at a time.
SIDE_BY_SIDE = 6
#: Bytes of a result that is shown unless a user names another: a picture of it copies all of it.
LARGEST = 1 << 28


def resolve_channels(udfs: Sequence[UDF], plots: Any) -> tuple[Channel, ...]:
    """Return the channels to show.

    Parameters
    ----------
    udfs : sequence of UDF
        Bound to a dataset.
    plots : object
        True for the first result of each UDF that is an image, or else for the first that can be
        shown; a list with one entry per UDF: a list of channels, or a mapping of titles to
        channels; or one such mapping for all UDFs.

        A channel is the name of a result; a tuple (name, function), whose function is given the
        data of the result and returns an image, a line or a number; a tuple (name, index) of one
        slice of a result with an `extra_shape`; or a function that is given all results: a dict of
        `BufferWrapper`, or a tuple of them in a mapping for several UDFs. A function may also
        return `Vectors` or `RGB`.

    Raises
    ------
    ValueError
        If a channel does not exist or cannot be shown; the message lists those that can.
    """
    if plots is True:
        return tuple(c for i in range(len(udfs)) for c in _UDFChannels(udfs, i).first())
    if isinstance(plots, Mapping):
        found = (_among_all(udfs, title, asked) for title, asked in plots.items())
        return tuple(channel for channels in found for channel in channels)
    if not isinstance(plots, (list, tuple)) or len(plots) != len(udfs):
        raise ValueError(
            f"plots is {plots!r}, expected True or a list with one list of channels for each of "
            f"{', '.join(type(udf).__name__ for udf in udfs)}, or a mapping of titles to channels"
        )
    return tuple(c for i, asked in enumerate(plots) for c in _UDFChannels(udfs, i).all_of(asked))


def advice_for(udfs: Sequence[UDF], channels: Sequence[Channel]) -> str:
    """Say how to see more of UDFs of whose results none is shown as an image; nothing otherwise."""
    with_image = {channel.udf for channel in channels if channel.layout.form == "image"}
    for index, udf in enumerate(udfs):
        names = [name for name, declared in udf.declarations.items() if declared.visible]
        if names and index not in with_image:
            plots = ", ".join(f'[("{names[0]}", function)]' if u is udf else "[]" for u in udfs)
            return (
                f"no result of {type(udf).__name__} is shown as an image: name a function that "
                f"makes one of it, plots=[{plots}]"
            )
    return ""


def _among_all(udfs: Sequence[UDF], title: str, asked: Any) -> list[Channel]:
    """Return what is asked for without saying of which UDF."""
    if callable(asked) and len(udfs) > 1:
        return [of_results(udfs, None, title, asked)]
    name = asked[0] if isinstance(asked, tuple) and asked else asked
    having = [i for i, udf in enumerate(udfs) if isinstance(name, str) and name in visible(udf)]
    if len(having) > 1:
        raise ValueError(
            f"channel {name!r} of plots[{title!r}] is a result of several UDFs: write plots as a "
            f"list with a mapping for each of them, such as plots=[{{{title!r}: {name!r}}}, ...]"
        )
    return _UDFChannels(udfs, having[0] if having else 0).named(title, asked)


class _UDFChannels:
    """The channels of one UDF."""

    def __init__(self, udfs: Sequence[UDF], index: int) -> None:
        self._udfs, self._index, self._udf = udfs, index, udfs[index]
        alike = sum(type(udf).__name__ == type(self._udf).__name__ for udf in udfs)
        self._label = type(self._udf).__name__ + (f"[{index}]" if alike > 1 else "")
        self._words = self._udf.slice_names

    def first(self) -> list[Channel]:
        """Return what is shown unless a user says more: best an image, as a whole."""
        known = [
            (name, layout)
            for name, layout in self._layouts().items()
            if np.prod(layout.full_shape) * self._udf.declarations[name].dtype.itemsize <= LARGEST
        ]
        ranks = ["image", "line", "number"]
        vectors = [*self._udf.vector_results]

        def rank(each: tuple[str, Layout]) -> tuple[int, int, int]:
            name, layout = each
            place = vectors.index(name) if name in vectors else len(vectors)
            return ranks.index(layout.form), len(layout.slices), place

        best = min(known, key=rank, default=None)
        return [] if best is None else list(self._of(best[0], best[1]))

    def all_of(self, asked: Any) -> list[Channel]:
        """Return what is asked for in one entry of a list."""
        if isinstance(asked, Mapping):
            return [c for title, each in asked.items() for c in self.named(title, each)]
        single = isinstance(asked, str) or callable(asked)
        return [c for each in ([asked] if single else asked) for c in self.resolve(each)]

    def named(self, title: str, asked: Any) -> list[Channel]:
        """Return what is asked for under a title of the user's own."""
        channels = self.resolve(asked)
        several = len(channels) > 1
        return [
            replace(c, title=f"{title}: {c.slice_name}" if several else title, is_named=True)
            for c in channels
        ]

    def resolve(self, asked: Any) -> list[Channel]:
        """Return one channel, or one for each slice."""
        if callable(asked):
            label = getattr(asked, "__name__", "function")
            return [of_results(self._udfs, self._index, f"{self._label}: {label}", asked)]
        if isinstance(asked, str) and asked in self._udf.derived_images:
            make = self._udf.derived_images[asked]
            channel = of_results(self._udfs, self._index, f"{self._label}: {asked}", make)
            return [replace(channel, colormap=self._udf.colormaps.get(asked, ""))]
        name, how = asked if isinstance(asked, tuple) and len(asked) == 2 else (asked, None)
        declaration = visible(self._udf).get(name) if isinstance(name, str) else None
        if declaration is not None and callable(how):
            return [self._through(name, declaration, how)]
        layout = self._layouts(whole=how is None).get(name) if declaration is not None else None
        if layout is None:
            raise self._refusal(name, declaration is not None)
        return list(self._of(name, layout)) if how is None else [self._slice(name, layout, how)]

    def _layouts(self, *, whole: bool = True) -> dict[str, Layout]:
        """Return how results are drawn: vectors as one image where they are shown as a whole."""
        shape = self._udf.meta.dataset_shape
        found = ((n, Layout.of(d, shape)) for n, d in visible(self._udf).items())
        known = {name: layout for name, layout in found if layout is not None}
        for name in filter(self._is_vector, known if whole else ()):
            known[name] = replace(known[name], slices=())
        return known

    def _is_vector(self, name: str) -> bool:
        """Return whether a result is a field of vectors, which is shown as one image."""
        declared = visible(self._udf)[name]
        layout = Layout.of(declared, self._udf.meta.dataset_shape)
        # Vectors of complex numbers have four components, and no colour for that.
        is_plain = layout is not None and layout.form == "image" and layout.slices == (2,)
        return name in self._udf.vector_results and is_plain and declared.dtype.kind != "c"

    def _of(self, name: str, layout: Layout) -> Iterator[Channel]:
        if not 1 < layout.n_slices <= SIDE_BY_SIDE:
            own = "" if layout.slices else self._title_of(name, 0, 1)
            channel = self._channel(name, layout, own or f"{self._label}: {name}", slice(None))
            yield replace(channel, is_named=own != "")
            return
        for index in range(layout.n_slices):
            yield self._slice(name, layout, index)

    def _slice(self, name: str, layout: Layout, which: Any) -> Channel:
        """Return one slice, chosen by its place along each of the axes or by its number."""
        axes, word = layout.slices, self._words.get(name, "")
        try:
            place = which if isinstance(which, tuple) else np.unravel_index(which, axes)
            index = int(np.ravel_multi_index([operator.index(n) for n in place], axes))
        except (ValueError, TypeError) as error:
            raise ValueError(
                f"channel ({name!r}, {which!r}) of {self._label} does not exist: expected a "
                f"function, or the place of a slice among {axes}"
            ) from error
        title = self._title_of(name, index, layout.n_slices)
        if title:
            named = self._channel(name, replace(layout, slices=()), title, index, title)
            return replace(named, is_named=True)
        title = slice_title(word, index, axes)
        full = f"{self._label}: {title if word else f'{name} {title}'}"
        return self._channel(name, replace(layout, slices=()), full, index, title)

    def _title_of(self, name: str, index: int, count: int) -> str:
        """Return the name of one of so many slices; nothing where the UDF has none for them."""
        titles = self._udf.slice_titles.get(name, ())
        return titles[index] if len(titles) == count else ""

    def _channel(
        self, name: str, layout: Layout, title: str, part: int | slice, slice_name: str = ""
    ) -> Channel:
        udf, declaration = self._index, visible(self._udf)[name]
        single, is_image = declaration.kind == "single", layout.form == "image"
        is_vector = part == slice(None) and self._is_vector(name)
        is_complex = is_image and declaration.dtype.kind == "c"

        def make(results: UDFResults) -> Any:
            stack = _stack_of(results.buffers[udf][name], single, layout.shape)
            return Vectors(*stack) if is_vector else stack[part].reshape(layout.full_shape)

        return Channel(
            udf,
            title,
            layout,
            make,
            slice_name=slice_name or self._words.get(name, ""),
            colormap="" if is_vector else self._udf.colormaps.get(name, ""),
            unit=self._udf.result_units.get(name, ""),
            nature="vector" if is_vector else "complex" if is_complex else "real",
        )

    def _through(
        self, name: str, declaration: BufferDeclaration, function: Callable[[Array], Any]
    ) -> Channel:
        shape = self._udf.meta.dataset_shape
        label = getattr(function, "__name__", "function")
        made = tried(function, example(declaration, shape).data)
        is_nav = declaration.kind == "nav" and made.shape == shape.nav.axes
        layout = layout_of(f"({name!r}, {label}) of {self._label}", made, is_nav)
        udf = self._index
        return Channel(
            udf,
            f"{self._label}: {label}({name})",
            layout,
            lambda results: function(results.buffers[udf][name].data),
            is_raw=False,
            nature=made.nature if layout.form == "image" else "real",
        )

    def _refusal(self, name: Any, exists: bool) -> ValueError:
        names = (*self._layouts(), *self._udf.derived_images)
        known = ", ".join(repr(each) for each in names) or "none"
        return ValueError(
            f"channel {name!r} of {type(self._udf).__name__} "
            + ("cannot be shown" if exists else "does not exist")
            + f"; its channels that can be: {known}. Any other can be shown through a function "
            "that makes an image of it: (name, function)"
        )


def _stack_of(wrapper: BufferWrapper, is_single: bool, shape: tuple[int, int]) -> Array:
    """Return all slices of a result, in the order of its extra axes, one behind the other."""
    data = wrapper.data
    if is_single:
        return data.reshape(-1, *shape)
    axes = data.shape[: data.ndim - len(wrapper.extra_shape)]
    return np.moveaxis(data.reshape(*axes, -1), -1, 0).reshape(-1, *shape)
