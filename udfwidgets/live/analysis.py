"""The card of an analysis: its progress, a cancel button, and one live image per channel."""

from __future__ import annotations

import base64
import io
import logging
import threading
import time
from collections.abc import Callable, Generator, Sequence
from typing import Any

import anyio
import ipywidgets
from IPython.display import display
from PIL import Image

from udfwidgets.buffers import BufferWrapper, UDFResults
from udfwidgets.engine.progress import RunState
from udfwidgets.engine.run import Run
from udfwidgets.engine.stream import Follower
from udfwidgets.engine.subscription import Subscriber
from udfwidgets.live.channels import Channel, resolve_channels
from udfwidgets.live.hub import hub
from udfwidgets.live.image import LiveImage
from udfwidgets.live.picture import Picture, State, Status
from udfwidgets.live.status import StatusBar

Results = tuple[dict[str, BufferWrapper], ...]

#: Seconds that whoever waits for a run also waits for its last pictures to be saved, at most.
#: They have to leave while the cell runs: tools that execute notebooks drop what comes later.
PATIENCE = 1.0

_log = logging.getLogger(__name__)


class LiveAnalysis(ipywidgets.VBox, Subscriber):  # type: ignore[misc]
    """Shows a run while it goes on: the last line of a cell that starts one in the background.

    It is a widget, and it can be awaited for the final results (a tuple, one dict per UDF) and
    iterated over with ``async for``: each turn brings the newest results, the last one for sure.
    Neither holds up the run or the pictures, and leaving them does not stop it: `cancel` does.

    Parameters
    ----------
    run : Run
        Not started yet, or under way.
    plots : object
        Which channels to show, see `resolve_channels`.

    Attributes
    ----------
    status : StatusBar
        Progress and the cancel button.
    images : tuple of LiveImage
        One per channel; add marks of bqplot to their `figure`.
    """

    def __init__(self, run: Run, plots: Any = True) -> None:
        self._run = run
        self._channels = resolve_channels(run.udfs, plots)
        self._snapshots = _Snapshots(run)
        #: Places of the channels whose last picture has not been made.
        self._due = set(range(len(self._channels)))
        #: What keeps channels from being drawn, by their place. Only the hub's thread changes it.
        self._faults: dict[int, Exception] = {}
        self._fault_is_logged = False
        self._last_is_offered = threading.Event()
        self._deadline: float | None = None
        self.images = tuple(
            LiveImage(
                channel.shape,
                kind=channel.kind,
                title=channel.title,
                # Patterns and maps are told apart at a glance.
                colormap="magma" if channel.kind == "sig" else "viridis",
                # Next to the central disk nothing else of a pattern shows on a linear scale.
                log=channel.kind == "sig" and channel.function is None,
            )
            for channel in self._channels
        )
        # After the images: the last status tells how their last pictures went.
        self.status = StatusBar(", ".join(type(udf).__name__ for udf in run.udfs))
        pictures = ipywidgets.Box(self.images, layout={"flex_flow": "row wrap"})
        super().__init__([self.status, pictures])
        self.add_class("udfw-analysis")
        self.status.on_cancel(run.cancel)
        run.subscribe(self)

    def show(self) -> None:
        """Appear in the output of the cell that is running."""
        display(self)  # type: ignore[no-untyped-call]

    def cancel(self) -> None:
        """Stop the run; returns when no worker is left. The pictures keep what was merged."""
        self._run.cancel()
        self._run.wait(self._run.has_ended)

    @property
    def done(self) -> bool:
        """Whether the run has ended, for whatever reason."""
        return self._run.has_ended()

    def result(self) -> Results:
        """Block until the run has ended and return its results, or raise what went wrong."""
        self._run.wait(self._run.has_ended)
        return self._run.result()

    def snapshot(self) -> UDFResults:
        """Return what has been merged so far; it does not change afterwards."""
        return self._run.snapshot()

    def __await__(self) -> Generator[Any, Any, Results]:
        yield from self._run.wait_async(self._run.has_ended).__await__()
        return self._run.result()

    def __aiter__(self) -> Follower:
        return Follower(self._run)

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
        if hub().is_current_thread():
            timeout = 0.0
        deadline = time.monotonic() + timeout
        # The run counts as ended a moment before it says so to its views.
        saved = self._last_is_offered.wait(timeout)
        # The status is the last one to be settled.
        widgets: tuple[LiveImage | StatusBar, ...] = (*self.images, self.status)
        for widget in widgets:
            saved = widget.wait_saved(max(0.0, deadline - time.monotonic())) and saved
        return saved

    def close(self) -> None:
        """Stop the run and release all widgets."""
        if self.comm is None:
            return  # closed already, or its channels could not be resolved
        self._run.cancel()
        self.status.close()
        for image in self.images:
            image.close()
        self._snapshots.let_go()
        super().close()

    def png(self) -> bytes | None:
        """Return the newest pictures side by side as a PNG, in pixels of the data."""
        pictures = [png for image in self.images if (png := image.png()) is not None]
        return _side_by_side(pictures) if pictures else None

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        mime: dict[str, Any] = super()._repr_mimebundle_(**kwargs) or {}
        mime["text/plain"] = repr(self)
        # While the run goes on it would be out of date at once.
        png = self.png() if self.done else None
        if png is not None:
            mime["image/png"] = base64.b64encode(png).decode()
        return mime

    def __repr__(self) -> str:
        return f"<LiveAnalysis {', '.join(type(udf).__name__ for udf in self._run.udfs)}>"

    # As a subscriber of the run, on its workers' threads

    def merged(self, run: Run) -> None:
        """Offer the news; it is looked at when the browser is ready to draw."""
        self._offer(final=False)

    def ended(self) -> None:
        """Offer the last state."""
        self._offer(final=True)
        self._last_is_offered.set()

    # As a subscriber, for whoever waited for the run

    def linger(self) -> None:
        """Wait until the last pictures are saved, within the patience that is left."""
        self.wait_saved(self._patience_left())

    async def linger_async(self) -> None:
        """Wait, as `linger`, as a task under asyncio or trio."""
        with anyio.move_on_after(self._patience_left()):
            # Looked for, not signalled: it takes some milliseconds, once in a run.
            while not self.wait_saved(0.0):
                await anyio.sleep(0.005)

    def _patience_left(self) -> float:
        """Seconds: it begins with the first one who waits, for nobody else has to."""
        if self._deadline is None:
            self._deadline = time.monotonic() + PATIENCE
        return max(0.0, self._deadline - time.monotonic())

    def _offer(self, final: bool) -> None:
        for place, image in enumerate(self.images):
            image.offer(self._source_of(place, final), final=final)
        self._offer_status(final)

    def _offer_status(self, final: bool) -> None:
        self.status.offer(
            lambda: status_of(self._run, next(iter(self._faults.values()), None)), final=final
        )

    # On the hub's thread

    def _source_of(self, place: int, final: bool) -> Callable[[], Picture | None]:
        def picture() -> Picture | None:
            try:
                picture = self._snapshots.picture_of(self._channels[place], final)
            except Exception as error:
                self._note(place, error, final)
                return None
            finally:
                if final:
                    self._due.discard(place)
                if not self._due:
                    self._snapshots.let_go()
            if self._faults.pop(place, None):
                self._offer_status(final)
            return picture

        return picture

    def _note(self, place: int, error: Exception, final: bool) -> None:
        """Have the status say why a channel cannot be drawn; the other channels go on."""
        self._faults[place] = error
        if not self._fault_is_logged:
            # No louder: it would come out in whatever cell is running.
            _log.info("%s cannot be drawn", self._channels[place].title, exc_info=error)
        self._fault_is_logged = True
        self._offer_status(final)


