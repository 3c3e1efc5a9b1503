"""The Fourier transform of an image, as an image that follows it."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from udfwidgets.calibration import Scale
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture.picture import Picture

#: Loaded when it is first asked for.
MAGNITUDE = "udfwidgets.live.derived.fourier:magnitude"


class LiveFFT(LiveImage):
    """The magnitude of the Fourier transform of an image, which follows it while a run goes on.

    Frequency 0 is at pixel (ny // 2, nx // 2), the mean is taken off before. It is computed on the
    thread that carries pictures to the pages, when somebody looks, and once in the end.

    Parameters
    ----------
    source : LiveImage
        Of which image.
    """

    _more_traits: ClassVar[Mapping[str, Any]] = {"axes": "fft"}

    def __init__(self, source: LiveImage) -> None:
        ny, nx = source.shape
        title = f"FFT of {source.title}"
        super().__init__((ny, nx), kind="sig", title=title, colormap="magma", log=True)
        self._is_of_scan = source.canvas.image_kind == "nav"
        y, x = source.canvas.units
        self.measure_shapes(_frequency(y, ny), _frequency(x, nx))
        self._leave = source.follow(self._take)

    def _take(self, picture: Picture) -> None:
        # Made when it is asked for: what is overtaken by then never is.
        self.offer(partial(self._transformed, picture), final=picture.final)

    def _transformed(self, picture: Picture) -> Picture:
        covered = picture.coverage if self._is_of_scan else None
        values = pkgutil.resolve_name(MAGNITUDE)(picture.values, covered)
        return Picture(
            values,
            coverage=picture.coverage,
            fraction=picture.fraction,
            generation=picture.generation,
            final=picture.final,
        )

    def close(self) -> None:
        """Release everything, in the kernel and in all browsers. May be called twice."""
        if self._open:
            self._leave()
        super().close()


def _frequency(pixel: tuple[float, str] | None, n: int) -> Scale:
    """Return how large a pixel of the transform is, of `n` pixels of an image along an axis."""
    size, unit = (1.0, "px") if pixel is None else pixel
    inverse = unit[2:] if unit.startswith("1/") else f"1/{unit}"
    return Scale(1 / (n * size), inverse)
