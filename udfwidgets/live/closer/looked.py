"""What an image has so that a person can look closer: a ruler on it, others that follow it."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Collection
from typing import Any, ClassVar

import numpy as np
import traitlets

from udfwidgets.live.closer.ruler import Profile, Ruler
from udfwidgets.live.picture.image_feed import ImageFeed
from udfwidgets.live.picture.picture import Picture
from udfwidgets.live.wire.protocol import CommandName

#: Loaded when it is first asked for.
ALONG = "udfwidgets.live.closer.along:along"


class Looked(traitlets.HasTraits):  # type: ignore[misc]
    """A mixin for the canvas of an image: what its pages know."""

    #: Whether its window and cursor are those of the other images of the same axes on its card.
    linked = traitlets.Bool(True).tag(sync=True)
    #: What its axes are, where that is not told by its kind.
    axes = traitlets.Unicode().tag(sync=True)
    #: The numbers of a `Ruler`; none where nothing is measured.
    ruler = traitlets.List().tag(sync=True)
    #: Size and unit of a pixel along y and along x, where they are known.
    units = traitlets.List([None, None]).tag(sync=True)


class Measured:
    """A mixin for an image."""

    canvas: Any
    _feed: ImageFeed
    _followers: tuple[Callable[[Picture], None], ...] = ()
    _on_command: Callable[[CommandName], None] | None = None
    _unlisted: ClassVar[Collection[str]] = ("answer", "follow")

    @property
    def linked(self) -> bool:
        """Whether it moves together with the other images of the same axes on its card.

        A page sees to that. It can be switched off there (key K), or here, for each image.
        """
        return bool(self.canvas.linked)

    @linked.setter
    def linked(self, linked: bool) -> None:
        self.canvas.linked = linked

    @property
    def ruler(self) -> Ruler | None:
        """The line to measure with that is on the image (key M), or None."""
        return Ruler.from_plain(self.canvas.ruler)

    @ruler.setter
    def ruler(self, ruler: Ruler | None) -> None:
        if ruler is not None and not isinstance(ruler, Ruler):
            raise TypeError(f"ruler is {ruler!r:.60}, expected a Ruler(x0, y0, x1, y1) or None")
        self.canvas.ruler = [] if ruler is None else ruler.to_plain()

    def profile(self, ruler: Ruler | None = None) -> Profile:
        """Return the values along a ruler, of the newest picture that was taken.

        Parameters
        ----------
        ruler : Ruler, optional
            By default the one that is on the image.

        Raises
        ------
        RuntimeError
            If there is no picture yet, or no ruler.
        """
        ruler = ruler or self.ruler
        picture = self._feed.picture
        if ruler is None:
            raise RuntimeError("there is no ruler on this image: give one, or press M on it")
        if picture is None:
            raise RuntimeError(f"{self!r} has no picture yet: ask when it has one")
        covered = picture.coverage if self._feed.kind_of_axes == "nav" else None
        distances, values = pkgutil.resolve_name(ALONG)(picture.values, covered, ruler)
        size, unit = self._length(ruler)
        return Profile(distances * size, np.asarray(values), unit)

    def _length(self, ruler: Ruler) -> tuple[float, str]:
        """Return how long a pixel is in the direction of a ruler, and in what."""
        y, x = self.canvas.units
        if y is None or x is None or y[1] != x[1] or not ruler.length:
            return 1.0, "px"
        across, down = (ruler.x1 - ruler.x0) * x[0], (ruler.y1 - ruler.y0) * y[0]
        return float(np.hypot(across, down)) / ruler.length, str(x[1])

    # For what is derived from it

    def follow(self, take: Callable[[Picture], None]) -> Callable[[], None]:
        """Call `take` with each picture that pages are about to be shown, on the hub's thread.

        It is called with the one there is at once. Returns a function that ends it.
        """
        self._followers = (*self._followers, take)
        picture = self._feed.picture
        if picture is not None:
            take(picture)

        def leave() -> None:
            self._followers = tuple(each for each in self._followers if each is not take)

        return leave

    def answer(self, callback: Callable[[CommandName], None] | None) -> None:
        """Have `callback` called, on the hub's thread, with what pages ask to be done with it."""
        self._on_command = callback

    def _command(self, name: CommandName) -> None:
        if self._on_command is not None:
            self._on_command(name)

    def _shown(self, picture: Picture) -> None:
        """Take note of a picture that pages are about to be shown, on the hub's thread."""
        for take in self._followers:
            take(picture)
