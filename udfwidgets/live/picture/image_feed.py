"""Pictures on their way to the pages: as codes, and only what has changed of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from udfwidgets.live.picture.contrast import (
    LINEAR,
    LOGARITHMIC,
    Limits,
    finite_range,
    proposals,
    sample,
)
from udfwidgets.live.picture.loops import compile_aside, difference, fill, is_compiled, own
from udfwidgets.live.picture.picture import Picture
from udfwidgets.live.picture.quantise import Contrast, Encoding, settle
from udfwidgets.live.picture.sampling import (
    bins,
    block_any,
    block_mean,
    factor_for,
    spread,
)
from udfwidgets.live.picture.tint.planes import (
    ANGLES,
    COMPONENTS,
    Bytes,
    Directions,
    Nature,
    component_of,
    limits_of,
    tint_of,
    tinting,
)
from udfwidgets.live.wire.feed import SlotFeed
from udfwidgets.live.wire.flow import NOTHING, Part, Sight
from udfwidgets.live.wire.pool import BufferPool, Lease
from udfwidgets.live.wire.protocol import Colours, CommandName, Rect

Codes = npt.NDArray[np.uint16]
Tint = Directions | Bytes | None
Values = npt.NDArray[Any]
Covered = npt.NDArray[np.bool_] | None

#: Longest side of what is sent of a whole image; a figure is rarely drawn larger.
OVERVIEW = 512
#: Longest side of a part in full resolution.
DETAIL = 1024
#: Bins of the coverage strip of a sig image.
STRIP = 200
#: So many pictures are made before code is compiled, or loaded, that makes more of them sooner.
AT_ONCE = 8
#: A page further behind than this many changes gets the whole picture.
REMEMBERED = 32


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture as it was made ready to be sent.

    Attributes
    ----------
    picture : Picture
        The slice and the component that are shown.
    encoding, codes, tint
        What is sent of it.
    whole : numpy.ndarray
        The slice with all of its components.
    component : str
        Which one is shown.
    """

    picture: Picture
    encoding: Encoding
    codes: Codes
    tint: Tint
    whole: Values
    component: str


