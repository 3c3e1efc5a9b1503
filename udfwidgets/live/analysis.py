"""The card of an analysis: its progress, its buttons, and one live image per channel.

An analysis is what a person asked for; a run is one attempt at it. Started again, or with other
parameters, the analysis goes on with a new run, and whoever waits for it or iterates over it with
it. Its lifetime is told in docs/lifetime.md: it goes when nothing shows it and nobody waits for it.
"""

from __future__ import annotations

import os
import pkgutil
import threading
import weakref
from collections import Counter
from collections.abc import AsyncIterator, Callable, Generator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import ipywidgets
from IPython.display import display

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.calibration import Calibration
from udfwidgets.engine.ends.stream import Follower
from udfwidgets.engine.run import Run
from udfwidgets.errors import text_of
from udfwidgets.keeping.kept import Kept, kept
from udfwidgets.live.derived import Pictures, WithPictures
from udfwidgets.live.fronts.stills import complete
from udfwidgets.live.generation import PATIENCE, Generation
from udfwidgets.live.history.stopping import Stopping
from udfwidgets.live.image import CHECK, SAVE, LiveImage
from udfwidgets.live.keepers import Keepers
from udfwidgets.live.picture.asked import advice_for, resolve_channels
from udfwidgets.live.picture.channels import Channel
from udfwidgets.live.picture.newest import measures, newest
from udfwidgets.live.picture.panel import Panel
from udfwidgets.live.picture.sheet import side_by_side
from udfwidgets.live.plot import image_of
from udfwidgets.live.quick import Layout, Quick
from udfwidgets.live.report import status_of
from udfwidgets.live.shapes.sized import checked_width
from udfwidgets.live.status import StatusBar
from udfwidgets.live.wire.protocol import CommandName
from udfwidgets.told.names import Listed
from udfwidgets.told.tracebacks import folded
from udfwidgets.unknown import unknown

Results = tuple[dict[str, BufferWrapper], ...]

#: The buttons of an analysis, and those of one whose run somebody else has started and waits for,
#: or whose Context is closed.
STEERED: tuple[CommandName, ...] = ("pause", "resume", "restart", "cancel")
WATCHED: tuple[CommandName, ...] = ("pause", "resume", "cancel")

#: Which analysis a run belongs to.
_owners: weakref.WeakKeyDictionary[Run, weakref.ref[LiveAnalysis]] = weakref.WeakKeyDictionary()


class Box(Quick, ipywidgets.Box):  # type: ignore[misc]
    """Widgets side by side."""


