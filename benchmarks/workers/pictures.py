"""Feeds pictures to a page as fast as it shows them, in the kernel of a notebook.

All pictures are random stripes with a patch in the middle that is different in each of them, so
that the page can tell by one pixel that another one is painted. They are made beforehand.

`LiveImage` has its own measure of how much a page takes. The others are given the next picture
when the page has painted one of those under way: without that they would show what was sent
seconds ago.
"""

from __future__ import annotations

import itertools
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import comm
import numpy as np

#: Of the pixels on the screen, in CSS pixels.
SIDE = 448
#: Different pictures, shown in turn.
PICTURES = 8
#: The comm on which the page says what it has painted.
TARGET = "benchmark-pictures"


def pictures(side: int) -> list[np.ndarray]:
    """Return float32 pictures of side x side pixels, from 0 to 1."""
    rng = np.random.default_rng(0)
    stripes = rng.random((PICTURES, 1, side), np.float32) * np.linspace(0, 1, side)[:, np.newaxis]
    middle = slice(side * 3 // 8, side * 5 // 8)
    for number, picture in enumerate(stripes):
        picture[middle, middle] = number / (PICTURES - 1)
        picture[0, :2] = 0, 1
    return list(stripes.astype(np.float32))


class Fed(ABC):
    """A widget that is given one picture after the other.

    Parameters
    ----------
    side : int
        Of the pictures.
    """

    widget: Any

    def __init__(self, side: int) -> None:
        self._pictures = itertools.cycle(pictures(side))
        self._is_on = False
        self.put = 0

    @abstractmethod
    def begin(self) -> None:
        """Put pictures from now on."""

    @abstractmethod
    def making(self) -> float:
        """Return processor seconds that it took so far to make pictures ready and to send them."""

    def close(self) -> None:
        """Put no more, and end the widget."""
        self._is_on = False
        self.widget.close()


class Ours(Fed):
    """A `LiveImage`, which takes the newest picture whenever the page is ready."""

    def __init__(self, side: int, credit: int = 0) -> None:
        super().__init__(side)
        # The other environments do not have it.
        from udfwidgets.live import LiveImage, Picture  # noqa: PLC0415

        self._picture = Picture
        self.widget = LiveImage((side, side), kind="sig", width=SIDE + 58)

    def begin(self) -> None:
        self._is_on = True
        self.widget.offer(self._next)

    def hold(self) -> None:
        """Show one picture, the middle of which is at three sevenths of its range, and no other."""
        self._is_on = False
        held = self._picture(next(itertools.islice(self._pictures, 3, None)), final=True)
        self.widget.offer(lambda: held, final=True)

    def making(self) -> float:
        """Those of the thread that does it, on which pages are heard as well."""
        threads = [each.ident for each in threading.enumerate() if each.name == "udfwidgets-hub"]
        return sum(time.clock_gettime(time.pthread_getcpuclockid(each)) for each in threads if each)

    def _next(self) -> Any:
        self.put += 1
        if self._is_on:
            self.widget.offer(self._next)
        return self._picture(next(self._pictures))


class Pushed(Fed):
    """A widget that sends whatever it is given.

    Parameters
    ----------
    side : int
        Of the pictures.
    credit : int
        Pictures that may be under way.
    """

    def __init__(self, side: int, credit: int) -> None:
        super().__init__(side)
        self._credit, self._making = credit, 0.0
        comm.get_comm_manager().register_target(TARGET, self._opened)

    @abstractmethod
    def show(self, picture: np.ndarray) -> None:
        """Show a picture."""

    def begin(self) -> None:
        self._is_on = True
        for _ in range(self._credit):
            self._push()

    def making(self) -> float:
        """Those of its own calls."""
        return self._making

    def _opened(self, channel: Any, message: Any) -> None:
        channel.on_msg(lambda _: self._is_on and self._push())

    def _push(self) -> None:
        self.put += 1
        began = time.thread_time()
        self.show(next(self._pictures))
        self._making += time.thread_time() - began


class ImageGL(Pushed):
    """An `ImageGL` of bqplot-image-gl, given its image as its examples do."""

    def __init__(self, side: int, credit: int) -> None:
        super().__init__(side, credit)
        import bqplot  # noqa: PLC0415
        from bqplot_image_gl import ImageGL as Mark  # noqa: PLC0415

        x, y = bqplot.LinearScale(min=0, max=side), bqplot.LinearScale(min=0, max=side)
        scales = {"x": x, "y": y, "image": bqplot.ColorScale(min=0, max=1, scheme="viridis")}
        self._mark = Mark(image=next(self._pictures), x=(0, side), y=(0, side), scales=scales)
        margin = {"top": 34, "bottom": 26, "left": 44, "right": 14}
        layout = {"width": f"{SIDE + 58}px", "height": f"{SIDE + 60}px"}
        axes = [bqplot.Axis(scale=x), bqplot.Axis(scale=y, orientation="vertical")]
        self.widget = bqplot.Figure(
            marks=[self._mark], axes=axes, scale_x=x, scale_y=y, fig_margin=margin, layout=layout,
            padding_x=0, padding_y=0,
        )  # fmt: skip

    def show(self, picture: np.ndarray) -> None:
        self._mark.image = picture


class Ipympl(Pushed):
    """The canvas of ipympl, on which only the image is drawn anew, as matplotlib advises."""

    def __init__(self, side: int, credit: int) -> None:
        super().__init__(side, credit)
        import matplotlib as mpl  # noqa: PLC0415

        mpl.use("module://ipympl.backend_nbagg")
        import matplotlib.pyplot as plt  # noqa: PLC0415

        with plt.ioff():
            figure, self._axes = plt.subplots(
                figsize=((SIDE + 58) / 100, (SIDE + 60) / 100), dpi=100
            )
        across, down = SIDE / (SIDE + 58), SIDE / (SIDE + 60)
        self._axes.set_position((44 / (SIDE + 58), 26 / (SIDE + 60), across, down))
        self._image = self._axes.imshow(next(self._pictures), vmin=0, vmax=1)
        self.widget = figure.canvas
        self.widget.header_visible = self.widget.footer_visible = False
        self.widget.toolbar_visible = False

    def show(self, picture: np.ndarray) -> None:
        self._image.set_data(picture)
        self._axes.draw_artist(self._image)
        self.widget.blit(self._axes.bbox)


KINDS: dict[str, Callable[..., Fed]] = {"udfwidgets": Ours, "ImageGL": ImageGL, "ipympl": Ipympl}


class Measured:
    """Counts what a widget is given, and what that takes, from now on.

    Parameters
    ----------
    fed : Fed
        The widget.
    """

    def __init__(self, fed: Fed) -> None:
        self._fed = fed
        self._before = self._now()

    def _now(self) -> tuple[float, float, int]:
        return self._fed.making(), time.process_time(), self._fed.put

    def taken(self) -> list[float]:
        """Return seconds for each picture: of making and sending it, and of all the kernel does."""
        making, cpu, put = (now - then for now, then in zip(self._now(), self._before, strict=True))
        return [making / max(put, 1), cpu / max(put, 1)]