class ImageFeed(SlotFeed[Picture]):
    """Pictures as codes, with the part that has changed since any recent version.

    Parameters
    ----------
    key : str
        Names the widget.
    shape : tuple of int
        Of every picture.
    kind : {'nav', 'sig'}
        Which axes the picture has; says how coverage is sent.
    save : callable
        As in `SlotFeed`.
    on_painted : callable
        Called when a page shows a picture of it.
    log : bool
        Whether it begins with a logarithmic scale.
    slices : int
        How many slices each picture has, of which one is sent at a time.
    longest : int
        Longest side of what is sent of a whole picture.
    on_shown : callable
        Called with each picture that is about to be sent.
    nature : {'real', 'complex', 'vector', 'colours'}
        What the numbers of a pixel are; of others than real ones a component is sent.
    on_command : callable
        Called with what a page asks to be done with the image.
    """

    kind = "images"
    slow = True

    def __init__(
        self,
        key: str,
        shape: tuple[int, int],
        kind: Literal["nav", "sig"],
        save: Callable[[dict[str, Any], dict[str, memoryview]], None],
        on_painted: Callable[[], None],
        log: bool = False,
        slices: int = 1,
        longest: int = OVERVIEW,
        on_shown: Callable[[Picture], None] = lambda _: None,
        nature: Nature = "real",
        on_command: Callable[[CommandName], None] = lambda _: None,
    ) -> None:
        super().__init__(key, save)
        self._on_painted, self._on_shown, self._on_command = on_painted, on_shown, on_command
        self._watcher: Callable[[Picture], None] | None = None
        self.shape = shape
        self.picture: Picture | None = None
        self.limits: Limits = (0.0, 1.0)
        self.limits_log: Limits = (0.0, 1.0)
        self.kind_of_axes = kind
        #: What a person has chosen: limits, or None for those proposed, and the scale.
        self._chosen: tuple[Limits | None, bool] = (None, log)
        self._is_chosen_anew = False
        self.slices = slices
        #: Which slice is chosen, and which one is sent.
        self.slice = self._shown_slice = 0
        self._is_sliced_anew = False
        self.nature: Nature = nature
        self.components = COMPONENTS[nature]
        #: Which component is chosen, and which one is sent; empty where there is only one.
        self.component = self._shown_component = self.components[0] if self.components else ""
        #: The newest picture as it was offered, which shows one of its slices and components.
        self._offered: Values | None = None
        #: The slice of it that is sent, with all of its components.
        self._whole_values: Values = np.zeros(shape)
        #: The newest picture and its codes, for other threads.
        self._shown: Shown | None = None
        self._factor = factor_for(shape, longest)
        self._encoding = Encoding(0.0, 1.0)
        self._codes: Codes = np.zeros((0, 0), np.uint16)
        self._tint: Tint = None
        self._coverage: npt.NDArray[np.uint8] | None = None
        #: What changed on the way to each version: a rectangle, and whether coverage did.
        self._changes: dict[int, tuple[Rect, bool]] = {}

    def take_in(self, news: Picture) -> bool:
        """Encode a picture and note what has changed."""
        slices = () if self.slices == 1 else (self.slices,)
        expected: tuple[int, ...] = (*slices, *self.shape)
        expected += (3,) if self.nature == "colours" else ()
        if tuple(news.values.shape) != expected:
            raise ValueError(
                f"a picture of shape {news.values.shape} was offered to an image of shape "
                f"{expected}; make a LiveImage of that shape instead"
            )
        # A run that was replaced may take a moment to stop, and still offer something.
        if self.picture is not None and news.generation < self.picture.generation:
            return False
        self._offered = news.values
        self._show(news)
        return news.final

    def _show(self, news: Picture) -> None:
        """Make the newest picture, the slice and the component that are chosen, the current one."""
        self._is_sliced_anew, self._shown_slice = False, self.slice
        component = self._shown_component = self.component
        assert self._offered is not None, "only called after something was offered"
        whole = self._offered[self._shown_slice] if self.slices > 1 else self._offered
        news = replace(news, values=component_of(whole, component))
        self.picture, self._whole_values = news, whole
        covered = news.coverage if self.kind_of_axes == "nav" else None
        # Of nothing there are no limits: those of the run before stay until there is something.
        if news.fraction > 0 or news.generation == 0:
            known = sample(news.values, covered)
            self.limits, self.limits_log = (
                limits_of(component, each) for each in proposals(known, (LINEAR, LOGARITHMIC))
            )
        self._make_codes(news)
        self._on_shown(news)
        if (look := self._watcher) is not None:
            look(news)

    def watch(self, look: Callable[[Picture], None] | None) -> None:
        """Have `look` called with each picture, on the hub's thread, also if nobody looks."""
        self._watcher, self.is_watched = look, look is not None

    def choose_slice(self, index: int) -> None:
        """Send another slice from now on; one that does not exist is not taken."""
        if 0 <= index < self.slices and index != self.slice:
            self.slice = index
            self._is_sliced_anew = True

    def choose_component(self, index: int) -> None:
        """Send another component from now on; one that does not exist is not taken."""
        if 0 <= index < len(self.components) and self.components[index] != self.component:
            self.component = self.components[index]
            self._is_sliced_anew = True

    def contrast(self, limits: Limits | None, log: bool) -> None:
        """Have the codes serve these limits from now on; None stands for those proposed."""
        if self._chosen != (limits, log):
            self._chosen = (limits, log)
            self._is_chosen_anew = True

    @property
    def pending(self) -> bool:
        """Whether something was offered and not taken, or limits, slices, parts were chosen."""
        return super().pending or self._is_chosen_anew or self._is_sliced_anew

    @property
    def urgent(self) -> bool:
        """Whether it is the last offer, or another slice of it, which is saved as well."""
        is_final = self.picture is not None and self.picture.final
        return super().urgent or (self._is_sliced_anew and is_final)

    def refresh(self) -> None:
        """Take the newest offer, and serve the limits that were chosen."""
        is_anew, self._is_chosen_anew = self._is_chosen_anew, False
        super().refresh()
        news = self.picture
        if self._is_sliced_anew and news is not None:
            self._show(news)
            if news.final:
                self._keep()
            return
        # Codes that tell the levels apart are good enough, and need not be sent again.
        if is_anew and news is not None and not self._encoding.serves(self._contrasts()[0]):
            self._make_codes(news)
            if news.final:
                self._keep()

    def overview(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None] | None:
        """Return what pages show of the whole picture, and where a nav image has values.

        It has at most `OVERVIEW` pixels a side, and is no work: it is what the codes stand for.
        """
        if self._shown is None:
            return None
        shown = self._shown
        covered = shown.picture.coverage if self.kind_of_axes == "nav" else None
        if self._factor == 1:
            return shown.picture.values, covered
        few = None if covered is None else block_any(covered, self._factor)
        return shown.encoding.decode(shown.codes), few

    @property
    def newest(self) -> Picture | None:
        """The newest picture, with all components of the slice that is shown."""
        shown = self._shown
        return None if shown is None else replace(shown.picture, values=shown.whole)

    def tint(self, *, overview: bool) -> Tint:
        """Return the directions or colours of the picture, or of what pages show of it."""
        shown = self._shown
        if shown is None or overview:
            return None if shown is None else shown.tint
        return tint_of(tinting(shown.whole, shown.component))

    def _make_codes(self, news: Picture) -> None:
        before = self._encoding, self._codes, self._coverage, self._tint
        self._encoding = self._settle(news)
        covered = news.coverage if self.kind_of_axes == "nav" else None
        self._codes = self._encoding.encode(self._overview_of(news, covered))
        planes = tinting(self._whole_values, self._shown_component)
        self._tint = tint_of(tuple(self._overview(plane, covered) for plane in planes))
        self._shown = Shown(
            news,
            self._encoding,
            self._codes,
            self._tint,
            self._whole_values,
            self._shown_component,
        )
        self._coverage = self._packed(news)
        rect = self._whole()
        is_alike = before[0] == self._encoding and before[1].shape == self._codes.shape
        if is_alike and (before[3] is None) == (self._tint is None):
            rect = changed_rect(before[1], self._codes)
            if before[3] is not None and self._tint is not None:
                rect = union([rect, changed_rect(before[3], self._tint)])
        self.version += 1
        # Not with the first ones, which a person waits for.
        if self.version == AT_ONCE:
            compile_aside()
        self._changes[self.version] = (rect, not _same(before[2], self._coverage))
        self._changes.pop(self.version - REMEMBERED, None)

    def part(self, sight: Sight, pool: BufferPool) -> Part:
        """Return the rectangle that changed since the version a page has."""
        assert self.picture is not None, "only called after a version exists"
        since = range(sight.version + 1, self.version + 1)
        whole = sight.version == NOTHING or any(v not in self._changes for v in since)
        changes = [self._changes[v] for v in since if v in self._changes]
        rect = self._whole() if whole else union([rect for rect, _ in changes])
        y, x, height, width = rect
        buffers: dict[str, Lease] = {}
        if height and width:
            buffers["pixels"] = pool.copy(self._codes[y : y + height, x : x + width])
            if self._tint is not None:
                buffers["tint"] = pool.copy(self._tint[y : y + height, x : x + width])
        if self._coverage is not None and (whole or any(cover for _, cover in changes)):
            buffers["coverage"] = pool.copy(self._coverage)
        if whole and (outside := self._outside()) is not None:
            buffers["outside"] = pool.copy(outside)
        detail_rect = self._clipped(sight.look) if self._factor > 1 else None
        if detail_rect is not None:
            buffers["detail"] = pool.copy(self._detail(detail_rect))
            if (tint := self._detail_tint(detail_rect)) is not None:
                buffers["detail_tint"] = pool.copy(tint)
        curve = self._encoding.curve
        header: dict[str, Any] = {
            "generation": self.picture.generation,
            "whole": whole,
            "shape": self.shape,
            "grid": self._codes.shape,
            "rect": rect,
            "lo": self._encoding.lo,
            "hi": self._encoding.hi,
            "curve": None if curve is None else (curve.centre, curve.scale, curve.lo, curve.hi),
            "limits": self.limits,
            "limits_log": self.limits_log,
            "fraction": float(self.picture.fraction),
            "final": bool(self.picture.final),
            "slice": self._shown_slice,
            "component": self._shown_component,
            "colours": _colours_of(self._tint),
            "estimated": self.picture.estimable is not None,
            "pixels": None,
            "tint": None,
            "coverage": None,
            "outside": None,
            "detail": None,
            "detail_tint": None,
            "detail_rect": detail_rect,
        }
        return Part(header, buffers)

    def painted(self) -> None:
        """Pass it on."""
        self._on_painted()

    def command(self, name: CommandName) -> None:
        """Pass it on."""
        self._on_command(name)

    def _settle(self, news: Picture) -> Encoding:
        return settle(
            self._encoding if self.version != NOTHING else None,
            finite_range(news.values),
            # Means of blocks are no whole numbers.
            whole_numbers=news.values.dtype.kind in "iub" and self._factor == 1,
            # A page asks for codes for another contrast, but for those of a picture that stays.
            contrasts=self._contrasts() if news.final else self._contrasts()[:1],
            exact=news.final,
        )

    def _contrasts(self) -> list[Contrast]:
        """Return the contrast in use, and those that are a button away."""
        chosen, log = self._chosen
        used = chosen or (self.limits_log if log else self.limits)
        return [(used, log), (self.limits, False), (self.limits_log, True)]

    def _overview_of(self, news: Picture, covered: Covered) -> Values:
        """Return what is sent of a picture; an angle is that of the mean vector of its pixels."""
        if self._factor == 1 or self._shown_component not in ANGLES:
            return self._overview(news.values, covered)
        whole = self._whole_values
        y, x = (self._overview(plane, covered) for plane in (whole.imag, whole.real))
        return np.asarray(np.arctan2(y, x))

    def _overview(
        self, values: npt.NDArray[Any], covered: npt.NDArray[np.bool_] | None
    ) -> npt.NDArray[Any]:
        if self._factor > 1:
            values = block_mean(values, self._factor, covered)
        if covered is None:
            return values
        covered = block_any(covered, self._factor)
        values = _within(values, covered)
        estimable = None if self.picture is None else self.picture.estimable
        if estimable is None:
            return values
        compile_aside()
        # This is the thread that hears the buttons: compiling takes seconds. Without estimates for
        # a moment, but in time.
        if not is_compiled(fill):
            return values
        return spread(values, covered, block_any(estimable, self._factor))

    def _packed(self, news: Picture) -> npt.NDArray[np.uint8] | None:
        if news.coverage is None:
            return None
        if self.kind_of_axes == "sig":
            return bins(news.coverage, STRIP)
        return _bits(block_any(news.coverage, self._factor))

    def _outside(self) -> npt.NDArray[np.uint8] | None:
        """Return where nothing is ever merged, as bits; None where there is no such place."""
        expected = None if self.picture is None else self.picture.expected
        if expected is None or self.kind_of_axes == "sig" or expected.all():
            return None
        return _bits(~block_any(expected, self._factor))

    def _whole(self) -> Rect:
        return (0, 0, self._codes.shape[0], self._codes.shape[1])

    def _clipped(self, look: Rect | None) -> Rect | None:
        if look is None:
            return None
        y, x = (min(max(0, look[i]), self.shape[i] - 1) for i in (0, 1))
        sides = [min(look[i + 2], DETAIL, self.shape[i] - (y, x)[i]) for i in (0, 1)]
        return (y, x, sides[0], sides[1]) if min(sides) > 0 else None

    def _detail(self, rect: Rect) -> Codes:
        assert self.picture is not None, "only called after a version exists"
        y, x, height, width = rect
        part = (slice(y, y + height), slice(x, x + width))
        covered = self.picture.coverage if self.kind_of_axes == "nav" else None
        values = self.picture.values[part]
        return self._encoding.encode(values if covered is None else _within(values, covered[part]))

    def _detail_tint(self, rect: Rect) -> Tint:
        y, x, height, width = rect
        part = self._whole_values[y : y + height, x : x + width]
        return tint_of(tinting(part, self._shown_component))