class _Snapshots:
    """Makes pictures out of snapshots of a run: one snapshot for all channels of a step."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._lock = threading.Lock()
        self._newest: tuple[int, UDFResults] | None = None

    def picture_of(self, channel: Channel, final: bool) -> Picture:
        """Return the newest picture of a channel."""
        results = self._results()
        return Picture(
            channel.image_of(results),
            coverage=results.damage.data,
            fraction=self._run.progress.fraction,
            final=final,
        )

    def let_go(self) -> None:
        """Give the memory of the snapshot back: nobody is going to ask for it again."""
        with self._lock:
            self._newest = None

    def _results(self) -> UDFResults:
        with self._lock:
            frames = self._run.progress.frames
            if self._newest is None or self._newest[0] != frames:
                self._newest = (frames, self._run.snapshot())
            return self._newest[1]


#: Pixels between pictures, and the longest side of a picture there: it stands in for the widget
#: where that cannot be shown, and goes into the notebook.
GAP, LONGEST = 4, 512


def _side_by_side(pngs: Sequence[bytes]) -> bytes:
    pictures: list[Image.Image] = [Image.open(io.BytesIO(png)) for png in pngs]
    for picture in pictures:
        picture.thumbnail((LONGEST, LONGEST))
    height = max(picture.height for picture in pictures)
    scaled = [_enlarged(picture, height) for picture in pictures]
    width = sum(picture.width + GAP for picture in scaled) - GAP
    sheet = Image.new("RGB", (width, height), "white")
    x = 0
    for picture in scaled:
        sheet.paste(picture, (x, 0))
        x += picture.width + GAP
    file = io.BytesIO()
    sheet.save(file, "PNG")
    return file.getvalue()


def _enlarged(picture: Image.Image, height: int) -> Image.Image:
    """Return a picture about as high as others; by a whole number, so that pixels stay sharp."""
    times = max(1, min(height // picture.height, LONGEST // picture.width))
    size = (picture.width * times, picture.height * times)
    return picture.resize(size, Image.Resampling.NEAREST)


_STATES: dict[RunState, State] = {
    RunState.RUNNING: "running",
    RunState.DONE: "done",
    RunState.CANCELLED: "cancelled",
    RunState.FAILED: "failed",
}


def status_of(run: Run, fault: Exception | None = None) -> Status:
    """Return how far a run is, with the rates since its start.

    Parameters
    ----------
    run : Run
        Under way, or ended.
    fault : Exception, optional
        Why its results cannot be drawn. While the run goes on that may still mend itself; a run
        that ends with it counts as failed.
    """
    progress, error = run.progress, run.error or fault
    rate = progress.frames / progress.seconds if progress.seconds > 0 else 0.0
    left = (progress.n_frames - progress.frames) / rate if rate else None
    state = _STATES[run.state]
    return Status(
        state="failed" if fault is not None and state == "done" else state,
        fraction=progress.fraction,
        frames_done=progress.frames,
        frames_total=progress.n_frames,
        frames_per_second=rate,
        bytes_per_second=progress.n_bytes / progress.seconds if progress.seconds > 0 else 0.0,
        seconds_left=left if run.state is RunState.RUNNING else None,
        message="" if error is None else f"{type(error).__name__}: {error}",
    )
