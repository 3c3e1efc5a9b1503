"""The images of a card, each followed by the Fourier transform that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import ipywidgets

from udfwidgets.live.derived.transform import LiveFFT
from udfwidgets.live.fronts.elsewhere import Elsewhere
from udfwidgets.live.image import LiveImage
from udfwidgets.live.quick import Quick
from udfwidgets.live.wire.protocol import CommandName


class Pictures(Quick, ipywidgets.Box):  # type: ignore[misc]
    """Images side by side. Safe on any thread.

    Parameters
    ----------
    images : sequence of LiveImage
        Which belong to somebody else; what is derived of them belongs to this.
    options : object
        Of the box.
    """

    children: Any

    def __init__(self, images: Sequence[LiveImage] = (), **options: Any) -> None:
        #: Reentrant: who observes the children may ask for another one.
        self._lock = threading.RLock()
        self._shown: tuple[LiveImage, ...] = ()
        self._ffts: dict[LiveImage, LiveFFT] = {}
        super().__init__(images, _dom_classes=["udfw-pictures"], **options)
        self.show(images)

    def show(self, images: Sequence[LiveImage]) -> None:
        """Show these and no others, in this order."""
        with self._lock:
            before, self._shown = self._shown, tuple(images)
            for image in self._shown:
                if image not in before and type(image) is LiveImage:
                    image.answer(partial(self._command, image))
            gone = [fft for image, fft in self._ffts.items() if image not in self._shown]
            self._ffts = {i: fft for i, fft in self._ffts.items() if i in self._shown}
            self._arrange()
        for fft in gone:
            fft.close()

    def fft(self, wanted: int | str | LiveImage) -> LiveFFT:
        """Return the transform of an image, beside which it is shown from now on."""
        with self._lock:
            image = self._find(wanted)
            if self.comm is None:
                raise RuntimeError("this card is closed: start a new analysis with ctx.live()")
            if image not in self._ffts:
                self._ffts[image] = LiveFFT(image)
                self._arrange()
            return self._ffts[image]

    def _find(self, wanted: int | str | LiveImage) -> LiveImage:
        plain = [image for image in self._shown if type(image) is LiveImage]
        for place, image in enumerate(plain):
            if wanted is image or wanted == image.title or wanted == place:
                return image
        titles = ", ".join(repr(image.title) for image in plain) or "none"
        raise ValueError(
            f"image is {wanted!r:.60}, expected one of those on the card, its title, or its place "
            f"among them; there are {titles}"
        )

    def _arrange(self) -> None:
        pairs = ((image, self._ffts.get(image)) for image in self._shown)
        wanted = tuple(each for pair in pairs for each in pair if each is not None)
        if tuple(self.children) != wanted:
            self.children = wanted

    def _command(self, image: LiveImage, name: CommandName) -> None:
        """Answer a key, on the hub's thread."""
        with self._lock:
            if name != "transform" or self.comm is None or image not in self._shown:
                return
            fft = self._ffts.pop(image, None)
            if fft is None:
                self.fft(image)
                return
            self._arrange()
        fft.close()

    def close(self) -> None:
        """Close the box and what is derived; the images are left to their owner."""
        with self._lock:
            ffts, self._ffts = self._ffts, {}
            for image in self._shown:
                image.answer(None)
            super().close()
        for fft in ffts.values():
            fft.close()


class WithPictures(Elsewhere):
    """A mixin for a card that has a box of pictures."""

    _pictures: Pictures
    images: Any

    def fft(self, image: int | str | LiveImage = 0) -> LiveFFT:
        """Return the Fourier transform of an image, which is shown beside it and follows the run.

        Key T on an image does the same, and takes it away again.

        Parameters
        ----------
        image : int, str or LiveImage
            One of the card: its place, its title, or itself.

        Raises
        ------
        ValueError
            If there is no such image.
        RuntimeError
            If the card is closed.
        """
        _ = self.images  # which has them made
        if not hasattr(self, "_pictures"):
            raise RuntimeError("a card that was closed before it was shown has no images")
        return self._pictures.fft(image)