class LiveAnalysis(WithPictures, Listed, Stopping, Quick, ipywidgets.VBox):  # type: ignore[misc]
    """Shows a run while it goes on: the last line of a cell that starts one in the background.

    It is a widget, and it can be awaited for the final results (a tuple, one dict per UDF) and
    iterated over with ``async for``: each turn brings the newest results, the last one for sure.
    Neither holds up the run or the pictures, and leaving them does not stop it: `cancel` does.

    All methods may be called from any thread.

    Parameters
    ----------
    run : Run
        Not started yet, or under way.
    plots : object
        Which channels to show, see `resolve_channels`.
    guest : bool
        Only look on: the run belongs to somebody else, is not cancelled when the view closes, and
        cannot be started again.
    width : int, optional
        Of each image, in CSS pixels; by default they share the room there is.

    Attributes
    ----------
    status : StatusBar
        Progress and buttons.
    images : tuple of LiveImage
        One per channel, those included that are lines or numbers; add marks of bqplot to their
        `figure`, choose one of several slices by `slice`.
    """

    #: Whether nothing has been put on the card yet, and whether all is.
    _is_bare = _is_furnished = False
    _images: tuple[LiveImage, ...] = ()
    _unlisted = ("furnish", "keepers", "model_id", "of", "show")

    def __init__(
        self, run: Run, plots: Any = True, *, guest: bool = False, width: int | None = None
    ) -> None:
        #: Held while one run takes the place of another.
        self._changing = threading.RLock()
        #: Whose going ends it.
        self.keepers = Keepers(self, self.furnish, self.close)
        self._guest, self._width = guest, checked_width(width) or None
        self._plots = plots
        self._channels = resolve_channels(run.udfs, plots)
        self._run = run
        #: How many runs came before it.
        self._number = 0
        #: None until the card is furnished.
        self._generation: Generation | None = None
        super().__init__(layout=Layout(), _dom_classes=_classes_of(self._channels))
        self._is_bare = True
        self._own(run)

    def furnish(self) -> None:
        """Make what is on the card, when it is going to be seen.

        That takes milliseconds. Several analyses that are started together would begin so much
        apart, and what the first has read by then has to be read again for the others.
        """
        if self._is_furnished:
            return  # without the lock: a dashboard asks for all of its cards while it holds its own
        with self._changing:
            if not self._is_bare:
                return
            self._is_bare = False
            self._images = self._make_images()
            # After the images: the last status tells how their last pictures went.
            self._status = self._make_status()
            self._pictures = Pictures(self._images, layout=self._status.layout)
            self.children = (self._status, self._pictures)
            self._follow()
            self._is_furnished = True
        if self._run.has_ended():
            self.wait_saved()

    def _make_images(self) -> tuple[LiveImage, ...]:
        images = tuple(image_of(channel, self._width) for channel in self._channels)
        for place, image in enumerate(images):
            image.keep_by(partial(self._newest, place))
        return images

    def _make_status(self) -> StatusBar:
        counts = Counter(type(udf).__name__ for udf in self._run.udfs)
        status = StatusBar(
            ", ".join(f"{n} × {name}" if n > 1 else name for name, n in counts.items())
        )
        status.answer(self._commands, self._command)
        status.on_goal(self._aim)
        status.on_deleted(self.keepers.outputs.deleted)
        return status

    @property
    def _commands(self) -> tuple[CommandName, ...]:
        """The buttons of its card, those included that only another state has."""
        return WATCHED if self._guest or self._run.is_last else STEERED

    @property
    def images(self) -> tuple[LiveImage, ...]:
        """One per channel."""
        self.furnish()
        return self._images

    @property
    def status(self) -> StatusBar:
        """Progress and buttons."""
        self.furnish()
        return self._status

    @classmethod
    def of(cls, run: Run) -> LiveAnalysis | None:
        """Return the analysis that a run belongs to, if one shows it."""
        owner = _owners.get(run)
        return None if owner is None else owner()

    def _own(self, run: Run) -> None:
        if not self._guest:
            _owners[run] = weakref.ref(self)

    def _follow(self) -> None:
        """Show the newest run."""
        for channel, image in zip(self._channels, self._images, strict=True):
            *pixel, values = measures(channel, self._run.plan.data)
            image.measure_shapes(*pixel)
            image.measure_values(values)
        self._generation = generation = Generation(
            self._number,
            self._run,
            self._channels,
            self._images,
            self._status,
            on_changed=self._offer_commands,
            on_ended=self.keepers.look,
            advice=advice_for(self._run.udfs, self._channels) if self._plots is True else "",
        )
        generation.rule = self._rule
        self._run.subscribe(generation)
        # What there is already; a new run turns grey at once what is on the screen.
        generation.offer(final=False)
        self._offer_commands()  # it may have been retired since they were made

    def _offer_commands(self) -> None:
        """Offer no restart any more, once there is nothing to restart it on."""
        self._status.offer_commands(self._commands)

    def show(self) -> None:
        """Appear in the output of the cell that is running, which waits for the run by itself.

        That run is left alone when the view goes, and cannot be started again: whoever waits for it
        waits for that very run. To see an analysis from `Context.live`, display it.
        """
        self._guest = True
        self.status.answer(self._commands, self._command)
        display(self)  # type: ignore[no-untyped-call]

    # Steering

    def pause(self) -> None:
        """Have the run rest; what was merged stays. Does not wait."""
        self._run.pause()

    def resume(self) -> None:
        """Have a run that rests go on."""
        self._run.resume()

    def cancel(self) -> None:
        """Stop the run; returns when no worker is left. The pictures keep what was merged."""
        self._run.cancel()
        self._run.wait(self._run.has_ended)

    @folded
    def restart(self) -> None:
        """Begin again from nothing; the pictures show the last answer in grey until then.

        Raises
        ------
        RuntimeError
            If the Context or the analysis is closed.
        """
        self._go_on_with(lambda: self._run.successor())

    @folded
    def update_parameters(self, parameters: Sequence[Mapping[str, Any]]) -> None:
        """Begin again with other parameters; as `restart`.

        Parameters
        ----------
        parameters : sequence of mapping
            One per UDF, of parameters to change; an empty one where nothing changes.

        Raises
        ------
        ValueError
            If there is not one mapping per UDF, or images would get another shape. The analysis
            goes on as it was.
        RuntimeError
            If the Context or the analysis is closed.
        """
        parameters = list(parameters)
        self._go_on_with(lambda: self._run.successor(parameters))

    def _go_on_with(self, successor: Callable[[], Run]) -> None:
        with self._changing:
            if self.comm is None:
                raise RuntimeError("this analysis is closed: start a new one with ctx.live()")
            before, run = self._run, successor()
            channels = resolve_channels(run.udfs, self._plots)
            before_and_now = [
                [c.layout.full_shape for c in each] for each in (self._channels, channels)
            ]
            if before_and_now[0] != before_and_now[1]:
                raise ValueError(
                    f"the images would get the shapes {before_and_now[1]}, and have the shapes "
                    f"{before_and_now[0]}: start a new analysis with ctx.live()"
                )
            self._own(run)
            run.touch()
            run.launch()
            self._channels, self._run = channels, run
            self._number += 1
            if self._generation is not None:
                self._generation.supersede()
                # A page without its kernel shows the end that was saved: not that of the old run.
                for widget in (*(image.canvas for image in self._images), self._status):
                    widget._saved = {}
                self._follow()
            before.cancel()

    def _command(self, name: CommandName) -> None:
        """Answer a button, on the hub's thread."""
        try:
            self._obey(name)
        except Exception as error:
            run, message = self._run, f"{type(error).__name__}: {text_of(error)}"
            self.status.offer(lambda: replace(status_of(run), message=message))

    def _obey(self, name: CommandName) -> None:
        self._run.touch()
        match name:
            case "pause":
                self.pause()
            case "resume":
                self.resume()
            case "cancel":
                self._run.cancel()
            case "restart":
                self.restart()
            case "close":
                self._dismiss()

    def explore(self, **options: Any) -> Any:
        """Return a view with detectors, probe and regions on the same scan, see `Context.explore`.

        Parameters
        ----------
        **options
            As for `Context.explore`; roi and corrections are those of this analysis by default.
        """
        launcher = self._run.launcher
        launch: Any = None if launcher is None else launcher()
        if launch is None:
            raise RuntimeError("the Context of this analysis is gone: use explore() of another one")
        job = self._run.job
        options = {"roi": job.plan.wanted, "corrections": job.corrections, **options}
        return launch.__self__.explore(job.dataset, **options)

    # Results

    @property
    def done(self) -> bool:
        """Whether the run has ended, for whatever reason."""
        return self._run.has_ended()

    @folded
    def result(self) -> Results:
        """Block until the run has ended and return its results, or raise what went wrong."""
        with self.keepers.waited_for():
            while True:
                run = self._run
                run.wait(run.has_ended)
                if run is self._run:
                    # ipywidgets saves as a page what is there, and nothing may be made meanwhile.
                    self.furnish()
                    return run.result()

    @folded
    def snapshot(self) -> UDFResults:
        """Return what has been merged so far; it does not change afterwards."""
        return self._run.snapshot()

    @folded
    def save(
        self,
        path: str | os.PathLike[str],
        result: str | None = None,
        *,
        overwrite: bool = False,
        calibration: Calibration | None = None,
    ) -> Path:
        """Save what has been merged so far, in the format that the name of the file asks for.

        `result` blocks until all is. What is not merged is told in HDF5 files and pictures, and is
        NaN in TIFF files.

        Parameters
        ----------
        path : str or path
            ``.h5`` for all results, with axes, coverage, and where they come from (HDF5, NeXus);
            ``.png``, ``.svg`` or ``.pdf`` for the images as they are shown, with axes and colour
            bars; ``.npy`` or ``.tif`` for one result. The file gets its name when it is complete.
        result : str, optional
            Which one, by its name, or as 'SumUDF: intensity'; by default all.
        overwrite : bool
            Replace a file that exists.
        calibration : Calibration, optional
            How large pixels are, in place of what the file of the dataset tells.

        Returns
        -------
        Path
            Of the file.

        Raises
        ------
        ValueError
            If there is no such format or result, or the format takes only one.
        FileExistsError
            If there is such a file and `overwrite` is not set.
        """
        pkgutil.resolve_name(CHECK)(path, overwrite, calibration)
        results = self._run.snapshot()
        chosen = [kept(each, calibration) for each in _chosen(results, result)]
        panels = partial(self._panels, results, calibration) if result is None else None
        options: Any = {"overwrite": overwrite, "panels": panels}
        return cast("Path", pkgutil.resolve_name(SAVE)(chosen, path, **options))

    def _panels(self, results: UDFResults, calibration: Calibration | None) -> list[Panel]:
        if self.comm is not None:
            self.furnish()
        return [
            image.panel(newest(channel, results, image.slice, calibration, image.title))
            for channel, image in zip(self._channels, self._images, strict=False)
        ]

    def _newest(self, place: int, index: int, given: Calibration | None, title: str) -> Kept:
        return newest(self._channels[place], self._run.snapshot(), index, given, title)

    def __await__(self) -> Generator[Any, Any, Results]:
        return self._wait().__await__()

    @folded
    async def _wait(self) -> Results:
        with self.keepers.waited_for():
            while True:
                run = self._run
                await run.wait_async(run.has_ended)
                if run is self._run:
                    return run.result()

    def __aiter__(self) -> AsyncIterator[UDFResults]:
        return _Following(self)

    def wait_saved(self, timeout: float = PATIENCE) -> bool:
        """Wait until the last pictures of a run that has ended are saved with the notebook.

        Parameters
        ----------
        timeout : float
            Seconds at most.

        Returns
        -------
        bool
            Whether they are. On the hub's thread, which saves them, there is no waiting.
        """
        return self._generation is None or self._generation.wait_saved(timeout)

    # Lifetime

    def _dismiss(self) -> None:
        """Have a person's wish to see it on no shelf any more."""
        for shelf in self.keepers.shelves:
            shelf.remove(self)
        if not self.keepers.outputs:
            self.close()

    def close(self) -> None:
        """Stop the run and release all widgets. What was merged can still be had."""
        for shelf in self.keepers.shelves:
            shelf.remove(self)
        with self._changing:
            if self.comm is None:
                return  # closed already, or its channels could not be resolved
            if not self._guest:
                self._run.cancel()
            self._is_bare = False
            if self._generation is not None:
                self._generation.supersede()
            for widget in (*self.children, *self._images):
                widget.close()
            super().close()
            # A widget that is closed hides its own; this one still has a picture to show.
            self.__dict__.pop("_repr_mimebundle_", None)

    def png(self) -> bytes | None:
        """Return the newest pictures side by side as a PNG, with 512 pixels a side at most."""
        if self.comm is not None:
            self.furnish()
        pictures = [png for image in self._images if (png := image.png(overview=True)) is not None]
        return side_by_side(pictures) if pictures else None

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = {}
        if self.comm is not None:
            self.furnish()
            self.keepers.outputs.note()
            mime = super()._repr_mimebundle_(**kwargs) or {}
        # While the run goes on it would be out of date at once.
        return complete(mime, repr(self), lambda: self.png() if self.done else None)

    def __repr__(self) -> str:
        return f"<LiveAnalysis {', '.join(type(udf).__name__ for udf in self._run.udfs)}>"


