"""A detector that looks at the demo sample and delivers frames at its own pace."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Any

import anyio
import anyio.to_thread
import numpy as np
import numpy.typing as npt

from udfwidgets.demo.sample import Sample
from udfwidgets.shapes import Shape

# Detectors are read out in bursts. A wake-up for each of 1000 frames per second would cost more
# than the frames.
_READ_OUT_EVERY = 0.005
# Frames are drawn so many at a time, ahead of their exposure.
_BLOCK = 32
# Drawing 64 x 64 pixels takes 0.1 ms. A larger frame shows each of them as a square of pixels.
_MOST_DRAWN = 64

Frames = npt.NDArray[np.uint16]


class SimulatedDetector:
    """A detector at a microscope that scans the demo sample, once.

    Nobody has to keep up with it at every moment: what is not taken in time waits in its memory,
    as if that had no end. `pause`, `resume`, `stop` and `fail` may be called from any thread.

    Parameters
    ----------
    nav_shape, sig_shape : (int, int)
        Of the scan and of a frame.
    frames_per_second : float
        How fast it is.
    seed : int
        Of the sample and the noise, as for `Sample`.

    Attributes
    ----------
    shape : Shape
        Of the scan.
    dtype : numpy.dtype
        uint16.
    """

    def __init__(
        self,
        nav_shape: Sequence[int] = (64, 64),
        sig_shape: Sequence[int] = (256, 256),
        *,
        frames_per_second: float = 1000.0,
        seed: int = 0,
    ) -> None:
        if not frames_per_second > 0:
            raise ValueError(f"frames_per_second is {frames_per_second}, expected more than 0")
        self._magnification = _magnification(sig_shape)
        drawn = tuple(n // self._magnification for n in sig_shape)
        self._sample = Sample(nav_shape, drawn, seed=seed)
        self.shape = Shape((*nav_shape, *sig_shape), 2)
        self.dtype: np.dtype[Any] = np.dtype(np.uint16)
        self._frames_per_second = frames_per_second
        self._started: float | None = None
        self._paused: float | None = None
        self._is_stopped = False
        self._failure: Exception | None = None

    async def frames(self) -> AsyncGenerator[Frames, None]:
        """Record the scan: yield frame after frame when it has been exposed, under any loop.

        Raises
        ------
        ConnectionError
            After `fail`.
        """
        n_read, block_start, block = 0, 0, await anyio.to_thread.run_sync(self.expose, 0, _BLOCK)
        while n_read < self.shape.nav.size and not self._is_stopped:
            if n_read == self._n_exposed():
                await anyio.sleep(_READ_OUT_EVERY)
                continue
            if n_read == block_start + len(block):
                block_start = n_read
                block = await anyio.to_thread.run_sync(self.expose, n_read, n_read + _BLOCK)
            n_read += 1
            yield block[n_read - 1 - block_start]

    def blocks(self) -> Generator[Frames, None, None]:
        """Record the scan: yield stacks of those frames that have been exposed meanwhile."""
        n_read = 0
        while n_read < self.shape.nav.size and not self._is_stopped:
            stop = min(self._n_exposed(), n_read + _BLOCK)
            if stop > n_read:
                yield self.expose(n_read, stop)
                n_read = stop
            else:
                time.sleep(_READ_OUT_EVERY)

    def expose(self, start: int, stop: int) -> Frames:
        """Return the frames `start` to `stop` (exclusive), at once; they are always the same."""
        drawn = self._sample.frames(start, min(stop, self.shape.nav.size))
        if self._magnification == 1:
            return drawn
        return drawn.repeat(self._magnification, axis=2).repeat(self._magnification, axis=1)

    def pause(self) -> None:
        """Expose no frames until `resume`, as when the beam is blanked."""
        if self._paused is None:
            self._paused = time.monotonic()

    def resume(self) -> None:
        """Go on after `pause`."""
        if self._paused is not None:
            if self._started is not None:
                self._started += time.monotonic() - max(self._paused, self._started)
            self._paused = None

    def stop(self) -> None:
        """End the scan early, in order."""
        self._is_stopped = True

    def fail(self, error: Exception | None = None) -> None:
        """Break down: whoever takes frames gets an error."""
        self._failure = error or ConnectionError("the detector does not answer any more")

    def _n_exposed(self) -> int:
        if self._failure is not None:
            raise self._failure
        if self._started is None:
            self._started = time.monotonic()
        paused = self._paused
        now = time.monotonic() if paused is None else max(paused, self._started)
        n_exposed = int((now - self._started) * self._frames_per_second)
        return min(n_exposed, self.shape.nav.size)


def _magnification(sig_shape: Sequence[int]) -> int:
    """Return by how much frames are drawn smaller than they are, a power of two."""
    factor = 1
    while all(n % (2 * factor) == 0 for n in sig_shape) and min(sig_shape) // factor > _MOST_DRAWN:
        factor *= 2
    return factor
