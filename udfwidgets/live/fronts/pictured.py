"""What an image tells of itself to those who keep its picture."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, NamedTuple

from udfwidgets.live.offered import OfferedWidget
from udfwidgets.live.picture.image_feed import ImageFeed
from udfwidgets.live.picture.picture import Picture


class Seen(NamedTuple):
    """What is on a picture: as long as it is equal, the picture would be, too.

    Attributes
    ----------
    key : str
        Of the image.
    version : int
        Of what it shows.
    colours : tuple
        How that is drawn.
    caption : str
        What it is, in words.
    told : str
        Its colours and its size, in words.
    is_there : bool
        Whether there is anything yet.
    is_over : bool
        Whether it is the last one of a run.
    """

    key: str
    version: int
    colours: tuple[Any, ...]
    caption: str
    told: str
    is_there: bool
    is_over: bool


class Pictured(OfferedWidget[Picture]):
    """A mixin; whoever mixes it in has a canvas and the feed of an image."""

    _is_pictured = True
    canvas: Any
    _feed: ImageFeed

    def seen(self) -> Seen:
        """Return what a picture of it would show."""
        canvas, picture = self.canvas, self._feed.picture
        colours = (
            canvas.colormap,
            canvas.log_scale,
            canvas.gamma,
            canvas.auto,
            tuple(canvas.limits),
            canvas.overlay,
            canvas.component,
            canvas.arrows,
        )
        caption = f"{canvas.title}: {canvas.text}" if canvas.text else canvas.title
        is_there, is_over = picture is not None, picture is not None and picture.final
        told = self.told() if is_there and not canvas.text else ""
        return Seen(self._feed.key, self._feed.version, colours, caption, told, is_there, is_over)

    @abstractmethod
    def told(self) -> str:
        """Return in words what a picture does not tell: its colours, and how large it is."""

    @abstractmethod
    def png(self, *, overview: bool = False) -> bytes | None:
        """Return the newest picture that was taken as a PNG, if there is one."""