def _chosen(results: UDFResults, name: str | None) -> list[BufferWrapper]:
    """Return all results, or the one of a name."""
    named = {
        each.origin.title if each.origin is not None else key: (key, each)
        for buffers in results.buffers
        for key, each in buffers.items()
    }
    found = [each for title, (key, each) in named.items() if name in (None, key, title)]
    if not found:
        raise ValueError(unknown(name, named, "result "))
    if name is not None and len(found) > 1:
        titles = ", ".join(repr(title) for title, (key, _) in named.items() if key == name)
        raise ValueError(f"there are several results {name!r}: name one of {titles}")
    return found


def _classes_of(channels: Sequence[Channel]) -> list[str]:
    """Return what the style sheet knows a card by."""
    by_udf = len(channels) > 1 and len({channel.udf for channel in channels}) == len(channels)
    by_udf = by_udf and not any(channel.is_named for channel in channels)
    # Where each image is of another UDF, its name says more than that of the channel.
    return ["udfw-analysis", *(["udfw-by-udf"] if by_udf else [])]


class _Following(AsyncIterator[UDFResults]):
    """Iterates over the newest results of an analysis, whichever run they come from."""

    def __init__(self, analysis: LiveAnalysis) -> None:
        self._analysis = analysis
        self._waiter, waiters = object(), analysis.keepers.waiters
        waiters.add(self._waiter)
        # Without a look: the collector may be at work anywhere. The end of the run sees to that.
        weakref.finalize(self, waiters.discard, self._waiter).atexit = False
        self._begin()

    def _begin(self) -> None:
        self._run = self._analysis._run
        self._follower = Follower(self._run)

    @folded
    async def __anext__(self) -> UDFResults:
        while True:
            step: UDFResults | None = None
            try:
                step = await self._follower.__anext__()
            except Exception:  # also the end: an older run's is of no interest
                if self._run is self._analysis._run:
                    self._analysis.keepers.leave(self._waiter)
                    raise
            if step is not None and self._run is self._analysis._run:
                return step
            if self._run is not self._analysis._run:
                self._begin()