def _colours_of(tint: Tint) -> Colours:
    """Return what gives pixels their colours: a map, and the hue besides, or they themselves."""
    return "map" if tint is None else "wheel" if tint.dtype == np.uint16 else "own"


def _bits(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    return np.packbits(flags.reshape(-1), bitorder="little")


def _within(values: npt.NDArray[Any], covered: npt.NDArray[np.bool_]) -> npt.NDArray[Any]:
    """Return values with NaN where they have no meaning, whatever number stands there."""
    return values if covered.all() else np.where(covered, values, np.nan)


def changed_rect(before: Codes | Bytes, after: Codes | Bytes) -> Rect:
    """Return the smallest rectangle that holds every difference; of no size without any."""
    if before.dtype == np.uint16 and is_compiled(difference):
        return tuple(difference(own(before), own(after)))
    differs = before != after
    if differs.ndim == 3:  # colours
        differs = differs.any(axis=-1)
    rows = np.flatnonzero(differs.any(axis=1))
    if not rows.size:
        return (0, 0, 0, 0)
    y, end = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(differs[y:end].any(axis=0))
    x = int(columns[0])
    return (y, x, end - y, int(columns[-1]) + 1 - x)


def union(rects: list[Rect]) -> Rect:
    """Return the smallest rectangle that holds all."""
    full = [rect for rect in rects if rect[2] and rect[3]]
    if not full:
        return (0, 0, 0, 0)
    y, x = min(r[0] for r in full), min(r[1] for r in full)
    bottom, right = max(r[0] + r[2] for r in full), max(r[1] + r[3] for r in full)
    return (y, x, bottom - y, right - x)


def _same(a: npt.NDArray[np.uint8] | None, b: npt.NDArray[np.uint8] | None) -> bool:
    return a is b or (a is not None and b is not None and np.array_equal(a, b))
